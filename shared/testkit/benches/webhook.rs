//! What a 2 KB webhook costs in process: at the door (verify, name, seal, queue), and at `normalize` (open, map,
//! check, store, seal, queue, record). The world is in memory; what it costs is counted in, and shown apart.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;

use bridge_core::manifest::Adapters as _;
use bridge_pipeline::ports::QueueName;
use bridge_testkit::{
    memory::{MemoryAdapters, lock},
    practice::Practice,
    sim::{CONNECTION, DESTINATION},
};
use divan::{Bencher, counter::ItemsCount};

fn main() {
    divan::main();
}

/// A practice that receives DrChrono's appointments.
fn practice() -> Practice {
    let catalog = bridge_adapters::Catalog::builtin();
    let manifest = catalog.manifest("drchrono").expect("an adapter");
    let mut adapters = MemoryAdapters::default();
    for mapping in ["appointment", "patient"] {
        let text: Arc<str> = catalog.mapping("drchrono", mapping).expect("a mapping");
        adapters.mappings.insert(("drchrono".to_owned(), mapping.to_owned()), text);
    }
    adapters.manifests.insert("drchrono".to_owned(), manifest);
    let source = serde_norway::from_str(&format!(
        "{{connection: {CONNECTION}, adapter: drchrono, zone: America/Chicago, secrets: {{secret-token: t}}, \
         routes: [{{to: {DESTINATION}, resources: [Appointment]}}]}}"
    ))
    .unwrap();
    Practice::with_adapters(source, adapters)
}

/// An event of 2 KB about an appointment.
fn body(n: u64) -> Vec<u8> {
    let notes = "Synthetic notes that fill an appointment up to the size of a real one. ".repeat(19);
    format!(
        r#"{{"receiver":{{"id":1,"callback_url":"https://bridge.example/webhooks/x"}},"object":{{"id":"{n}","patient":{},"doctor":310,"office":100,"exam_room":2,"scheduled_time":"2026-11-30T09:30:00","duration":30,"status":"Confirmed","reason":"Cleaning","notes":"{notes}","deleted_flag":false,"appt_is_break":false,"created_at":"2026-11-01T10:00:00","updated_at":"2026-11-20T10:00:00","profile":55,"color":"","base_recurring_appointment":null}}}}"#,
        n % 50
    )
    .into_bytes()
}

fn post(practice: &Practice, n: u64) {
    let delivery = n.to_string();
    let headers = [
        ("x-drchrono-signature", "t"),
        ("x-drchrono-event", "APPOINTMENT_MODIFY"),
        ("x-drchrono-delivery", delivery.as_str()),
    ];
    assert_eq!(practice.post(&headers, &body(n)).status, 202);
}

#[divan::bench]
fn door(bencher: Bencher<'_, '_>) {
    let practice = practice();
    let mut n = 0;
    bencher.counter(ItemsCount::new(1u32)).bench_local(|| {
        n += 1;
        post(&practice, n);
        lock(&practice.world).queues.get_mut(&QueueName::Inbound).unwrap().messages.clear();
    });
}

#[divan::bench]
fn normalize_ten(bencher: Bencher<'_, '_>) {
    let practice = practice();
    let mut n = 0;
    bencher
        .counter(ItemsCount::new(10u32))
        .with_inputs(|| {
            for _ in 0..10 {
                n += 1;
                post(&practice, n);
            }
            lock(&practice.world).queues.entry(QueueName::Outbound).or_default().messages.clear();
        })
        .bench_local_values(|()| assert!(practice.work(QueueName::Inbound)));
    assert!(lock(&practice.world).tables.iter().any(|record| record.key.sk == "message"));
}
