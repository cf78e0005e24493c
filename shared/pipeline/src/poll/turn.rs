//! Turns: who works a connection, until when, and what comes after.

use std::time::Duration;

use bridge_core::{Timestamp, id::ConnectionId};

use super::docs::{PollDoc, poll_key, poll_record};
use crate::{
    bridge::Bridge,
    ledger::{LedgerError, SKEW, docs_read},
    ports::{Expect, Ports, Record, Store, Write, WriteError},
    stage::Failure,
};

/// What is due within this is waited for on the queue; what is due later is the schedule's.
pub(super) const SOON: Duration = Duration::from_mins(1);
const RACES: usize = 16;

/// The right to work a connection.
#[derive(Debug)]
pub(super) struct Turn {
    rev: u64,
    doc: PollDoc,
    /// When it began.
    pub(super) began: Timestamp,
}

/// What came of asking for a turn.
pub(super) enum Begun {
    Turn(Turn),
    /// Another has it, or it is due soon.
    NotBefore(Duration),
    /// There is nothing to do, and why.
    Nothing(&'static str),
}

pub(super) fn read(record: &Record) -> Result<PollDoc, LedgerError> {
    docs_read(record).map_err(|_| LedgerError::Unreadable("poll"))
}

impl<P: Ports> Bridge<P> {
    pub(super) async fn begin_turn(
        &self,
        connection: &ConnectionId,
        forced: bool,
        deadline: Timestamp,
    ) -> Result<Begun, Failure> {
        for _ in 0..RACES {
            let Some(record) = self.ports.store().get(&poll_key(connection)).await? else {
                return Ok(Begun::Nothing("not scheduled"));
            };
            let (mut doc, now) = (read(&record)?, self.now());
            if let Some(until) = doc.lease.filter(|until| *until > now) {
                return Ok(Begun::NotBefore(until.since(now)));
            }
            if !forced && doc.due > now {
                let wait = doc.due.since(now);
                return Ok(if wait <= SOON { Begun::NotBefore(wait) } else { Begun::Nothing("not due") });
            }
            let lease = deadline + SKEW;
            // Due again when the lease is over: whoever dies in it is followed by the schedule.
            (doc.lease, doc.due, doc.turns, doc.polled_at) = (Some(lease), lease, doc.turns + 1, Some(now));
            let rev = record.rev;
            match self.ports.store().write(vec![Write::Put(poll_record(&doc), Expect::Rev(rev))]).await {
                Ok(()) => return Ok(Begun::Turn(Turn { rev: rev + 1, doc, began: now })),
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(LedgerError::Contended.into())
    }

    /// Gives a turn back. The connection is due again then; with `None` it is not polled any more. What is due soon is
    /// queued at once.
    pub(super) async fn end_turn(&self, turn: Turn, due: Option<Timestamp>) -> Result<(), Failure> {
        let (mut rev, mut doc, mut due) = (turn.rev, turn.doc, due);
        let mine = doc.turns;
        for _ in 0..RACES {
            let write = match due {
                Some(due) => {
                    (doc.lease, doc.due) = (None, due);
                    Write::Put(poll_record(&doc), Expect::Rev(rev))
                }
                None => Write::Delete(poll_key(&doc.connection), rev),
            };
            match self.ports.store().write(vec![write]).await {
                Ok(()) => {
                    if due.is_some_and(|due| due <= self.now() + SOON) {
                        self.queue_poll(&doc.connection, false, &doc.due.to_string()).await?;
                    }
                    return Ok(());
                }
                // Applied anew meanwhile: due now. Or another's turn since the lease was over.
                Err(WriteError::Conflict { current: Some(current), .. }) => {
                    let known = read(&current)?;
                    if known.turns != mine || known.lease.is_none() {
                        return Ok(());
                    }
                    rev = current.rev;
                    due = due.map(|due| due.min(known.due));
                }
                Err(WriteError::Conflict { current: None, .. }) => return Ok(()),
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(LedgerError::Contended.into())
    }
}
