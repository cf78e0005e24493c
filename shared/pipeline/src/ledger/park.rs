//! Parking: setting a task aside, complete and with its cause, without losing its place.

use bridge_core::{Cause, Timestamp, config::LanePolicy, task::DeliverTask};

use super::{
    Claim, Conflict, Gate, Lane, LaneKey, Ledger, LedgerError, RACES, delivery_key,
    docs::{self, DeliveryDoc, DeliveryState, MessageDoc, MessageState, ParkedDoc, ParkedTask},
};
use crate::ports::{Expect, Ports, Record, Write};

/// What to park.
#[derive(Debug)]
pub struct ParkRequest<'a> {
    /// Its lane.
    pub lane: &'a LaneKey,
    /// Its place: given by the queue, or kept from an earlier park.
    pub order: &'a str,
    /// The task, whole.
    pub task: &'a ParkedTask,
    /// Why; `None` when the only reason is that its lane is held.
    pub cause: Option<Cause>,
    /// What the lane does from now on, when there is a cause.
    pub policy: LanePolicy,
    /// When its lane is to be released by itself; `None` where somebody must look first.
    pub due: Option<Timestamp>,
    /// The record that shows it as parked.
    pub subject: Subject<'a>,
}

/// The record that shows a task as parked.
#[derive(Debug)]
pub enum Subject<'a> {
    /// A delivery under a claim: parking it is fenced.
    Claimed(&'a Claim),
    /// A delivery that nobody has claimed, with the end of its record's retention.
    Delivery(&'a DeliverTask, Timestamp),
    /// A message, with what was received.
    Message(Box<MessageDoc>, Option<Vec<u8>>),
}

/// How parking went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parked {
    /// It is in the ledger.
    Done,
    /// The claim was lost, or the work has been done by another: nothing was parked.
    Superseded,
    /// The lane was opened meanwhile: it is this task's turn after all.
    LaneOpen,
    /// An attempt at it is under way, until then at the latest: nothing was parked.
    Busy(Timestamp),
}

impl<P: Ports> Ledger<'_, P> {
    /// Parks a task, in one transaction over its lane, its place and its record.
    ///
    /// # Errors
    /// When the store fails, or others keep being faster.
    pub async fn park(&self, request: ParkRequest<'_>) -> Result<Parked, LedgerError> {
        let place = request.lane.parked(request.order, request.task.id());
        let mut place_taken = false;
        let mut current: Option<Record> = None;
        for _ in 0..RACES {
            let now = self.now();
            let lane = self.lane(request.lane).await?;
            let cause = match &request.cause {
                Some(cause) => cause.clone(),
                None if lane.gate(release_of(request.task)) == Gate::Pass => return Ok(Parked::LaneOpen),
                None => Self::behind(&lane.doc),
            };
            let subject = match park_subject(&request, current.as_ref(), &cause, now)? {
                Ok(write) => write,
                Err(instead) => return Ok(instead),
            };
            let mut writes = vec![lane_write(&lane, &request, place_taken, now), subject];
            if !place_taken {
                let doc =
                    ParkedDoc { task: request.task.clone(), order: request.order.to_owned(), at: now, cause };
                let mut record = Record::new(place.clone(), docs::write(&doc));
                record.by_attention = Some((
                    format!("{}#parked", request.lane.connection.tenant()),
                    format!("{}#{now}#{}", request.lane.connection, request.task.id()),
                ));
                writes.push(Write::Put(record, Expect::Absent));
            }
            match self.write(writes).await? {
                Ok(()) => return Ok(Parked::Done),
                Err(Conflict { index: 1, current: found }) => match (&request.subject, found) {
                    (Subject::Claimed(_), _) => return Ok(Parked::Superseded),
                    (_, found) => current = found.map(|record| *record),
                },
                Err(Conflict { index: 2, .. }) => place_taken = true,
                Err(_) => {}
            }
            // The place may have been given up since it was found taken.
            if place_taken {
                place_taken = self.get(&place).await?.is_some();
            }
        }
        Err(LedgerError::Contended)
    }
}

fn release_of(task: &ParkedTask) -> Option<&bridge_core::task::Release> {
    match task {
        ParkedTask::Inbound(task) => task.release.as_ref(),
        ParkedTask::Outbound(task) => task.release.as_ref(),
    }
}

/// The lane, with one more parked task, and held anew when the task itself is the reason.
fn lane_write(lane: &Lane, request: &ParkRequest<'_>, place_taken: bool, now: Timestamp) -> Write {
    let mut doc = lane.doc.clone();
    doc.parked += u32::from(!place_taken);
    if let (Some(cause), LanePolicy::Hold) = (&request.cause, request.policy) {
        doc.held = true;
        doc.epoch += 1;
        doc.sent_through = None;
        doc.due = request.due;
        doc.cause = Some(cause.clone());
    }
    lane.put(request.lane, &doc, now)
}

/// The write that shows the subject as parked, or why there is nothing to park.
fn park_subject(
    request: &ParkRequest<'_>,
    current: Option<&Record>,
    cause: &Cause,
    now: Timestamp,
) -> Result<Result<Write, Parked>, LedgerError> {
    let state =
        request.due.map_or(DeliveryState::Parked { at: now }, |until| DeliveryState::Deferred { until });
    let parked = |mut doc: DeliveryDoc, expect| {
        doc.state = state;
        doc.cause = Some(cause.clone());
        Ok(Write::Put(docs::delivery_record(&doc), expect))
    };
    Ok(match &request.subject {
        Subject::Claimed(claim) => parked(claim.doc.clone(), Expect::Rev(claim.rev)),
        Subject::Delivery(task, expires) => match current {
            None => parked(DeliveryDoc::new(task, state, *expires), Expect::Absent),
            Some(record) => {
                debug_assert_eq!(record.key, delivery_key(&task.connection, &task.message, &task.delivery));
                let doc: DeliveryDoc = docs::read(record, "delivery")?;
                match doc.state {
                    DeliveryState::Delivered { .. } | DeliveryState::Refused { .. } => {
                        Err(Parked::Superseded)
                    }
                    // A second copy of the task: the first one has its place in the lane.
                    DeliveryState::Parked { .. } | DeliveryState::Deferred { .. }
                        if task.release.is_none() =>
                    {
                        Err(Parked::Superseded)
                    }
                    DeliveryState::Attempting { until } if until > now => Err(Parked::Busy(until)),
                    _ => parked(doc, Expect::Rev(record.rev)),
                }
            }
        },
        Subject::Message(doc, sealed) => {
            let mut doc = (**doc).clone();
            doc.state = MessageState::Parked;
            doc.cause = Some(cause.clone());
            match current {
                None => Ok(Write::Put(doc.record(sealed.clone()), Expect::Absent)),
                Some(record) => {
                    let known = MessageDoc::of(record)?;
                    let is_replay = known.state == MessageState::Normalized;
                    doc.order = known.order;
                    doc.replays = known.replays;
                    doc.replayed = known.replayed;
                    if is_replay {
                        doc.resources = known.resources;
                        doc.destinations = known.destinations;
                        doc.find = known.find;
                    }
                    let put = doc.record(record.blob.clone().or_else(|| sealed.clone()));
                    Ok(Write::Put(put, Expect::Rev(record.rev)))
                }
            }
        }
    })
}
