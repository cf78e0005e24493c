//! `normalize`: one message becomes FHIR R4 resources, and a delivery for each of its destinations.
//!
//! gate of the lane → open → translate → store the resources → send the deliveries → record the message.
//!
//! No claim is taken: every step up to the record gives the same result however often and by however many it is
//! done (deterministic ids, versioned resources, deduplicated deliveries that are claimed one by one later). See
//! `docs/adr/0004`.

mod asked;
mod change;
mod deliveries;
mod hl7v2;
mod merge;
mod named;
pub(crate) mod resources;
pub(crate) mod rows;
mod translate;

pub use change::{Change, Changes};
pub(crate) use deliveries::NotSent;
pub(crate) use hl7v2::Parcel;
pub use hl7v2::{Told, tell};
pub(crate) use named::Named;
use resources::{Kept, Version};
pub(crate) use translate::apply;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bridge_core::{
    Cause, Timestamp,
    config::LanePolicy,
    task::{InboundTask, NormalizeTask, Payload},
};
use bridge_fhir::Resource;
use data_encoding::BASE64;

use crate::{
    batch::{Received, Report, Verdict, Worker},
    bridge::Bridge,
    configuration::Loaded,
    keys::KeyError,
    ledger::{Gate, LaneKey, MessageDoc, MessageState, ParkRequest, Parked, Subject},
    line::Line,
    payload::Purpose,
    ports::{Ports, QueueName},
    stage::{self, Failure},
};

/// A sealed payload up to this size stands in the message's record; a record may have 400 KB.
const IN_THE_RECORD: usize = 300 * 1024;

/// Works `inbound.fifo`.
#[derive(Debug)]
pub struct Normalize<'a, P>(pub &'a Bridge<P>);

impl<P: Ports> Worker for Normalize<'_, P> {
    fn queue(&self) -> Option<QueueName> {
        Some(QueueName::Inbound)
    }

    async fn work(&self, record: &Received, _time_left: Duration) -> Report {
        let task = match stage::read_task::<InboundTask>(record) {
            Ok(InboundTask::Normalize(task)) => task,
            Err(report) => return *report,
        };
        match self.0.normalize(&task, record).await {
            Ok(report) => report,
            Err(error) => stage::failed(line_of(&task), &error),
        }
    }

    async fn park(&self, record: &Received, cause: Cause) -> Report {
        let task = match stage::read_task::<InboundTask>(record) {
            Ok(InboundTask::Normalize(task)) => task,
            Err(report) => return *report,
        };
        let line = line_of(&task).cause(Some(cause.clone()));
        match self.0.park_message(&task, record, cause).await {
            Ok(()) => Report { verdict: Verdict::Done, line: line.outcome("parked") },
            Err(error) => stage::failed(line, &error),
        }
    }
}

fn line_of(task: &NormalizeTask) -> Line {
    Line::new("normalize").message(&task.message, &task.connection, &task.kind)
}

/// What a message became.
struct Outcome {
    resources: Vec<Resource>,
    kept: Kept,
    changes: Changes,
}

impl<P: Ports> Bridge<P> {
    async fn normalize(&self, task: &NormalizeTask, record: &Received) -> Result<Report, Failure> {
        let lane = LaneKey::inbound(&task.connection, &task.lane);
        let order = task.release.as_ref().map_or_else(|| record.order(), |release| release.order.clone());
        let aside = async |loaded, cause| self.set_message_aside(task, &lane, &order, loaded, cause).await;

        let Some(source) = self.connection(&task.connection).await? else {
            return aside(None, Some(stage::unknown_connection(&task.connection))).await;
        };
        let known = self.ledger().message(&task.connection, &task.message).await?.map(|(doc, _)| doc);
        if let Some(known) = known.as_ref().filter(|known| is_done(known, task)) {
            if known.state == MessageState::Normalized {
                self.ask_again(task, &source, &known.order).await?;
            }
            self.settle_release(&lane, task.release.as_ref(), task.message.as_str()).await?;
            return Ok(Report { verdict: Verdict::Done, line: line_of(task).outcome("duplicate") });
        }
        if source.connection.paused {
            return aside(Some(&source), Some(stage::paused())).await;
        }
        if self.ledger().lane(&lane).await?.gate(task.release.as_ref()) == Gate::Behind {
            return aside(Some(&source), None).await;
        }
        let opened =
            self.unpack(Purpose::Message, &task.connection, task.message.as_str(), &task.payload).await;
        let received = match opened {
            Ok(received) => received,
            Err(KeyError::Port(error)) => return Err(error.into()),
            Err(error) => {
                return aside(Some(&source), Some(Cause::new("payload.unreadable", error.to_string()))).await;
            }
        };
        if asked::is_write(task) {
            self.write_again(task, &source, &received).await?;
            let mut doc = message_doc(task, &source, order, self.now());
            if let Some(known) = known {
                doc = MessageDoc { normalized_at: doc.normalized_at, ..known };
            }
            doc.replayed = doc.replayed.max(task.replay);
            self.record_received(task, doc).await?;
            self.settle_release(&lane, task.release.as_ref(), task.message.as_str()).await?;
            return Ok(Report { verdict: Verdict::Done, line: line_of(task).outcome("asked again") });
        }
        if let Some(named) = Named::by(&source, task, &received) {
            // A replay keeps the place of its message.
            let place = known.map_or(order, |known| known.order);
            return self.ask_for_record(task, &source, (&lane, place), &named).await;
        }
        let index = self.index_key(&task.connection.tenant()).await?;
        let translated = match self.translate(task, &source, &received, &index) {
            Ok(translated) => translated,
            Err(cause) => {
                self.acknowledge(task, &source, &received, Some(&cause)).await?;
                return aside(Some(&source), Some(cause)).await;
            }
        };
        // A replay keeps the place of its message: it must not overwrite what came later.
        let place = known.map_or_else(|| order.clone(), |known| known.order);
        let changes = match self.tells_events(&source).await? {
            true => self.changes(task, &translated.resources, translated.asides.as_ref()).await?,
            false => Changes::new(),
        };
        // Who says which state of a record it is about says so because it is a new one.
        let states = match source.kind(&task.kind) {
            Some(kind) if !kind.tells_states() => resources::states(&index, &source, &translated.resources),
            _ => BTreeMap::new(),
        };
        let version = Version {
            source: translated.version,
            each: translated.versions,
            order: place.clone(),
            replay: task.replay,
            changes: changes.clone(),
            states,
        };
        let (resources, kept) = match &translated.asides {
            // A snapshot: it is the new state.
            None => {
                let kept = self.store_resources(task, &translated.resources, &version).await?;
                (translated.resources, kept)
            }
            Some(asides) => {
                let merged = self.merge_resources(task, translated.resources, asides, &version).await?;
                (merged.0, Kept { superseded: merged.1, ..Kept::default() })
            }
        };
        let result = Outcome { resources, kept, changes };
        let sent = match self.send_deliveries(task, &source, &result).await {
            Ok(sent) => sent,
            Err(NotSent::Failed(failure)) => return Err(failure),
            Err(NotSent::Unwritable(cause)) => return aside(Some(&source), Some(cause)).await,
        };
        let unacknowledged = self.acknowledge(task, &source, &received, None).await?;

        let mut doc = message_doc(task, &source, place, self.now());
        doc.resources = result.resources.iter().map(Resource::reference).collect();
        (doc.superseded, doc.unchanged) = (result.kept.superseded, result.kept.unchanged);
        doc.destinations = sent.destinations;
        doc.find = translated.find;
        doc.mapped_by = translated.mapped_by;
        doc.notes = translated.notes;
        doc.notes.extend(sent.notes.into_iter().chain(unacknowledged));
        let line = line_of(task).outcome("normalized").resources(doc.resources.len());
        self.record_received(task, doc).await?;
        self.settle_release(&lane, task.release.as_ref(), task.message.as_str()).await?;
        Ok(Report { verdict: Verdict::Done, line })
    }

    /// Records a message together with what was received.
    async fn record_received(&self, task: &NormalizeTask, mut doc: MessageDoc) -> Result<(), Failure> {
        let sealed = inline(&task.payload);
        if let Payload::Stored(key) = &task.payload {
            doc.stored = Some(key.clone());
        }
        Ok(self.ledger().record_message(doc, sealed, task.replay).await?)
    }

    /// Parks a message that had no effect yet.
    pub(crate) async fn set_message_aside(
        &self,
        task: &NormalizeTask,
        lane: &LaneKey,
        order: &str,
        loaded: Option<&Arc<Loaded>>,
        cause: Option<Cause>,
    ) -> Result<Report, Failure> {
        let line = line_of(task).cause(cause.clone());
        let mut doc = match loaded {
            Some(loaded) => message_doc(task, loaded, order.to_owned(), self.now()),
            None => MessageDoc::parked(task, order.to_owned(), self.now(), stage::longest(task.received_at)),
        };
        if let Payload::Stored(key) = &task.payload {
            doc.stored = Some(key.clone());
        }
        let parked = self
            .ledger()
            .park(ParkRequest {
                lane,
                order,
                task: &self.preserved_message(task).await?,
                cause,
                policy: loaded.map_or(LanePolicy::Hold, |loaded| loaded.connection.lanes),
                due: None,
                subject: Subject::Message(Box::new(doc), inline(&task.payload)),
            })
            .await?;
        Ok(match parked {
            Parked::Done => Report { verdict: Verdict::Done, line: line.outcome("parked") },
            Parked::Superseded => Report { verdict: Verdict::Done, line: line.outcome("duplicate") },
            Parked::LaneOpen | Parked::Busy(_) => {
                Report { verdict: Verdict::Again(Duration::from_secs(1)), line: line.outcome("not yet") }
            }
        })
    }
}

/// Whether a task brings nothing new: its message, or its replay of it, has been normalized, or is parked and will
/// come back when it is released.
fn is_done(known: &MessageDoc, task: &NormalizeTask) -> bool {
    match known.state {
        MessageState::Normalized => task.replay <= known.replayed,
        MessageState::Parked => task.release.is_none(),
    }
}

fn message_doc(task: &NormalizeTask, loaded: &Loaded, order: String, now: Timestamp) -> MessageDoc {
    let expires = stage::expires(task.received_at, loaded);
    MessageDoc { state: MessageState::Normalized, ..MessageDoc::parked(task, order, now, expires) }
}

fn inline(payload: &Payload) -> Option<Vec<u8>> {
    match payload {
        Payload::Inline(text) => {
            BASE64.decode(text.as_bytes()).ok().filter(|bytes| bytes.len() <= IN_THE_RECORD)
        }
        Payload::Stored(_) => None,
    }
}
