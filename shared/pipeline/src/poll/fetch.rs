//! A record that a message named: read from its product, and put on `inbound.fifo` as a poll does.
//!
//! What can't be read now is asked for later, hidden on its queue with what its lane has after it. What never can is parked
//! with its cause in the message's lane, and asked for anew when that is released.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{
    Cause, Phi, Timestamp,
    manifest::{Api, Kind, POLLED},
    remote::{Answer, CallError},
    task::NormalizeTask,
};

use super::A_SECOND;
use crate::{
    backoff::full_jitter,
    batch::{Report, Verdict},
    bridge::Bridge,
    keys::KeyError,
    ledger::LaneKey,
    line::Line,
    normalize::Named,
    payload::Purpose,
    ports::{Clock, Ports, Queue, QueueName, RemotePorts},
    product::misconfigured,
    receive::messages::Cut,
    remote::{Ask, RemoteError},
    stage::{self, Failure},
};

/// A failure is followed by the next try as after so many others.
const FIRST_FAILURE: u32 = 4;

/// What came of asking.
enum Asked {
    Answered(Answer),
    Later(Duration, Option<Cause>),
    Never(Cause),
}

/// How a record is read.
struct Reading<'a> {
    operation: &'a str,
    /// The name of what it is, and what is known of that.
    named: &'a str,
    kind: &'a Kind,
}

impl<'a> Reading<'a> {
    fn of(api: &'a Api, resource: &str) -> Option<Self> {
        let rules = api.resources.get(resource)?;
        let (operation, named) = (rules.read.as_ref()?.operation.as_str(), rules.kind.as_str());
        Some(Self { operation, named, kind: api.kinds.get(named)? })
    }
}

pub(super) fn line(task: &NormalizeTask) -> Line {
    Line::new("fetch").message(&task.message, &task.connection, &task.kind)
}

impl<P: Ports> Bridge<P> {
    /// Parks a message whose record could not be read, in its place.
    pub(crate) async fn park_fetch(
        &self,
        task: &NormalizeTask,
        order: &str,
        cause: Cause,
    ) -> Result<(), Failure> {
        let loaded = self.connection(&task.connection).await?;
        let lane = LaneKey::inbound(&task.connection, &task.lane);
        self.set_message_aside(task, &lane, order, loaded.as_ref(), Some(cause)).await.map(|_| ())
    }
}

impl<P: RemotePorts> Bridge<P> {
    /// Reads the record that a message names; `receives` counts the tries.
    pub(super) async fn fetch_record(
        &self,
        task: &NormalizeTask,
        (order, receives): (&str, u32),
        deadline: Timestamp,
    ) -> Result<Report, Failure> {
        let aside = async |cause: Cause| {
            self.park_fetch(task, order, cause.clone()).await?;
            Ok(Report { verdict: Verdict::Done, line: line(task).outcome("parked").cause(Some(cause)) })
        };
        let Some(loaded) = self.connection(&task.connection).await? else {
            return aside(stage::unknown_connection(&task.connection)).await;
        };
        if loaded.connection.paused {
            return aside(stage::paused()).await;
        }
        let opened =
            self.unpack(Purpose::Message, &task.connection, task.message.as_str(), &task.payload).await;
        let received = match opened {
            Ok(received) => received,
            Err(KeyError::Port(error)) => return Err(error.into()),
            Err(error) => return aside(Cause::new("payload.unreadable", error.to_string())).await,
        };
        let Some(named) = Named::by(&loaded, task, &received) else {
            return Ok(Report { verdict: Verdict::Done, line: line(task).outcome("nothing to read") });
        };
        let resource = &*named.fetch.resource;
        let Some(reading) = loaded.manifest.api.as_deref().and_then(|api| Reading::of(api, resource)) else {
            let text = format!("the adapter does not know how to read one {resource} by its id");
            return aside(misconfigured(text, "webhook.kinds")).await;
        };
        let arguments = Phi::new(BTreeMap::from([("id".to_owned(), named.id.expose().clone())]));
        let ask = Ask { operation: reading.operation, arguments: &arguments, input: None, page: None };
        let called = self.call_remote(&loaded, &ask, deadline).await;
        let answer = match self.after_asking(called, receives)? {
            Asked::Answered(answer) => answer,
            Asked::Later(wait, cause) => {
                let line = line(task).outcome("not yet").cause(cause);
                return Ok(Report { verdict: Verdict::Again(wait), line });
            }
            Asked::Never(cause) => return aside(cause).await,
        };
        let (mut entries, mut ids) = (Vec::new(), Vec::new());
        for record in answer.records.expose() {
            let cut = Cut::new(record, Some(reading.kind), format!("{POLLED}{}", reading.named), |_| None);
            // Where content alone names a state, the same one may have been there before: another event is another message.
            let event = format!("{}#{}", task.message, task.replay);
            let cut = if reading.kind.tells_states() { cut } else { cut.found_in(event) };
            let (entry, id) = self.entry(&loaded, &cut).await?;
            entries.push(entry);
            ids.push(id);
        }
        let count = entries.len();
        if count > 0 {
            self.ports.queue().send(QueueName::Inbound, entries).await?;
        }
        let found = if count > 0 { format!("as {}", ids.join(", ")) } else { "which is gone".to_owned() };
        let made_by = format!("{} {found}", named.made_by(&loaded));
        let note = |doc: &mut crate::ledger::MessageDoc| {
            let is_new = doc.mapped_by != made_by;
            doc.mapped_by.clone_from(&made_by);
            is_new
        };
        self.ledger().update_message(&task.connection, &task.message, note).await?;
        let outcome = if count > 0 { "fetched" } else { "gone" };
        Ok(Report { verdict: Verdict::Done, line: line(task).outcome(outcome).resources(count) })
    }

    /// What to do after a call.
    fn after_asking(&self, called: Result<Answer, RemoteError>, receives: u32) -> Result<Asked, Failure> {
        let error = match called {
            Ok(answer) => return Ok(Asked::Answered(answer)),
            Err(RemoteError::Failed(failure)) => return Err(failure),
            Err(RemoteError::NotBefore(until)) => {
                return Ok(Asked::Later(until.since(self.now()).max(A_SECOND), None));
            }
            Err(RemoteError::Unauthorized(cause)) => return Ok(Asked::Never(cause)),
            Err(RemoteError::Call(error)) => error,
        };
        let back_off = || full_jitter(FIRST_FAILURE.saturating_add(receives), self.ports.clock().chance());
        let later = |wait: Duration, cause| Asked::Later(wait.max(A_SECOND), Some(cause));
        Ok(match error {
            CallError::NotFound(_) => Asked::Answered(Answer::default()),
            CallError::Throttled(after, cause) => later(after.unwrap_or_default(), cause),
            CallError::Retry(after, cause) => later(back_off().max(after.unwrap_or_default()), cause),
            // Nothing was changed by asking.
            CallError::Unknown(cause) => later(back_off(), cause),
            error => Asked::Never(error.cause().clone()),
        })
    }
}
