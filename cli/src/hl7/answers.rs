//! What came back for messages that were sent.

use std::{collections::BTreeMap, time::Duration};

use bridge_hl7v2::{
    Message,
    ack::{Answer, Verdict},
    charset::{Charset, Reading},
};
use serde_json::{Value, json};

/// What came of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    /// MSA-1, or a word of ours: `no answer`, `not sent`, `other answer`, `HTTP 503`.
    pub(crate) code: String,
    /// Where the receiver found an error, if it says so: `PID-3`. Its words are not shown: they may repeat what was sent.
    pub(crate) places: Vec<String>,
    /// AA or CA.
    pub(crate) accepted: bool,
}

impl Heard {
    /// Without an acknowledgment.
    pub(crate) fn nothing(code: impl Into<String>) -> Self {
        Self { code: code.into(), places: Vec::new(), accepted: false }
    }

    /// Reads the acknowledgment of the message with this MSH-10; `None` when it answers another one.
    pub(crate) fn read(bytes: &[u8], control_id: &str) -> Option<Self> {
        let Ok(message) = Message::parse_as(bytes, Reading::Always(Charset::Windows1252)) else {
            return Some(Self::nothing("no acknowledgment"));
        };
        let Ok(answer) = Answer::read(&message) else { return Some(Self::nothing("no acknowledgment")) };
        answer.is_for(control_id).then(|| Self {
            code: answer.code.to_string(),
            places: answer.problems.iter().filter_map(|one| Some(one.location?.to_string())).collect(),
            accepted: answer.code.verdict() == Verdict::Accept,
        })
    }
}

/// All of them together.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    codes: BTreeMap<String, usize>,
    accepted: usize,
    times: Vec<Duration>,
}

impl Tally {
    /// Counts one message, and how long its answer took.
    pub(crate) fn add(&mut self, heard: &Heard, took: Duration) {
        *self.codes.entry(heard.code.clone()).or_default() += 1;
        self.accepted += usize::from(heard.accepted);
        self.times.push(took);
    }

    /// How many were sent.
    pub(crate) fn sent(&self) -> usize {
        self.times.len()
    }

    /// How many were accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted
    }

    /// `3 messages: 2 AA, 1 AE; 41 ms each (99 %: 60 ms), 24 a second`.
    pub(crate) fn text(&self, whole: Duration) -> String {
        let codes: Vec<String> = self.codes.iter().map(|(code, n)| format!("{n} {code}")).collect();
        let (middle, late) = (self.percentile(50), self.percentile(99));
        format!(
            "{} messages: {}; half within {:.1} ms, 99 % within {:.1} ms; {:.0} a second",
            self.sent(),
            codes.join(", "),
            millis(middle),
            millis(late),
            self.rate(whole)
        )
    }

    /// The same for programs.
    pub(crate) fn json(&self, whole: Duration) -> Value {
        json!({"summary": {
            "messages": self.sent(), "accepted": self.accepted, "codes": self.codes,
            "p50_ms": millis(self.percentile(50)), "p99_ms": millis(self.percentile(99)),
            "per_second": self.rate(whole),
        }})
    }

    fn rate(&self, whole: Duration) -> f64 {
        self.sent() as f64 / whole.as_secs_f64().max(1e-9)
    }

    fn percentile(&self, percent: usize) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        let at = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(at).copied().unwrap_or_default()
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(rest: &str) -> Vec<u8> {
        format!("MSH|^~\\&|A||B||2026||ACK|1|P|2.5.1\r{rest}\r").into_bytes()
    }

    #[test]
    fn an_answer_is_its_code_and_the_places_of_its_errors() {
        let error = Heard::read(&ack("MSA|AE|M1|Planted\rERR||PID^1^3|101^Planted|E"), "M1");
        let expected = Heard { code: "AE".to_owned(), places: vec!["PID-3".to_owned()], accepted: false };
        assert_eq!(error, Some(expected));
        assert!(Heard::read(&ack("MSA|CA|M1"), "M1").is_some_and(|heard| heard.accepted));
        assert_eq!(Heard::read(&ack("MSA|AA|M0"), "M1"), None);
        assert_eq!(Heard::read(b"OK", "M1"), Some(Heard::nothing("no acknowledgment")));
    }

    #[test]
    fn a_tally_counts_codes_and_times() {
        let mut tally = Tally::default();
        for (n, code) in [(10, "AA"), (20, "AA"), (30, "AE")] {
            let heard = Heard { accepted: code == "AA", ..Heard::nothing(code) };
            tally.add(&heard, Duration::from_millis(n));
        }
        let text = tally.text(Duration::from_secs(1));
        assert_eq!(text, "3 messages: 2 AA, 1 AE; half within 20.0 ms, 99 % within 30.0 ms; 3 a second");
        assert_eq!(tally.accepted(), 2);
        assert_eq!(tally.json(Duration::from_secs(1))["summary"]["codes"]["AE"], 1);
    }
}
