//! Which messages a replay takes, and what it would do with them.

use std::collections::BTreeSet;

use bridge_core::{
    Cause, Timestamp,
    id::{ConnectionId, LaneId},
};
use serde::{Deserialize, Serialize};

use crate::{
    bridge::Bridge,
    ledger::{DeliveryDoc, DeliveryState, LaneKey, LedgerError, MessageDoc, MessageState},
    ports::{Index, Ports, Query, Store, Table},
    queries::{Overview, QueryError, Standing},
};

/// Messages that a step looks at.
const STEP: usize = 25;

/// Which messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayFilter {
    /// Of which connection.
    pub connection: ConnectionId,
    /// Received at or after this.
    pub since: Timestamp,
    /// Received before this.
    pub until: Timestamp,
    /// Of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// That went to this destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<ConnectionId>,
    /// That stand here. Without it and a cause, all that were normalized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Standing>,
    /// That wait, are parked or were refused because of this: a cause's code, of the message or of a delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl ReplayFilter {
    /// Whether the filter asks for more than the message's own record says.
    const fn looks_deeper(&self) -> bool {
        self.state.is_some() || self.cause.is_some()
    }

    /// Whether what the message's own record says fits.
    fn takes(&self, doc: &MessageDoc) -> bool {
        (doc.state == MessageState::Normalized || self.looks_deeper())
            && self.kind.as_ref().is_none_or(|kind| *kind == doc.kind)
            && self.destination.as_ref().is_none_or(|to| doc.destinations.contains(to))
    }

    /// Whether what became of it fits.
    fn takes_standing(&self, one: &Overview) -> bool {
        let is_cause =
            |cause: Option<&Cause>| cause.is_some_and(|cause| Some(&cause.code) == self.cause.as_ref());
        let has_cause =
            is_cause(one.message.cause.as_ref()) || self.deliveries(one).any(|d| is_cause(d.cause.as_ref()));
        self.state.is_none_or(|state| state == one.standing) && (self.cause.is_none() || has_cause)
    }

    /// Its deliveries to the destinations that are asked about.
    fn deliveries<'a>(&self, one: &'a Overview) -> impl Iterator<Item = &'a DeliveryDoc> {
        one.deliveries
            .iter()
            .filter(|delivery| self.destination.as_ref().is_none_or(|to| *to == delivery.destination))
    }

    /// The lanes in which something of it is parked.
    fn parked_in(&self, one: &Overview) -> Vec<LaneKey> {
        if one.message.state == MessageState::Parked {
            return vec![LaneKey::inbound(&one.message.connection, &one.message.lane)];
        }
        let parked =
            self.deliveries(one).filter(|delivery| matches!(delivery.state, DeliveryState::Parked { .. }));
        parked.map(|delivery| LaneKey::outbound(&delivery.destination, &delivery.lane)).collect()
    }
}

/// What a replay would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Messages that would be sent through again.
    pub messages: usize,
    /// Messages of which something is parked, and would go on with its lane.
    pub parked: usize,
    /// In so many lanes.
    pub lanes: usize,
    /// Of those messages, the ones that a destination has taken before: it gets them a second time.
    pub delivered_before: usize,
}

/// A message that is to be replayed.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) message: MessageDoc,
    /// What of it is parked goes on with these lanes; where nothing is, it is sent through again.
    pub(super) parked_in: Vec<LaneKey>,
    /// Its deliveries, where they were looked at.
    deliveries: Option<Vec<DeliveryDoc>>,
}

/// What a step looks at.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) chosen: Vec<Chosen>,
    /// Messages that were looked at.
    pub(super) seen: u64,
    /// Where to go on; `None` at the end.
    pub(super) last: Option<String>,
}

impl<P: Ports> Bridge<P> {
    /// What a replay would do, without doing it. The index is seconds behind.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn preview_replay(&self, filter: &ReplayFilter) -> Result<Preview, QueryError> {
        let mut preview = Preview { messages: 0, parked: 0, lanes: 0, delivered_before: 0 };
        let mut lanes: BTreeSet<LaneId> = BTreeSet::new();
        let mut cursor = String::new();
        loop {
            let page = self.choose(filter, &cursor).await?;
            for Chosen { message, parked_in, deliveries } in page.chosen {
                lanes.insert(message.lane.clone());
                if !parked_in.is_empty() {
                    preview.parked += 1;
                    continue;
                }
                preview.messages += 1;
                let deliveries = match deliveries {
                    Some(deliveries) => deliveries,
                    None => self.ledger().deliveries(&message.connection, &message.message).await?,
                };
                let is_delivered =
                    deliveries.iter().any(|one| matches!(one.state, DeliveryState::Delivered { .. }));
                preview.delivered_before += usize::from(is_delivered);
            }
            let Some(last) = page.last else { break };
            cursor = last;
        }
        preview.lanes = lanes.len();
        Ok(preview)
    }

    /// The next messages after `cursor` that are to be replayed, as they were received.
    pub(super) async fn choose(&self, filter: &ReplayFilter, cursor: &str) -> Result<Page, QueryError> {
        let (docs, last) = self.received(filter, cursor).await?;
        let seen = docs.len() as u64;
        let mut chosen = Vec::new();
        for message in docs.into_iter().filter(|doc| filter.takes(doc)) {
            let (mut parked_in, mut deliveries) = (Vec::new(), None);
            if filter.looks_deeper() {
                let one = self.overview(message.clone()).await?;
                if !filter.takes_standing(&one) {
                    continue;
                }
                parked_in = filter.parked_in(&one);
                deliveries = Some(one.deliveries);
            }
            chosen.push(Chosen { message, parked_in, deliveries });
        }
        Ok(Page { chosen, seen, last })
    }

    /// The next messages after `cursor` as they were received, and where to go on; `None` at the end.
    async fn received(
        &self,
        filter: &ReplayFilter,
        cursor: &str,
    ) -> Result<(Vec<MessageDoc>, Option<String>), LedgerError> {
        // Behind the cursor's own place, and before every other.
        let from = if cursor.is_empty() { filter.since.to_string() } else { format!("{cursor}~") };
        let query = Query {
            table: Table::Ledger,
            index: Index::ByConnection,
            pk: filter.connection.to_string(),
            range: from..=filter.until.to_string(),
            descending: false,
            limit: STEP,
        };
        let records = self.ports.store().query(query).await?;
        let last = records.last().filter(|_| records.len() == STEP);
        let last = last.and_then(|record| record.by_connection.clone()).map(|(_, at)| at);
        let docs = records.iter().map(MessageDoc::of);
        Ok((docs.collect::<Result<_, _>>()?, last))
    }
}
