//! One page of a list: its records queued, then what it had written down with how far the list is.

use bridge_core::{
    Cause,
    manifest::{Delta, POLLED},
    remote::Answer,
};
use serde_json::Value;

use super::{
    cursor::Cursor,
    delta::{conclude, is_full, learn},
    docs::{Aim, Run, eight_of, spread},
    memory::{Known, Pair, end_changes},
    walk::{Stop, Subject},
};
use crate::{
    bridge::Bridge,
    ports::{Ports, Queue, QueueName},
    receive::messages::Cut,
    stage::Failure,
};

/// More pages than this are no list.
const MOST_PAGES: u64 = 1_000_000;
/// Records that are sealed and queued at a time.
const AT_A_TIME: usize = 100;

impl<P: Ports> Bridge<P> {
    /// One page: its records queued, then the cursor moved.
    pub(super) async fn page(
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
        let leads_back = answer.next.as_ref().is_some_and(|next| !run.trail.goes_on(spread(next.expose())));
        let is_end = answer.next.is_none() && !is_full(run, of.poll, count);
        if leads_back || (!is_end && run.pages >= MOST_PAGES) {
            cursor.doc.run = None;
            let text =
                "the list leads back to a page that it had, or never ends: the adapter's paging is wrong";
            return Ok(Some(Stop::failed(Cause::new("poll.loop", text))));
        }
        // A queue that has nothing is at its end, whatever it says.
        let is_dry = of.is_queue() && count == 0;
        run.listed = is_end || reached || is_dry;
        let beside = self.put_down(of, cursor, run, &pairs).await?;
        run.pages += 1;
        run.records += count;
        cursor.doc.pages += 1;
        cursor.doc.records += count;
        cursor.doc.sent += sent.len() as u64;
        cursor.private.page = answer.next.filter(|_| !run.listed);
        if let Known::States(states) = known {
            states.extend(sent);
        }
        if of.is_queue() && (run.listed || run.aim == Aim::Changes) {
            cursor.doc.unsafe_since = (!run.listed).then(|| self.now());
        }
        let mut concluded = Ok(());
        cursor.doc.run = Some(run.clone());
        if run.listed && run.aim != Aim::Everything {
            cursor.doc.run = None;
            if run.aim == Aim::Changes {
                cursor.doc.asked_at = Some(of.asked_in(run));
                end_changes(cursor, run);
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
}

/// What makes a record this one in this state.
fn hash(source_id: &[&[u8]]) -> u64 {
    let framed: Vec<u8> =
        source_id.iter().flat_map(|part| [&(part.len() as u64).to_le_bytes()[..], part].concat()).collect();
    eight_of(&framed)
}
