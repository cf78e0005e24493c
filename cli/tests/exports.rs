//! What has changed becomes a file that a practice can fetch: from the dropped row to the outbox folder.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::{fs, time::Duration};

use support::{Process, eventually, json, run};

const SOON: Duration = Duration::from_secs(60);
const PATIENTS: &str = "Patient No,Last Name,First Name,Birth Date,Gender\n\
    9117,Quillon,Tilda,02/29/1980,female\n9119,Ploverwick,Zo\u{eb},01/13/1990,female\n";
const EXPORT: [&str; 2] = ["sunrise.front-desk", "patients"];

#[test]
fn a_dropped_row_comes_back_in_the_practices_own_file() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    let sample = home.path().join("patients-1.csv");
    fs::write(&sample, PATIENTS).unwrap();
    let bridge = Process::start(&state, &["up"]);
    json(&state, &["files", "put", sample.to_str().unwrap(), "--connection", "sunrise.front-desk"]);

    let preview = eventually("the rows to be known", SOON, || {
        let command =
            [["exports", "preview"].as_slice(), EXPORT.as_slice(), &["--limit", "100", "--reason", "a test"]]
                .concat();
        let preview = json(&state, &command).remove(0);
        let file = preview["file"].as_str().unwrap();
        (file.contains("Quillon") && file.contains("Ploverwick")).then_some(preview)
    });
    assert_eq!(preview["held"], serde_json::json!([]));
    let access = fs::read_to_string(state.join("access.jsonl")).unwrap();
    assert!(
        access.contains("\"export\":\"sunrise.front-desk#patients\"") && access.contains("a test"),
        "{access}"
    );

    json(&state, &[["exports", "run"].as_slice(), EXPORT.as_slice()].concat());
    let folder = state.join("outbox/sunrise.front-desk/patients");
    let file = eventually("the file", SOON, || {
        let mut names = fs::read_dir(&folder).ok()?.map(|entry| entry.unwrap().path());
        names.find(|path| path.extension().is_some_and(|end| end == "csv"))
    });
    let bytes = fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"Patient No,Last Name,First Name,Birth Date\r\n"));
    assert!(bytes.windows(7).any(|window| window == b",Zo\xeb,19"), "the declared character set");
    let manifest = eventually("its manifest", SOON, || {
        let name = format!("{}.manifest.json", file.display());
        fs::read_to_string(name).ok()
    });
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["bytes"], bytes.len());

    let runs = json(&state, &[["exports", "status"].as_slice(), EXPORT.as_slice()].concat());
    assert_eq!((&runs[0]["run"]["state"], runs.len()), (&"closed".into(), 1), "{runs:?}");
    let list = json(&state, &["exports", "list"]);
    assert_eq!((&list[0]["export"]["runs"], &list[0]["set_aside"]), (&1.into(), &0.into()), "{list:?}");
    let again = json(&state, &[["exports", "retry"].as_slice(), EXPORT.as_slice()].concat());
    assert_eq!(again[0]["resources"], 0);
    let missing = run(&state, &["exports", "run", "sunrise.front-desk", "nothing"]);
    assert_eq!(missing.status.code(), Some(3));
    for planted in ["Quillon", "Ploverwick", "9117"] {
        assert!(!bridge.said().contains(planted), "{planted} was said");
    }
    bridge.stop();
}
