//! Walking through the pages of one resource type: ask, queue what is new, write down how far, ask for the next.
//!
//! The cursor is written after the messages of a page are on `inbound.fifo` and before the next page is asked for. Whoever
//! dies in between leaves a page that is read again: its messages have the same ids.

use std::{sync::Arc, time::Duration};

use bridge_core::{
    Cause, Timestamp,
    id::ConnectionId,
    manifest::{Api, Delta, Kind, Poll},
    remote::CallError,
};

use super::{
    cursor::Cursor,
    delta::{next_run, question},
    docs::{Aim, Run},
};
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    ports::RemotePorts,
    remote::{Ask, RemoteError, wait_within},
    stage::Failure,
};

/// What a page takes besides its call.
const A_PAGE: Duration = Duration::from_secs(8);

/// What is walked, and until when.
pub(super) struct Subject<'a> {
    pub(super) loaded: &'a Arc<Loaded>,
    pub(super) api: &'a Api,
    pub(super) resource: &'a str,
    pub(super) poll: &'a Poll,
    pub(super) kind: &'a Kind,
    /// The kind's name.
    pub(super) named: &'a str,
    /// When this turn began.
    pub(super) turn: Timestamp,
    pub(super) deadline: Timestamp,
}

impl Subject<'_> {
    pub(super) fn connection(&self) -> &ConnectionId {
        &self.loaded.connection.connection
    }

    /// Where its lists are remembered.
    pub(super) fn place(&self) -> (&ConnectionId, &str) {
        (self.connection(), self.resource)
    }

    /// Whether records say which state they are in. Without that the same content may be a new state: there and back again.
    pub(super) const fn tells_states(&self) -> bool {
        self.kind.tells_states()
    }

    pub(super) const fn is_queue(&self) -> bool {
        matches!(self.poll.delta, Delta::Queue { .. })
    }

    /// What is made ready while it is waited for takes several turns: the turn in which it came is the one that asked.
    pub(super) fn asked_in(&self, run: &Run) -> Timestamp {
        let operation = self.api.operations.get(&self.poll.operation);
        let is_made_ready = operation.is_some_and(|one| one.export.is_some() || one.job.is_some());
        if is_made_ready { self.turn } else { run.began }
    }

    /// A page is not begun with less time than this.
    fn least(&self) -> Duration {
        Duration::from_secs(self.api.timeout) + A_PAGE
    }
}

/// Why a walk stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// There is nothing left to do.
    Done,
    /// It goes on in the next turn.
    OutOfTime,
    /// It goes on, not before this.
    NotBefore(Timestamp),
    /// It failed.
    Failed {
        cause: Cause,
        /// As the product says.
        after: Option<Duration>,
        /// It would be the same for all of the connection.
        whole: bool,
    },
    /// Another goes on from here.
    Fenced,
}

impl Stop {
    pub(super) fn failed(cause: Cause) -> Self {
        Self::Failed { cause, after: None, whole: false }
    }
}

impl<P: RemotePorts> Bridge<P> {
    /// Goes as far as the time allows.
    pub(super) async fn walk(&self, of: &Subject<'_>, cursor: &mut Cursor) -> Result<Stop, Failure> {
        // A queue was asked by somebody who did not write down what it said: first that.
        let asks_again = matches!(of.poll.delta, Delta::Queue { again: Some(_), .. });
        if asks_again && cursor.doc.unsafe_since.is_some() {
            cursor.doc.run = cursor.doc.run.take().filter(|run| run.aim != Aim::Changes);
        }
        loop {
            let run = match cursor.doc.run.take() {
                Some(run) => run,
                None => match next_run(&cursor.doc, of.poll, of.turn, self.now()) {
                    Some(run) => {
                        cursor.doc.runs = run.number;
                        cursor.private.begin();
                        run
                    }
                    None => return Ok(Stop::Done),
                },
            };
            if let Some(stop) = self.run(of, cursor, run).await? {
                return Ok(stop);
            }
        }
    }

    /// Goes on with a run; `None` when it is over.
    async fn run(
        &self,
        of: &Subject<'_>,
        cursor: &mut Cursor,
        mut run: Run,
    ) -> Result<Option<Stop>, Failure> {
        let zone = &of.loaded.connection.zone;
        let (operation, arguments) = match question(&run, of.poll, zone) {
            Ok(question) => question,
            Err(cause) => return Ok(Some(Stop::failed(cause))),
        };
        let mut known = self.known_before(of, cursor, &run).await?;
        while !run.listed {
            cursor.doc.run = Some(run.clone());
            if of.deadline.since(self.now()) < of.least() {
                // What was about to be asked was not.
                cursor.doc.unsafe_since = cursor.doc.unsafe_since.filter(|_| run.aim == Aim::Again);
                return Ok(Some(Stop::OutOfTime));
            }
            if of.is_queue() && cursor.doc.unsafe_since.is_none() {
                cursor.doc.unsafe_since = Some(self.now());
                if self.put_cursor(of.connection(), of.resource, cursor, None).await?.is_err() {
                    return Ok(Some(Stop::Fenced));
                }
            }
            let page = cursor.private.page.clone();
            let ask = Ask { operation, arguments: &arguments, input: None, page: page.as_ref() };
            let answer = match self.call_remote(of.loaded, &ask, of.deadline).await {
                Ok(answer) => answer,
                Err(error) => return self.stopped(cursor, &run, error).map(Some),
            };
            if let Some(wait) = answer.wait {
                cursor.private.page = answer.next;
                if self.put_cursor(of.connection(), of.resource, cursor, None).await?.is_err() {
                    return Ok(Some(Stop::Fenced));
                }
                if !wait_within(self, wait, of.deadline).await {
                    return Ok(Some(Stop::NotBefore(self.now() + wait)));
                }
                continue;
            }
            if let Some(stop) = self.page(of, cursor, &mut run, &mut known, answer).await? {
                return Ok(Some(stop));
            }
        }
        if run.aim == Aim::Everything {
            return self.compare(of, cursor, &run, known).await;
        }
        Ok(None)
    }

    fn stopped(&self, cursor: &mut Cursor, run: &Run, error: RemoteError) -> Result<Stop, Failure> {
        let error = match error {
            RemoteError::Failed(failure) => return Err(failure),
            RemoteError::NotBefore(until) => return Ok(Stop::NotBefore(until)),
            RemoteError::Unauthorized(cause) => return Ok(Stop::Failed { cause, after: None, whole: true }),
            RemoteError::Call(error) => error,
        };
        Ok(match error {
            CallError::Throttled(after, _) => Stop::NotBefore(self.now() + after.unwrap_or_default()),
            CallError::Retry(after, cause) => Stop::Failed { cause, after, whole: false },
            CallError::Unauthenticated(cause) => {
                let text = format!("the connection needs to be authorised again: {}", cause.text);
                let cause = Cause::new("connection.unauthorized", text).at(cause.place);
                Stop::Failed { cause, after: None, whole: true }
            }
            error => {
                // Perhaps it does not know the place where the list was left any more: from the beginning.
                if (run.pages > 0 || cursor.private.page.is_some())
                    && !matches!(error, CallError::Unknown(_) | CallError::Forbidden(_))
                {
                    cursor.doc.run = None;
                }
                Stop::failed(error.cause().clone())
            }
        })
    }
}
