//! What an acknowledgment says of the message it answers.
//!
//! | MSA-1 | outcome |
//! |---|---|
//! | AA, CA | delivered |
//! | AE, CE | retry, unless an error code says that the content is wrong |
//! | AR, CR | rejected |
//! | none that can be read | unknown: the message may have been taken |
//!
//! The connection's `hl7v2.send.answers` decides by error codes before MSA-1 does.

use bridge_core::{Cause, config::Answers, destination::Outcome};
use bridge_hl7v2::{
    Message,
    ack::{Answer, Reported, Verdict},
    charset::{Charset, Reading},
};

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It answers the message.
    This(Outcome),
    /// It answers another one: late, from an attempt that was given up, or an application's answer after the commit.
    Another,
}

/// Reads an acknowledgment of the message with this MSH-10.
pub(super) fn read(bytes: &[u8], control_id: &str, answers: &Answers) -> Said {
    let unreadable = |error: bridge_hl7v2::Error| {
        // The error names a place and a rule, never what stood there.
        let cause = Cause::new("destination.answer", format!("the acknowledgment can't be read: {error}"));
        Said::This(Outcome::Unknown(cause))
    };
    // Every byte is a character of this set: the texts for people may be in any, and the codes are ASCII.
    let message = match Message::parse_as(bytes, Reading::Always(Charset::Windows1252)) {
        Ok(message) => message,
        Err(error) => return unreadable(error),
    };
    match Answer::read(&message) {
        Err(error) => unreadable(error),
        Ok(answer) if !answer.is_for(control_id) => Said::Another,
        Ok(answer) => Said::This(judge(&answer, answers)),
    }
}

fn judge(answer: &Answer<'_>, answers: &Answers) -> Outcome {
    let says = |codes: &[String]| {
        answer.problems.iter().any(|problem| codes.iter().any(|code| code == problem.code.trim()))
    };
    let verdict = answer.code.verdict();
    if verdict == Verdict::Accept || says(&answers.delivered) {
        return Outcome::Delivered;
    }
    let cause = cause(answer);
    if says(&answers.rejected) {
        return Outcome::Rejected(cause);
    }
    if says(&answers.retry) || verdict == Verdict::Error {
        return Outcome::Retry { after: None, cause };
    }
    Outcome::Rejected(cause)
}

/// MSA-1, and of the first error its code and place. Its texts are the receiver's words, and may repeat what was sent.
fn cause(answer: &Answer<'_>) -> Cause {
    let mut text = format!("answered {}", answer.code);
    let Some(first) = answer.problems.first() else { return Cause::new("destination.answer", text) };
    if let Some(code) = code(first) {
        text.push_str(", error ");
        text.push_str(code);
    }
    if answer.problems.len() > 1 {
        text.push_str(&format!(" (and {} more)", answer.problems.len() - 1));
    }
    let place = first.location.map(|location| location.to_string()).unwrap_or_default();
    Cause::new("destination.answer", text).at(place)
}

/// A code as table 0357 has them: three digits. Anything else may be words.
fn code<'a>(problem: &'a Reported<'_>) -> Option<&'a str> {
    let code = problem.code.trim();
    (code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit())).then_some(code)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(segments: &str) -> Said {
        said_with(segments, &Answers::default())
    }

    fn said_with(segments: &str, answers: &Answers) -> Said {
        let text = format!("MSH|^~\\&|EHR|S|BRIDGE|N|20260302||ACK|9|P|2.5.1\r{segments}\r");
        read(text.as_bytes(), "M1", answers)
    }

    fn outcome(segments: &str) -> (&'static str, String) {
        match said(segments) {
            Said::This(Outcome::Delivered) => ("delivered", String::new()),
            Said::This(Outcome::Retry { cause, .. }) => ("retry", cause.to_string()),
            Said::This(Outcome::Throttled { cause, .. }) => ("throttled", cause.to_string()),
            Said::This(Outcome::Rejected(cause)) => ("rejected", cause.to_string()),
            Said::This(Outcome::Unknown(cause)) => ("unknown", cause.to_string()),
            Said::Another => ("another", String::new()),
        }
    }

    #[test]
    fn each_code_has_its_outcome() {
        let table = [
            ("MSA|AA|M1", "delivered"),
            ("MSA|CA|M1", "delivered"),
            ("MSA|AA| M1 ", "delivered"),
            ("MSA|AE|M1", "retry"),
            ("MSA|CE|M1", "retry"),
            ("MSA|AE|M1\rERR|||207^x^HL70357|E", "retry"),
            ("MSA|AE|M1\rERR||PID^1^5|101^x^HL70357|E", "rejected"),
            ("MSA|AE|M1\rERR|PID^1^5^103", "rejected"),
            ("MSA|AR|M1", "rejected"),
            ("MSA|CR|M1", "rejected"),
            ("MSA|AA|M0", "another"),
            ("MSA|AE|", "another"),
            ("MSA|XX|M1", "unknown"),
            ("PID|1", "unknown"),
        ];
        for (segments, expected) in table {
            assert_eq!(outcome(segments).0, expected, "{segments}");
        }
        assert!(matches!(read(b"hello", "M1", &Answers::default()), Said::This(Outcome::Unknown(_))));
    }

    #[test]
    fn a_cause_has_code_and_place_and_no_words() {
        let answer = "MSA|AR|M1|Planted\rERR||PID^1^5|200^Planted^L|E|||Planted|Planted\rERR|||Planted^x";
        let (_, cause) = outcome(answer);
        assert_eq!(cause, "destination.answer at PID-5: answered AR, error 200 (and 1 more)");
        assert_eq!(outcome("MSA|AR|M1\rERR|||Planted^x").1, "destination.answer: answered AR");
    }

    #[test]
    fn a_connection_may_know_better() {
        let codes = |code: &str| vec![code.to_owned()];
        let answers = Answers {
            delivered: codes("205"),
            rejected: codes("204"),
            retry: codes("206"),
            ..Answers::default()
        };
        let with = |code: &str, ack: &str| said_with(&format!("MSA|{ack}|M1\rERR|||{code}^x"), &answers);
        assert_eq!(with("205", "AR"), Said::This(Outcome::Delivered));
        assert!(matches!(with("206", "AR"), Said::This(Outcome::Retry { .. })));
        assert!(matches!(with("204", "AE"), Said::This(Outcome::Rejected(_))));
        assert!(
            matches!(with("101", "AE"), Said::This(Outcome::Retry { .. })),
            "its list replaces the default"
        );
    }
}
