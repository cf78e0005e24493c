//! What a sender may not do to the gateway, and what the gateway does in the end: it loses nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use mllp_gateway::{Limits, health};
use support::{Client, PATIENCE, Running, accepted, eventually, frame, message};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Instant, sleep, timeout},
};

#[tokio::test]
async fn a_frame_that_dribbles_in_does_not_hold_its_connection() {
    let limits = Limits { frame_time: Duration::from_millis(300), ..Limits::default() };
    let gateway = Running::start(limits).await;
    let mut client = gateway.client().await;
    assert_eq!(client.exchange("1", "a").await, accepted("1"));
    let begun = Instant::now();
    let (mut reader, mut writer) = client.stream.into_split();
    let dribble = tokio::spawn(async move {
        let mut bytes: &[u8] = b"\x0bMSH|";
        while writer.write_all(bytes).await.is_ok() {
            bytes = b"x";
            sleep(Duration::from_millis(10)).await;
        }
    });
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, reader.read_to_end(&mut rest)).await.expect("it is closed");
    assert!(begun.elapsed() >= Duration::from_millis(250) && rest.is_empty());
    dribble.abort();
    assert_eq!(gateway.sink.stored(), ["1"]);
}

#[tokio::test]
async fn a_connection_may_rest_between_frames_for_a_while() {
    let limits =
        Limits { frame_time: Duration::from_millis(500), idle: Duration::from_secs(2), ..Limits::default() };
    let gateway = Running::start(limits).await;
    let mut client = gateway.client().await;
    for id in ["1", "2"] {
        sleep(Duration::from_millis(600)).await;
        assert_eq!(client.exchange(id, "a").await, accepted(id));
    }
    let begun = Instant::now();
    assert_eq!(client.answer().await, None);
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn whoever_speaks_something_else_is_shown_out() {
    let limits = Limits { garbage: 2000, ..Limits::default() };
    let gateway = Running::start(limits).await;
    let mut client = gateway.client().await;
    let noise = "GET / HTTP/1.1\r\nhost: bridge.example\r\n\r\n".repeat(100);
    let _ = client.stream.write_all(noise.as_bytes()).await;
    assert_eq!(client.answer().await, None);
    assert_eq!(gateway.sink.prepared.load(SeqCst), 0);
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_the_others_go_on() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let gateway = Running::start(limits).await;
    let (mut first, mut second) = (gateway.client().await, gateway.client().await);
    assert_eq!(first.exchange("1", "a").await, accepted("1"));
    assert_eq!(second.exchange("2", "a").await, accepted("2"));
    let mut third = gateway.client().await;
    assert_eq!(third.answer().await, None);
    drop(first);
    eventually("there is room again", || gateway.metrics.open() == 1).await;
    assert_eq!(gateway.client().await.exchange("3", "a").await, accepted("3"));
    assert_eq!(second.exchange("4", "a").await, accepted("4"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_unfinished_frames_share_their_memory_and_all_come_through() {
    // Room for one of them at a time.
    let limits = Limits { frame: 1 << 20, memory: 0, ..Limits::default() };
    let gateway = Running::start(limits).await;
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..6 {
        let mut client = gateway.client().await;
        senders.spawn(async move {
            let text = message(&n.to_string(), "a") + "OBX|1|TX|||" + &"x".repeat(700 << 10) + "\r";
            let mut bytes = Vec::new();
            bridge_hl7v2::mllp::encode(text.as_bytes(), &mut bytes).unwrap();
            client.write(&bytes).await;
            assert_eq!(client.answer().await, Some(accepted(&n.to_string())));
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
    assert_eq!(gateway.sink.keeps().len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_under_load_loses_nothing_and_answers_what_it_took() {
    let gateway = Running::start(Limits::default()).await;
    gateway.sink.takes.store(4, SeqCst);
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..20 {
        let stream = TcpStream::connect(gateway.at).await.unwrap();
        senders.spawn(async move {
            let (reader, mut writer) = stream.into_split();
            // Sends for as long as somebody takes it, without waiting for answers.
            let sending = tokio::spawn(async move {
                for n in 0.. {
                    if writer.write_all(&frame(&format!("{sender}.{n}"), &sender.to_string())).await.is_err()
                    {
                        return;
                    }
                }
            });
            let mut client = Client::new(tokio::io::join(reader, tokio::io::sink()));
            let answers = client.rest().await;
            sending.abort();
            answers
        });
    }
    let sink = Arc::clone(&gateway.sink);
    eventually("load", || sink.stored().len() > 500).await;
    assert!(gateway.stop().await, "not everything was finished");
    let mut acknowledged = HashSet::new();
    while let Some(answers) = senders.join_next().await {
        for (n, (code, id)) in answers.unwrap().into_iter().enumerate() {
            assert_eq!(code, "AA");
            assert!(id.ends_with(&format!(".{n}")), "{id} out of order");
            acknowledged.insert(id);
        }
    }
    assert_eq!(acknowledged, sink.keeps());
}

#[tokio::test]
async fn a_frame_that_has_begun_may_end_while_the_gateway_stops() {
    let gateway = Running::start(Limits::default()).await;
    let mut client = gateway.client().await;
    assert_eq!(client.exchange("1", "a").await, accepted("1"));
    let whole = frame("2", "a");
    client.write(&whole[..20]).await;
    sleep(Duration::from_millis(400)).await;
    let at = gateway.at;
    let stopping = tokio::spawn(gateway.stop());
    sleep(Duration::from_millis(400)).await;
    assert!(TcpStream::connect(at).await.is_err(), "nobody is accepted any more");
    client.write(&whole[20..]).await;
    assert_eq!(client.answer().await, Some(accepted("2")));
    assert_eq!(client.answer().await, None);
    assert!(stopping.await.unwrap());
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let limits = Limits { drain: Duration::from_millis(200), ..Limits::default() };
    let gateway = Running::start(limits).await;
    gateway.sink.blocked.store(true, SeqCst);
    let mut client = gateway.client().await;
    client.send("1", "a").await;
    eventually("it is read", || gateway.sink.prepared.load(SeqCst) == 1).await;
    assert!(!gateway.stop().await);
    let mut rest = Vec::new();
    let _ = client.stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "no answer without a durable write");
}

#[tokio::test]
async fn the_load_balancer_hears_when_the_gateway_stops() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (stopping, stopped) = watch::channel(false);
    let serving = tokio::spawn(health::serve(listener, Arc::default(), stopped));
    let get = |path: &'static str| async move {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n").as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        reply
    };
    let ready = get("/healthz").await;
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("\"ready\""), "{ready}");
    assert!(get("/").await.starts_with("HTTP/1.1 404"));
    stopping.send_replace(true);
    let draining = get("/healthz").await;
    assert!(draining.starts_with("HTTP/1.1 503") && draining.contains("\"draining\""), "{draining}");
    serving.abort();
}
