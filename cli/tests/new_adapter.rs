//! `docs/new-adapter.md`, step by step: an adapter of an invented product, from nothing to certified.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/acme.rs"]
mod acme;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use bridge_simulators::serve;

fn bridge(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bridge")).args(args).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_gets_from_nothing_to_certified() {
    let home = tempfile::tempdir().unwrap();
    let guide = include_str!("../../docs/new-adapter.md");
    for step in ["bridge adapters new acme-dental", "bridge adapters check adapters"] {
        assert!(guide.contains(step), "the page says something else than {step}");
        let done = bridge(home.path(), &step.split(' ').skip(1).collect::<Vec<_>>());
        assert!(done.status.success(), "{}", text(&done));
    }

    // A mistake is named with its line.
    let manifest = home.path().join("adapters/acme-dental/adapter.yaml");
    let right = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, right.replace("operation: read-patient", "operation: reed-patient")).unwrap();
    let wrong = bridge(home.path(), &["adapters", "check"]);
    assert_eq!(wrong.status.code(), Some(5));
    assert!(text(&wrong).contains("acme-dental/adapter.yaml:") && text(&wrong).contains("reed-patient"));
    fs::write(&manifest, &right).unwrap();

    let served = serve(Arc::new(acme::Acme::default()), None).await.unwrap();
    let certify = ["adapters", "certify", "acme-dental", "--adapters", "adapters", "--against", &served.base];
    let certified = bridge(home.path(), &[&certify[..], &["--write"]].concat());
    assert!(certified.status.success(), "{}", text(&certified));
    let guide = fs::read_to_string(home.path().join("adapters/acme-dental/README.md")).unwrap();
    assert!(guide.contains("| Patient | yes | yes | – | yes | – | – | – |"), "{guide}");

    // An adapter that is wrong about its product is not certified.
    fs::write(&manifest, right.replace("size: 50", "size: 100")).unwrap();
    let refuted = bridge(home.path(), &certify);
    assert_eq!(refuted.status.code(), Some(5), "{}", text(&refuted));
    assert!(text(&refuted).contains("✗"), "{}", text(&refuted));
}
