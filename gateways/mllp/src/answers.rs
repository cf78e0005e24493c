//! Answers that the gateway gives by itself: to frames that are no whole messages, and where the pipeline can't.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bridge_core::Timestamp;
use bridge_hl7v2::{
    Message,
    ack::{Acknowledgment, Code, Mode, Problem, ProblemCode, Verdict, Wanted},
    charset::{Charset, Reading},
};

use crate::sink::Broken;

/// Longest header line that is looked at.
const HEADER: usize = 4096;

/// The answer to what is left of a frame, of which `head` is the beginning. AE asks to send it again whole, AR says
/// that this would not help.
pub(crate) fn to_broken(head: &[u8], broken: Broken, now: Timestamp) -> Vec<u8> {
    match broken {
        Broken::Unterminated => {
            let text = "the frame has no end (0x1C 0x0D), so nothing says that the message is whole";
            negative(head, Verdict::Error, text, now)
        }
        Broken::TooLarge { limit } => {
            let text = format!("the message is larger than the {limit} bytes that are taken");
            negative(head, Verdict::Reject, &text, now)
        }
    }
}

/// The answer to a message of which `head` is the beginning, and which was not taken because of `text`.
pub(crate) fn negative(head: &[u8], verdict: Verdict, text: &str, now: Timestamp) -> Vec<u8> {
    let line = head.get(..head.len().min(HEADER)).unwrap_or(head);
    let line = line.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    // Every byte is a character of this set, so the ids go back as they came.
    let header = Message::parse_as(line, Reading::Always(Charset::Windows1252)).ok();
    let wanted = header.as_ref().map(|header| Wanted::by(header, Mode::AsAsked));
    // A sender that wants no answer still has to learn that its message was not taken.
    let code = wanted.and_then(|wanted| wanted.commit(verdict).or_else(|| wanted.application(verdict)));
    let code = code.unwrap_or(if verdict == Verdict::Error { Code::AE } else { Code::AR });
    let (made, id) = (made(now), control_id(now));
    let ack = match &header {
        Some(header) => Acknowledgment::to(header, code),
        None => Acknowledgment::to_illegible(code),
    };
    let problem = Problem::error(ProblemCode::Internal, None, text);
    // Everything in it is ASCII or came from a header in the same character set.
    ack.made(&made).control_id(&id).problem(problem).build().unwrap_or_default()
}

/// MSH-7 in UTC: `2026-11-22T21:30:05.123Z` becomes `20261122213005+0000`.
fn made(now: Timestamp) -> String {
    let digits: String = now.to_string().chars().take(19).filter(char::is_ascii_digit).collect();
    digits + "+0000"
}

/// MSH-10 of our own: unique in this process, and unlikely elsewhere.
fn control_id(now: Timestamp) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("G{:X}-{:X}", now.as_millis(), COUNT.fetch_add(1, Relaxed))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: i64 = 1_790_000_000_000;

    fn answer(head: &str, broken: Broken) -> String {
        String::from_utf8(to_broken(head.as_bytes(), broken, Timestamp::from_millis(NOW))).unwrap()
    }

    #[test]
    fn a_frame_without_an_end_is_asked_for_again() {
        let head = "MSH|^~\\&|LAB|NORTH|EHR|SOUTH|2024||ADT^A08|77|P|2.5.1\rPID|1||Zyxwv";
        let text = answer(head, Broken::Unterminated);
        assert!(
            text.starts_with("MSH|^~\\&|EHR|SOUTH|LAB|NORTH|20260921141320+0000||ACK^A08^ACK|G"),
            "{text}"
        );
        assert!(text.contains("\rMSA|AE|77|") && text.contains("\rERR|"), "{text}");
        assert!(!text.contains("Zyxwv"));
    }

    #[test]
    fn a_frame_that_is_too_large_is_turned_away_in_the_mode_that_it_asks_for() {
        let head = "MSH|^~\\&|LAB|NORTH|EHR|SOUTH|2024||ADT^A08|77|P|2.5.1|||AL|NE";
        let text = answer(head, Broken::TooLarge { limit: 9 });
        assert!(text.contains("\rMSA|CR|77|") && text.contains("9 bytes"), "{text}");
    }

    #[test]
    fn what_has_no_header_is_answered_all_the_same() {
        assert!(answer("", Broken::Unterminated).contains("\rMSA|AE|"));
        assert!(answer("MSH|^", Broken::TooLarge { limit: 9 }).contains("\rMSA|AR|"));
    }

    #[test]
    fn two_answers_have_two_control_ids() {
        let answers = [(), ()].map(|()| answer("", Broken::Unterminated));
        assert_ne!(answers[0], answers[1]);
    }
}
