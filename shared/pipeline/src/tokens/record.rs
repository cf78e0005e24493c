//! What the ledger keeps of a connection's token: its state in clear, the token itself sealed.

use std::time::Duration;

use bridge_core::{
    Cause, Phi, Timestamp,
    id::{BlindToken, ConnectionId},
    manifest::{Auth, Grant},
};
use bridge_seal::{Binding, IndexKey};
use serde::{Deserialize, Serialize};

use crate::{
    configuration::Loaded,
    ledger::{LedgerError, docs_read, docs_write},
    ports::{Expect, Key, Record, Table, Write},
};

/// A record that nobody used for so long is forgotten.
const KEPT: Duration = Duration::from_hours(24 * 400);

/// The state of a connection's token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TokenDoc {
    /// Counts the tokens that were fetched; part of what binds the sealed one to its place.
    pub(super) number: u64,
    /// Which fetch wrote it: an answer that was lost on its way to the ledger is known by it.
    #[serde(default)]
    pub(super) fetched: String,
    /// The version of the connection for which the access token was fetched.
    #[serde(default)]
    pub(super) version: u32,
    /// From here on the access token is not used.
    #[serde(default)]
    pub(super) until: Timestamp,
    /// Somebody fetches one, until then at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lease: Option<Timestamp>,
    /// None is asked for before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) not_before: Option<Timestamp>,
    /// Why the product gave none the last time, where that was its last word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<Cause>,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Secrets {
    pub(super) access: Phi<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh: Option<Phi<String>>,
}

/// The record as it was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) rev: u64,
    pub(super) doc: TokenDoc,
    pub(super) sealed: Option<Vec<u8>>,
}

impl Seen {
    pub(super) fn of(record: Option<Record>) -> Result<Self, LedgerError> {
        let Some(record) = record else { return Ok(Self::default()) };
        let doc = docs_read(&record).map_err(|_| LedgerError::Unreadable("token"))?;
        Ok(Self { rev: record.rev, doc, sealed: record.blob })
    }

    /// The write that puts `doc` and what is sealed in this one's place.
    pub(super) fn replaced(
        &self,
        place: &Key,
        doc: &TokenDoc,
        sealed: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Write {
        let mut record = Record::new(place.clone(), docs_write(doc));
        record.blob = sealed;
        record.expires = Some(now + KEPT);
        Write::Put(record, if self.rev == 0 { Expect::Absent } else { Expect::Rev(self.rev) })
    }
}

/// Where it stands. Other secrets are another grant with a record of its own: who goes back to earlier ones finds what
/// became of them.
pub(super) fn place(connection: &ConnectionId, grant: &BlindToken) -> Key {
    let pk = format!("{}#token#{connection}", connection.tenant());
    Key::new(Table::Ledger, pk, format!("token#{grant}"))
}

pub(super) fn binding<'a>(connection: &'a ConnectionId, number: &'a str) -> Binding<'a> {
    Binding { connection, purpose: "token", id: number }
}

/// What the connection was given, as a keyed hash. A refresh token goes on from one to the next whatever else changes:
/// there it is the first one alone. Elsewhere it is everything that a token may be asked for with.
pub(super) fn grant_of(loaded: &Loaded, index: &IndexKey) -> BlindToken {
    let connection = &loaded.connection;
    let auth = loaded.manifest.api.as_ref().map(|api| &api.auth);
    let first = match auth {
        Some(Auth::Oauth2(oauth)) if oauth.grant == Grant::RefreshToken => oauth.refresh_token.as_deref(),
        _ => None,
    };
    let text = match first {
        Some(name) => loaded.secret(name).first().map(|value| value.expose().clone()).unwrap_or_default(),
        None => {
            let secrets = connection.secrets.keys().map(|name| (name, loaded.secret(name)));
            docs_write(&(secrets.collect::<Vec<_>>(), loaded.settings()))
        }
    };
    index.token(&connection.connection, "grant", &text)
}
