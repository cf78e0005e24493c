//! Real messages, when they are there: each is answered, and comes to resources or is parked with its place.
#![allow(clippy::print_stderr)]

use std::{fs, path::Path};

use bridge_hl7v2::ack::Verdict;

use crate::site::Site;

/// Everything that a sender could be granted.
const GENEROUS: &str = "
charset: {undeclared: utf-8-or-windows-1252}
ack: original
identity: content
processing-ids: ['', P, T, D]
";

#[test]
fn every_message_is_answered_and_comes_to_something() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/hl7/corpus");
    let site = Site::new(GENEROUS);
    let (mut files, mut accepted, mut refused) = (0, 0, 0);
    for folder in fs::read_dir(&folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir())
    {
        for file in fs::read_dir(folder.path()).unwrap() {
            let received = site.receive(fs::read(file.unwrap().path()).unwrap());
            let is_answered = !received.answer.is_empty();
            // An acknowledgment is the one thing that is not answered.
            assert!(is_answered || received.verdict == Verdict::Reject);
            files += 1;
            accepted += received.accepted;
            refused += received.refused;
        }
    }
    if files == 0 {
        eprintln!("no corpus at {}: nothing was tested", folder.display());
        return;
    }
    site.0.settle();
    let messages = site.messages();
    let (parked, normalized): (Vec<_>, Vec<_>) =
        messages.iter().partition(|message| message["cause"].is_object());
    for message in &parked {
        let cause = &message["cause"];
        let is_placed = cause["place"].as_str().is_some_and(|place| !place.is_empty());
        assert!(is_placed || cause["code"] == "lane.held", "{cause}");
    }
    assert!(!normalized.is_empty() && messages.len() <= accepted, "{} of {accepted}", messages.len());
    eprintln!(
        "{files} files: {accepted} messages accepted, {refused} refused; {} normalized, {} parked",
        normalized.len(),
        parked.len()
    );
}
