//! Acknowledgments (HL7 v2.5.1 §2.9): which one is asked for, writing one, reading one.
//!
//! Original mode answers once, with what the application made of the message (AA, AE, AR). Enhanced mode
//! first answers that the message is safely taken (CA, CE, CR) and, apart from that, what the application
//! made of it; MSH-15 and MSH-16 say which of the two the sender wants, and when.

mod answer;
mod compose;

pub use answer::{Answer, Reported};
pub use compose::{Acknowledgment, Problem, ProblemCode, Severity, refuse};

use crate::{Message, SegmentView, segments::Msh};

/// MSA-1 (table 0008).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// Application accept.
    AA,
    /// Application error: the content is wrong, sending it again unchanged will not help.
    AE,
    /// Application reject: the message type, version or state is not one it takes, or it could not work now.
    AR,
    /// Commit accept: taken and stored.
    CA,
    /// Commit error: could not be taken.
    CE,
    /// Commit reject: refused for its header (type, version, processing id).
    CR,
}

impl Code {
    /// As it stands in MSA-1.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AA => "AA",
            Self::AE => "AE",
            Self::AR => "AR",
            Self::CA => "CA",
            Self::CE => "CE",
            Self::CR => "CR",
        }
    }

    /// The code of that text.
    pub fn from_msa1(text: &str) -> Option<Self> {
        [Self::AA, Self::AE, Self::AR, Self::CA, Self::CE, Self::CR]
            .into_iter()
            .find(|c| c.as_str() == text.trim())
    }

    /// What it says of the message.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::AA | Self::CA => Verdict::Accept,
            Self::AE | Self::CE => Verdict::Error,
            Self::AR | Self::CR => Verdict::Reject,
        }
    }

    /// CA, CE and CR: it tells of the transfer only, the application may still answer.
    pub fn is_commit(self) -> bool {
        matches!(self, Self::CA | Self::CE | Self::CR)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Taken.
    Accept,
    /// Wrong in its content, or the receiver failed.
    Error,
    /// Not a message this receiver takes.
    Reject,
}

/// When an acknowledgment is wanted (table 0155).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// AL: always.
    Always,
    /// NE: never.
    Never,
    /// ER: on error or reject.
    Error,
    /// SU: on success.
    Success,
}

impl Condition {
    /// MSH-15 or MSH-16. What is not in the table means always: an answer too many does less harm than one
    /// too few.
    fn read(text: &str) -> Self {
        match text.trim() {
            "NE" => Self::Never,
            "ER" => Self::Error,
            "SU" => Self::Success,
            _ => Self::Always,
        }
    }

    fn holds(self, verdict: Verdict) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Error => verdict != Verdict::Accept,
            Self::Success => verdict == Verdict::Accept,
        }
    }
}

/// A connection's setting for acknowledgments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Mode {
    /// As the message asks for in MSH-15 and MSH-16. In configuration: `auto`.
    #[default]
    #[cfg_attr(feature = "serde", serde(rename = "auto"))]
    AsAsked,
    /// Original mode whatever the message asks: for senders that set MSH-15 and then wait for AA.
    Original,
    /// Enhanced mode whatever the message asks, with a commit acknowledgment always and no application one. In
    /// configuration: `enhanced`.
    #[cfg_attr(feature = "serde", serde(rename = "enhanced"))]
    Commit,
}

/// Which acknowledgments a message calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// Original mode: one application acknowledgment.
    Original,
    /// Enhanced mode.
    Enhanced {
        /// MSH-15, for CA, CE and CR.
        accept: Condition,
        /// MSH-16, for AA, AE and AR.
        application: Condition,
    },
}

impl Wanted {
    /// What `message` calls for. Original mode when MSH-15 and MSH-16 are both empty or null; when one of
    /// them is, it means never.
    pub fn by(message: &Message<'_>, mode: Mode) -> Self {
        let asked = Msh::of(message.header())
            .map(|msh| (msh.accept_acknowledgment(), msh.application_acknowledgment()));
        let (accept, application) = asked.map_or((None, None), |(a, b)| (a.content(), b.content()));
        match mode {
            Mode::Original => Self::Original,
            Mode::Commit => Self::Enhanced { accept: Condition::Always, application: Condition::Never },
            Mode::AsAsked if accept.is_none() && application.is_none() => Self::Original,
            Mode::AsAsked => {
                let read = |c: Option<std::borrow::Cow<'_, str>>| {
                    c.map_or(Condition::Never, |c| Condition::read(&c))
                };
                Self::Enhanced { accept: read(accept), application: read(application) }
            }
        }
    }

    /// The commit acknowledgment to send once the message is stored or refused; `None` when none is wanted.
    pub fn commit(self, verdict: Verdict) -> Option<Code> {
        let Self::Enhanced { accept, .. } = self else { return None };
        accept.holds(verdict).then_some(match verdict {
            Verdict::Accept => Code::CA,
            Verdict::Error => Code::CE,
            Verdict::Reject => Code::CR,
        })
    }

    /// The application acknowledgment that stands in for a commit one at the door; `None` when none is wanted.
    pub fn application(self, verdict: Verdict) -> Option<Code> {
        let wanted = match self {
            Self::Original => true,
            // What was not taken has been answered by CE or CR; the application never saw it.
            Self::Enhanced { accept, application } => {
                application.holds(verdict) && (verdict == Verdict::Accept || !accept.holds(verdict))
            }
        };
        wanted.then_some(application_code(verdict))
    }

    /// The application acknowledgment that is still owed when a message was taken with CA and something became of it:
    /// a message of its own, not an answer on the connection it came by (§2.9.3.2). `None` when none is wanted.
    pub fn deferred(self, verdict: Verdict) -> Option<Code> {
        let Self::Enhanced { accept, application } = self else { return None };
        let was_answered_by_commit = accept.holds(Verdict::Accept);
        (was_answered_by_commit && application.holds(verdict)).then_some(application_code(verdict))
    }
}

fn application_code(verdict: Verdict) -> Code {
    match verdict {
        Verdict::Accept => Code::AA,
        Verdict::Error => Code::AE,
        Verdict::Reject => Code::AR,
    }
}
