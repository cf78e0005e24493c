//! `receive`: what every door does with what arrives.
//!
//! find the connection → allow the sender → verify → cut into messages → name, seal and queue each → acknowledge.
//!
//! One durable write (the queue's) before the acknowledgement, none after it. What is turned away is counted with
//! its cause, and answered so that the sender's log says what to do.

mod body;
pub mod hl7v2;
pub(crate) mod messages;
mod refusal;
pub mod verify;

use std::sync::Arc;

use bridge_core::{
    Cause,
    http::{Request, Response},
    id::{ConnectionId, MessageId},
    manifest::{Challenge, OtherKinds, Webhook},
    task::{Format, InboundTask, NormalizeTask},
};
use bridge_seal::hmac_sha256;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

pub use refusal::Refusal;

use crate::{
    bridge::Bridge,
    configuration::Loaded,
    keys::Keep,
    ledger::docs_write,
    payload::Purpose,
    ports::{Entry, Ports, Queue, QueueName},
    remote::nonce,
    stage::Failure,
};

/// A message that a door accepts.
pub(crate) struct Incoming<'a> {
    pub(crate) format: Format,
    pub(crate) kind: &'a str,
    /// What makes it this message and no other.
    pub(crate) source_id: Vec<&'a [u8]>,
    /// What its lane is named by; `None` for a lane of its own.
    pub(crate) lane: Option<Vec<&'a [u8]>>,
    /// As they are sealed.
    pub(crate) bytes: &'a [u8],
}

/// Why a request was not accepted.
enum Stop {
    /// It is the request's fault.
    Refused(Refusal),
    /// It is ours: the sender must try again.
    Failed(Failure),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<P: Ports> Bridge<P> {
    /// Answers a request to `/webhooks/{connection}`.
    pub async fn receive(&self, connection: &str, request: &Request) -> Response {
        let id = connection.parse::<ConnectionId>().ok();
        let mut known = None;
        let accepted = match &id {
            Some(id) => self.accept(id, request, &mut known).await,
            None => Err(Refusal::unknown_connection().into()),
        };
        match accepted {
            Ok(response) => {
                say("accepted", id.as_ref(), request, &response, None);
                response
            }
            Err(stop) => self.turn_away(id.as_ref(), known.as_deref(), request, stop).await,
        }
    }

    /// Answers a request that is not taken. What is the request's fault is counted under its cause, at the connection
    /// if there is one.
    async fn turn_away(
        &self,
        id: Option<&ConnectionId>,
        known: Option<&Loaded>,
        request: &Request,
        stop: Stop,
    ) -> Response {
        let (response, outcome, cause) = match stop {
            Stop::Refused(refusal) => {
                let door = known.map(|loaded| &loaded.connection.connection);
                self.count_rejection(door, &refusal.cause, request.source).await;
                (refusal.response(), "refused", refusal.cause)
            }
            Stop::Failed(error) => {
                let cause = Cause::new("bridge.unavailable", error.to_string());
                (Refusal::unavailable().response(), "failed", cause)
            }
        };
        say(outcome, id, request, &response, Some(&cause));
        response
    }

    async fn accept(
        &self,
        id: &ConnectionId,
        request: &Request,
        known: &mut Option<Arc<Loaded>>,
    ) -> Result<Response, Stop> {
        let source = self.connection(id).await?.ok_or_else(Refusal::unknown_connection)?;
        *known = Some(source.clone());
        let webhook = source.webhook().ok_or_else(Refusal::no_webhook)?;
        verify::sender(&source.connection.allow_ips, request.source)?;
        match request.method.as_str() {
            "GET" => Ok(answer_challenge(&source, webhook, request)?),
            "POST" => self.accept_delivery(&source, webhook, request).await,
            _ => Err(Refusal::method().into()),
        }
    }

    async fn accept_delivery(
        &self,
        source: &Arc<Loaded>,
        webhook: &Webhook,
        request: &Request,
    ) -> Result<Response, Stop> {
        body::media_type(request, &webhook.content_types)?;
        body::size(request, webhook.max_body)?;
        let rule = &webhook.verify;
        verify::signature(rule, source.secret(rule.secret()), request, self.now())?;
        if messages::is_ignored(webhook, request) {
            return Ok(Response::json(200, &json!({"accepted": [], "ignored": 1})));
        }
        let messages = messages::cut(webhook, body::json(request, webhook.max_body)?, request)?;
        let (ours, others): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|message| message.rule.is_some());
        if !others.is_empty() && webhook.other_kinds == OtherKinds::Refuse {
            return Err(Refusal::kind().into());
        }
        let (mut entries, mut ids) = (Vec::with_capacity(ours.len()), Vec::with_capacity(ours.len()));
        for message in ours {
            let fetch = message.rule.and_then(|rule| rule.fetch.as_ref());
            let message = match fetch.filter(|fetch| source.has(fetch.needs.as_deref())) {
                // An event that only names a record, and has no id, looks like the one before: the record has changed meanwhile.
                Some(_) => message.found_in(nonce()?),
                None => message,
            };
            let (entry, id) = self.entry(source, &message).await?;
            entries.push(entry);
            ids.push(id);
        }
        if !entries.is_empty() {
            self.ports.queue().send(QueueName::Inbound, entries).await?;
        }
        let status = if ids.is_empty() { 200 } else { 202 };
        Ok(Response::json(status, &json!({"accepted": ids, "ignored": others.len()})))
    }

    /// A message that was cut out of something, as it is queued.
    pub(crate) async fn entry(
        &self,
        source: &Loaded,
        message: &messages::Cut<'_>,
    ) -> Result<(Entry, String), Failure> {
        let lane = message.lane().map(|parts| parts.iter().map(String::as_bytes).collect());
        let incoming = Incoming {
            format: Format::Json,
            kind: &message.kind,
            source_id: message.source_id(),
            lane,
            bytes: message.text.as_bytes(),
        };
        let (entry, id) = self.queue_entry(source, incoming).await?;
        Ok((entry, id.to_string()))
    }

    /// Names, seals and addresses a message: what is left to do is to queue it.
    pub(crate) async fn queue_entry(
        &self,
        source: &Loaded,
        incoming: Incoming<'_>,
    ) -> Result<(Entry, MessageId), Failure> {
        let connection = &source.connection.connection;
        let index = self.index_key(&connection.tenant()).await?;
        let id = index.message(connection, &incoming.source_id);
        let lane = match &incoming.lane {
            Some(parts) => index.lane(connection, parts),
            None => index.lane(connection, &[id.as_str().as_bytes()]),
        };
        let keep = Keep::Payload(source.retention);
        let payload = self.pack(Purpose::Message, connection, id.as_str(), keep, incoming.bytes).await?;
        let task = InboundTask::Normalize(NormalizeTask {
            message: id.clone(),
            connection: connection.clone(),
            kind: incoming.kind.to_owned(),
            lane: lane.clone(),
            received_at: self.now(),
            payload,
            format: incoming.format,
            release: None,
            replay: 0,
        });
        Ok((Entry { body: docs_write(&task), group: lane.to_string(), dedup: id.to_string() }, id))
    }
}

/// The line of a request.
fn say(
    outcome: &str,
    id: Option<&ConnectionId>,
    request: &Request,
    response: &Response,
    cause: Option<&Cause>,
) {
    let (code, why) = cause.map_or(("", ""), |cause| (&*cause.code, &*cause.text));
    let connection = id.map_or("", ConnectionId::as_str);
    let (status, bytes) = (response.status, request.body.expose().len());
    tracing::info!(target: "bridge::line", step = "receive", outcome, connection, status, bytes, code, why);
}

/// Proves the address to its sender.
fn answer_challenge(source: &Loaded, webhook: &Webhook, request: &Request) -> Result<Response, Refusal> {
    let parameter = |name: &str| {
        let mut pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| body::percent_decode(value))
    };
    let secret = |name: &str| source.secret(name).first().ok_or_else(Refusal::no_secret);
    match webhook.challenge.as_ref().ok_or_else(Refusal::no_challenge)? {
        Challenge::Hmac { query, secret: name, field } => {
            let text = parameter(query).ok_or_else(|| Refusal::challenge(query))?;
            let mac = hmac_sha256(secret(name)?.expose().as_bytes(), &[text.as_bytes()]);
            let mut answer = serde_json::Map::new();
            answer.insert(field.clone(), Value::String(HEXLOWER.encode(&mac)));
            Ok(Response::json(200, &Value::Object(answer)))
        }
        Challenge::Echo { query, token_query, secret: name } => {
            let text = parameter(query).ok_or_else(|| Refusal::challenge(query))?;
            let token = parameter(token_query).unwrap_or_default();
            if !verify::is_one_of(source.secret(name), token.as_bytes()) {
                return Err(Refusal::signature());
            }
            let mut response = Response::json(200, &Value::Null).with_header("content-type", "text/plain");
            response.body = text;
            Ok(response)
        }
    }
}
