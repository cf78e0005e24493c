//! Drift: what payloads look like, from samples of what was received. Messages are looked at an hour later, in the ledger:
//! on their way they cost nothing for it.

use std::time::Duration;

use bridge_core::{
    Phi, Timestamp,
    feed::Feed,
    id::{ConnectionId, TenantId},
    task::{Actor, Format},
};
use bridge_hl7v2::Message;
use bridge_seal::Binding;
use serde::Serialize;
use serde_json::Value;

use super::{
    docs::{WatchDoc, shape_key},
    shape::{self, Places},
    sketch::{Drift, Known, Sample, Sketch},
};
use crate::{
    bridge::Bridge,
    configuration::{ConfigurationError, Loaded},
    keys::{Keep, KeyError},
    ledger::{LedgerError, MessageDoc, docs_write},
    normalize,
    ports::{Expect, Index, Ports, Query, Record, Store, Table, Write, WriteError},
    queries::QueryError,
    stage::Failure,
};

/// How often a connection's payloads are looked at.
pub(super) const EVERY: Duration = Duration::from_hours(1);
/// How many of them, the newest.
const SAMPLES: usize = 20;
const RACES: usize = 16;

/// How a connection's payloads stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// What differs from what is usual, and nobody has accepted.
    pub drifts: Vec<Drift>,
    /// How far each kind of message is known.
    pub kinds: Vec<Known>,
}

impl<P: Ports> Bridge<P> {
    /// Looks at what came since the last time, where it is time.
    pub(super) async fn sample(&self, loaded: &Loaded, doc: &mut WatchDoc) -> Result<(), Failure> {
        let (now, connection) = (self.now(), &doc.connection);
        if now.since(doc.sampled) < EVERY {
            return Ok(());
        }
        let messages = self.newest_messages(connection, doc.sampled, now).await?;
        if !messages.is_empty() {
            let (rev, mut sketch) = self.sketch(connection).await?;
            // From the oldest on: what comes last is what is usual now.
            for message in messages.iter().rev() {
                let Some(payload) = self.payload_of(&connection.tenant(), message).await? else { continue };
                for places in places(loaded, message, &payload) {
                    let hl7v2 = message.format == Format::Hl7v2;
                    let kind = message.kind.as_str();
                    sketch.take(Sample { kind, hl7v2, places, lane: lane_of(message) }, now);
                }
            }
            let found = sketch.notice(now);
            // Told first: told twice is better than not told.
            found.iter().for_each(|drift| tell(connection, drift));
            if !self.put_sketch(connection, rev, &sketch).await? {
                // Somebody else looked at the same, or accepted what differs. The next time is soon enough.
                return Ok(());
            }
        }
        doc.sampled = now;
        Ok(())
    }

    /// What is known of a connection's payloads.
    ///
    /// # Errors
    /// When a port fails, or its record can't be opened.
    pub async fn shape(&self, connection: &ConnectionId) -> Result<Shape, QueryError> {
        let (_, sketch) = self.sketch(connection).await.map_err(|failure| match failure {
            Failure::Key(error) => QueryError::Key(error),
            Failure::Ledger(error) => QueryError::Ledger(error),
            Failure::Port(error) => error.into(),
            Failure::Configuration(_) => QueryError::Ledger(LedgerError::Unreadable("shape")),
        })?;
        Ok(Shape { drifts: sketch.drifts(), kinds: sketch.known() })
    }

    /// Takes what differs as usual from now on; how many differences there were.
    ///
    /// # Errors
    /// When a port fails, or others keep being faster.
    pub async fn accept_drift(&self, connection: &ConnectionId, actor: &Actor) -> Result<usize, Failure> {
        for _ in 0..RACES {
            let (rev, mut sketch) = self.sketch(connection).await?;
            let differences = sketch.drifts().len();
            sketch.accept();
            if differences == 0 || self.put_sketch(connection, rev, &sketch).await? {
                tracing::info!(
                    target: "bridge::event", event = "drift", state = "accepted", %connection,
                    actor = actor.name, differences
                );
                return Ok(differences);
            }
        }
        Err(ConfigurationError::Changed(format!("the shape of {connection}")).into())
    }

    async fn newest_messages(
        &self,
        connection: &ConnectionId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MessageDoc>, LedgerError> {
        let (table, index, pk) = (Table::Ledger, Index::ByConnection, connection.to_string());
        let range = from.to_string()..=format!("{to}$");
        let query = Query { table, index, pk, range, descending: true, limit: SAMPLES };
        self.ports.store().query(query).await?.iter().map(MessageDoc::of).collect()
    }

    /// What was received; `None` where its retention is over.
    async fn payload_of(
        &self,
        tenant: &TenantId,
        message: &MessageDoc,
    ) -> Result<Option<Phi<Vec<u8>>>, Failure> {
        match self.reveal(tenant, &message.message).await {
            Ok(payload) => Ok(payload),
            Err(QueryError::Key(KeyError::Port(error))) => Err(error.into()),
            Err(QueryError::Key(_)) => Ok(None),
            Err(QueryError::Ledger(error)) => Err(error.into()),
        }
    }

    async fn sketch(&self, connection: &ConnectionId) -> Result<(u64, Sketch), Failure> {
        let Some(record) = self.ports.store().get(&shape_key(connection)).await? else {
            return Ok((0, Sketch::default()));
        };
        let sealed = record.blob.as_deref().ok_or(LedgerError::Unreadable("shape"))?;
        let plain = self.open(binding(connection), sealed).await?;
        // One that this version can't read is begun anew: it is learned again.
        Ok((record.rev, serde_json::from_slice(plain.expose()).unwrap_or_default()))
    }

    /// Whether it was written: nobody else was faster.
    async fn put_sketch(
        &self,
        connection: &ConnectionId,
        rev: u64,
        sketch: &Sketch,
    ) -> Result<bool, Failure> {
        // Names of fields are not said to be PHI, but who knows a product's next idea: they are sealed as payloads are.
        let plain = docs_write(sketch);
        let mut record = Record::new(shape_key(connection), "{}".to_owned());
        record.blob = Some(self.seal(binding(connection), Keep::Lasting, plain.as_bytes()).await?);
        let expect = if rev == 0 { Expect::Absent } else { Expect::Rev(rev) };
        match self.ports.store().write(vec![Write::Put(record, expect)]).await {
            Ok(()) => Ok(true),
            Err(WriteError::Conflict { .. }) => Ok(false),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }
}

/// What stands where in a message; of records that travel together, in each.
fn places(loaded: &Loaded, message: &MessageDoc, payload: &Phi<Vec<u8>>) -> Vec<Places> {
    let feed = Feed::of_kind(&message.kind).and_then(|(name, _)| loaded.connection.feeds.get(name));
    let columns = feed.is_some_and(|feed| feed.file.format.is_tabular());
    let of_json = |document: &Value| shape::of_json(document, columns);
    match message.format {
        Format::Json => serde_json::from_slice(payload.expose()).iter().map(of_json).collect(),
        Format::Rows => {
            let records = normalize::rows::records(payload.expose()).unwrap_or_default();
            records.iter().map(|(_, record)| of_json(record)).collect()
        }
        Format::Hl7v2 => {
            let charset = loaded.hl7v2.as_ref().and_then(|site| site.charset).unwrap_or_default();
            let parsed = Message::parse_as(payload.expose(), charset);
            parsed.iter().map(shape::of_hl7v2).collect()
        }
    }
}

fn tell(connection: &ConnectionId, drift: &Drift) {
    let Drift { kind, place, differs, was, is, .. } = drift;
    let state = differs.word();
    tracing::info!(target: "bridge::event", event = "drift", state, %connection, kind, place, was, is);
}

fn lane_of(message: &MessageDoc) -> u16 {
    let [a, b, ..] = bridge_seal::sha256(&[message.lane.as_str().as_bytes()]);
    u16::from_le_bytes([a, b])
}

fn binding(connection: &ConnectionId) -> Binding<'_> {
    Binding { connection, purpose: "shape", id: "payloads" }
}
