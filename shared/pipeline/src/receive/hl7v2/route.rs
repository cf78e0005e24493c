//! A port that several connections share: the header tells which one a message is for.

use std::sync::Arc;

use bridge_core::{Cause, config::Hl7v2Party, id::ConnectionId};
use bridge_hl7v2::{
    Message,
    ack::{Mode, Problem, ProblemCode, Verdict},
    charset::{Charset, Reading},
};

use super::{Prepared, Refused, answer::Stamp};
use crate::{
    bridge::Bridge,
    configuration::{ConfigurationError, Loaded},
    ports::Ports,
};

impl<P: Ports> Bridge<P> {
    /// The connection of `candidates` that a message is for: of those whose `sender` and `receiver` agree with
    /// MSH-3 to MSH-6, the one that asks for most; of equals the first. `None` when none agrees, or the message has
    /// no header that could be read.
    ///
    /// # Errors
    /// When a port fails or a configuration can't be read: which connection it is remains unknown.
    pub async fn route_hl7(
        &self,
        candidates: &[ConnectionId],
        frame: &[u8],
    ) -> Result<Option<Arc<Loaded>>, ConfigurationError> {
        let mut found: Option<(usize, Arc<Loaded>)> = None;
        let names = header(frame).and_then(|header| names(&header));
        for candidate in candidates {
            let Some(loaded) = self.connection(candidate).await? else { continue };
            let score = names.as_ref().and_then(|names| score(&loaded, names));
            if score.is_some_and(|score| found.as_ref().is_none_or(|(best, _)| score > *best)) {
                found = score.map(|score| (score, loaded));
            }
        }
        Ok(found.map(|(_, loaded)| loaded))
    }

    /// The answer to a message that is for none of the connections of its port, which `any` is one of. It is counted
    /// there.
    pub async fn refuse_unrouted_hl7(&self, any: &Arc<Loaded>, frame: &[u8]) -> Prepared {
        let text = "no connection of this port has this sender and receiver: see `sender` and `receiver`";
        let cause = Cause::new("hl7v2.unrouted", text).at("MSH-3");
        let problem = Problem::error(ProblemCode::UnknownKey, None, text);
        let refused = Refused { verdict: Verdict::Reject, problem, cause };
        let stamp = Stamp::new(any, self.now(), frame);
        let mode = any.hl7v2.as_ref().and_then(|site| site.ack).unwrap_or_default();
        let prepared = match header(frame).map(|line| Message::parse_as(line, LENIENT)) {
            Some(Ok(message)) => stamp.refuse(mode, &message, &refused),
            _ => stamp.illegible(Mode::default(), &refused).into_refused(refused.cause),
        };
        self.log_answer(any, frame.len(), &prepared, None).await;
        prepared
    }
}

/// Every byte is a character of this set: the names are only compared.
const LENIENT: Reading = Reading::Always(Charset::Windows1252);

/// The line of MSH.
fn header(frame: &[u8]) -> Option<&[u8]> {
    let frame = frame.trim_ascii_start();
    let frame = frame.strip_prefix(b"\x0b").unwrap_or(frame);
    frame.starts_with(b"MSH").then(|| frame.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or(frame))
}

/// The first components of MSH-3 to MSH-6.
fn names(line: &&[u8]) -> Option<[String; 4]> {
    let message = Message::parse_as(*line, LENIENT).ok()?;
    Some([3, 4, 5, 6].map(|n| message.header().field(n).component(1).text().trim().to_owned()))
}

fn score(loaded: &Loaded, [from, at, to, there]: &[String; 4]) -> Option<usize> {
    let site = loaded.hl7v2.as_ref()?;
    let score = |party: &Option<Hl7v2Party>, application: &str, facility: &str| {
        party.as_ref().map_or(Some(0), |party| party.matches(application, facility))
    };
    Some(score(&site.sender, from, at)? + score(&site.receiver, to, there)?)
}
