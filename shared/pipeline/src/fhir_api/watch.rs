//! Watching a delivery that was asked for, for as long as a caller waits; and telling later how it stands.

use std::time::Duration;

use bridge_core::{
    Cause, Timestamp,
    id::{DeliveryId, MessageId},
};
use serde_json::{Value, json};

use super::{
    Asked,
    access::May,
    query::Shape,
    refusal::{Code, Refused, issue},
    reply::{Reply, versioned},
    write::{asked_for, delivery_of, unsaid},
};
use crate::{
    bridge::Bridge,
    ledger::{DeliveryDoc, DeliveryState, Refusal},
    ports::{Clock, RemotePorts},
};

/// The first look at the ledger, and by how much each is later than the one before.
const FIRST_LOOK: Duration = Duration::from_millis(150);
/// The longest time between two looks.
const LATER_LOOK: Duration = Duration::from_secs(1);
/// What is left of the time when the caller is told to ask later.
const AFTERWARDS: Duration = Duration::from_millis(1_500);

/// What is watched.
pub(super) struct Watched<'a> {
    pub(super) message: &'a MessageId,
    pub(super) delivery: &'a DeliveryId,
    /// It changes what is there.
    pub(super) is_update: bool,
}

impl<P: RemotePorts> Bridge<P> {
    /// The outcome, or where it will be told.
    pub(super) async fn watch(
        &self,
        asked: &Asked<'_>,
        watched: &Watched<'_>,
        at_once: bool,
    ) -> Result<Reply, Refused> {
        let Watched { message, delivery, is_update } = *watched;
        let mut pause = FIRST_LOOK;
        loop {
            let doc = self.ledger().delivery(asked.connection(), message, delivery).await?;
            if let Some(doc) = &doc
                && let Some(reply) = self.outcome_of(asked, doc, is_update).await?
            {
                return Ok(reply);
            }
            let time_left = asked.call.deadline.since(self.now());
            if at_once || time_left < pause + AFTERWARDS || doc.as_ref().is_some_and(is_long) {
                return Ok(under_way(asked, delivery, doc.as_ref()));
            }
            self.ports.clock().sleep(pause).await;
            pause = (pause + FIRST_LOOK).min(LATER_LOOK);
        }
    }

    /// Answers a question after a delivery.
    pub(super) async fn fhir_status(&self, asked: &Asked<'_>, delivery: &str) -> Result<Reply, Refused> {
        let unknown = || Refused::new(404, Code::NotFound, "nothing was asked for by this name");
        let digest = delivery.strip_prefix("dlv_").ok_or_else(unknown)?;
        let message: MessageId = format!("msg_{digest}").parse().map_err(|_| unknown())?;
        let delivery = delivery_of(&message)?;
        let known = self.ledger().message(asked.connection(), &message).await?;
        let (doc, _) = known.filter(|(doc, _)| doc.connection == *asked.connection()).ok_or_else(unknown)?;
        let (kind, is_update) = asked_for(&doc.kind).ok_or_else(unknown)?;
        if ![May::Create, May::Update, May::Read].iter().any(|may| asked.caller.may(kind, *may)) {
            asked.caller.must(kind, May::Read)?;
        }
        self.watch(asked, &Watched { message: &message, delivery: &delivery, is_update }, true).await
    }

    /// What to answer, once it is over.
    async fn outcome_of(
        &self,
        asked: &Asked<'_>,
        doc: &DeliveryDoc,
        is_update: bool,
    ) -> Result<Option<Reply>, Refused> {
        let cause = || doc.cause.clone().unwrap_or_else(unsaid);
        match doc.state {
            DeliveryState::Delivered { at } => self.done(asked, doc, at, is_update).await.map(Some),
            DeliveryState::Refused { why, .. } => {
                let (status, code) = match why {
                    Refusal::Conflict => (409, Code::Conflict),
                    Refusal::NotFound => (404, Code::NotFound),
                    Refusal::Invalid => (422, Code::Processing),
                    Refusal::Failed => (502, Code::Exception),
                };
                Err(Refused::because(status, code, cause()))
            }
            // Nobody waits for an operator.
            DeliveryState::Parked { .. } => Err(Refused::because(500, Code::Incomplete, cause())),
            DeliveryState::Attempting { .. }
            | DeliveryState::Waiting { .. }
            | DeliveryState::Unconfirmed { .. }
            | DeliveryState::Deferred { .. } => Ok(None),
        }
    }

    async fn done(
        &self,
        asked: &Asked<'_>,
        doc: &DeliveryDoc,
        at: Timestamp,
        is_update: bool,
    ) -> Result<Reply, Refused> {
        let written = doc.written.first();
        let reference = written.and_then(|written| written.resource.clone());
        let status = if is_update { 200 } else { 201 };
        let resource = match &reference {
            Some(reference) => self.known_resource(&asked.connection().tenant(), reference).await?,
            None => None,
        };
        let (Some(reference), Some(resource)) = (reference, resource) else {
            let cause = written.and_then(|written| written.note.clone()).unwrap_or_else(|| {
                Cause::new("delivery.unread", "the product has it, and what it has can't be shown")
            });
            let outcome = json!({
                "resourceType": "OperationOutcome",
                "issue": [issue("warning", Code::Incomplete, &cause)],
            });
            return Ok(Reply::resource(status, outcome));
        };
        let (resource, tag) = versioned(&resource);
        let reply = match asked.query.shape {
            Shape::Representation => Reply::resource(status, resource),
            Shape::Minimal => Reply::empty(status),
            Shape::OperationOutcome => {
                let cause = Cause::new("informational", "the product has it");
                let mut done = issue("information", Code::Processing, &cause);
                done["code"] = Value::from("informational");
                Reply::resource(status, json!({"resourceType": "OperationOutcome", "issue": [done]}))
            }
        };
        let reply = reply.with("etag", tag).with("last-modified", http_date(at));
        Ok(reply.with("location", format!("{}/{reference}", asked.call.base)))
    }
}

/// It is not over while a caller waits.
const fn is_long(doc: &DeliveryDoc) -> bool {
    matches!(doc.state, DeliveryState::Deferred { .. })
}

fn under_way(asked: &Asked<'_>, delivery: &DeliveryId, doc: Option<&DeliveryDoc>) -> Reply {
    let word = doc.map_or("queued", |doc| doc.state.word());
    let attempts = doc.map_or(0, |doc| doc.attempts);
    let text = format!("{word}, after {attempts} attempts");
    let cause = Cause::new("delivery.under-way", text.clone());
    let mut told = issue("information", Code::Processing, &cause);
    told["code"] = Value::from("informational");
    Reply::resource(202, json!({"resourceType": "OperationOutcome", "issue": [told]}))
        .with("content-location", format!("{}/_status/{delivery}", asked.call.base))
        .with("retry-after", "2")
        .with("x-progress", text)
}

/// RFC 9110, section 5.6.7.
fn http_date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
