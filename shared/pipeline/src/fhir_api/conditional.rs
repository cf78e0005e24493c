//! `If-None-Exist`: created only where the product has nothing that fits (FHIR R4, section 3.1.0.8.1).
//!
//! Two requests at the same time both find nothing. The first to write itself down under the criteria creates; the others get
//! what becomes of that. It stands there for as long as a product may take to find what it was given.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | conditional create | `{tenant}#if-none-exist#{connection}` | keyed hash of type and criteria |

use std::time::Duration;

use bridge_core::{
    Timestamp,
    id::{BlindToken, MessageId},
    manifest::ResourceApi,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Asked,
    access::May,
    page::Question,
    query::pairs,
    refusal::{Code, Refused},
    reply::{Reply, versioned},
    want::delivery_of,
};
use crate::{
    bridge::Bridge,
    ledger::{DeliveryState, LedgerError, docs_read, docs_write},
    ports::{Expect, Key, Record, RemotePorts, Store, Table, Write, WriteError},
};

/// So long nobody else creates by the same criteria.
const STANDS: Duration = Duration::from_mins(10);
/// Who wrote itself down and is in no ledger after this long never got so far.
const TO_BEGIN: Duration = Duration::from_secs(30);
/// Who loses this often against others is told to ask again.
const RACES: usize = 4;

/// What is there already, or what is to be written down before it is made.
pub(super) enum Condition {
    /// The product has it.
    Met(Reply),
    /// It does not.
    Open(BlindToken),
}

#[derive(Debug, Serialize, Deserialize)]
struct Creation {
    message: MessageId,
    at: Timestamp,
}

impl<P: RemotePorts> Bridge<P> {
    /// Looks for what the criteria of `If-None-Exist` name. The product is asked now, whatever is kept.
    pub(super) async fn condition(
        &self,
        asked: &Asked<'_>,
        kind: &str,
        rules: &ResourceApi,
        criteria: &str,
    ) -> Result<Condition, Refused> {
        asked.caller.must(kind, May::Search)?;
        let bare = criteria.strip_prefix(kind).and_then(|rest| rest.strip_prefix('?'));
        let mut parameters = pairs(bare.unwrap_or(criteria))?;
        if parameters.is_empty() {
            let text = "`If-None-Exist` holds the parameters of a search: identifier=…";
            return Err(Refused::new(400, Code::Required, text));
        }
        if rules.search.is_empty() {
            return Err(Refused::interaction(asked.allowed(kind, true)));
        }
        let matches = match self.question(asked, kind, rules, &parameters).await? {
            Some(question) => self.all_matches(asked, &Question { fresh: true, ..question }).await?,
            None => Vec::new(),
        };
        parameters.sort();
        match matches.as_slice() {
            [] => {
                let index = self.index_key(&asked.connection().tenant()).await?;
                let criteria = docs_write(&(kind, parameters));
                Ok(Condition::Open(index.token(asked.connection(), "if-none-exist", &criteria)))
            }
            [one] => Ok(Condition::Met(there(asked, one))),
            _ => {
                let text = "more than one resource fits the criteria of `If-None-Exist`";
                Err(Refused::new(412, Code::MultipleMatches, text))
            }
        }
    }

    /// Writes a creation down under its criteria; gives the one that is under way already, where another was faster.
    pub(super) async fn only_creation(
        &self,
        asked: &Asked<'_>,
        criteria: &BlindToken,
        message: &MessageId,
    ) -> Result<Option<MessageId>, Refused> {
        let connection = asked.connection();
        let pk = format!("{}#if-none-exist#{connection}", connection.tenant());
        let key = Key::new(Table::Ledger, pk, criteria.as_str());
        for _ in 0..RACES {
            let now = self.now();
            let known = self.ports.store().get(&key).await?;
            let mut expect = Expect::Absent;
            if let Some(record) = &known {
                let creation: Creation =
                    docs_read(record).map_err(|_| LedgerError::Unreadable("conditional create"))?;
                if creation.message == *message {
                    return Ok(None);
                }
                if self.goes_on(asked, &creation).await? {
                    return Ok(Some(creation.message));
                }
                expect = Expect::Rev(record.rev);
            }
            let creation = Creation { message: message.clone(), at: now };
            let mut record = Record::new(key.clone(), docs_write(&creation));
            record.expires = Some(now + STANDS);
            match self.ports.store().write(vec![Write::Put(record, expect)]).await {
                Ok(()) => return Ok(None),
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(LedgerError::Contended.into())
    }

    /// Whether a creation has come to something, or may yet.
    async fn goes_on(&self, asked: &Asked<'_>, creation: &Creation) -> Result<bool, Refused> {
        let delivery = delivery_of(&creation.message)?;
        let begun = self.ledger().delivery(asked.connection(), &creation.message, &delivery).await?;
        Ok(match begun.map(|doc| doc.state) {
            Some(state) => !matches!(
                state,
                DeliveryState::Refused { .. } | DeliveryState::Parked { .. } | DeliveryState::Deferred { .. }
            ),
            None => self.now().since(creation.at) < TO_BEGIN,
        })
    }
}

/// What is there already, as FHIR answers it: 200, and where it is.
fn there(asked: &Asked<'_>, resource: &Value) -> Reply {
    let (resource, tag) = versioned(resource);
    let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
    let location = format!("{}/{}/{}", asked.call.base, text("resourceType"), text("id"));
    asked.shaped(200, resource, "it was there already").with("etag", tag).with("location", location)
}
