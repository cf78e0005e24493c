//! What the interpretation of an adapter costs: a call against the same request by a bare HTTP client. Aim: at most 1.2 times.
//!
//! `cargo bench -p bridge-adapters --bench api`
#![allow(clippy::unwrap_used, missing_docs)]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bridge_adapters::Transports;
use bridge_core::{
    Phi, Timestamp,
    config::Connection,
    manifest::{Adapters, Manifest},
    remote::{ApiCall, Party, Remote as _},
};
use divan::{Bencher, counter::ItemsCount};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    runtime::Runtime,
};

/// Of a page.
const ROWS: usize = 10;

fn main() {
    divan::main();
}

/// A page of appointments, about 1 KB each.
fn page() -> String {
    let row = |n: usize| {
        let note = "Nothing that anybody ever said. ".repeat(24);
        json!({"AptNum": n, "PatNum": 7, "AptStatus": "Scheduled", "Pattern": "//XXXX//", "Op": 3, "Note": note,
               "ProvNum": 1, "AptDateTime": "2026-03-05 09:30:00", "DateTStamp": "2026-03-01 08:00:00", "ClinicNum": 0,
               "IsNewPatient": "false", "Confirmed": 0, "ProcDescript": "Exam", "Priority": "Normal"})
    };
    Value::Array((0..ROWS).map(row).collect()).to_string()
}

/// Answers every request on loopback with the same page.
fn server(runtime: &Runtime) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body = page();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\ncontent-type: application/json\r\n\r\n{body}",
        body.len()
    );
    runtime.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                stream.set_nodelay(true).unwrap();
                let mut bytes = Vec::with_capacity(4096);
                while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
                    if bytes.ends_with(b"\r\n\r\n") {
                        bytes.clear();
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    url
}

/// The call needs no mapping.
struct Nothing;

impl Adapters for Nothing {
    fn manifest(&self, _: &str) -> Option<Arc<Manifest>> {
        None
    }
    fn mapping(&self, _: &str, _: &str) -> Option<Arc<str>> {
        None
    }
    fn query(&self, _: &str, _: &str) -> Option<Arc<str>> {
        None
    }
}

const MANIFEST: &str = r#"
adapter: demo
version: 1
title: Demo
settings: {url: {about: Where.}}
secrets: {key: k}
api:
  base: "{url}"
  auth: {kind: header, name: authorization, value: "Demo {key}"}
  operations:
    list:
      path: /appointments
      query: {since: "{since}"}
      rows: ""
      pages: {kind: offset, offset: Offset, size: 100}
"#;

#[divan::bench(sample_size = 100)]
fn call_by_the_adapter(bencher: Bencher<'_, '_>) {
    let runtime = Runtime::new().unwrap();
    let url = server(&runtime);
    let manifest: Manifest = serde_norway::from_str(MANIFEST).unwrap();
    let connection = format!(
        "{{connection: a.b, adapter: demo, zone: America/Denver, settings: {{url: '{url}'}}, secrets: {{key: k}}}}"
    );
    let connection: Connection = serde_norway::from_str(&connection).unwrap();
    let ways = Transports::new().unwrap();
    let arguments = Phi::new(BTreeMap::from([("since".to_owned(), "2026-03-01 08:00:00".to_owned())]));
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        let party = Party {
            connection: &connection,
            manifest: &manifest,
            api: manifest.api.as_ref().unwrap(),
            adapters: &Nothing,
            now: Timestamp::from_millis(0),
            time_left: Duration::from_secs(20),
        };
        let call =
            ApiCall { party, operation: "list", arguments: &arguments, input: None, page: None, token: None };
        let answer = runtime.block_on(ways.call(&call)).unwrap();
        assert_eq!(answer.records.expose().len(), ROWS);
    });
}

#[divan::bench(sample_size = 100)]
fn call_by_a_bare_client(bencher: Bencher<'_, '_>) {
    let runtime = Runtime::new().unwrap();
    let url = server(&runtime) + "/appointments?since=2026-03-01%2008%3A00%3A00&Offset=0";
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        let answer: Value = runtime.block_on(async {
            let request = client.get(&url).header("authorization", "Demo k");
            let bytes = request.send().await.unwrap().bytes().await.unwrap();
            serde_json::from_slice(&bytes).unwrap()
        });
        assert_eq!(answer.as_array().unwrap().len(), ROWS);
    });
}
