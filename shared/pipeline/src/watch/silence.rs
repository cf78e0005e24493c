//! Whether a connection that should speak is silent: against the rhythm it declares, or the one that was learned.

use std::time::Duration;

use bridge_core::{Timestamp, id::ConnectionId};

use super::{calendar::Calendar, docs::WatchDoc, profile::TOLD};
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    ledger::{LedgerError, MessageDoc},
    ports::{Index, Ports, Query, Store, Table},
};

/// A message that came may not be in the index yet: it waits on its queue until it is normalized.
const LAG: Duration = Duration::from_mins(5);
/// A connection that is silent is looked at again after this, until it speaks.
const WHILE_SILENT: Duration = Duration::from_mins(5);
const HOUR: Duration = Duration::from_hours(1);
/// When nobody looked for longer than this, what lies before is not learned.
const LOOKS_BACK: Duration = Duration::from_hours(48);

/// What is told of a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turned {
    Begins,
    GoesOn,
    Ends,
}

impl Turned {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Begins => "begins",
            Self::GoesOn => "goes-on",
            Self::Ends => "ends",
        }
    }
}

impl<P: Ports> Bridge<P> {
    /// Brings a connection's watch up to now, and says when it is to be looked at again.
    pub(super) async fn listen(
        &self,
        loaded: &Loaded,
        doc: &mut WatchDoc,
    ) -> Result<(Timestamp, Option<Turned>), LedgerError> {
        let (now, expects) = (self.now(), &loaded.connection.expects);
        let calendar = Calendar::of(&loaded.connection);
        // A millisecond after the last one; before the first, from the beginning of the watch.
        let from = doc.heard.map_or(doc.since, |heard| heard + Duration::from_millis(1));
        let spoke = self.newest_message(&doc.connection, from, now).await?;
        doc.heard = spoke.or(doc.heard);
        let (mut due, is_late) = if expects.nothing {
            (now + HOUR, false)
        } else if let Some(minutes) = expects.every_minutes {
            declared(&calendar, Duration::from_mins(minutes.into()), doc, now)
        } else {
            self.learn(&calendar, doc, now).await?;
            if doc.heard.is_some_and(|heard| heard >= doc.learned) {
                doc.surprise = 0.0;
            }
            ((doc.learned + HOUR + LAG + place(&doc.connection)).max(now + LAG), doc.surprise >= TOLD)
        };
        let was_silent = doc.silent.is_some();
        let is_silent = is_late || (was_silent && spoke.is_none() && !expects.nothing);
        if is_silent {
            due = due.min(now + WHILE_SILENT);
            doc.silent = doc.silent.or(Some(now));
        } else {
            doc.silent = None;
        }
        let turned = match (was_silent, is_silent) {
            (false, true) => Some(Turned::Begins),
            (true, true) => Some(Turned::GoesOn),
            (true, false) => Some(Turned::Ends),
            (false, false) => None,
        };
        Ok((due, turned))
    }

    /// Learns the hours that are over.
    async fn learn(
        &self,
        calendar: &Calendar<'_>,
        doc: &mut WatchDoc,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let over = hour_of(now - LAG);
        let mut hour = doc.learned;
        if hour != hour_of(hour) {
            hour = hour_of(hour) + HOUR;
        }
        if over.since(hour) > LOOKS_BACK {
            hour = over - LOOKS_BACK;
            doc.surprise = 0.0;
        }
        while hour < over {
            let last = hour + HOUR - Duration::from_millis(1);
            let came = self.newest_message(&doc.connection, hour, last).await?.is_some();
            let of_week = calendar.hour_of_week(hour);
            if came {
                doc.surprise = 0.0;
            }
            if calendar.is_open(hour) {
                if !came {
                    doc.surprise += doc.profile.surprise(of_week);
                }
                doc.profile.learn(of_week, came);
            }
            hour = hour + HOUR;
        }
        doc.learned = hour;
        Ok(())
    }

    /// When the newest message came that came in this time, both ends included.
    async fn newest_message(
        &self,
        connection: &ConnectionId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<Timestamp>, LedgerError> {
        let (table, index, pk) = (Table::Ledger, Index::ByConnection, connection.to_string());
        // `$` is what follows the `#` between time and id.
        let query = Query {
            table,
            index,
            pk,
            range: from.to_string()..=format!("{to}$"),
            descending: true,
            limit: 1,
        };
        let records = self.ports.store().query(query).await?;
        records.first().map(|record| Ok(MessageDoc::of(record)?.received_at)).transpose()
    }
}

/// When a declared rhythm is broken, and whether it is.
fn declared(calendar: &Calendar<'_>, every: Duration, doc: &WatchDoc, now: Timestamp) -> (Timestamp, bool) {
    // What has never spoken is not set up yet on the other side.
    let Some(heard) = doc.heard else { return (now + every.min(HOUR), false) };
    match calendar.after_open_time(heard.max(doc.since), every) {
        Some(late) if late + LAG <= now => (now + HOUR, true),
        Some(late) => (late + LAG, false),
        None => (now + HOUR * 24, false),
    }
}

/// Spreads what would otherwise come with the full hour.
fn place(connection: &ConnectionId) -> Duration {
    let [first, ..] = bridge_seal::sha256(&[connection.as_str().as_bytes()]);
    Duration::from_secs(first.into())
}

fn hour_of(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_secs().div_euclid(3600) * 3_600_000)
}
