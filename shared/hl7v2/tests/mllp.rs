//! The MLLP decoder, fed in every way a socket may.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bridge_hl7v2::{
    Error,
    mllp::{Decoder, Received, encode},
};

/// What came out, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Message(String),
    Garbage(usize),
    Unterminated(String),
    TooLarge(String),
}
use Seen::*;

fn own(received: Received<'_>) -> Seen {
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    match received {
        Received::Message(m) => Message(text(m)),
        Received::Garbage { bytes } => Garbage(bytes),
        Received::Unterminated(m) => Unterminated(text(m)),
        Received::TooLarge { head } => TooLarge(text(head)),
    }
}

/// Everything found in `stream`, given in pieces of `size` bytes.
fn in_pieces(stream: &[u8], size: usize, limit: usize) -> Vec<Seen> {
    let mut decoder = Decoder::new(limit);
    let mut seen = Vec::new();
    for piece in stream.chunks(size) {
        decoder.push(piece);
        while let Some(received) = decoder.next_frame() {
            seen.push(own(received));
        }
    }
    while let Some(received) = decoder.finish() {
        seen.push(own(received));
    }
    assert_eq!(decoder.buffered(), 0);
    seen
}

/// The same whatever the size of the reads.
fn decoded(stream: &str) -> Vec<Seen> {
    let whole = in_pieces(stream.as_bytes(), stream.len().max(1), 64);
    for size in 1..8 {
        assert_eq!(in_pieces(stream.as_bytes(), size, 64), whole, "in pieces of {size}: {stream:?}");
    }
    whole
}

fn message(text: &str) -> Seen {
    Message(text.to_owned())
}

#[test]
fn what_is_framed_comes_out() {
    let mut stream = Vec::new();
    encode(b"MSH|one\rPID|1\r", &mut stream).unwrap();
    encode(b"MSH|two", &mut stream).unwrap();
    assert_eq!(stream, b"\x0bMSH|one\rPID|1\r\x1c\r\x0bMSH|two\x1c\r");
    assert_eq!(
        decoded(&String::from_utf8(stream).unwrap()),
        [message("MSH|one\rPID|1\r"), message("MSH|two")]
    );
}

#[test]
fn a_message_that_would_end_its_frame_is_refused() {
    let mut out = b"kept".to_vec();
    assert_eq!(encode(b"MSH|a\x1cb", &mut out), Err(Error::Unframeable { offset: 5 }));
    assert_eq!(out, b"kept");
}

#[test]
fn blanks_between_frames_are_nothing() {
    assert_eq!(
        decoded("\r\n\x0bMSH|1\x1c\r\n\r\n \x0bMSH|2\x1c\r\0\x0bMSH|3\x1c"),
        [message("MSH|1"), message("MSH|2"), message("MSH|3")]
    );
    assert_eq!(decoded(" \r\n"), []);
}

#[test]
fn garbage_between_frames_is_told_and_costs_no_message() {
    assert_eq!(
        decoded("hello\r\n\x0bMSH|1\x1c\rGET / HTTP\x0bMSH|2\x1c\r\x1cMS"),
        [Garbage(5), message("MSH|1"), Garbage(8), message("MSH|2"), Garbage(3),]
    );
}

#[test]
fn a_missing_carriage_return_or_start_byte_is_forgiven() {
    assert_eq!(decoded("\x0bMSH|1\x1c\x0bMSH|2\x1c"), [message("MSH|1"), message("MSH|2")]);
    assert_eq!(
        decoded("MSH|1\x1c\rMSH|2\x1c\r\x0bMSH|3\x1c\r"),
        [message("MSH|1"), message("MSH|2"), message("MSH|3")]
    );
}

#[test]
fn a_missing_end_byte_is_told_with_what_came() {
    assert_eq!(decoded("\x0bMSH|1\r\x0bMSH|2\x1c\r"), [Unterminated("MSH|1\r".into()), message("MSH|2")]);
    assert_eq!(decoded("\x0bMSH|1\rPID|"), [Unterminated("MSH|1\rPID|".into())]);
    assert_eq!(decoded("MSH|1\r\x0bMSH|2\x1c"), [Unterminated("MSH|1\r".into()), message("MSH|2")]);
    assert_eq!(decoded("MSH|1\rPID|1\r"), [Unterminated("MSH|1\rPID|1\r".into())]);
    assert_eq!(decoded("x\x1cMSH|1\r"), [Garbage(2), Unterminated("MSH|1\r".into())]);
    assert_eq!(decoded("\x0b"), [Unterminated(String::new())]);
}

#[test]
fn a_start_byte_in_text_is_text() {
    assert_eq!(
        decoded("\x0bMSH|1\rNTE|1||a\x0bb\x0bMS\x0b\x1c\r"),
        [message("MSH|1\rNTE|1||a\x0bb\x0bMS\x0b")]
    );
}

#[test]
fn an_empty_frame_is_an_empty_message() {
    assert_eq!(decoded("\x0b\x1c\r\x0bMSH|1\x1c\r"), [message(""), message("MSH|1")]);
}

#[test]
fn a_frame_over_the_limit_is_refused_and_the_next_one_taken() {
    let exact = format!("MSH|{}", "x".repeat(60));
    assert_eq!(decoded(&format!("\x0b{exact}\x1c\r")), [message(&exact)]);
    let large = format!("MSH|big\rOBX|{}", "x".repeat(200));
    for stream in [
        format!("\x0b{large}\x1c\r\x0bMSH|2\x1c\r"),
        format!("{large}\x1c\r\x0bMSH|2\x1c\r"),
        format!("\x0b{large}\x0bMSH|2\x1c\r"),
        format!("{large}\x0bMSH|2\x1c\r"),
    ] {
        assert_eq!(decoded(&stream), [TooLarge("MSH|big".into()), message("MSH|2")], "{stream:?}");
    }
}

#[test]
fn endless_garbage_takes_no_memory_and_is_told_as_it_comes() {
    let mut decoder = Decoder::new(1000);
    let mut told = 0;
    for _ in 0..100 {
        decoder.push(&[b'x'; 300]);
        while let Some(received) = decoder.next_frame() {
            let Received::Garbage { bytes } = received else { panic!("{received:?}") };
            told += bytes;
        }
        assert_eq!(decoder.buffered(), 0);
    }
    if let Some(Received::Garbage { bytes }) = decoder.finish() {
        told += bytes;
    }
    assert_eq!(told, 30_000);
}

#[test]
fn a_frame_over_the_limit_is_not_held_in_memory() {
    let mut decoder = Decoder::new(1000);
    decoder.push(b"\x0bMSH|");
    let mut refused = 0;
    for _ in 0..1000 {
        decoder.push(&[b'x'; 600]);
        while let Some(received) = decoder.next_frame() {
            assert!(matches!(received, Received::TooLarge { .. }));
            refused += 1;
        }
        assert!(decoder.buffered() <= 1600);
    }
    assert_eq!(refused, 1);
}

#[test]
fn ten_megabytes_byte_by_byte_is_linear() {
    // With a search from the start on each push this takes hours.
    let large = "x".repeat(10_000_000);
    let stream = format!("\x0bMSH|{large}\x1c\r");
    let mut decoder = Decoder::new(20_000_000);
    let mut messages = 0;
    for piece in stream.as_bytes().chunks(64) {
        decoder.push(piece);
        while let Some(received) = decoder.next_frame() {
            assert!(matches!(received, Received::Message(m) if m.len() == 10_000_004));
            messages += 1;
        }
    }
    assert_eq!(messages, 1);
}
