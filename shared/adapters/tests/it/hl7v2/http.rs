//! HL7 over HTTP: the acknowledgment in the body, the status around it.

use bridge_core::destination::Outcome;

use super::{Delivery, message, told};
use crate::receiver::{Receiver, Then};

fn ack(segments: &str) -> String {
    format!("MSH|^~\\&|PEER||BRIDGE||20260302||ACK|1|P|2.5.1\r{segments}\r")
}

async fn answered(status: u16, body: &str) -> (&'static str, String) {
    let receiver = Receiver::start(Then::status(status, "", body)).await;
    told(Delivery::to(&receiver.url).make().await)
}

#[tokio::test]
async fn a_message_is_a_post_with_its_type() {
    let receiver = Receiver::start(Then::status(200, "", &ack("MSA|AA|M1"))).await;
    let delivery = Delivery::to(&receiver.url).secret("authorization", "Basic aW52ZW50ZWQ=");
    assert_eq!(delivery.make().await, Outcome::Delivered);
    let received = receiver.received();
    assert_eq!(received[0].line, "POST /hook HTTP/1.1");
    assert_eq!(received[0].headers["content-type"], "x-application/hl7-v2+er7");
    assert_eq!(received[0].headers["authorization"], "Basic aW52ZW50ZWQ=");
    let body = String::from_utf8(received[0].body.clone()).unwrap();
    assert_eq!(body.trim_end(), message("M1").trim_end());
}

#[tokio::test]
async fn the_acknowledgment_decides_and_without_one_the_status() {
    let (accepted, error) = (ack("MSA|AA|M1"), ack("MSA|AE|M1"));
    let (wrong, rejected) = (ack("MSA|AE|M1\rERR|||101^x|E"), ack("MSA|AR|M1"));
    let table = [
        (200, accepted.as_str(), "delivered"),
        (200, &error, "retry"),
        (200, &wrong, "rejected"),
        (200, &rejected, "rejected"),
        (400, &rejected, "rejected"),
        (422, &error, "retry"),
        (500, &rejected, "rejected"),
        (500, &error, "retry"),
        (500, &accepted, "retry"),
        (400, &accepted, "rejected"),
        (200, "", "unknown"),
        (200, "thank you", "unknown"),
        (200, &ack("MSA|AA|OLD"), "unknown"),
        (503, "", "retry"),
        (503, "later", "retry"),
        (404, "", "rejected"),
        (302, "", "rejected"),
    ];
    for (status, body, expected) in table {
        let (outcome, cause) = answered(status, body).await;
        assert_eq!(outcome, expected, "{status} {body:?}: {cause}");
    }
}

#[tokio::test]
async fn a_bare_status_counts_where_the_connection_says_so() {
    let receiver = Receiver::start(Then::status(200, "", "")).await;
    let trusting = Delivery::to(&receiver.url).hl7v2("{send: {answers: {bare-status: true}}}");
    assert_eq!(trusting.make().await, Outcome::Delivered);
    let rejecting = Receiver::start(Then::status(200, "", &ack("MSA|AR|M1"))).await;
    let trusting = Delivery::to(&rejecting.url).hl7v2("{send: {answers: {bare-status: true}}}");
    assert_eq!(told(trusting.make().await).0, "rejected", "an acknowledgment still counts more");
}

#[tokio::test]
async fn several_messages_are_several_posts() {
    let receiver = Receiver::start(Then::status(200, "", &ack("MSA|AA|A1"))).await;
    let both = message("A1") + &message("A2");
    let (outcome, cause) = told(Delivery::to(&receiver.url).body(both).make().await);
    assert_eq!(outcome, "unknown", "the second answer was the first one's");
    assert!(cause.contains("message 2 of 2"), "{cause}");
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn broken_connections_and_silence_are_unknown() {
    for then in [Then::Reset, Then::BreakOff, Then::Hang] {
        let receiver = Receiver::start(then).await;
        assert_eq!(told(Delivery::to(&receiver.url).within(300).make().await).0, "unknown");
    }
    let (outcome, cause) = told(Delivery::to("http://127.0.0.1:1/hook").make().await);
    assert_eq!(outcome, "retry", "{cause}");
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_a_matter_of_configuration() {
    let delivery = Delivery::to("http://127.0.0.1:1/hook").secret("authorization", "two\nlines");
    let (outcome, cause) = told(delivery.make().await);
    assert_eq!((outcome, cause.contains("secrets")), ("rejected", true), "{cause}");
}
