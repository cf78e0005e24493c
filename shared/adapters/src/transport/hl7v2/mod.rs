//! HL7 v2 messages to a receiver, in order, each answered before the next is sent.
//!
//! A delivery holds one message or several (docs/adr/0010). It is delivered when all of them were accepted; a repeat
//! begins with the first, and MSH-10 tells the receiver which ones it knows.
//!
//! | what happened | outcome |
//! |---|---|
//! | an acknowledgment | as [`answer`] reads it |
//! | no connection, or it broke before a message was out | retry: the receiver cannot have it |
//! | no answer, a broken connection or an answer that can't be read | unknown |

mod address;
mod answer;
mod connection;
mod http;
mod pool;

use std::time::Duration;

use bridge_core::{
    Cause, Phi,
    config::{Answers, Connection, Hl7v2Site, Secret},
    destination::{Call, Outcome},
    manifest::Transport,
};
use bridge_hl7v2::{
    Message,
    batch::{self, Part},
    charset::{Charset, Reading},
};
use tokio::time::Instant;

pub(crate) use address::Address;
pub use address::MllpAddress;
pub use connection::{MllpConnection, MllpError};
pub(super) use pool::Pool;

use self::answer::Said;
use super::{
    Transports, configuration,
    tls::{Material, TlsFault},
};
use crate::{adapter::settings, template};

/// Makes one attempt.
pub(super) async fn deliver(ways: &Transports, call: &Call<'_>, time: Duration) -> Outcome {
    let target = match Target::of(call) {
        Ok(target) => target,
        Err(cause) => return Outcome::Rejected(cause),
    };
    let Some(messages) = cut(call.body.expose()) else {
        let text = "what is to be delivered is not HL7 v2: replay the message after a change of the adapter";
        return Outcome::Rejected(Cause::new("destination.payload", text));
    };
    let by = Instant::now() + time;
    let outcome = match &target.address {
        Address::Mllp(address) => over_mllp(ways, &target, address, &messages, by).await,
        Address::Http(url) => http::deliver(ways, &target, url, &messages, by, call.now).await,
    };
    outcome.unwrap_or(Outcome::Delivered)
}

/// Where the messages go, and what the connection says of it.
struct Target<'a> {
    address: Address,
    ca: String,
    identity: Option<&'a Phi<String>>,
    authorization: Option<&'a Phi<String>>,
    answers: Answers,
}

impl<'a> Target<'a> {
    fn of(call: &Call<'a>) -> Result<Self, Cause> {
        let Some(Transport::Hl7v2 { url, ca, authorization, identity }) =
            call.manifest.deliver.as_ref().map(|deliver| &deliver.transport)
        else {
            return Err(configuration("the adapter takes no HL7 v2", "adapter"));
        };
        let settings = settings(call.connection, call.manifest);
        let address = template::fill(url, &settings).ok().and_then(|text| Address::parse(&text));
        let secret = |name: &Option<String>| name.as_deref().and_then(|name| secret(call.connection, name));
        Ok(Self {
            address: address
                .ok_or_else(|| configuration("the destination's address cannot be used", "settings"))?,
            ca: template::fill(ca, &settings)
                .map_err(|_| configuration("the destination's CA cannot be used", "settings"))?,
            identity: secret(identity),
            authorization: secret(authorization),
            answers: answers(call),
        })
    }

    fn material(&self) -> Material<'_> {
        Material { ca: &self.ca, identity: self.identity }
    }
}

fn secret<'a>(connection: &'a Connection, name: &str) -> Option<&'a Phi<String>> {
    connection.secrets.get(name).map(Secret::values).unwrap_or_default().first()
}

/// The connection's word, else the adapter's, else what goes without saying.
fn answers(call: &Call<'_>) -> Answers {
    let send = |site: &Option<Box<Hl7v2Site>>| Some(site.as_ref()?.send.as_ref()?.answers.clone());
    send(&call.connection.hl7v2).or_else(|| send(&call.manifest.hl7v2)).unwrap_or_default()
}

/// A message of a delivery.
struct Outgoing<'a> {
    bytes: &'a [u8],
    /// MSH-10.
    control_id: String,
}

/// The messages of a delivery; none when it is something else.
fn cut(body: &[u8]) -> Option<Vec<Outgoing<'_>>> {
    let messages: Option<Vec<_>> = batch::split(body)
        .map(|part| match part {
            Part::Message(lines) => outgoing(lines.bytes),
            _ => None,
        })
        .collect();
    messages.filter(|messages| !messages.is_empty())
}

fn outgoing(bytes: &[u8]) -> Option<Outgoing<'_>> {
    let line = bytes.split(|b| *b == b'\r').next()?;
    // Every byte is a character of this set, and MSH-10 is ASCII.
    let header = Message::parse_as(line, Reading::Always(Charset::Windows1252)).ok()?;
    let control_id = header.header().field(10).text().into_owned();
    (!control_id.is_empty()).then_some(Outgoing { bytes, control_id })
}

/// `None`: all were accepted.
async fn over_mllp(
    ways: &Transports,
    target: &Target<'_>,
    address: &MllpAddress,
    messages: &[Outgoing<'_>],
    by: Instant,
) -> Option<Outcome> {
    let material = target.material();
    let tls = match ways.configs.get(&material) {
        Ok(tls) => tls,
        Err(fault) => return Some(Outcome::Rejected(no_tls(fault))),
    };
    let key = (address.clone(), material.fingerprint());
    let mut connection = match ways.pool.take(&key, tls).await {
        Ok(connection) => connection,
        Err(error) => return Some(failed(&error)),
    };
    for (n, message) in (1..).zip(messages) {
        match exchange(&mut connection, message, &target.answers, by).await {
            Ok(Outcome::Delivered) => {}
            Ok(outcome) => {
                ways.pool.keep(&key, connection);
                return Some(which(outcome, n, messages.len()));
            }
            // An answer may still come on it, and would be taken for another message's.
            Err(outcome) => return Some(which(outcome, n, messages.len())),
        }
    }
    ways.pool.keep(&key, connection);
    None
}

/// Sends a message and waits for its answer. `Err` when the connection is of no more use.
async fn exchange(
    connection: &mut MllpConnection,
    message: &Outgoing<'_>,
    answers: &Answers,
    by: Instant,
) -> Result<Outcome, Outcome> {
    connection.send(message.bytes, by).await.map_err(|error| failed(&error))?;
    let mut others = 0;
    loop {
        match connection.answer(by).await {
            Ok(bytes) => match answer::read(&bytes, &message.control_id, answers) {
                Said::This(outcome @ Outcome::Unknown(_)) => return Err(outcome),
                Said::This(outcome) => return Ok(outcome),
                Said::Another => others += 1,
            },
            Err(MllpError::Silent | MllpError::Broken) if others > 0 => {
                let text = "what was answered is another message: MSA-2 is not our MSH-10";
                return Err(Outcome::Unknown(Cause::new("destination.answer", text).at("MSA-2")));
            }
            Err(error) => return Err(failed(&error)),
        }
    }
}

/// Says which of several messages an outcome is about.
fn which(outcome: Outcome, n: usize, of: usize) -> Outcome {
    let name = |cause: Cause| {
        let text = if of > 1 { format!("message {n} of {of}: {}", cause.text) } else { cause.text };
        Cause { text, ..cause }
    };
    match outcome {
        Outcome::Delivered => Outcome::Delivered,
        Outcome::Retry { after, cause } => Outcome::Retry { after, cause: name(cause) },
        Outcome::Throttled { after, cause } => Outcome::Throttled { after, cause: name(cause) },
        Outcome::Rejected(cause) => Outcome::Rejected(name(cause)),
        Outcome::Unknown(cause) => Outcome::Unknown(name(cause)),
    }
}

fn failed(error: &MllpError) -> Outcome {
    let cause = |code: &str| Cause::new(code, error.to_string());
    let retry = |code: &str| Outcome::Retry { after: None, cause: cause(code) };
    match error {
        MllpError::Connect(_) => retry("destination.connect"),
        MllpError::Tls(_) => retry("destination.tls"),
        MllpError::Unsent(_) => retry("destination.broken"),
        MllpError::Public => Outcome::Rejected(cause("destination.configuration").at("settings")),
        MllpError::Frame(_) => Outcome::Rejected(cause("destination.payload")),
        MllpError::Broken => Outcome::Unknown(cause("destination.broken")),
        MllpError::Silent => Outcome::Unknown(cause("destination.timeout")),
        MllpError::TooLarge => Outcome::Unknown(cause("destination.answer")),
    }
}

fn no_tls(fault: TlsFault) -> Cause {
    Cause::new("destination.configuration", format!("TLS can't be used: {fault}"))
}
