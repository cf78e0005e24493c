//! The ports on AWS keep the same contracts as those in memory: against the emulator, over real HTTP.
#![allow(clippy::unwrap_used, missing_docs)]

mod cache;
mod lossy;
mod refusing;
mod world;

use std::{sync::Arc, time::Duration};

use bridge_aws::{Aws, AwsPorts, Credentials, Settings, SystemClock, lambda::s3};
use bridge_core::{
    Timestamp,
    manifest::{Adapters, Manifest},
    task::FileTask,
};
use bridge_pipeline::{
    batch::Received,
    ports::{
        Entry, Expect, FilePorts as _, JwtAlgorithm, Key, Pinned, Ports as _, Queue as _, QueueName, Record,
        Signing as _, Store as _, Table, Write, WriteError,
    },
};
use bridge_testkit::contract;
use lossy::Lossy;
use refusing::Refusing;
use world::World;

/// No adapters: the ports need none.
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

/// The consumer's end of a queue.
struct Consumer<'a>(&'a World);

impl contract::Source for Consumer<'_> {
    async fn receive(&self) -> Vec<Received> {
        let polled = self.0.admin.receive(self.0.inbound(), 10, 1).await.unwrap();
        let record = |polled: bridge_aws::admin::Polled| {
            let attribute = |name: &str| polled.attributes[name].clone();
            Received {
                group: attribute("MessageGroupId"),
                sequence: attribute("SequenceNumber"),
                receives: attribute("ApproximateReceiveCount").parse().unwrap(),
                sent_at: Timestamp::from_millis(attribute("SentTimestamp").parse().unwrap()),
                id: polled.id,
                receipt: polled.receipt,
                body: polled.body,
            }
        };
        polled.into_iter().map(record).collect()
    }

    async fn delete(&self, receipt: &str) {
        self.0.admin.delete(self.0.inbound(), &[receipt.to_owned()]).await.unwrap();
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[tokio::test]
async fn the_ports_keep_their_contracts() {
    let world = World::start().await;
    let ports = AwsPorts::new(world.aws.clone(), Nothing);
    contract::store(ports.store(), &SystemClock, "room").await;
    contract::blobs(ports.blobs(), "room").await;
    contract::keys(ports.keys()).await;
    for algorithm in JwtAlgorithm::ALL {
        let made = world.aws.signing().make("bridge", algorithm).await.unwrap();
        contract::signing(world.aws.signing(), &made.arn, algorithm, &made.public).await;
        world.aws.signing().delete(&made.arn).await.unwrap();
        assert!(world.aws.signing().sign(&made.arn, algorithm, b"m").await.is_err(), "deleted, and signs");
    }
    contract::queue(ports.queue(), &Consumer(&world), QueueName::Inbound).await;
}

/// S3 tells a standard queue of a file; what it tells is read as a task, and the file by what it tells.
#[tokio::test]
async fn files_are_read_as_they_were_dropped() {
    let world = World::start().await;
    let ports = AwsPorts::new(world.aws.clone(), Nothing);
    let queue = world.aws.settings().drops_queue_url.clone();
    world.admin.notify("files", "arn:aws:sqs:us-east-1:000000000000:drops", "drops/").await.unwrap();
    let told = async |key: String| {
        for _ in 0..20 {
            let polled = world.admin.receive(&queue, 1, 5).await.unwrap();
            for record in polled {
                world.admin.delete(&queue, &[record.receipt]).await.unwrap();
                let Some(FileTask::Dropped(dropped)) = s3::task(&record.body) else { continue };
                if let Some(object) = dropped.into_iter().find(|object| object.key == key) {
                    assert!(object.version.is_some() && !object.sequencer.is_empty(), "{object:?}");
                    return Pinned { key, version: object.version, etag: object.etag };
                }
            }
        }
        panic!("nothing was told of {key}");
    };
    contract::files(ports.files(), "room", told).await;

    let entry = Entry { body: "{}".to_owned(), group: "g".to_owned(), dedup: "d".to_owned() };
    ports.queue().send(QueueName::Drops, vec![entry]).await.unwrap();
    let [record] = world.admin.receive(&queue, 1, 5).await.unwrap().try_into().unwrap();
    assert_eq!(record.body, "{}");
    ports.queue().hide(QueueName::Drops, vec![(record.receipt, Duration::ZERO)]).await.unwrap();
    assert_eq!(world.admin.receive(&queue, 1, 5).await.unwrap().len(), 1, "at once again");
}

#[tokio::test]
async fn calls_are_counted_with_what_they_are_billed_as() {
    let world = World::start().await;
    let ports = AwsPorts::new(world.aws.clone(), Nothing);
    let (store, key) = (ports.store(), Key::new(Table::Ledger, "p", "s"));
    let record = |bytes| Record { blob: Some(vec![0; bytes]), ..Record::new(key.clone(), "{}".to_owned()) };
    world.aws.meter().start();
    store.write(vec![Write::Put(record(2_000), Expect::Absent)]).await.unwrap();
    store.write(vec![Write::Put(record(2_000), Expect::Absent)]).await.unwrap_err();
    store.get(&key).await.unwrap();
    let counted = world.aws.meter().stop();
    store.get(&key).await.unwrap();
    let tally = |kind: &str| (counted[kind].calls, counted[kind].units);
    assert_eq!(tally("dynamodb.PutItem"), (2, 4.0), "a condition that fails is billed");
    assert_eq!(tally("dynamodb.GetItem"), (1, 1.0));
    assert_eq!(counted.len(), 2);
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_named() {
    let world = World::start().await;
    let mut settings = world.aws.settings().clone();
    settings.ledger_table = "nowhere".to_owned();
    let ports = AwsPorts::new(Aws::new(settings.clone()).await, Nothing);
    let error = ports.store().get(&Key::new(Table::Ledger, "p", "s")).await.unwrap_err();
    assert_eq!(error.operation, "dynamodb.GetItem");
    assert!(error.reason.starts_with("ResourceNotFoundException"), "{error}");

    settings.endpoint = Some("http://127.0.0.1:9".to_owned());
    let ports = AwsPorts::new(Aws::new(settings).await, Nothing);
    let error = ports.store().get(&Key::new(Table::Ledger, "p", "s")).await.unwrap_err();
    assert!(error.reason.starts_with("no answer"), "{error}");
}

/// The SDK repeats a write whose answer got lost, and finds it done. That is no conflict; somebody else's write is.
#[tokio::test]
async fn an_answer_that_gets_lost_is_not_taken_for_somebody_elses_write() {
    let world = World::start().await;
    let lossy = Lossy::before(&world).await;
    let mut settings = world.aws.settings().clone();
    settings.endpoint = Some(lossy.endpoint());
    let ports = AwsPorts::new(Aws::new(settings).await, Nothing);
    let record = |sk: &str, doc: &str| Record::new(Key::new(Table::Ledger, "lost", sk), doc.to_owned());
    let put = |sk: &str, doc: &str, expect| ports.store().write(vec![Write::Put(record(sk, doc), expect)]);

    lossy.lose_next("PutItem");
    put("a", "ours", Expect::Absent).await.unwrap();
    lossy.lose_next("PutItem");
    put("a", "ours again", Expect::Rev(1)).await.unwrap();
    lossy.lose_next("TransactWriteItems");
    let both = ["b", "c"].map(|sk| Write::Put(record(sk, "ours"), Expect::Absent));
    ports.store().write(both.to_vec()).await.unwrap();
    assert_eq!(lossy.lost(), 3);

    let theirs = put("a", "theirs", Expect::Absent).await.unwrap_err();
    let WriteError::Conflict { index: 0, current: Some(current) } = theirs else { panic!("{theirs:?}") };
    assert_eq!((&*current.doc, current.rev), ("ours again", 2));
}

/// SQS may refuse an entry and take a later one of its group, which then has its place for good.
#[tokio::test]
async fn refused_entries_keep_their_place_in_their_group() {
    let sqs = Refusing::start().await;
    let url = format!("{}/000000000000/inbound.fifo", sqs.endpoint);
    let name = || "unused".to_owned();
    let aws = Aws::new(Settings {
        ledger_table: name(),
        resources_table: name(),
        config_table: name(),
        inbound_queue_url: url.clone(),
        outbound_queue_url: url.clone(),
        commands_queue_url: url.clone(),
        polls_queue_url: url.clone(),
        exports_queue_url: url.clone(),
        drops_queue_url: url,
        payload_bucket: name(),
        files_bucket: name(),
        stack: name(),
        key_id: name(),
        endpoint: Some(sqs.endpoint.clone()),
        region: Some("us-east-1".to_owned()),
        credentials: Some(Credentials { id: "test".to_owned(), secret: "test".to_owned() }),
    });
    let ports = AwsPorts::new(aws.await, Nothing);
    let entry = |n: u32| Entry {
        body: n.to_string(),
        group: if n.is_multiple_of(3) { "a" } else { "b" }.to_owned(),
        dedup: n.to_string(),
    };
    ports.queue().send(QueueName::Inbound, (0..12).map(entry).collect()).await.unwrap();
    assert_eq!(sqs.taken("a"), ["0", "3", "6", "9"]);
    assert_eq!(sqs.taken("b"), ["1", "2", "4", "5", "7", "8", "10", "11"]);
}
