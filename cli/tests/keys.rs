//! A product that knows the bridge by its published keys: made with the command, kept by the key service, fetched by the
//! product, and good for a question in FHIR.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::{fs, sync::Arc};

use bridge_simulators::{Seed, Simulator as _, epic::Epic, serve};
use serde_json::{Value, json};
use support::{Process, get, get_with, json as ask, run};

fn keys(gateway: &str) -> Vec<Value> {
    let set = get(&format!("{gateway}/.well-known/jwks.json")).unwrap();
    set["keys"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_asked_with_a_key_that_nobody_holds() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    let epic = Arc::new(Epic::default());
    epic.seed(&Seed { number: 1, patients: 3, practitioners: 2, appointments: 4 });
    let served = serve(epic.clone(), None).await.unwrap();
    let bridge = Process::start(&state, &["up", "--quiet"]);
    let gateway = bridge.gateway();

    let made = ask(&state, &["keys", "create", "--algorithm", "RS384"]).remove(0)["made"].clone();
    assert!(made["key"].as_str().unwrap().starts_with("arn:aws:kms:"), "{made}");
    let twice = run(&state, &["keys", "create", "--algorithm", "RS384"]);
    assert_eq!(twice.status.code(), Some(2), "the next one is a rotation");
    let published = keys(&gateway);
    assert_eq!(published[0]["kid"], made["kid"]);
    assert!(published[0].get("d").is_none() && published[0]["alg"] == "RS384", "{published:?}");
    epic.register(published);

    let access = epic.connection(&served.base);
    let mut settings = json!(access.settings);
    settings.as_object_mut().unwrap().remove("key-id");
    let connection =
        json!({"connection": "sunrise.epic", "adapter": "epic", "zone": access.zone, "settings": settings});
    let file = home.path().join("epic.yaml");
    fs::write(&file, connection.to_string()).unwrap();
    ask(&state, &["connections", "apply", file.to_str().unwrap()]);
    let token = ask(&state, &["token"]).remove(0)["access_token"].as_str().unwrap().to_owned();
    let authorization = format!("Bearer {token}");
    let asked = || {
        let url = format!("{gateway}/fhir/sunrise.epic/Location");
        get_with(&url, ("authorization", &authorization)).unwrap()
    };
    let found = asked();
    assert_eq!(found["type"], "searchset", "{found}");
    assert!(!found["entry"].as_array().unwrap().is_empty(), "{found}");

    // The next key is published before it signs; the one before signs on, and can't be withdrawn yet.
    let next = ask(&state, &["keys", "rotate", "--algorithm", "RS384", "--reason", "a year"]).remove(0);
    let listed = ask(&state, &["keys", "list"]);
    let states: Vec<&str> = listed.iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["may sign", "published"]);
    let kid = made["kid"].as_str().unwrap();
    let refused = run(&state, &["keys", "retire", kid, "--reason", "too early"]);
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stderr));
    let set = ask(&state, &["keys", "jwks"]).remove(0);
    let kids: Vec<&Value> = set["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_eq!(kids, [&made["kid"], &next["made"]["kid"]]);

    // One that signs at once makes it idle.
    ask(&state, &["keys", "rotate", "--algorithm", "RS384", "--after", "0", "--overlap", "0"]);
    ask(&state, &["keys", "retire", next["made"]["kid"].as_str().unwrap(), "--reason", "not needed"]);
    let listed = ask(&state, &["keys", "list"]);
    let states: Vec<&str> = listed.iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["withdrawn", "withdrawn", "may sign"]);
    bridge.stop();
}
