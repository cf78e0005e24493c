//! Messages that only name a record: `poll` reads it from its product, and what was read is a message of its own.
//!
//! Products are called there, within the connection's limits and with its token; nothing waits for one here. The message is
//! recorded first and the reading asked for then: whoever dies in between is followed by a run that finds the message done,
//! and asks again.

use bridge_core::{
    Phi,
    id::BlindToken,
    manifest::Fetch,
    task::{Format, NormalizeTask, PollTask},
};
use serde_json::Value;

use super::message_doc;
use crate::{
    batch::{Report, Verdict},
    bridge::Bridge,
    configuration::Loaded,
    ledger::{LaneKey, docs_write},
    line::Line,
    ports::{Entry, Ports, Queue, QueueName},
    retry::dedup_id,
    stage::Failure,
};

/// A record that a message names.
pub(crate) struct Named<'a> {
    /// How it is read.
    pub(crate) fetch: &'a Fetch,
    /// What its product calls it.
    pub(crate) id: Phi<String>,
    message: Value,
}

impl<'a> Named<'a> {
    /// What a message names; `None` where it is whole, or the connection can't ask.
    pub(crate) fn by(source: &'a Loaded, task: &NormalizeTask, received: &Phi<Vec<u8>>) -> Option<Self> {
        let fetch = fetches(source, task)?;
        let message: Value = serde_json::from_slice(received.expose()).ok()?;
        let id = Phi::new(fetch.id.find_in(&message)?);
        Some(Self { fetch, id, message })
    }

    /// How the trace says what became of the message.
    pub(crate) fn made_by(&self, source: &Loaded) -> String {
        format!("{}@{}/fetch {}", source.manifest.adapter, source.manifest.version, self.fetch.resource)
    }
}

/// How records are read that messages of this kind name, where the connection can.
fn fetches<'a>(source: &'a Loaded, task: &NormalizeTask) -> Option<&'a Fetch> {
    let fetch = source.kind(&task.kind)?.fetch.as_ref()?;
    (task.format == Format::Json && source.has(fetch.needs.as_deref())).then_some(fetch)
}

impl<P: Ports> Bridge<P> {
    /// Records a message that only names a record, and has the record read.
    pub(super) async fn ask_for_record(
        &self,
        task: &NormalizeTask,
        source: &Loaded,
        (lane, order): (&LaneKey, String),
        named: &Named<'_>,
    ) -> Result<Report, Failure> {
        let index = self.index_key(&task.connection.tenant()).await?;
        let find_by = source.kind(&task.kind).map(|kind| &kind.find_by);
        let find = find_by.into_iter().flatten().filter_map(|(name, place)| {
            Some(index.token(&task.connection, name, &place.find_in(&named.message)?))
        });
        let find: Vec<BlindToken> = find.collect();
        let mut doc = message_doc(task, source, order.clone(), self.now());
        (doc.find, doc.mapped_by) = (find, named.made_by(source));
        self.record_received(task, doc).await?;
        self.queue_fetch(task, order).await?;
        self.settle_release(lane, task.release.as_ref(), task.message.as_str()).await?;
        let line = Line::new("normalize").message(&task.message, &task.connection, &task.kind);
        Ok(Report { verdict: Verdict::Done, line: line.outcome("asked for") })
    }

    /// A message that is recorded already: whoever recorded it may not have come further.
    pub(super) async fn ask_again(
        &self,
        task: &NormalizeTask,
        source: &Loaded,
        order: &str,
    ) -> Result<(), Failure> {
        match fetches(source, task) {
            Some(_) => self.queue_fetch(task, order.to_owned()).await,
            None => Ok(()),
        }
    }

    /// The records that the messages of a lane name are read one after the other.
    async fn queue_fetch(&self, task: &NormalizeTask, order: String) -> Result<(), Failure> {
        let release = task.release.as_ref().map(|release| (release.epoch, release.order.as_str()));
        let dedup = dedup_id(&format!("{}#{}#{release:?}", task.message, task.replay));
        let group = task.lane.to_string();
        let task = Box::new(NormalizeTask { release: None, ..task.clone() });
        let body = docs_write(&PollTask::Fetch { task, order });
        Ok(self.ports.queue().send(QueueName::Polls, vec![Entry { body, group, dedup }]).await?)
    }
}
