//! The corpus of real messages, when it is there: each one is parsed, and accounts for each of its bytes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod corpus_files;
mod invariants;

use bridge_hl7v2::{
    Message,
    batch::{self, Part},
};

#[test]
fn every_file_holds_the_invariants() {
    for (_, bytes) in corpus_files::files() {
        invariants::parsing(&bytes);
        invariants::splitting(&bytes);
        invariants::framing(&bytes, 7, 1 << 20);
    }
}

#[test]
fn every_message_is_parsed_or_told_apart_from_messages() {
    let (mut messages, mut with_strays) = (0, 0);
    for (name, bytes) in corpus_files::files() {
        for part in batch::split(&bytes) {
            match part {
                Part::Message(lines) => {
                    if lines.line > 1 {
                        // Not the whole file, which the other test has looked at.
                        invariants::parsing(lines.bytes);
                    }
                    let message = Message::parse(lines.bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
                    messages += 1;
                    with_strays += usize::from(message.strays().len() > 0);
                }
                Part::Stray(lines) => panic!("{name}: {lines:?} is in no message"),
                _ => {}
            }
        }
    }
    // Lines that are no segment are rare in the wild: a page of documentation pasted with its sample, mostly.
    assert!(with_strays * 100 <= messages, "{with_strays} of {messages} messages have strays");
}
