//! HL7 v2 at the doors, whatever carries it: MLLP, HTTP or a file.
//!
//! parse → is it accepted? → name, seal and address it → the positive answer waits for the queue.
//!
//! A frame is prepared without being queued, so that a door may queue many at once. Until its entry is durable a
//! message is answered with [`Prepared::unavailable`] or not at all; [`Prepared::answer`] is true from then on.

mod answer;
mod batch;
mod door;
mod examine;
mod route;

use std::{net::IpAddr, sync::Arc};

use bridge_core::{Cause, config::Hl7v2Site, id::MessageId, manifest::IpRange, task::Format};
use bridge_hl7v2::{
    Message,
    ack::{Mode, Problem, ProblemCode, Verdict},
};

pub use batch::Received;

use self::{
    answer::Stamp,
    examine::{Examined, examine},
};
use super::{Incoming, Refusal, verify};
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    ports::{Entry, Ports},
};

/// What a door does with one message.
#[derive(Debug)]
pub struct Prepared {
    /// What must be on [`QueueName::Inbound`](crate::ports::QueueName::Inbound) before the answer may be given.
    /// `None` when nothing is to be kept: the answer is ready.
    pub entry: Option<Entry>,
    /// The acknowledgment; `None` when the sender wants none.
    pub answer: Option<Vec<u8>>,
    /// The acknowledgment instead of it, when the entry could not be queued: the sender must send again.
    pub unavailable: Option<Vec<u8>>,
    /// What the answer says of the message.
    pub verdict: Verdict,
    /// Its id, when it is accepted.
    pub message: Option<MessageId>,
    /// Why it is not accepted, or not kept. Holds no content.
    pub cause: Option<Cause>,
}

/// A message that is turned away.
pub(super) struct Refused {
    verdict: Verdict,
    problem: Problem,
    cause: Cause,
}

impl<P: Ports> Bridge<P> {
    /// Prepares the answer to one message, without its framing, and what must be durable before it is given.
    /// What is turned away is counted. `sender` is who connected, if that is known.
    ///
    /// Never fails: where a port does, the answer says that the message was not taken.
    pub async fn prepare_hl7(&self, source: &Arc<Loaded>, frame: &[u8], sender: Option<IpAddr>) -> Prepared {
        let stamp = Stamp::new(source, self.now(), frame);
        let prepared = match judge(source, frame, &stamp, |allowed| verify::sender(allowed, sender)) {
            Judged::Answered(prepared) => *prepared,
            Judged::Accepted { site, message, kind } => {
                self.accept_hl7(source, site, &message, &kind, frame, &stamp).await
            }
        };
        self.log_answer(source, frame.len(), &prepared, sender).await;
        prepared
    }

    /// The same for a message of a file, which nobody waits for. No address sent it: who may put files into the bucket is
    /// the bucket's to say.
    pub(crate) async fn prepare_hl7_of_file(&self, source: &Arc<Loaded>, message: &[u8]) -> Prepared {
        let stamp = Stamp::new(source, self.now(), message);
        match judge(source, message, &stamp, |_| Ok(())) {
            Judged::Answered(prepared) => *prepared,
            Judged::Accepted { site, message: read, kind } => {
                self.accept_hl7(source, site, &read, &kind, message, &stamp).await
            }
        }
    }

    /// The answer that a message would get, from wherever it may be sent. Nothing is kept, counted or logged.
    pub fn rehearse_hl7(&self, source: &Arc<Loaded>, frame: &[u8]) -> Prepared {
        let stamp = Stamp::new(source, self.now(), frame);
        match judge(source, frame, &stamp, |_| Ok(())) {
            Judged::Answered(prepared) => *prepared,
            Judged::Accepted { site, message, .. } => stamp.accept(site.ack.unwrap_or_default(), &message),
        }
    }

    async fn accept_hl7(
        &self,
        source: &Arc<Loaded>,
        site: &Hl7v2Site,
        message: &Message<'_>,
        kind: &str,
        frame: &[u8],
        stamp: &Stamp,
    ) -> Prepared {
        let mode = site.ack.unwrap_or_default();
        let (identity, lane) = (examine::identity(site, message, frame), examine::lane(site, message));
        let incoming = Incoming {
            format: Format::Hl7v2,
            kind,
            source_id: identity.iter().map(AsRef::as_ref).collect(),
            lane: lane.as_ref().map(|lane| lane.iter().map(|part| part.as_bytes()).collect()),
            bytes: frame,
        };
        let unavailable = stamp.unavailable(mode, message);
        match self.queue_entry(source, incoming).await {
            Ok((entry, id)) => {
                Prepared { entry: Some(entry), unavailable, message: Some(id), ..stamp.accept(mode, message) }
            }
            Err(error) => Prepared {
                entry: None,
                answer: unavailable.clone(),
                unavailable,
                verdict: Verdict::Error,
                message: None,
                cause: Some(Cause::new("bridge.unavailable", error.to_string())),
            },
        }
    }

    /// Counts what is turned away, and says a line about each message.
    async fn log_answer(&self, source: &Loaded, bytes: usize, prepared: &Prepared, sender: Option<IpAddr>) {
        let connection = &source.connection.connection;
        let outcome = match (prepared.verdict, &prepared.cause) {
            (Verdict::Accept, None) => "accepted",
            (Verdict::Accept, Some(_)) => "ignored",
            (Verdict::Error, _) => "failed",
            (Verdict::Reject, _) => "refused",
        };
        if let Some(cause) = prepared.cause.as_ref().filter(|_| prepared.verdict != Verdict::Error) {
            self.count_rejection(Some(connection), cause, sender).await;
        }
        let (code, why) = prepared.cause.as_ref().map_or(("", ""), |cause| (&*cause.code, &*cause.text));
        let message = prepared.message.as_ref().map_or("", MessageId::as_str);
        tracing::info!(
            target: "bridge::line", step = "receive", outcome, connection = connection.as_str(), message, bytes, code, why
        );
    }
}

/// What a message is, before anything is kept of it.
enum Judged<'a> {
    /// It is not to be kept: this is the answer.
    Answered(Box<Prepared>),
    /// It is to be kept, as this kind.
    Accepted { site: &'a Hl7v2Site, message: Message<'a>, kind: String },
}

/// Reads a message and decides whether its site takes it. `may_send` is asked who may send to these addresses.
fn judge<'a>(
    source: &'a Loaded,
    frame: &'a [u8],
    stamp: &Stamp,
    may_send: impl FnOnce(&[IpRange]) -> Result<(), Refusal>,
) -> Judged<'a> {
    let answered = |prepared| Judged::Answered(Box::new(prepared));
    let Some(site) = &source.hl7v2 else {
        let cause = Cause::new("hl7v2.none", "this connection's adapter does not speak HL7 v2");
        let problem = Problem::error(ProblemCode::UnsupportedMessageType, None, &*cause.text);
        let refused = Refused { verdict: Verdict::Reject, problem, cause };
        return answered(stamp.illegible(Mode::default(), &refused).into_refused(refused.cause));
    };
    let mode = site.ack.unwrap_or_default();
    let message = match Message::parse_as(frame, site.charset.unwrap_or_default()) {
        Ok(message) => message,
        Err(error) => {
            let cause = Cause::new("hl7v2.unreadable", error.to_string());
            return answered(stamp.unreadable(mode, frame, &error).into_refused(cause));
        }
    };
    if let Err(refusal) = may_send(&source.connection.allow_ips) {
        let problem = Problem::error(ProblemCode::Internal, None, &*refusal.cause.text);
        let refused = Refused { verdict: Verdict::Reject, problem, cause: refusal.cause };
        return answered(stamp.refuse(mode, &message, &refused));
    }
    match examine(site, &message) {
        Err(refused) => answered(stamp.refuse(mode, &message, &refused)),
        Ok(Examined::Answer(cause)) => answered(Prepared {
            entry: None,
            answer: None,
            unavailable: None,
            verdict: Verdict::Reject,
            message: None,
            cause: Some(cause),
        }),
        Ok(Examined::Ignored(cause)) => {
            answered(Prepared { cause: Some(cause), ..stamp.accept(mode, &message) })
        }
        Ok(Examined::Accepted(kind)) => Judged::Accepted { site, message, kind },
    }
}
