//! The acknowledgments of a door.

use bridge_core::{Cause, Timestamp};
use bridge_hl7v2::{
    Error, Message,
    ack::{Acknowledgment, Code, Mode, Problem, ProblemCode, Verdict, Wanted, refuse},
};
use bridge_seal::sha256;
use data_encoding::HEXUPPER;

use super::{Prepared, Refused};
use crate::configuration::Loaded;

/// MSH-10 has room for 20 characters before v2.7.
const CONTROL_ID: usize = 10;
/// As much of a message as tells it from others made in the same millisecond.
const HEAD: usize = 512;

/// When an answer is made, and its own control id.
pub(super) struct Stamp {
    made: String,
    control_id: String,
}

impl Stamp {
    pub(super) fn new(source: &Loaded, now: Timestamp, frame: &[u8]) -> Self {
        let zone = source.connection.zone.rules().unwrap_or(jiff::tz::TimeZone::UTC);
        let at = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default().to_zoned(zone);
        let head = &frame[..frame.len().min(HEAD)];
        let parts: [&[u8]; 3] =
            [source.connection.connection.as_str().as_bytes(), &now.as_millis().to_be_bytes(), head];
        Self {
            made: at.strftime("%Y%m%d%H%M%S%z").to_string(),
            control_id: HEXUPPER.encode(&sha256(&parts)[..CONTROL_ID]),
        }
    }

    /// The message is taken.
    pub(super) fn accept(&self, mode: Mode, message: &Message<'_>) -> Prepared {
        let answer = self.write(mode, message, Verdict::Accept, None);
        Prepared {
            entry: None,
            answer,
            unavailable: None,
            verdict: Verdict::Accept,
            message: None,
            cause: None,
        }
    }

    /// The message is turned away, and sending it again changes nothing.
    pub(super) fn refuse(&self, mode: Mode, message: &Message<'_>, refused: &Refused) -> Prepared {
        let answer = self.write(mode, message, refused.verdict, Some(&refused.problem));
        Illegible(answer).into_refused(refused.cause.clone())
    }

    /// The message may be taken the next time.
    pub(super) fn unavailable(&self, mode: Mode, message: &Message<'_>) -> Option<Vec<u8>> {
        let text = "the message could not be made durable: send it again";
        let problem = Problem::error(ProblemCode::Internal, None, text);
        self.write(mode, message, Verdict::Error, Some(&problem))
    }

    /// The bytes are no message.
    pub(super) fn unreadable(&self, mode: Mode, frame: &[u8], error: &Error) -> Illegible {
        Illegible(
            refuse(frame, error, mode, &self.made, &self.control_id).unwrap_or_else(|_| self.bare(mode)),
        )
    }

    /// There is no header to answer to.
    pub(super) fn illegible(&self, mode: Mode, refused: &Refused) -> Illegible {
        let code = if mode == Mode::Commit { Code::CR } else { Code::AR };
        let ack = Acknowledgment::to_illegible(code).made(&self.made).control_id(&self.control_id);
        Illegible(ack.problem(refused.problem.clone()).build().ok().or_else(|| self.bare(mode)))
    }

    fn write(
        &self,
        mode: Mode,
        message: &Message<'_>,
        verdict: Verdict,
        problem: Option<&Problem>,
    ) -> Option<Vec<u8>> {
        let wanted = Wanted::by(message, mode);
        let code = wanted.commit(verdict).or_else(|| wanted.application(verdict))?;
        let ack = Acknowledgment::to(message, code).made(&self.made).control_id(&self.control_id);
        let whole = match problem {
            Some(problem) => ack.clone().problem(problem.clone()).build(),
            None => ack.build(),
        };
        // Where the sender's delimiters or character set can't hold the explanation, the code alone must do.
        whole.or_else(|_| ack.build()).ok().or_else(|| self.bare(mode).filter(|_| verdict != Verdict::Accept))
    }

    /// A refusal in the standard's own delimiters, which always can be written.
    fn bare(&self, mode: Mode) -> Option<Vec<u8>> {
        let code = if mode == Mode::Commit { Code::CR } else { Code::AR };
        Acknowledgment::to_illegible(code).made(&self.made).control_id(&self.control_id).build().ok()
    }
}

/// The answer to what is turned away.
pub(super) struct Illegible(pub(super) Option<Vec<u8>>);

impl Illegible {
    pub(super) fn into_refused(self, cause: Cause) -> Prepared {
        Prepared {
            entry: None,
            answer: self.0,
            unavailable: None,
            verdict: Verdict::Reject,
            message: None,
            cause: Some(cause),
        }
    }
}
