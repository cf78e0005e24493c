//! The application acknowledgment of enhanced mode (HL7 v2.5.1 §2.9.3): what became of a message, told when it is known.
//!
//! The door has said CA by then, and the connection may be closed. So it is a message of its own, delivered like any other:
//! with attempts, back-off and a place in the ledger, and asking for a commit acknowledgment in return (ADR 21).

use bridge_core::{Cause, Phi, task::NormalizeTask};
use bridge_hl7v2::{
    Message,
    ack::{Acknowledgment, Code, Mode, Problem, ProblemCode, Verdict, Wanted},
};
use jiff::tz::TimeZone;

use super::send::control_id;
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    normalize::deliveries::speaks_hl7v2,
    ports::{Ports, Queue as _, QueueName},
    stage::Failure,
};

impl<P: Ports> Bridge<P> {
    /// Queues the acknowledgment that a message asks for in MSH-16, if its site has a way for it: AA when all was made of
    /// it, AE when `parked` says why nothing could be. Gives a note when it can't go the way that is configured.
    ///
    /// A message that was parked, repaired and released is told AE and then AA. A replay is nothing the sender asked for.
    pub(in crate::normalize) async fn acknowledge(
        &self,
        task: &NormalizeTask,
        source: &Loaded,
        received: &Phi<Vec<u8>>,
        parked: Option<&Cause>,
    ) -> Result<Option<String>, Failure> {
        let Some(site) = source.hl7v2.as_ref().filter(|_| task.replay == 0) else { return Ok(None) };
        let Some(to) = &site.acknowledge_to else { return Ok(None) };
        let Ok(message) = Message::parse_as(received.expose(), site.charset.unwrap_or_default()) else {
            return Ok(None);
        };
        let verdict = if parked.is_some() { Verdict::Error } else { Verdict::Accept };
        let wanted = Wanted::by(&message, site.ack.unwrap_or(Mode::AsAsked)).deferred(verdict);
        let Some(code) = wanted else { return Ok(None) };
        if !self.connection(to).await?.is_some_and(|to| speaks_hl7v2(&to)) {
            return Ok(Some(format!("{to}: no {code} was sent, it is no connection that HL7 v2 is sent to")));
        }
        let index = self.index_key(&task.connection.tenant()).await?;
        let delivery = index.acknowledgment(&task.message, to, code.as_str());
        let text = Text { made: made(task, source), control_id: control_id(delivery.as_str(), 1), code };
        let Some(body) = text.write(&message, parked) else {
            return Ok(Some(format!("{to}: no {code} can be written in the message's character set")));
        };
        // MSA-2 says what it is about: none has to wait for another.
        let lane = index.lane(to, &[b"acknowledgment", delivery.as_str().as_bytes()]);
        let entry = self.delivery_entry(task, source, to, delivery, lane, Phi::new(body)).await?;
        self.ports.queue().send(QueueName::Outbound, vec![entry]).await?;
        Ok(None)
    }
}

/// The same however often it is written.
struct Text {
    made: String,
    control_id: String,
    code: Code,
}

impl Text {
    fn write(&self, message: &Message<'_>, parked: Option<&Cause>) -> Option<Vec<u8>> {
        let bare = Acknowledgment::to(message, self.code)
            .made(&self.made)
            .control_id(&self.control_id)
            .asking_commit();
        let whole = match parked {
            Some(cause) => bare.clone().problem(problem(cause)),
            None => bare.clone(),
        };
        // Where the sender's character set can't hold the explanation, the code alone must do.
        whole.build().or_else(|_| bare.build()).ok()
    }
}

/// A cause names places and rules, as a problem does.
fn problem(cause: &Cause) -> Problem {
    Problem::error(ProblemCode::Internal, cause.place.parse().ok(), cause.text.clone())
}

/// When the message came, in the site's time.
fn made(task: &NormalizeTask, source: &Loaded) -> String {
    let zone = source.connection.zone.rules().unwrap_or(TimeZone::UTC);
    let at = jiff::Timestamp::from_millisecond(task.received_at.as_millis()).unwrap_or_default();
    at.to_zoned(zone).strftime("%Y%m%d%H%M%S%z").to_string()
}
