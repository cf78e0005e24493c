//! Reading for operators: which messages there are, where each stands, what happened to it, and what is parked.
//! Nothing here writes. What comes back holds no PHI, except from [`Bridge::reveal`].

mod trace;

use std::collections::BTreeMap;

use bridge_core::{
    Phi, Timestamp,
    id::{BlindToken, ConnectionId, LaneId, MessageId, TenantId},
    task::{Payload, Stage},
};
use data_encoding::BASE64;
use futures::future::try_join_all;

pub use trace::{Overview, Standing, Step};

use crate::{
    bridge::Bridge,
    keys::KeyError,
    ledger::{LaneKey, LedgerError, MessageDoc, ParkedDoc, ParkedTask, docs_read, message_key_of},
    payload::Purpose,
    ports::{Index, PortError, Ports, Query, Record, Store, Table},
    stage::Failure,
};

/// Records that are read at a time, and messages whose deliveries are.
const PAGE: usize = 100;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// A key is missing, or a port failed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A record can't be read, or a port failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<PortError> for QueryError {
    fn from(error: PortError) -> Self {
        Self::Ledger(error.into())
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Key(error) => error.into(),
            QueryError::Ledger(error) => error.into(),
        }
    }
}

/// Which messages to list.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Of which connection.
    pub connection: ConnectionId,
    /// Received at or after this.
    pub since: Timestamp,
    /// Received before this.
    pub until: Timestamp,
    /// Of this kind.
    pub kind: Option<String>,
    /// That stand here.
    pub standing: Option<Standing>,
    /// That an identifier leads to.
    pub find: Option<BlindToken>,
    /// At most so many, the newest.
    pub limit: usize,
}

/// A lane in which something is parked, with what is parked there.
#[derive(Debug, Clone)]
pub struct ParkedLane {
    /// Which lane.
    pub key: LaneKey,
    /// The parked tasks in the order in which a release sends them.
    pub tasks: Vec<ParkedDoc>,
}

impl<P: Ports> Bridge<P> {
    /// The selected messages, newest first. The index is seconds behind, and a message that has not been normalized
    /// yet is on its queue and not here.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn messages(&self, selection: &Selection) -> Result<Vec<Overview>, QueryError> {
        let mut found: Vec<Overview> = Vec::new();
        let mut until = selection.until.to_string();
        loop {
            let query = Query {
                table: Table::Ledger,
                index: Index::ByConnection,
                pk: selection.connection.to_string(),
                range: selection.since.to_string()..=until.clone(),
                descending: true,
                limit: PAGE,
            };
            let records = self.ports.store().query(query).await?;
            let last = records.last().and_then(|record| record.by_connection.clone()).map(|(_, at)| at);
            let whole_page = records.len() == PAGE;
            let docs = records.iter().filter_map(|record| MessageDoc::of(record).ok());
            let docs = docs.filter(|doc| {
                selection.takes(doc) && found.last().is_none_or(|l| l.message.message != doc.message)
            });
            let overviews =
                try_join_all(docs.collect::<Vec<_>>().into_iter().map(|doc| self.overview(doc))).await?;
            found.extend(
                overviews.into_iter().filter(|one| selection.standing.is_none_or(|s| s == one.standing)),
            );
            match last {
                Some(last) if whole_page && found.len() < selection.limit && last != until => until = last,
                _ => break,
            }
        }
        found.truncate(selection.limit);
        Ok(found)
    }

    /// A message with its deliveries.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn message(
        &self,
        tenant: &TenantId,
        message: &MessageId,
    ) -> Result<Option<Overview>, QueryError> {
        match self.message_record(tenant, message).await? {
            Some((doc, _)) => Ok(Some(self.overview(doc).await?)),
            None => Ok(None),
        }
    }

    /// What was received, as it was received. The caller keeps a record of who looked, and why.
    ///
    /// # Errors
    /// With [`KeyError::Expired`] when its retention is over; when a port fails.
    pub async fn reveal(
        &self,
        tenant: &TenantId,
        message: &MessageId,
    ) -> Result<Option<Phi<Vec<u8>>>, QueryError> {
        let Some((doc, record)) = self.message_record(tenant, message).await? else { return Ok(None) };
        let payload = match (doc.stored, record.blob) {
            (Some(key), _) => Payload::Stored(key),
            (None, Some(sealed)) => Payload::Inline(BASE64.encode(&sealed)),
            (None, None) => return Err(KeyError::Expired.into()),
        };
        Ok(Some(self.unpack(Purpose::Message, &doc.connection, message.as_str(), &payload).await?))
    }

    /// Everything that is parked, by lane: of a tenant, or of one of its connections (the source of an inbound lane,
    /// the destination of an outbound one). The index is seconds behind.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn parked(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionId>,
    ) -> Result<Vec<ParkedLane>, QueryError> {
        let prefix = connection.map_or_else(String::new, |connection| format!("{connection}#"));
        let query = Query::prefix(Table::Ledger, Index::ByAttention, format!("{tenant}#parked"), &prefix);
        let records = self.ports.store().query(query).await?;
        let mut lanes: BTreeMap<(ConnectionId, Stage, LaneId), Vec<ParkedDoc>> = BTreeMap::new();
        for record in &records {
            let doc: ParkedDoc = docs_read(record).map_err(|_| LedgerError::Unreadable("parked"))?;
            let place = match &doc.task {
                ParkedTask::Inbound(task) => (task.connection.clone(), Stage::Inbound, task.lane.clone()),
                ParkedTask::Outbound(task) => (task.destination.clone(), Stage::Outbound, task.lane.clone()),
            };
            lanes.entry(place).or_default().push(doc);
        }
        let lane = |((connection, stage, lane), mut tasks): (_, Vec<ParkedDoc>)| {
            tasks.sort_by(|a, b| a.order.cmp(&b.order));
            ParkedLane { key: LaneKey { stage, connection, lane }, tasks }
        };
        Ok(lanes.into_iter().map(lane).collect())
    }

    async fn message_record(
        &self,
        tenant: &TenantId,
        message: &MessageId,
    ) -> Result<Option<(MessageDoc, Record)>, QueryError> {
        let Some(record) = self.ports.store().get(&message_key_of(tenant, message)).await? else {
            return Ok(None);
        };
        let doc = MessageDoc::of(&record)?;
        Ok(Some((doc, record)))
    }

    pub(crate) async fn overview(&self, message: MessageDoc) -> Result<Overview, QueryError> {
        let deliveries = self.ledger().deliveries(&message.connection, &message.message).await?;
        let index = self.index_key(&message.connection.tenant()).await?;
        let tried = |destination: &ConnectionId| {
            let id = index.delivery(&message.message, destination, message.replayed);
            deliveries.iter().any(|delivery| delivery.delivery == id)
        };
        let all_tried = message.destinations.iter().all(tried);
        let standing = trace::standing(&message, &deliveries, all_tried);
        Ok(Overview { message, deliveries, standing })
    }
}

impl Selection {
    /// Whether what the message's own record says fits.
    fn takes(&self, doc: &MessageDoc) -> bool {
        self.kind.as_ref().is_none_or(|kind| *kind == doc.kind)
            && self.find.as_ref().is_none_or(|token| doc.find.contains(token))
    }
}
