//! Many webhooks over many patients, some of them twice, and what must be true afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufWriter, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{Process, acknowledged, chance::variable, eventually, get, run};

const SECRET: &str = "whsec_bG9hZC10ZXN0LXNpZ25pbmctc2VjcmV0LTAwMDE=";
const AT_ONCE: usize = 20;

/// What is sent.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) messages: usize,
    pub(crate) patients: usize,
}

impl Load {
    /// As large as the environment says.
    pub(crate) fn sized(messages: usize, patients: usize) -> Self {
        let messages =
            variable("BRIDGE_LOAD_MESSAGES").map_or(messages, |given| usize::try_from(given).unwrap());
        Self { messages, patients: patients.min(messages) }
    }

    /// Applies a practice with one source, whose messages all go to this receiver.
    pub(crate) fn configure(self, state: &Path, receiver: &str) {
        let folder = state.join("load");
        fs::create_dir_all(&folder).unwrap();
        let studio = format!(
            "connection: load.studio\nadapter: practice-studio\nzone: America/Chicago\n\
             settings: {{url: '{receiver}'}}\nsecrets: {{signing-secret: {SECRET}}}\n"
        );
        fs::write(folder.join("tenant.yaml"), "tenant: load\nname: Load\n").unwrap();
        fs::write(folder.join("studio.yaml"), studio).unwrap();
        fs::write(folder.join("source.yaml"), SOURCE).unwrap();
        let applied =
            run(state, &["connections", "apply", folder.to_str().unwrap(), "--reason", "load test"]);
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    }

    /// Sends everything: each patient's messages one after the other, patients side by side, every tenth message
    /// twice. A message is sent again until it is acknowledged. `gateway` is asked before every try.
    pub(crate) async fn send(
        self,
        gateway: impl Fn() -> String + Send + Sync + 'static,
        sent: Arc<AtomicUsize>,
    ) {
        let client = Client::builder().timeout(Duration::from_secs(15)).build().unwrap();
        let (gateway, free) = (Arc::new(gateway), Arc::new(Semaphore::new(AT_ONCE)));
        let mut patients = tokio::task::JoinSet::new();
        for patient in 0..self.patients {
            let (client, gateway, free) = (client.clone(), Arc::clone(&gateway), Arc::clone(&free));
            let sent = Arc::clone(&sent);
            patients.spawn(async move {
                for number in (patient..self.messages).step_by(self.patients) {
                    let times = if number % 10 == 0 { 2 } else { 1 };
                    for _ in 0..times {
                        let _one_of_twenty = free.acquire().await.unwrap();
                        until_acknowledged(&client, &*gateway, patient, number).await;
                    }
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while let Some(done) = patients.join_next().await {
            done.unwrap();
        }
    }

    /// Writes the same messages as the rows of a file: each patient's in order, each with a note of so many characters
    /// that do not compress.
    pub(crate) fn write_file(self, to: &Path, note: usize) {
        let mut file = BufWriter::new(fs::File::create(to).unwrap());
        writeln!(file, "id,seq,patient,note").unwrap();
        for number in 0..self.messages {
            let mut chance = fastrand::Rng::with_seed(number as u64);
            let note: String = std::iter::repeat_with(|| chance.alphanumeric()).take(note).collect();
            writeln!(file, "m-{number},{number},p-{},{note}", number % self.patients).unwrap();
        }
        file.flush().unwrap();
    }

    /// Waits until everything has arrived, for as long as something arrives `within` this time, and holds the receiver's
    /// book against what was sent and the ledger.
    pub(crate) fn verify(self, state: &Path, book: &str, within: Duration) {
        self.wait_for_all(state, book, within);
        let book = get(book).unwrap();
        assert_eq!(book["count"], self.messages, "each message has one effect");
        assert_eq!(book["refused"], 0);
        // Each patient's messages arrived in the order in which they were sent.
        let mut arrived: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for delivery in book["deliveries"].as_array().unwrap() {
            let visit = &delivery["bundle"]["entry"][0]["resource"];
            let patient = visit["participant"][0]["actor"]["reference"].as_str().unwrap().to_owned();
            arrived.entry(patient).or_default().push(visit["description"].as_str().unwrap().parse().unwrap());
        }
        assert_eq!(arrived.len(), self.patients);
        for (patient, numbers) in &arrived {
            assert!(numbers.is_sorted_by(|a, b| a < b), "{patient}: {numbers:?}");
        }
        self.agrees_with_the_ledger(state, &book);
    }

    /// What is slow goes on; what stands still is lost, and the ledger says where it was last.
    fn wait_for_all(self, state: &Path, book: &str, within: Duration) {
        let (begun, counts) = (Instant::now(), format!("{book}/counts"));
        let (mut arrived, mut heard, mut told) = (0, begun, begun);
        while arrived < self.messages as u64 {
            let now = get(&counts).and_then(|counts| counts["count"].as_u64()).unwrap_or(arrived);
            if now > arrived {
                (arrived, heard) = (now, Instant::now());
            }
            if told.elapsed() >= Duration::from_secs(30) {
                println!("{arrived} of {} delivered after {:?}", self.messages, begun.elapsed());
                told = Instant::now();
            }
            if heard.elapsed() >= within {
                let limit = (2 * self.messages).to_string();
                let list = super::json(state, &["messages", "list", "--tenant", "load", "--limit", &limit]);
                let mut standing: BTreeMap<String, usize> = BTreeMap::new();
                for one in &list {
                    *standing.entry(format!("{} {}", one["state"], one["cause"])).or_default() += 1;
                }
                panic!(
                    "{arrived} of {} arrived, none in {within:?}; in the ledger: {standing:?}",
                    self.messages
                );
            }
            super::rest(Duration::from_millis(500));
        }
    }

    fn agrees_with_the_ledger(self, state: &Path, book: &Value) {
        let limit = (self.messages + 10).to_string();
        let list = |more: &[&str]| {
            super::json(state, &[&["messages", "list", "--tenant", "load", "--limit", &limit], more].concat())
        };
        // The receiver knows before the ledger does.
        let delivered = eventually("the ledger to agree", Duration::from_secs(180), || {
            Some(list(&["--state", "delivered"])).filter(|delivered| delivered.len() == self.messages)
        });
        assert_eq!(list(&[]).len(), self.messages, "nothing else is in the ledger");
        let lanes = super::json(
            state,
            &["messages", "replay", "--all-parked", "--tenant", "load", "--reason", "test"],
        );
        assert_eq!(lanes[0]["lanes"], json!([]), "something is parked");
        let keys: BTreeSet<&str> =
            book["deliveries"].as_array().unwrap().iter().map(|d| d["key"].as_str().unwrap()).collect();
        let deliveries: Vec<&str> = delivered
            .iter()
            .flat_map(|m| m["deliveries"].as_array().unwrap())
            .map(|id| id.as_str().unwrap())
            .collect();
        assert_eq!(deliveries.len(), self.messages);
        assert_eq!(
            deliveries.into_iter().collect::<BTreeSet<_>>(),
            keys,
            "the ledger and the receiver differ"
        );
    }
}

/// Starts a receiver that fails this share of the calls; it outlives any bridge.
pub(crate) fn receiver(state: &Path, fail: &str) -> (Process, String) {
    let receiver = Process::start(state, &["receiver", "--secret", SECRET, "--fail", fail]);
    let url = receiver.ready["receiver"].as_str().unwrap().to_owned();
    (receiver, url)
}

async fn until_acknowledged(
    client: &Client,
    gateway: &(dyn Fn() -> String + Send + Sync),
    patient: usize,
    number: usize,
) {
    let body = json!({
        "event": "visit.saved", "id": format!("m-{number}"), "seq": number.to_string(),
        "patient": format!("p-{patient}"), "note": "x".repeat(1_500),
    });
    acknowledged(client, &|| format!("{}/webhooks/load.source", gateway()), "synthetic-load-key", &body)
        .await;
}

const SOURCE: &str = r#"
connection: load.source
adapter: generic-json
zone: America/Chicago
secrets: {key: synthetic-load-key}
webhook:
  verify: {kind: token, header: x-key, secret: key}
  kind: /event
  kinds:
    visit.saved: {mapping: visit, lane: [/patient], source-id: [/id]}
feeds:
  visits:
    keys: visits*.csv
    file: {format: csv}
    columns: [{name: id, required: true}, {name: seq, required: true}, {name: patient, required: true}, {name: note}]
    key-columns: [id]
    mapping: visit
    lane: [/patient]
mappings:
  visit: |
    {
      "resourceType": "Appointment",
      "identifier": [$identifier("urn:load:visit", id)],
      "status": "booked",
      "description": seq,
      "start": "2026-03-02T09:00:00Z",
      "end": "2026-03-02T09:30:00Z",
      "participant": [{"actor": $reference("Patient", "urn:load:patient", patient), "status": "accepted"}]
    }
routes:
  - {to: load.studio, resources: [Appointment]}
"#;
