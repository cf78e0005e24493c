//! Creating and changing: a delivery to the product, durable before anything is answered.

use bridge_core::{
    Cause, Phi,
    id::{DeliveryId, MessageId},
    manifest::{On, ResourceApi},
    task::{DeliverTask, Format, NormalizeTask, OutboundTask, Payload},
};
use bridge_fhir::Resource;
use serde_json::{Value, json};

use super::{
    Asked,
    access::May,
    query::has_json,
    refusal::{Code, Refused},
    reply::{Reply, version_of},
    watch::Watched,
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
const KIND: &str = "fhir.";
const UPDATE: &str = "update.";

/// The resource type that a message of this kind writes, and whether it changes what is there. `None`: it came in elsewhere.
pub(super) fn asked_for(kind: &str) -> Option<(&str, bool)> {
    let kind = kind.strip_prefix(KIND)?;
    Some(kind.strip_prefix(UPDATE).map_or((kind, false), |kind| (kind, true)))
}

/// A delivery that was asked for.
pub(super) struct Wanted {
    pub(super) message: MessageId,
    pub(super) delivery: DeliveryId,
    pub(super) is_new: bool,
}

impl<P: RemotePorts> Bridge<P> {
    pub(super) async fn fhir_create(&self, asked: &Asked<'_>, kind: &str) -> Result<Reply, Refused> {
        let rules = writable(asked, kind, On::Create)?;
        if asked.call.request.header("if-none-exist").is_some() {
            let text = "conditional creates are not supported: send an Idempotency-Key";
            return Err(Refused::new(412, Code::NotSupported, text));
        }
        let mut resource = body(asked, kind)?;
        // Ids and versions are given by who keeps the resource (FHIR R4, section 3.1.0.8).
        if let Some(fields) = resource.as_object_mut() {
            fields.shift_remove("id");
        }
        check(&resource)?;
        self.write_and_watch(asked, rules, kind, None, resource).await
    }

    pub(super) async fn fhir_update(
        &self,
        asked: &Asked<'_>,
        kind: &str,
        id: &str,
    ) -> Result<Reply, Refused> {
        let rules = writable(asked, kind, On::Update)?;
        let mut resource = body(asked, kind)?;
        if resource.get("id").and_then(Value::as_str) != Some(id) {
            let text = "the resource's id must be the one of the address";
            return Err(Refused::new(400, Code::Invalid, text).at(format!("{kind}.id")));
        }
        check(&resource)?;
        let reference = format!("{kind}/{id}");
        let unknown = "this connection knows no such resource: it is created by POST";
        let unknown = || Refused::new(404, Code::NotFound, unknown);
        let known =
            self.known_resource(&asked.connection().tenant(), &reference).await?.ok_or_else(unknown)?;
        let own = asked.product.id_of(&known).ok_or_else(unknown)?;
        if let Some(expected) = asked.call.request.header("if-match") {
            let current = match rules.read {
                Some(_) if asked.caller.may(kind, May::Read) => self.find(asked, kind, id).await?.resource,
                _ => Phi::new(known),
            };
            if expected != format!("W/\"{}\"", version_of(current.expose())) {
                let text = "the resource has been changed: read it again";
                return Err(Refused::new(412, Code::Conflict, text));
            }
        }
        // The product is told which of its records is meant, whatever of its identifiers came along.
        let system = asked.product.system(kind).unwrap_or_default();
        name(&mut resource, &system, own.expose());
        self.write_and_watch(asked, rules, kind, Some(id), resource).await
    }

    async fn write_and_watch(
        &self,
        asked: &Asked<'_>,
        rules: &ResourceApi,
        kind: &str,
        id: Option<&str>,
        json: Value,
    ) -> Result<Reply, Refused> {
        let said = json.to_string();
        let mut resources =
            [Resource { resource_type: kind.to_owned(), id: id.unwrap_or_default().to_owned(), json }];
        relative(&mut resources[0].json, asked.call.base);
        self.identify(&asked.product, &mut resources).await?;
        let [resource] = resources;
        known_references(asked, &resource.json, &mut kind.to_owned())?;
        let wanted = self.want(asked, &resource, id.is_some(), said.as_bytes()).await?;
        tracing::debug!(delivery = %wanted.delivery, new = wanted.is_new, kind = %rules.kind, "asked for");
        let watched =
            Watched { message: &wanted.message, delivery: &wanted.delivery, is_update: id.is_some() };
        self.watch(asked, &watched, asked.query.asynchronous).await
    }

    /// Makes the delivery durable: on its queue, then in the ledger.
    async fn want(
        &self,
        asked: &Asked<'_>,
        resource: &Resource,
        is_update: bool,
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
        let now = self.now();
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
        };
        let entry = Entry {
            body: docs_write(&OutboundTask::Deliver(task.clone())),
            group: lane.to_string(),
            dedup: delivery.to_string(),
        };
        self.ports.queue().send(QueueName::Outbound, vec![entry]).await?;
        let expires = stage::expires(now, loaded);
        self.ledger().queued(&task, expires).await?;
        let of_message = NormalizeTask {
            message: message.clone(),
            connection: connection.clone(),
            kind: format!("{KIND}{}{}", if is_update { UPDATE } else { "" }, resource.resource_type),
            lane,
            received_at: now,
            payload: Payload::Inline(String::new()),
            format: Format::Json,
            release: None,
            replay: 0,
        };
        let mut doc = MessageDoc::parked(&of_message, String::new(), now, expires);
        doc.state = MessageState::Normalized;
        doc.destinations = vec![connection.clone()];
        doc.find = vec![body];
        doc.mapped_by = "fhir-api".to_owned();
        if known.is_none() {
            self.ledger().record_message(doc, None, 0).await?;
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

fn writable<'a>(asked: &'a Asked<'_>, kind: &str, on: On) -> Result<&'a ResourceApi, Refused> {
    let may = if on == On::Create { May::Create } else { May::Update };
    let rules = asked.rules(kind, may)?;
    let can = rules.write.iter().any(|write| write.on == on);
    can.then_some(rules).ok_or_else(|| Refused::interaction(asked.allowed(kind, on == On::Create)))
}

/// The resource in the body.
fn body(asked: &Asked<'_>, kind: &str) -> Result<Value, Refused> {
    let request = asked.call.request;
    if !has_json(request) {
        return Err(Refused::new(415, Code::NotSupported, "bodies are application/fhir+json, of FHIR 4.0"));
    }
    let json: Value = serde_json::from_slice(request.body.expose()).map_err(|error| {
        let text = format!("the body is not JSON: line {}, column {}", error.line(), error.column());
        Refused::new(400, Code::Structure, text)
    })?;
    if json.get("resourceType").and_then(Value::as_str) != Some(kind) {
        let text = "the body must be a resource of the address's type";
        return Err(Refused::new(400, Code::Invalid, text).at("resourceType"));
    }
    Ok(json)
}

fn check(resource: &Value) -> Result<(), Refused> {
    bridge_fhir::check(resource).map_err(|issues| Refused::not_fhir(&issues))
}

/// Puts the product's own id first among the identifiers.
fn name(resource: &mut Value, system: &str, id: &str) {
    let own = json!({"system": system, "value": id});
    let Some(fields) = resource.as_object_mut() else { return };
    match fields.entry("identifier").or_insert_with(|| json!([])) {
        Value::Array(identifiers) => {
            identifiers.retain(|known| known.get("system").and_then(Value::as_str) != Some(system));
            identifiers.insert(0, own);
        }
        one => *one = own,
    }
}

/// References by our own address become relative.
fn relative(value: &mut Value, base: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| relative(item, base)),
        Value::Object(fields) => {
            for (field, value) in fields {
                match value {
                    Value::String(reference) if field == "reference" => {
                        let own = reference.strip_prefix(base).and_then(|rest| rest.strip_prefix('/'));
                        if let Some(own) = own.map(str::to_owned) {
                            *reference = own;
                        }
                    }
                    value => relative(value, base),
                }
            }
        }
        _ => {}
    }
}

/// Refuses references to what the product has its own ids for, and which it does not know.
fn known_references(asked: &Asked<'_>, value: &Value, path: &mut String) -> Result<(), Refused> {
    let length = path.len();
    let mut go = |value: &Value, step: String| {
        path.push_str(&step);
        let went = known_references(asked, value, path);
        path.truncate(length);
        went
    };
    match value {
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| go(item, format!("[{index}]")))
        }
        Value::Object(fields) => {
            let reference = fields.get("reference").and_then(Value::as_str);
            let kind = reference.and_then(|reference| reference.split_once('/')).map(|(kind, _)| kind);
            let is_theirs = kind.is_some_and(|kind| asked.product.api().resources.contains_key(kind));
            if is_theirs && !fields.contains_key("identifier") {
                let text = "this connection knows nothing of what is referred to: search for it first";
                return Err(Refused::new(422, Code::NotFound, text).at(format!("{path}.reference")));
            }
            fields.iter().try_for_each(|(name, field)| go(field, format!(".{name}")))
        }
        _ => Ok(()),
    }
}

/// The patient whom a resource is about: their changes are made one after the other.
fn about(resource: &Value) -> Option<String> {
    match resource {
        Value::Array(items) => items.iter().find_map(about),
        Value::Object(fields) => {
            let reference = fields.get("reference").and_then(Value::as_str);
            let patient = reference.filter(|reference| reference.starts_with("Patient/")).map(str::to_owned);
            patient.or_else(|| fields.values().find_map(about))
        }
        _ => None,
    }
}

/// Why a delivery has come to nothing, for who asked.
pub(super) fn unsaid() -> Cause {
    Cause::new("delivery.unknown", "nothing is recorded of why")
}
