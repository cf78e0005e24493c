//! An emulator of one's own, with what the ports need.

use std::{collections::BTreeMap, path::Path};

use bridge_aws::{
    Aws, Credentials, Meter, Settings,
    admin::{Admin, IndexSpec, KeySpec, QueueSpec, TableSpec},
};
use bridge_emulator::{Emulator, Keep, install};
use tempfile::TempDir;

/// Ends with its last use.
pub(crate) struct World {
    pub(crate) aws: Aws,
    pub(crate) admin: Admin,
    // In this order: the emulator stops before its folder goes.
    _emulator: Emulator,
    _home: TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../emulator/venv");
        let home = tempfile::tempdir().unwrap();
        let at = home.path().to_owned();
        let start = move || Emulator::start(&install(&venv, |_| {})?, &at, Keep::Nothing, |_| {});
        let emulator = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
        let credentials = Credentials { id: "test".to_owned(), secret: "test".to_owned() };
        let admin = Admin::new(&emulator.endpoint(), "us-east-1", &credentials, &Meter::default()).await;
        for (name, indexes) in [("ledger", indexes()), ("resources", Vec::new()), ("config", Vec::new())] {
            admin.table(&TableSpec { name: name.to_owned(), key: key("pk", "sk"), indexes }).await.unwrap();
        }
        admin.bucket("payloads", true).await.unwrap();
        admin.bucket("files", true).await.unwrap();
        let settings = Settings {
            ledger_table: "ledger".to_owned(),
            resources_table: "resources".to_owned(),
            config_table: "config".to_owned(),
            inbound_queue_url: queue(&admin, "inbound.fifo").await,
            outbound_queue_url: queue(&admin, "outbound.fifo").await,
            commands_queue_url: queue(&admin, "commands.fifo").await,
            polls_queue_url: queue(&admin, "polls.fifo").await,
            exports_queue_url: queue(&admin, "exports.fifo").await,
            drops_queue_url: queue(&admin, "drops").await,
            payload_bucket: "payloads".to_owned(),
            files_bucket: "files".to_owned(),
            stack: "bridge".to_owned(),
            key_id: admin.key("alias/bridge").await.unwrap(),
            endpoint: Some(emulator.endpoint()),
            region: Some("us-east-1".to_owned()),
            credentials: Some(credentials),
        };
        Self { aws: Aws::new(settings).await, admin, _emulator: emulator, _home: home }
    }

    pub(crate) fn inbound(&self) -> &str {
        &self.aws.settings().inbound_queue_url
    }
}

fn key(hash: &str, range: &str) -> KeySpec {
    KeySpec { hash: hash.to_owned(), range: Some(range.to_owned()) }
}

/// As `infra/storage.yaml` has them.
fn indexes() -> Vec<IndexSpec> {
    let include = ["doc", "rev", "ttl"].map(str::to_owned).to_vec();
    vec![
        IndexSpec { name: "by-connection".to_owned(), key: key("cpk", "csk"), include: Some(include) },
        IndexSpec { name: "by-attention".to_owned(), key: key("apk", "ask"), include: None },
    ]
}

async fn queue(admin: &Admin, name: &str) -> String {
    let fifo = [
        ("FifoQueue", "true"),
        ("DeduplicationScope", "messageGroup"),
        ("FifoThroughputLimit", "perMessageGroupId"),
    ];
    let all = [("VisibilityTimeout", "30"), ("MaximumMessageSize", "1048576")];
    let fifo = fifo.iter().filter(|_| name.ends_with(".fifo"));
    let attributes: BTreeMap<String, String> =
        fifo.chain(&all).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    admin.queue(&QueueSpec { name: name.to_owned(), attributes }).await.unwrap()
}
