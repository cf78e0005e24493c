//! MLLP: each way an exchange can go, and what is made of it.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use bridge_adapters::Transports;
use bridge_core::destination::Outcome;
use tokio::net::TcpListener;

use super::{
    Delivery, message,
    peer::{Peer, Then},
    told,
};

const ACCEPT: Then = Then::Ack("MSA|AA|{id}");

async fn one(then: Then) -> (&'static str, String) {
    let peer = Peer::start(&[then]).await;
    told(Delivery::to(&peer.url()).within(1_000).make().await)
}

#[tokio::test]
async fn an_acknowledgment_decides() {
    let table = [
        ("MSA|AA|{id}", "delivered"),
        ("MSA|CA|{id}", "delivered"),
        ("MSA|AE|{id}", "retry"),
        ("MSA|CE|{id}", "retry"),
        ("MSA|AE|{id}\rERR||PID^1^3|101^x^HL70357|E", "rejected"),
        ("MSA|AR|{id}", "rejected"),
        ("MSA|CR|{id}", "rejected"),
        ("MSA|ZZ|{id}", "unknown"),
        ("PID|1", "unknown"),
    ];
    for (answer, expected) in table {
        let (outcome, cause) = one(Then::Ack(answer)).await;
        assert_eq!(outcome, expected, "{answer}: {cause}");
    }
}

#[tokio::test]
async fn the_message_arrives_as_it_is() {
    let peer = Peer::start(&[ACCEPT]).await;
    assert_eq!(Delivery::to(&peer.url()).make().await, Outcome::Delivered);
    // What ends the last segment is not the message's to keep: the frame ends it.
    assert_eq!(peer.received()[0].trim_end(), message("M1").trim_end());
}

#[tokio::test]
async fn an_answer_is_found_among_what_else_comes() {
    let other = "\x0bMSH|^~\\&|P|||||||1|P|2.5\rMSA|AA|OLD\r\x1c\r";
    let own = "\x0bMSH|^~\\&|P||||||ACK|2|P|2.5\rMSA|AA|{id}\r\x1c\r";
    for before in ["", "hello\r\n", "\x0b\x1c\r", other] {
        let text: &'static str = Box::leak(format!("{before}{own}").into_boxed_str());
        assert_eq!(one(Then::Raw(text)).await.0, "delivered", "{before:?}");
    }
    let unframed = "MSH|^~\\&|P||||||ACK|2|P|2.5\rMSA|AA|{id}\r\x1c\r";
    assert_eq!(one(Then::Raw(unframed)).await.0, "delivered", "without the start byte");
}

#[tokio::test]
async fn an_answer_to_another_message_is_none() {
    let (outcome, cause) = one(Then::Ack("MSA|AA|OLD")).await;
    assert_eq!(outcome, "unknown");
    assert_eq!(
        cause,
        "destination.answer at MSA-2: what was answered is another message: MSA-2 is not our MSH-10"
    );
    assert_eq!(one(Then::Ack("MSA|AA|")).await.0, "unknown", "an answer to nothing in particular");
}

#[tokio::test]
async fn without_an_answer_nobody_knows() {
    let begun = Instant::now();
    let peer = Peer::start(&[Then::Hang]).await;
    let (outcome, cause) = told(Delivery::to(&peer.url()).within(200).make().await);
    assert_eq!((outcome, cause.as_str()), ("unknown", "destination.timeout: no answer in time"));
    assert!(begun.elapsed() < Duration::from_secs(15), "the attempt ends when its time is over");
    for then in [Then::Close, Then::Reset, Then::Raw("\x0bMSH|^~\\&|P|")] {
        let (outcome, cause) = one(then).await;
        assert_eq!(outcome, "unknown", "{cause}");
    }
}

#[tokio::test]
async fn what_was_surely_not_sent_is_tried_again() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (outcome, cause) = told(Delivery::to(&format!("mllp://{closed}")).make().await);
    assert_eq!(
        (outcome, cause.as_str()),
        ("retry", "destination.connect: no connection: connection refused")
    );

    // It takes the connection and never reads: a message that is larger than every buffer stays half sent.
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("mllp://{}", deaf.local_addr().unwrap());
    let large = format!("{}OBX|1|TX|||{}\r", message("M1"), "x".repeat(32 << 20));
    let (outcome, cause) = told(Delivery::to(&url).body(large).within(300).make().await);
    assert_eq!((outcome, cause.starts_with("destination.broken")), ("retry", true), "{cause}");
}

#[tokio::test]
async fn a_late_answer_is_never_credited_to_the_next_message() {
    let peer = Peer::start(&[Then::Late(400), Then::Ack("MSA|AR|{id}")]).await;
    let transports = Transports::new().unwrap();
    let first = Delivery::to(&peer.url()).within(150).make_over(&transports).await;
    assert_eq!(told(first).0, "unknown");
    let next = Delivery::to(&peer.url()).body(message("M2")).make_over(&transports).await;
    assert_eq!(told(next).0, "rejected", "its own answer");
    assert_eq!(peer.connections.load(Ordering::SeqCst), 2, "the first connection was given up");
}

#[tokio::test]
async fn a_connection_serves_again_and_is_replaced_when_it_is_gone() {
    let transports = Transports::new().unwrap();
    let peer = Peer::start(&[ACCEPT]).await;
    for _ in 0..3 {
        assert_eq!(Delivery::to(&peer.url()).make_over(&transports).await, Outcome::Delivered);
    }
    assert_eq!(peer.connections.load(Ordering::SeqCst), 1);

    let impatient = Peer::start(&[Then::AckAndClose]).await;
    for _ in 0..3 {
        assert_eq!(Delivery::to(&impatient.url()).make_over(&transports).await, Outcome::Delivered);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(impatient.connections.load(Ordering::SeqCst), 3, "a closed one is not used");
}

#[tokio::test]
async fn several_messages_go_in_order_and_stop_at_the_first_that_is_not_accepted() {
    let three = ["A1", "A2", "A3"].map(message).concat();
    let peer = Peer::start(&[ACCEPT, Then::Ack("MSA|AE|{id}"), ACCEPT]).await;
    let delivery = Delivery::to(&peer.url()).body(three);
    let (outcome, cause) = told(delivery.make().await);
    assert_eq!((outcome, cause.as_str()), ("retry", "destination.answer: message 2 of 3: answered AE"));
    assert_eq!(delivery.make().await, Outcome::Delivered);
    assert_eq!(
        peer.ids(),
        ["A1", "A2", "A1", "A2", "A3"],
        "a repeat begins with the first, under the same ids"
    );
}

#[tokio::test]
async fn an_answer_of_a_connection_s_own_meaning() {
    let duplicate = Then::Ack("MSA|AR|{id}\rERR|||205^known^HL70357|E");
    let peer = Peer::start(&[duplicate]).await;
    assert_eq!(told(Delivery::to(&peer.url()).make().await).0, "rejected");
    let known = Delivery::to(&peer.url()).hl7v2("{send: {answers: {delivered: ['205']}}}");
    assert_eq!(known.make().await, Outcome::Delivered);
}

#[tokio::test]
async fn what_is_no_hl7_v2_is_refused_before_it_is_sent() {
    let peer = Peer::start(&[ACCEPT]).await;
    let unnumbered = message("");
    let stray = format!("hello\r{}", message("M1"));
    // The byte that ends a frame: the receiver would take half of it for the whole.
    let cut = message("M1") + "NTE|1||before\x1cafter\r";
    for body in ["{\"resourceType\":\"Bundle\"}", "", &unnumbered, &stray, &cut] {
        let (outcome, cause) = told(Delivery::to(&peer.url()).body(body).make().await);
        assert_eq!((outcome, cause.starts_with("destination.payload")), ("rejected", true), "{cause}");
    }
    assert!(peer.ids().is_empty());
}

#[tokio::test]
async fn nothing_goes_unencrypted_to_a_public_address() {
    let (outcome, cause) = told(Delivery::to("mllp://198.51.100.7:2575").make().await);
    assert_eq!((outcome, cause.starts_with("destination.configuration")), ("rejected", true), "{cause}");
}
