//! Walking through the pages of one resource type: ask, queue what is new, write down how far, ask for the next.
//!
//! The cursor is written after the messages of a page are on `inbound.fifo` and before the next page is asked for. Whoever
//! dies in between leaves a page that is read again: its messages have the same ids.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use bridge_core::{
    Cause, Timestamp,
    id::ConnectionId,
    manifest::{Api, Delta, Kind, POLLED, Poll},
    remote::{Answer, CallError},
};
use serde_json::Value;

use super::{
    cursor::Cursor,
    delta::{conclude, learn, next_run, question},
    docs::{Aim, Listing, Run, eight_of, spread},
    known::{Pair, kept_until},
};
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    ports::{Ports, Queue, QueueName, RemotePorts},
    receive::messages::Cut,
    remote::{Ask, RemoteError, wait_within},
    stage::Failure,
};

/// More pages than this are no list.
const MOST_PAGES: u64 = 1_000_000;
/// Records that are sealed and queued at a time.
const AT_A_TIME: usize = 100;
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

    const fn is_queue(&self) -> bool {
        matches!(self.poll.delta, Delta::Queue { .. })
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
    fn failed(cause: Cause) -> Self {
        Self::Failed { cause, after: None, whole: false }
    }
}

/// What need not be sent again.
enum Known {
    /// States that were sent in the last run.
    Recent(HashSet<u64>),
    /// The listing before, state by id.
    Listing(HashMap<u64, u64>),
}

impl Known {
    fn has(&self, (id, state): Pair) -> bool {
        match self {
            Self::Recent(states) => states.contains(&state),
            Self::Listing(records) => records.get(&id) == Some(&state),
        }
    }
}

impl<P: RemotePorts> Bridge<P> {
    /// Goes as far as the time allows.
    pub(super) async fn walk(&self, of: &Subject<'_>, cursor: &mut Cursor) -> Result<Stop, Failure> {
        // A queue was asked by somebody who did not write down what it said: first that.
        let asks_again = matches!(of.poll.delta, Delta::Queue { again: Some(_) });
        if asks_again && cursor.doc.unsafe_since.is_some() {
            cursor.doc.run = cursor.doc.run.take().filter(|run| run.aim != Aim::Changes);
        }
        loop {
            let run = match cursor.doc.run.take() {
                Some(run) => run,
                None => match next_run(&cursor.doc, of.poll, of.turn, self.now()) {
                    Some(run) => {
                        cursor.doc.runs = run.number;
                        cursor.private.page = None;
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

    /// One page: its records queued, then the cursor moved.
    async fn page(
        &self,
        of: &Subject<'_>,
        cursor: &mut Cursor,
        run: &mut Run,
        known: &mut Known,
        answer: Answer,
    ) -> Result<Option<Stop>, Failure> {
        let reached = learn(run, of.poll, &answer, &of.loaded.connection.zone);
        let mut records = answer.records.expose().iter().collect::<Vec<_>>();
        if matches!(of.poll.delta, Delta::Newest { .. }) {
            records.reverse();
        }
        let (pairs, sent) = self.take_in(of, run, known, &records).await?;
        let count = records.len() as u64;
        if let Some(next) = &answer.next
            && (!run.trail.goes_on(spread(next.expose())) || run.pages >= MOST_PAGES)
        {
            cursor.doc.run = None;
            let text =
                "the list leads back to a page that it had, or never ends: the adapter's paging is wrong";
            return Ok(Some(Stop::failed(Cause::new("poll.loop", text))));
        }
        // A queue that has nothing is at its end, whatever it says.
        let is_dry = of.is_queue() && count == 0;
        run.listed = answer.next.is_none() || reached || is_dry;
        let beside = match run.aim {
            Aim::Everything => {
                let expires = kept_until(self.now(), of.poll);
                let place = (slot_of(cursor), run.number, run.pages);
                Some(self.known_page(of.connection(), of.resource, place, &pairs, expires).await?)
            }
            Aim::Changes | Aim::Again => None,
        };
        run.pages += 1;
        run.records += count;
        cursor.doc.pages += 1;
        cursor.doc.records += count;
        cursor.doc.sent += sent.len() as u64;
        cursor.private.page = answer.next.filter(|_| !run.listed);
        if let Known::Recent(states) = known {
            states.extend(&sent);
            cursor.private.remember(sent);
        }
        if of.is_queue() && (run.listed || run.aim == Aim::Changes) {
            cursor.doc.unsafe_since = (!run.listed).then(|| self.now());
        }
        let mut concluded = Ok(());
        cursor.doc.run = Some(run.clone());
        if run.listed && run.aim != Aim::Everything {
            cursor.doc.run = None;
            if run.aim == Aim::Changes {
                cursor.doc.asked_at = Some(run.began);
                concluded = conclude(&mut cursor.doc, run, of.poll);
            }
        }
        if self.put_cursor(of.connection(), of.resource, cursor, beside).await?.is_err() {
            return Ok(Some(Stop::Fenced));
        }
        Ok(concluded.err().map(Stop::failed))
    }

    /// Queues what is not known of a page; what it has, and the states that were sent.
    async fn take_in(
        &self,
        of: &Subject<'_>,
        run: &Run,
        known: &Known,
        records: &[&Value],
    ) -> Result<(Vec<Pair>, Vec<u64>), Failure> {
        let (mut pairs, mut sent) = (Vec::with_capacity(records.len()), Vec::new());
        for some in records.chunks(AT_A_TIME) {
            let mut entries = Vec::with_capacity(some.len());
            for record in some {
                let cut = Cut::new(record, Some(of.kind), format!("{POLLED}{}", of.named), |_| None);
                let state = hash(&cut.source_id());
                let id = of.poll.id.find_in(record).map_or(state, |id| spread(&id));
                pairs.push((id, state));
                if known.has((id, state)) {
                    continue;
                }
                let cut = if of.poll.delta == Delta::Whole { cut.found_in(run.number) } else { cut };
                entries.push(self.entry(of.loaded, &cut).await?.0);
                sent.push(state);
            }
            if !entries.is_empty() {
                self.ports.queue().send(QueueName::Inbound, entries).await?;
            }
        }
        Ok((pairs, sent))
    }

    /// A full listing is at its end: what of the one before is not in it?
    async fn compare(
        &self,
        of: &Subject<'_>,
        cursor: &mut Cursor,
        run: &Run,
        known: Known,
    ) -> Result<Option<Stop>, Failure> {
        let slot = slot_of(cursor);
        let listed = self.listed(of.connection(), of.resource, (slot, run.number)).await?;
        let gone = match known {
            Known::Listing(before) => before.keys().filter(|id| !listed.contains_key(*id)).count() as u64,
            Known::Recent(_) => 0,
        };
        cursor.doc.listing =
            Some(Listing { run: run.number, slot, at: run.began, records: listed.len() as u64, gone });
        if of.poll.delta == Delta::Whole {
            cursor.doc.asked_at = Some(run.began);
        }
        cursor.doc.run = None;
        if self.put_cursor(of.connection(), of.resource, cursor, None).await?.is_err() {
            return Ok(Some(Stop::Fenced));
        }
        if gone > 0 {
            tracing::info!(
                target: "bridge::event", event = "gone", connection = %of.connection(), resource = of.resource, gone
            );
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
                if run.pages > 0 && !matches!(error, CallError::Unknown(_) | CallError::Forbidden(_)) {
                    cursor.doc.run = None;
                }
                Stop::failed(error.cause().clone())
            }
        })
    }
}

impl<P: Ports> Bridge<P> {
    async fn known_before(&self, of: &Subject<'_>, cursor: &Cursor, run: &Run) -> Result<Known, Failure> {
        if run.aim == Aim::Everything {
            return Ok(Known::Listing(match cursor.doc.listing {
                Some(Listing { slot, run, .. }) => {
                    self.listed(of.connection(), of.resource, (slot, run)).await?
                }
                None => HashMap::new(),
            }));
        }
        // Without a version the same content may be a new state: there and back again.
        let tells_states = of.kind.version.is_some() || !of.kind.source_id.is_empty();
        let recent = if tells_states { cursor.private.recent() } else { Vec::new() };
        Ok(Known::Recent(recent.into_iter().collect()))
    }
}

/// The place of the listing under way: not that of the one before.
fn slot_of(cursor: &Cursor) -> u8 {
    cursor.doc.listing.map_or(0, |listing| 1 - listing.slot.min(1))
}

/// What makes a record this one in this state.
fn hash(source_id: &[&[u8]]) -> u64 {
    let framed: Vec<u8> =
        source_id.iter().flat_map(|part| [&(part.len() as u64).to_le_bytes()[..], part].concat()).collect();
    eight_of(&framed)
}
