//! One message or many at once: a batch is queued in one go, and answered by a batch of acknowledgments.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use bridge_core::Cause;
use bridge_hl7v2::{
    Message, SegmentView as _,
    ack::{Problem, ProblemCode, Verdict},
    batch::{Part, split},
    charset::{Charset, Reading},
    location::Location,
    segments::Msh,
    write::Editor,
};

use super::{Prepared, Refused, answer::Stamp};
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    ports::{Ports, Queue as _, QueueName},
};

/// What was received, and what to say.
#[derive(Debug)]
pub struct Received {
    /// The acknowledgment of the one message, or a batch of them. Empty when the sender wants none.
    pub answer: Vec<u8>,
    /// The worst of what is said.
    pub verdict: Verdict,
    /// How many messages were accepted.
    pub accepted: usize,
    /// How many parts were not.
    pub refused: usize,
}

impl<P: Ports> Bridge<P> {
    /// Takes one message, a file of messages or an FHS/BHS batch, and answers each. Everything that is accepted is
    /// durable when this returns.
    pub async fn receive_hl7(&self, source: &Arc<Loaded>, bytes: &[u8], sender: Option<IpAddr>) -> Received {
        self.receive_hl7_in(source, bytes, None, sender).await
    }

    /// The same, where the transport has said which character set the bytes are in.
    pub(super) async fn receive_hl7_in(
        &self,
        source: &Arc<Loaded>,
        bytes: &[u8],
        charset: Option<Charset>,
        sender: Option<IpAddr>,
    ) -> Received {
        let mut prepared = Vec::new();
        let mut is_batch = false;
        for part in split(bytes) {
            match part {
                Part::File(_) | Part::Batch(_) => is_batch = true,
                Part::Message(lines) => {
                    let frame = declared(lines.bytes, charset);
                    prepared.push(self.prepare_hl7(source, &frame, sender).await);
                }
                Part::Stray(lines) if !is_batch && prepared.is_empty() => {
                    prepared.push(self.prepare_hl7(source, lines.bytes, sender).await);
                }
                Part::Stray(lines) => {
                    let text = format!("line {} of the batch is in no message", lines.line);
                    prepared.push(self.refuse_part(source, "hl7v2.stray", text, sender).await);
                }
                Part::BatchEnd(count) | Part::FileEnd(count) if !count.agrees() => {
                    let text = format!(
                        "the trailer at line {} counts otherwise: {} were found",
                        count.line, count.found
                    );
                    prepared.push(self.refuse_part(source, "hl7v2.count", text, sender).await);
                }
                Part::BatchEnd(_) | Part::FileEnd(_) => {}
            }
        }
        if prepared.is_empty() {
            prepared.push(self.prepare_hl7(source, bytes, sender).await);
        }
        self.queue_all(&mut prepared).await;
        is_batch |= prepared.len() > 1;
        let said = |verdict| prepared.iter().any(|one| one.verdict == verdict);
        let accepted = prepared.iter().filter(|one| one.verdict == Verdict::Accept).count();
        Received {
            verdict: match (said(Verdict::Error), said(Verdict::Reject)) {
                (true, _) => Verdict::Error,
                (_, true) => Verdict::Reject,
                _ => Verdict::Accept,
            },
            accepted,
            refused: prepared.len() - accepted,
            answer: answers(&prepared, is_batch),
        }
    }

    /// Queues what is to be kept; what can't be queued is answered accordingly.
    async fn queue_all(&self, prepared: &mut [Prepared]) {
        let entries: Vec<_> = prepared.iter_mut().filter_map(|one| one.entry.take()).collect();
        if entries.is_empty() {
            return;
        }
        let Err(error) = self.ports.queue().send(QueueName::Inbound, entries).await else { return };
        tracing::error!(%error, "messages were not queued");
        for one in prepared.iter_mut().filter(|one| one.message.is_some()) {
            one.answer = one.unavailable.take();
            one.verdict = Verdict::Error;
        }
    }

    /// A part of a file that is no message: nobody can say what it was meant to be, so the sender is told.
    async fn refuse_part(
        &self,
        source: &Arc<Loaded>,
        code: &'static str,
        text: String,
        sender: Option<IpAddr>,
    ) -> Prepared {
        let problem = Problem::error(ProblemCode::SegmentSequence, None, text.clone());
        let refused = Refused { verdict: Verdict::Reject, problem, cause: Cause::new(code, text) };
        let mode = source.hl7v2.as_ref().and_then(|site| site.ack).unwrap_or_default();
        let stamp = Stamp::new(source, self.now(), refused.cause.text.as_bytes());
        let prepared = stamp.illegible(mode, &refused).into_refused(refused.cause);
        self.log_answer(source, 0, &prepared, sender).await;
        prepared
    }
}

/// The message with the transport's character set in MSH-18, where it does not declare one itself and it matters: what was
/// said beside a message must still be known when it is read again.
fn declared(frame: &[u8], charset: Option<Charset>) -> Cow<'_, [u8]> {
    let Some(charset) = charset.filter(|_| !frame.is_ascii()) else { return Cow::Borrowed(frame) };
    let Ok(message) = Message::parse_as(frame, Reading::Always(charset)) else { return Cow::Borrowed(frame) };
    if !message.header().field(18).is_empty() {
        return Cow::Borrowed(frame);
    }
    let mut edit = Editor::new(&message);
    let set = edit.set(&Location::segment(Msh::NAME, 1).field(18), charset.msh18());
    match set.and_then(|edit| edit.finish()) {
        Ok(declared) => Cow::Owned(declared),
        Err(_) => Cow::Borrowed(frame),
    }
}

fn answers(prepared: &[Prepared], is_batch: bool) -> Vec<u8> {
    let answers = prepared.iter().filter_map(|one| one.answer.as_deref());
    if !is_batch {
        return answers.flatten().copied().collect();
    }
    let count = answers.clone().count();
    let mut batch = b"BHS|^~\\&\r".to_vec();
    batch.extend(answers.flatten());
    batch.extend_from_slice(format!("BTS|{count}\r").as_bytes());
    batch
}
