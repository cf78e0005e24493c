//! Every frame is answered, in its place, and positively only when it is durable.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use mllp_gateway::Limits;
use proptest::prelude::*;
use support::{Running, accepted, eventually, frame, message};
use tokio::{io::AsyncWriteExt as _, time::sleep};

#[tokio::test]
async fn pipelined_frames_are_answered_in_their_order() {
    let gateway = Running::start(Limits::default()).await;
    gateway.sink.takes.store(3, SeqCst);
    let mut client = gateway.client().await;
    let ids: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let bytes: Vec<u8> = ids.iter().flat_map(|id| frame(id, &format!("lane{}", id.len()))).collect();
    client.write(&bytes).await;
    for id in &ids {
        assert_eq!(client.answer().await, Some(accepted(id)));
    }
    assert_eq!(gateway.sink.keeps().len(), ids.len());
    assert!(gateway.stop().await);
}

#[tokio::test]
async fn one_lane_is_stored_in_the_order_of_its_frames() {
    let gateway = Running::start(Limits::default()).await;
    gateway.sink.takes.store(1, SeqCst);
    let mut client = gateway.client().await;
    let ids: Vec<String> = (0..50).map(|n| n.to_string()).collect();
    client.write(&ids.iter().flat_map(|id| frame(id, "one")).collect::<Vec<u8>>()).await;
    for id in &ids {
        assert_eq!(client.answer().await, Some(accepted(id)));
    }
    assert_eq!(gateway.sink.stored(), ids);
}

#[tokio::test]
async fn what_is_not_durable_is_answered_by_ae_and_taken_when_it_comes_again() {
    let gateway = Running::start(Limits::default()).await;
    let mut client = gateway.client().await;
    for broken in [&gateway.sink.fails, &gateway.sink.panics] {
        broken.store(true, SeqCst);
        assert_eq!(client.exchange("1", "a").await.0, "AE");
        broken.store(false, SeqCst);
    }
    assert!(gateway.sink.stored().is_empty());
    assert_eq!(client.exchange("1", "a").await, accepted("1"));
    assert_eq!(gateway.sink.stored(), ["1"]);
}

#[tokio::test]
async fn what_waits_behind_a_failure_in_its_lane_is_sent_again_with_it() {
    let gateway = Running::start(Limits::default()).await;
    gateway.sink.blocked.store(true, SeqCst);
    let mut client = gateway.client().await;
    for (id, lane) in [("1", "a"), ("2", "a"), ("3", "b"), ("4", "a")] {
        client.send(id, lane).await;
    }
    eventually("all four are read", || gateway.sink.prepared.load(SeqCst) == 4).await;
    eventually("two lanes are on their way", || {
        gateway.sink.requests.lock().unwrap().iter().sum::<usize>() == 2
    })
    .await;
    gateway.sink.fails.store(true, SeqCst);
    gateway.sink.blocked.store(false, SeqCst);
    for _ in 0..4 {
        assert_eq!(client.answer().await.unwrap().0, "AE");
    }
    assert!(gateway.sink.stored().is_empty());
    let sent: usize = gateway.sink.requests.lock().unwrap().iter().sum();
    assert_eq!(sent, 2, "2 and 4 must not be sent behind the back of 1");
}

#[tokio::test]
async fn many_connections_share_requests_and_a_single_one_waits_for_nobody() {
    let limits = Limits { linger: Duration::from_secs(5), ..Limits::default() };
    let gateway = Running::start(limits).await;
    // With nothing under way there is nothing to wait for, however long entries may linger.
    let mut client = gateway.client().await;
    for id in ["a", "b", "c"] {
        assert_eq!(client.exchange(id, id).await, accepted(id));
    }
    assert_eq!(*gateway.sink.requests.lock().unwrap(), [1, 1, 1]);

    gateway.sink.requests.lock().unwrap().clear();
    gateway.sink.blocked.store(true, SeqCst);
    let mut clients = Vec::new();
    for n in 0..51 {
        let mut client = gateway.client().await;
        client.send(&n.to_string(), &n.to_string()).await;
        clients.push(client);
    }
    eventually("all are read", || gateway.sink.prepared.load(SeqCst) == 3 + 51).await;
    eventually("they are under way", || gateway.sink.requests.lock().unwrap().iter().sum::<usize>() == 51)
        .await;
    gateway.sink.blocked.store(false, SeqCst);
    for (n, client) in clients.iter_mut().enumerate() {
        assert_eq!(client.answer().await, Some(accepted(&n.to_string())));
    }
    let requests = gateway.sink.requests.lock().unwrap().clone();
    assert!(requests.len() <= 7 && requests.iter().sum::<usize>() == 51, "{requests:?}");
}

#[tokio::test]
async fn wrong_framing_is_answered_and_the_next_message_is_taken() {
    let limits = Limits { frame: 4096, ..Limits::default() };
    let gateway = Running::start(limits).await;
    let mut client = gateway.client().await;
    let long = message(&"x".repeat(5000), "a");
    let text = |id: &str| message(id, "a").into_bytes();
    let stream: [Vec<u8>; 9] = [
        b"noise".to_vec(),
        frame("1", "a"),
        // No end: the next one begins.
        [b"\x0b", &*text("2")].concat(),
        frame("3", "a"),
        // Too large.
        [b"\x0b", &*text("4"), long.as_bytes(), b"\x1c\r"].concat(),
        // No carriage return behind the end, then an empty frame, which is a probe.
        [b"\x0b", &*text("5"), b"\x1c"].concat(),
        b"\x0b\x1c\r".to_vec(),
        // No start.
        [&*text("6"), b"\x1c\r"].concat(),
        b"\x0bnot a message\x1c\r".to_vec(),
    ];
    client.write(&stream.concat()).await;
    client.stream.shutdown().await.unwrap();
    let answers = client.rest().await;
    let seen: Vec<(&str, &str)> = answers.iter().map(|(code, id)| (&**code, &**id)).collect();
    let expected = [("AA", "1"), ("AE", "2"), ("AA", "3"), ("AR", "4"), ("AA", "5"), ("AA", "6"), ("AR", "")];
    assert_eq!(seen, expected);
    assert_eq!(gateway.sink.stored(), ["1", "3", "5", "6"]);
}

#[tokio::test]
async fn a_message_that_is_cut_off_is_not_taken() {
    let gateway = Running::start(Limits::default()).await;
    let mut client = gateway.client().await;
    let whole = frame("1", "a");
    client.write(&whole[..whole.len() - 2]).await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.rest().await, [("AE".to_owned(), "1".to_owned())]);
    assert!(gateway.sink.stored().is_empty());
}

#[tokio::test]
async fn where_the_queue_is_slow_reading_is() {
    let limits = Limits { in_flight_per_connection: 8, in_flight: 20, ..Limits::default() };
    let gateway = Running::start(limits).await;
    gateway.sink.blocked.store(true, SeqCst);
    let mut clients = Vec::new();
    for connection in 0..4 {
        let mut client = gateway.client().await;
        let frames = (0..100).flat_map(|n| frame(&format!("{connection}.{n}"), &format!("{connection}.{n}")));
        client.write(&frames.collect::<Vec<u8>>()).await;
        clients.push(client);
    }
    eventually("it is full", || gateway.sink.prepared.load(SeqCst) >= 20).await;
    sleep(Duration::from_millis(50)).await;
    assert_eq!(gateway.sink.prepared.load(SeqCst), 20, "of 400 frames");
    gateway.sink.blocked.store(false, SeqCst);
    for (connection, client) in clients.iter_mut().enumerate() {
        for n in 0..100 {
            assert_eq!(client.answer().await, Some(accepted(&format!("{connection}.{n}"))));
        }
    }
    assert_eq!(gateway.sink.keeps().len(), 400);
}

/// A piece of a stream, and its answer.
#[derive(Debug, Clone)]
enum Piece {
    Message(u32),
    /// Without its end byte: only followed by a frame is it known to be cut.
    Cut(u32),
    Noise(String),
    Blank,
    Probe,
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        4 => any::<u32>().prop_map(Piece::Message),
        1 => any::<u32>().prop_map(Piece::Cut),
        1 => "[a-z ]{1,20}".prop_map(Piece::Noise),
        1 => Just(Piece::Blank),
        1 => Just(Piece::Probe),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, failure_persistence: None, ..ProptestConfig::default() })]

    /// However a stream is cut into packets, every message in it gets its own answer, in order.
    #[test]
    fn any_cut_of_a_stream_gets_the_same_answers(
        pieces in proptest::collection::vec(piece(), 1..12),
        cuts in proptest::collection::vec(1_usize..80, 1..12),
    ) {
        let (mut stream, mut expected, mut stored) = (Vec::new(), Vec::new(), Vec::new());
        for (n, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Message(id) => {
                    stream.extend(frame(&format!("{n}.{id}"), "a"));
                    expected.push(accepted(&format!("{n}.{id}")));
                    stored.push(format!("{n}.{id}"));
                }
                Piece::Cut(id) => {
                    stream.push(0x0b);
                    stream.extend(message(&format!("{n}.{id}"), "a").into_bytes());
                    stream.extend(frame(&format!("{n}"), "a"));
                    expected.push(("AE".to_owned(), format!("{n}.{id}")));
                    expected.push(accepted(&n.to_string()));
                    stored.push(n.to_string());
                }
                Piece::Noise(text) => stream.extend(text.as_bytes()),
                Piece::Blank => stream.extend(b"\r\n"),
                Piece::Probe => stream.extend(b"\x0b\x1c\r"),
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let gateway = Running::start(Limits::default()).await;
            let mut client = gateway.client().await;
            client.stream.set_nodelay(true).unwrap();
            let mut rest = &stream[..];
            for cut in cuts.iter().cycle() {
                let (packet, later) = rest.split_at((*cut).min(rest.len()));
                client.write(packet).await;
                tokio::task::yield_now().await;
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            client.stream.shutdown().await.unwrap();
            let answers = client.rest().await;
            assert_eq!(answers, expected);
            assert_eq!(gateway.sink.stored(), stored);
            assert!(gateway.stop().await);
        });
    }
}
