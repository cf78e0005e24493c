//! A write that was asked for: a message and its delivery, durable before anything is answered
//! ([ADR 23](../../../../docs/adr/0023-writes-are-deliveries.md)).

use bridge_core::{
    Cause,
    id::{BlindToken, DeliveryId, MessageId},
    task::{DeliverTask, Format, NormalizeTask, OutboundTask, Payload},
};
use bridge_fhir::Resource;
use data_encoding::BASE64;
use serde_json::json;

use super::{
    Asked,
    references::about,
    refusal::{Code, Refused},
};
use crate::{
    bridge::Bridge,
    keys::Keep,
    ledger::{MessageDoc, MessageState, docs_write},
    payload::Purpose,
    ports::{Entry, Queue, QueueName, RemotePorts},
    remote::nonce,
    stage,
};

/// The longest `Idempotency-Key`.
const LONGEST_KEY: usize = 255;

/// In front of the kinds of messages that come in here: `fhir.Appointment`, and `fhir.update.Appointment` where there is one
/// already.
pub(crate) const WRITE_KIND: &str = "fhir.";
const UPDATE: &str = "update.";

/// The resource type that a message of this kind writes, and whether it changes what is there. `None`: it came in elsewhere.
pub(super) fn asked_for(kind: &str) -> Option<(&str, bool)> {
    let kind = kind.strip_prefix(WRITE_KIND)?;
    Some(kind.strip_prefix(UPDATE).map_or((kind, false), |kind| (kind, true)))
}

/// What is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// A new resource; the only one that may come of these criteria, where there are any.
    New(Option<&'a BlindToken>),
    /// The one with this id.
    Known(&'a str),
}

/// A delivery that was asked for.
pub(super) struct Wanted {
    pub(super) message: MessageId,
    pub(super) delivery: DeliveryId,
    pub(super) is_new: bool,
}

impl<P: RemotePorts> Bridge<P> {
    /// Makes the delivery durable: on its queue, then in the ledger.
    pub(super) async fn want(
        &self,
        asked: &Asked<'_>,
        resource: &Resource,
        which: Which<'_>,
        said: &[u8],
    ) -> Result<Wanted, Refused> {
        let (connection, loaded) = (asked.connection(), &asked.product.loaded);
        let index = self.index_key(&connection.tenant()).await?;
        let request = asked.call.request;
        let key = match request.header("idempotency-key") {
            Some(key) if key.is_empty() || key.len() > LONGEST_KEY => {
                let text = format!("an Idempotency-Key has 1 to {LONGEST_KEY} characters");
                return Err(Refused::new(400, Code::Value, text));
            }
            Some(key) => format!("{}#{key}", asked.caller.subject()),
            None => format!("#{}", nonce()?),
        };
        let message = index.message(connection, &[b"fhir-api", key.as_bytes()]);
        let delivery = delivery_of(&message)?;
        let body = index.token(
            connection,
            "fhir-body",
            &docs_write(&[&request.method, &request.path, &String::from_utf8_lossy(said).into_owned()]),
        );
        let known = self.ledger().message(connection, &message).await?;
        if let Some((doc, _)) = &known {
            if !doc.find.contains(&body) {
                let text = "this Idempotency-Key was used for another request";
                return Err(Refused::new(422, Code::BusinessRule, text));
            }
            let begun = self.ledger().delivery(connection, &message, &delivery).await?;
            if begun.is_some_and(|doc| doc.attempts > 0) {
                return Ok(Wanted { message, delivery, is_new: false });
            }
        }
        if let Which::New(Some(criteria)) = which
            && let Some(message) = self.only_creation(asked, criteria, &message).await?
        {
            return Ok(Wanted { delivery: delivery_of(&message)?, message, is_new: false });
        }
        let (now, is_update) = (self.now(), matches!(which, Which::Known(_)));
        let url = if is_update { resource.reference() } else { resource.resource_type.clone() };
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [{
            "resource": resource.json,
            "request": {"method": if is_update { "PUT" } else { "POST" }, "url": url},
        }]});
        let keep = Keep::Payload(loaded.retention);
        let plain = bundle.to_string();
        let payload =
            self.pack(Purpose::Delivery, connection, delivery.as_str(), keep, plain.as_bytes()).await?;
        let lane_of = about(&resource.json).unwrap_or_else(|| match is_update {
            true => resource.reference(),
            false => message.to_string(),
        });
        let lane = index.lane(connection, &[b"fhir-api", lane_of.as_bytes()]);
        let task = DeliverTask {
            delivery: delivery.clone(),
            message: message.clone(),
            connection: connection.clone(),
            destination: connection.clone(),
            lane: lane.clone(),
            queued_at: now,
            payload,
            release: None,
            asked: true,
            tell: asked.query.asynchronous && loaded.tells_outcomes(),
        };
        let entry = Entry {
            body: docs_write(&OutboundTask::Deliver(task.clone())),
            group: lane.to_string(),
            dedup: delivery.to_string(),
        };
        self.ports.queue().send(QueueName::Outbound, vec![entry]).await?;
        let expires = stage::expires(now, loaded);
        self.ledger().queued(&task, expires).await?;
        // What a replay makes of it again.
        let payload =
            self.pack(Purpose::Message, connection, message.as_str(), keep, plain.as_bytes()).await?;
        let of_message = NormalizeTask {
            message: message.clone(),
            connection: connection.clone(),
            kind: format!("{WRITE_KIND}{}{}", if is_update { UPDATE } else { "" }, resource.resource_type),
            lane,
            received_at: now,
            payload,
            format: Format::Json,
            release: None,
            replay: 0,
        };
        let mut doc = MessageDoc::parked(&of_message, String::new(), now, expires);
        let sealed = match &of_message.payload {
            Payload::Inline(text) => BASE64.decode(text.as_bytes()).ok(),
            Payload::Stored(key) => {
                doc.stored = Some(key.clone());
                None
            }
        };
        doc.state = MessageState::Normalized;
        doc.destinations = vec![connection.clone()];
        doc.find = vec![body];
        doc.mapped_by = "fhir-api".to_owned();
        if known.is_none() {
            self.ledger().record_message(doc, sealed, 0).await?;
        }
        Ok(Wanted { message, delivery, is_new: known.is_none() })
    }
}

/// The delivery of a request: known by its message's digest, so that either leads to the other.
pub(super) fn delivery_of(message: &MessageId) -> Result<DeliveryId, Refused> {
    let digest = message.as_str().trim_start_matches("msg_");
    format!("dlv_{digest}")
        .parse()
        .map_err(|_| Refused::new(500, Code::Exception, "no delivery can be named"))
}

/// Why a delivery has come to nothing, for who asked.
pub(super) fn unsaid() -> Cause {
    Cause::new("delivery.unknown", "nothing is recorded of why")
}
