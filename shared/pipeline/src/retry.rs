//! `retry`: puts parked or finished work through again, in lane order, and brings dead letters into the ledger.

use std::time::Duration;

use bridge_core::{
    Cause,
    config::LanePolicy,
    id::{ConnectionId, MessageId},
    task::{Actor, Command, InboundTask, NormalizeTask, OutboundTask, Payload, PollTask, Stage},
};
use data_encoding::BASE64;

use crate::{
    batch::{Received, Report, Verdict, Worker},
    bridge::Bridge,
    ledger::{LaneKey, LedgerError, MessageState, ParkRequest, ParkedTask, Replay, Subject, docs_write},
    line::Line,
    payload::Purpose,
    ports::{Entry, Ports, Queue, QueueName},
    replays::Stepped,
    stage::{self, Failure},
};

/// How many tasks of a lane are sent at a time; the last of them asks for the next.
const AT_A_TIME: usize = 10;
/// How many due lanes of each part of the index are asked for at a time.
const DUE_AT_A_TIME: usize = 100;
/// What lies between two of them: a lane may be long, and live work is to keep its room.
const DUE_PAUSE: Duration = Duration::from_millis(200);

/// Works `commands.fifo`.
#[derive(Debug)]
pub struct Retry<'a, P>(pub &'a Bridge<P>);

impl<P: Ports> Worker for Retry<'_, P> {
    fn queue(&self) -> Option<QueueName> {
        Some(QueueName::Commands)
    }

    async fn work(&self, record: &Received, _time_left: Duration) -> Report {
        let command = match stage::read_task::<Command>(record) {
            Ok(command) => command,
            Err(report) => return *report,
        };
        let (line, done) = match command {
            Command::ReleaseLane { connection, stage, lane, not_before, .. } => {
                let line = Line::new("release").message(&lane, &connection, stage.as_str());
                let wait = not_before.unwrap_or_default().since(self.0.now());
                if wait > Duration::ZERO {
                    return Report { verdict: Verdict::Again(wait), line: line.outcome("not yet") };
                }
                (line, self.0.release(&LaneKey { stage, connection, lane }).await)
            }
            Command::ReplayMessage { connection, message, actor } => {
                let line = Line::new("replay").message(&message, &connection, "");
                (line, self.0.replay(&connection, &message, actor, &record.id).await)
            }
            Command::TellOutcome { connection, message, delivery } => {
                let line = Line::new("tell").message(&message, &connection, "");
                (line, self.0.tell_outcome(&connection, &message, &delivery).await)
            }
            Command::ReplayMany { connection, replay } => {
                let line = Line::new("replay many").message(&replay, &connection, "");
                match self.0.step_replay(&connection.tenant(), &replay).await {
                    Ok(Stepped::NotBefore(until)) => {
                        let wait = until.since(self.0.now());
                        return Report { verdict: Verdict::Again(wait), line: line.outcome("not yet") };
                    }
                    Ok(Stepped::On) => (line, Ok("replayed")),
                    Ok(Stepped::Over) => (line, Ok("over")),
                    Err(error) => (line, Err(error)),
                }
            }
        };
        match done {
            Ok(outcome) => Report { verdict: Verdict::Done, line: line.outcome(outcome) },
            Err(error) => stage::failed(line, &error),
        }
    }

    async fn park(&self, _record: &Received, cause: Cause) -> Report {
        // A command changes nothing by being lost: it can be given again.
        Report { verdict: Verdict::Done, line: Line::new("command").outcome("dropped").cause(Some(cause)) }
    }
}

/// Works the dead letter queues: what a stage received too often without an answer is parked like anything else.
#[derive(Debug)]
pub struct DeadLetters<'a, P> {
    /// The pipeline.
    pub bridge: &'a Bridge<P>,
    /// Whose dead letters.
    pub queue: QueueName,
}

impl<P: Ports> Worker for DeadLetters<'_, P> {
    fn queue(&self) -> Option<QueueName> {
        None
    }

    async fn work(&self, record: &Received, _time_left: Duration) -> Report {
        let line = Line::new("dead letter");
        let cause = Cause::new(
            "work.exhausted",
            "received again and again without an answer: a crash, a time-out, or a version that can't read it",
        );
        let parked = match self.queue {
            QueueName::Inbound => match serde_json::from_str(&record.body) {
                Ok(InboundTask::Normalize(task)) => {
                    self.bridge.park_message(&task, record, cause.clone()).await
                }
                Err(_) => self.bridge.keep_letter(self.queue, record).await,
            },
            QueueName::Outbound => match serde_json::from_str(&record.body) {
                Ok(OutboundTask::Deliver(task)) => {
                    let lane = LaneKey::outbound(&task.destination, &task.lane);
                    self.bridge
                        .ledger()
                        .park(ParkRequest {
                            lane: &lane,
                            order: &task.release.as_ref().map_or_else(|| record.order(), |r| r.order.clone()),
                            task: &ParkedTask::Outbound(task.clone()),
                            cause: Some(cause.clone()),
                            policy: LanePolicy::Hold,
                            due: None,
                            subject: Subject::Delivery(&task, stage::longest(task.queued_at)),
                        })
                        .await
                        .map(|_| ())
                        .map_err(Failure::from)
                }
                Err(_) => self.bridge.keep_letter(self.queue, record).await,
            },
            QueueName::Commands | QueueName::Drops => self.bridge.keep_letter(self.queue, record).await,
            QueueName::Polls => match serde_json::from_str(&record.body) {
                Ok(PollTask::Fetch { task, order }) => {
                    self.bridge.park_fetch(&task, &order, cause.clone()).await
                }
                // Nothing is lost with it: the schedule asks again, and the cursors stand where they stood.
                Ok(PollTask::Poll { .. }) => {
                    return Report { verdict: Verdict::Done, line: line.outcome("dropped") };
                }
                Err(_) => self.bridge.keep_letter(self.queue, record).await,
            },
            // The same holds for exports: their marks stand where they stood.
            QueueName::Exports => {
                return Report { verdict: Verdict::Done, line: line.outcome("dropped") };
            }
        };
        match parked {
            Ok(()) => Report { verdict: Verdict::Done, line: line.outcome("parked").cause(Some(cause)) },
            Err(error) => stage::failed(line, &error),
        }
    }

    async fn park(&self, record: &Received, cause: Cause) -> Report {
        let line = Line::new("dead letter").cause(Some(cause));
        match self.bridge.keep_letter(self.queue, record).await {
            Ok(()) => Report { verdict: Verdict::Done, line: line.outcome("kept") },
            Err(error) => stage::failed(line, &error),
        }
    }
}

impl<P: Ports> Bridge<P> {
    async fn release(&self, lane: &LaneKey) -> Result<&'static str, Failure> {
        let parked = self.ledger().next_to_release(lane, AT_A_TIME).await?;
        if parked.is_empty() {
            return Ok("open");
        }
        let entry = |(parked, release): (crate::ledger::ParkedDoc, bridge_core::task::Release)| {
            let dedup = format!("{}#{}#{}", parked.task.id(), release.epoch, release.order);
            let (body, group) = match parked.task {
                ParkedTask::Inbound(mut task) => {
                    let group = task.lane.to_string();
                    task.release = Some(release);
                    (docs_write(&InboundTask::Normalize(task)), group)
                }
                ParkedTask::Outbound(mut task) => {
                    let group = task.lane.to_string();
                    task.release = Some(release);
                    (docs_write(&OutboundTask::Deliver(task)), group)
                }
            };
            Entry { body, group, dedup: dedup_id(&dedup) }
        };
        let queue = match lane.stage {
            Stage::Inbound => QueueName::Inbound,
            Stage::Outbound => QueueName::Outbound,
        };
        self.ports.queue().send(queue, parked.into_iter().map(entry).collect()).await?;
        Ok("released")
    }

    /// Asks for the release of every lane that is due; the number of them. To be called once a minute: what it asks
    /// twice is done once.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn release_due(&self) -> Result<usize, LedgerError> {
        let lanes = self.ledger().due_lanes(self.now(), DUE_AT_A_TIME).await?;
        let actor = Actor { name: "bridge".to_owned(), reason: "its wait is over".to_owned() };
        for (number, (lane, epoch)) in lanes.iter().enumerate() {
            let after = self.now() + DUE_PAUSE * u32::try_from(number).unwrap_or(u32::MAX);
            let command = lane.release(actor.clone(), Some(after));
            self.command(&command, format!("due#{epoch}")).await.map_err(LedgerError::from)?;
        }
        if !lanes.is_empty() {
            tracing::info!(target: "bridge::event", event = "due", lanes = lanes.len());
        }
        Ok(lanes.len())
    }

    pub(crate) async fn replay(
        &self,
        connection: &ConnectionId,
        message: &MessageId,
        actor: Actor,
        command: &str,
    ) -> Result<&'static str, Failure> {
        let now = self.now();
        let mut number = None;
        self.ledger()
            .update_message(connection, message, |doc| {
                let known = doc.replays.iter().position(|replay| replay.command == command);
                let count =
                    u32::try_from(known.map_or(doc.replays.len() + 1, |at| at + 1)).unwrap_or(u32::MAX);
                number = (doc.state == MessageState::Normalized).then_some(count);
                if known.is_some() || number.is_none() {
                    return false;
                }
                let command = command.to_owned();
                doc.replays.push(Replay { at: now, actor: actor.clone(), command });
                true
            })
            .await?;
        let Some(number) = number else { return Ok("not replayable") };
        let Some((doc, sealed)) = self.ledger().message(connection, message).await? else {
            return Ok("gone");
        };
        let payload = match (doc.stored, sealed) {
            (Some(key), _) => Payload::Stored(key),
            (None, Some(sealed)) => Payload::Inline(BASE64.encode(&sealed)),
            (None, None) => return Ok("not replayable"),
        };
        let task = NormalizeTask {
            message: doc.message,
            connection: doc.connection,
            kind: doc.kind,
            lane: doc.lane,
            received_at: doc.received_at,
            payload,
            format: doc.format,
            release: None,
            replay: number,
        };
        let entry = Entry {
            group: task.lane.to_string(),
            dedup: dedup_id(&format!("{message}#replay#{number}")),
            body: docs_write(&InboundTask::Normalize(task)),
        };
        self.ports.queue().send(QueueName::Inbound, vec![entry]).await?;
        Ok("replayed")
    }

    pub(crate) async fn park_message(
        &self,
        task: &NormalizeTask,
        record: &Received,
        cause: Cause,
    ) -> Result<(), Failure> {
        let lane = LaneKey::inbound(&task.connection, &task.lane);
        let order = task.release.as_ref().map_or_else(|| record.order(), |release| release.order.clone());
        self.set_message_aside(task, &lane, &order, None, Some(cause)).await.map(|_| ())
    }

    /// Keeps a dead letter that no version could read, as it is.
    async fn keep_letter(&self, queue: QueueName, record: &Received) -> Result<(), Failure> {
        self.ledger().keep_letter(queue, record).await.map_err(Failure::from)
    }

    /// A task as it is parked: under a key that does not expire.
    pub(crate) async fn preserved_message(&self, task: &NormalizeTask) -> Result<ParkedTask, Failure> {
        let mut task = task.clone();
        task.payload = self
            .preserved_payload(Purpose::Message, &task.connection, task.message.as_str(), task.payload)
            .await?;
        Ok(ParkedTask::Inbound(task))
    }
}

/// SQS allows 128 characters.
pub(crate) fn dedup_id(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&bridge_seal::sha256(&[text.as_bytes()]))
}
