//! Files that GnuPG encrypted, through the function.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use bridge_aws::lambda::Function;
use bridge_core::{
    Phi,
    config::Secret,
    task::{Actor, Dropped, FileTask},
};
use bridge_pipeline::{
    Bridge,
    files::{FileDoc, FileState},
};
use bridge_testkit::memory::{Calm, MemoryPorts, Shared, lock};
use file_ingest::FileIngest;
use serde_json::json;
use support::{call, failures, function, queued};

const KEY: &str = include_str!("../../../shared/openpgp/tests/gnupg/locked.secret.asc");
const SIGNED: &[u8] = include_bytes!("../../../shared/openpgp/tests/gnupg/signed.asc");
const FOR_ANOTHER: &[u8] = include_bytes!("../../../shared/openpgp/tests/gnupg/plain.gpg");

const FEED: &str = "
keys: 'charts*'
openpgp: {secret-key: file-key, passphrase: file-passphrase}
file: {format: csv}
key-columns: [id]
columns: [{name: id, from: [chart], type: integer}, {name: family, from: [name]}, {name: born, type: date}]
mapping: patient-row
";

/// The example practice with a feed of encrypted files.
async fn practice() -> (impl Function, Shared, Bridge<MemoryPorts<Calm>>) {
    let mut bridge = None;
    let (function, world) = function(|ports| {
        let again = MemoryPorts::new(ports.world().clone(), Calm, ports.adapters_known(), 0, 9);
        bridge = Some(Bridge::new(again));
        FileIngest::new(ports)
    })
    .await;
    let bridge = bridge.unwrap();
    let desk = "sunrise.front-desk".parse().unwrap();
    let mut connection = bridge.connection(&desk).await.unwrap().unwrap().connection.clone();
    connection.feeds.insert("charts".to_owned(), serde_norway::from_str(FEED).unwrap());
    for (name, value) in [("file-key", KEY), ("file-passphrase", "synthetic-passphrase")] {
        connection.secrets.insert(name.to_owned(), Secret::One(Phi::new(value.to_owned())));
    }
    let actor = Actor { name: "test".to_owned(), reason: "encrypted files".to_owned() };
    bridge.apply_connection(connection, actor).await.unwrap();
    (function, world, bridge)
}

async fn read(
    (function, world, bridge): &(impl Function, Shared, Bridge<MemoryPorts<Calm>>),
    name: &str,
    bytes: &[u8],
) -> FileDoc {
    let dropped: Dropped = {
        let mut world = lock(world);
        let now = world.now;
        world.files.put(&format!("drops/sunrise.front-desk/{name}"), bytes.to_vec(), now)
    };
    let body = serde_json::to_string(&FileTask::Dropped(vec![dropped])).unwrap();
    let event = json!({"Records": [{"messageId": "m-1", "receiptHandle": "r", "body": body,
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:drops",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1790000000000"}}]});
    assert_eq!(call(function, &event.to_string()).await, failures(&[]));
    let files = bridge.files(&"sunrise.front-desk".parse().unwrap(), 10).await.unwrap();
    files.into_iter().find(|doc| doc.name == name).unwrap()
}

#[tokio::test]
async fn a_signed_and_compressed_file_becomes_its_rows_and_a_changed_one_nothing() {
    let practice = practice().await;
    let doc = read(&practice, "charts-1.asc", SIGNED).await;
    assert_eq!((doc.state, doc.progress.sent), (FileState::Done, 1500), "{:?}", doc.cause);
    assert_eq!(queued(&practice.1).len(), 1500);

    let mut changed = SIGNED.to_vec();
    let at = changed.len() - 600;
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    for (name, bytes) in [("charts-2.asc", &*changed), ("charts-3.gpg", FOR_ANOTHER)] {
        let doc = read(&practice, name, bytes).await;
        assert_eq!((doc.state, doc.progress.sent), (FileState::Refused, 0));
        assert_eq!(doc.cause.unwrap().code, "file.encrypted");
    }
    assert_eq!(queued(&practice.1).len(), 1500);
    let world = lock(&practice.1);
    let told: Vec<String> = world.tables.iter().map(|record| record.doc.clone()).collect();
    assert!(told.iter().all(|doc| !doc.contains("BEGIN PGP") && !doc.contains("synthetic-passphrase")));
}
