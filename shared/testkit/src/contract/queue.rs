//! The contract of [`Queue`], seen from its consumer.

use std::{collections::HashMap, future::Future, time::Duration};

use bridge_pipeline::{
    batch::Received,
    ports::{Entry, Queue, QueueName},
};

/// The consumer's end of the queue: what Lambda's event source does.
pub trait Source {
    /// Up to ten records, or none after a moment.
    fn receive(&self) -> impl Future<Output = Vec<Received>>;
    /// Deletes a received record.
    fn delete(&self, receipt: &str) -> impl Future<Output = ()>;
    /// Lets time pass.
    fn wait(&self, time: Duration) -> impl Future<Output = ()>;
}

/// A queue of its own, empty, with a visibility timeout of at least ten seconds.
pub async fn queue(queue: &impl Queue, source: &impl Source, name: QueueName) {
    keeps_order(queue, source, name).await;
    drops_repeats(queue, source, name).await;
    carries_large_tasks(queue, source, name).await;
    hides(queue, source, name).await;
}

fn entry(group: &str, number: u32, bytes: usize) -> Entry {
    let body = format!(r#"{{"n":{number},"sealed":"{}"}}"#, "x".repeat(bytes));
    Entry { body, group: group.to_owned(), dedup: format!("{group}-{number}-{bytes}") }
}

/// Receives and deletes until there is nothing left.
async fn drain(source: &impl Source) -> Vec<Received> {
    let mut all = Vec::new();
    loop {
        let batch = source.receive().await;
        if batch.is_empty() {
            return all;
        }
        for record in batch {
            source.delete(&record.receipt).await;
            all.push(record);
        }
    }
}

async fn keeps_order(queue: &impl Queue, source: &impl Source, name: QueueName) {
    // More than a request holds, one group many times, others in between.
    let groups = ["a", "b", "a", "c", "a"];
    let entries: Vec<Entry> = (0..30).map(|n| entry(groups[n as usize % groups.len()], n, 10)).collect();
    queue.send(name, entries.clone()).await.unwrap();
    let received = drain(source).await;
    assert_eq!(received.len(), entries.len());
    let mut last: HashMap<&str, &Received> = HashMap::new();
    for record in &received {
        assert_eq!(record.receives, 1);
        assert!(record.sent_at.as_millis() > 1_600_000_000_000, "{:?}", record.sent_at);
        if let Some(earlier) = last.insert(&record.group, record) {
            assert!(earlier.order() < record.order(), "sequence numbers grow within a group");
        }
    }
    for group in ["a", "b", "c"] {
        let sent: Vec<&str> = entries.iter().filter(|e| e.group == group).map(|e| &*e.body).collect();
        let got: Vec<&str> = received.iter().filter(|r| r.group == group).map(|r| &*r.body).collect();
        assert_eq!(got, sent, "order of group {group}");
    }
}

async fn drops_repeats(queue: &impl Queue, source: &impl Source, name: QueueName) {
    let entries = vec![entry("repeat", 1, 10), entry("repeat", 2, 10)];
    queue.send(name, entries.clone()).await.unwrap();
    queue.send(name, entries.clone()).await.unwrap();
    assert_eq!(drain(source).await.len(), 2);
    queue.send(name, entries).await.unwrap();
    assert_eq!(drain(source).await.len(), 0, "a repeat after it was deleted");
}

async fn carries_large_tasks(queue: &impl Queue, source: &impl Source, name: QueueName) {
    // Ten of these are more than a request holds.
    let entries: Vec<Entry> = (0..12).map(|n| entry(&format!("large-{n}"), n, 280_000)).collect();
    queue.send(name, entries).await.unwrap();
    let received = drain(source).await;
    assert_eq!(received.len(), 12);
    assert!(received.iter().all(|record| record.body.len() > 280_000));
}

async fn hides(queue: &impl Queue, source: &impl Source, name: QueueName) {
    queue.send(name, vec![entry("hide", 1, 10), entry("hide", 2, 10)]).await.unwrap();
    let first = source.receive().await;
    let bodies = |records: &[Received]| records.iter().map(|r| r.body.clone()).collect::<Vec<_>>();
    assert_eq!(first.len(), 2);

    // At once again, in order.
    let now = |records: &[Received]| records.iter().map(|r| (r.receipt.clone(), Duration::ZERO)).collect();
    queue.hide(name, now(&first)).await.unwrap();
    let second = source.receive().await;
    assert_eq!(bodies(&second), bodies(&first));
    assert!(second.iter().all(|record| record.receives == 2));

    // Later again; until then the group gives nothing, although its second record is not in flight.
    let later = Duration::from_millis(1_500);
    queue.hide(name, vec![(second[1].receipt.clone(), Duration::ZERO)]).await.unwrap();
    queue.hide(name, vec![(second[0].receipt.clone(), later)]).await.unwrap();
    assert_eq!(bodies(&source.receive().await), Vec::<String>::new());
    source.wait(later.max(Duration::from_millis(2_200))).await;
    assert_eq!(bodies(&drain(source).await), bodies(&first));
}
