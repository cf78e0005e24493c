//! A file that only its receiver can read, through the function.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use std::time::Duration;

use bridge_aws::{
    SystemClock,
    lambda::{Invocation, invoke},
};
use bridge_core::{
    Phi,
    export::{EncryptedFor, WhenEmpty},
    task::Actor,
};
use bridge_openpgp::{decryptor, encryptor};
use bridge_pipeline::{Bridge, ports::Clock as _};
use bridge_testkit::memory::{Calm, MemoryPorts, lock};
use export::Export;
use support::{failures, function};

const EXPORT: &str = include_str!("../../../events/export/export.json");
const PUBLIC: &str = include_str!("../../../shared/openpgp/tests/gnupg/open.public.asc");
const SECRET: &str = include_str!("../../../shared/openpgp/tests/gnupg/open.secret.asc");

#[tokio::test]
async fn an_encrypted_file_is_read_by_its_receiver_and_nobody_else() {
    let mut bridge = None;
    let (function, world) = function(|ports| {
        let again = MemoryPorts::new(ports.world().clone(), Calm, ports.adapters_known(), 0, 9);
        bridge = Some(Bridge::new(again));
        Export::new(ports)
    })
    .await;
    let bridge = bridge.unwrap();
    let desk = "sunrise.front-desk".parse().unwrap();
    let mut connection = bridge.connection(&desk).await.unwrap().unwrap().connection.clone();
    let export = connection.exports.get_mut("patients").unwrap();
    export.openpgp = Some(EncryptedFor { recipients: vec![PUBLIC.to_owned()] });
    export.when_empty = WhenEmpty::Write;
    let actor = Actor { name: "test".to_owned(), reason: "encrypted files".to_owned() };
    bridge.apply_connection(connection, actor).await.unwrap();

    lock(&world).now += 8 * 86_400_000;
    let deadline = SystemClock.now() + Duration::from_hours(8 * 24) + Duration::from_mins(5);
    let invocation = Invocation { request_id: "r-1".to_owned(), deadline };
    assert_eq!(invoke(&function, EXPORT.as_bytes(), &invocation).await, failures(&[]));

    let object = {
        let world = lock(&world);
        let keys = world.files.keys("outbox/");
        let key = keys.iter().find(|key| !key.ends_with(".manifest.json")).unwrap();
        world.files.get(key).unwrap().to_vec()
    };
    let mut header = Vec::new();
    let mut cipher = decryptor(&[Phi::new(SECRET.to_owned())], &[]).unwrap();
    cipher.push(&object, u64::MAX, &mut header).unwrap();
    cipher.finish(u64::MAX, &mut header).unwrap();
    assert!(header.starts_with(b"Patient No,Last Name,First Name,Birth Date"));
    assert!(!object.windows(7).any(|bytes| bytes == b"Patient"));
}

#[test]
fn a_key_that_is_none_is_said() {
    assert!(encryptor(&["-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nnone\n"]).is_err());
}
