//! What a header and an identification say: whether a message is accepted, which one it is, and its lane.

use std::borrow::Cow;

use bridge_convert::Event;
use bridge_core::{
    Cause,
    config::{Hl7v2Site, Identity},
    manifest::OtherKinds,
};
use bridge_hl7v2::{
    Message, SegmentView as _, Value,
    ack::{Problem, ProblemCode, Verdict},
    location::Location,
    segments::{Msa, Msh, Pid, Sch},
};
use bridge_seal::sha256;

use super::Refused;

/// What becomes of a message that could be read.
pub(super) enum Examined {
    /// It is taken, as this kind: type and trigger.
    Accepted(String),
    /// It is acknowledged and not kept, as the site asks.
    Ignored(Cause),
    /// It is an acknowledgment itself. Two systems that answer each other's answers never stop.
    Answer(Cause),
}

/// Whether the site takes such messages.
pub(super) fn examine(site: &Hl7v2Site, message: &Message<'_>) -> Result<Examined, Box<Refused>> {
    let header = message.header();
    let event = Event::of(header.field(9).first());
    if event.message == "ACK" || (message.first::<Msa<'_>>().is_some() && event.message.is_empty()) {
        let text =
            "an acknowledgment, which is not answered: send messages here, and answers on their connection";
        return Ok(Examined::Answer(Cause::new("hl7v2.acknowledgment", text).at("MSH-9")));
    }
    if !site.accepts_processing_id(header.field(11).component(1).raw().trim()) {
        let text = "the site takes no messages with this processing id: see `processing-ids`";
        return Err(refused("hl7v2.processing_id", 11, ProblemCode::UnsupportedProcessingId, text));
    }
    let is_code =
        |code: &str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !is_code(event.message) || !is_code(event.trigger) {
        let text = "the message type must be a code and a trigger event, for example ADT^A04";
        return Err(refused("hl7v2.event", 9, ProblemCode::UnsupportedMessageType, text));
    }
    if site.accepts(event.message, event.trigger) {
        return Ok(Examined::Accepted(event.to_string()));
    }
    match site.other_events.unwrap_or_default() {
        OtherKinds::Ignore => {
            let text = format!("{event} messages are acknowledged and not kept: see `other-events`");
            Ok(Examined::Ignored(Cause::new("hl7v2.ignored", text).at("MSH-9")))
        }
        OtherKinds::Refuse => {
            let text = format!("the site takes no {event} messages: see `events`");
            Err(refused("hl7v2.event", 9, ProblemCode::UnsupportedEvent, text))
        }
    }
}

fn refused(cause: &'static str, field: u32, code: ProblemCode, text: impl Into<String>) -> Box<Refused> {
    let text = text.into();
    let place = Location::segment(Msh::NAME, 1).field(field);
    Box::new(Refused {
        verdict: Verdict::Reject,
        cause: Cause::new(cause, text.clone()).at(place.to_string()),
        problem: Problem::error(code, Some(place), text),
    })
}

/// What makes it this message and no other (ADR 9).
pub(super) fn identity<'m>(site: &Hl7v2Site, message: &'m Message<'_>, frame: &[u8]) -> Vec<Cow<'m, [u8]>> {
    let header = message.header();
    let control_id = header.field(10).first().content();
    match (site.identity.unwrap_or_default(), control_id) {
        (Identity::ControlId, Some(control_id)) => {
            let raw = |n| Cow::Borrowed(header.field(n).raw().as_bytes());
            let control_id = Cow::Owned(control_id.trim().as_bytes().to_vec());
            vec![Cow::Borrowed(b"hl7v2"), control_id, raw(3), raw(4), raw(7)]
        }
        (Identity::Content, _) | (_, None) => {
            vec![Cow::Borrowed(b"hl7v2-content"), Cow::Owned(sha256(&[frame]).to_vec())]
        }
    }
}

/// What it is kept in order by: the patient's number, else the appointment's. The number alone, as one sender may
/// name its authority today and leave it out tomorrow; that two patients may share a lane does no harm.
pub(super) fn lane<'m>(site: &Hl7v2Site, message: &'m Message<'_>) -> Option<[Cow<'m, str>; 2]> {
    if let Some(id) = patient(site, message) {
        return Some(["patient".into(), id]);
    }
    let sch: Sch<'_> = message.first()?;
    let field = |n| sch.segment().field(n).first().part(1).content();
    field(2).or_else(|| field(1)).map(|id| ["appointment".into(), id])
}

/// The number of the first PID's patient: the survivor of a merge. As the conversion chooses it: the best of PID-3,
/// else PID-2, else PID-4.
fn patient<'m>(site: &Hl7v2Site, message: &'m Message<'_>) -> Option<Cow<'m, str>> {
    let pid: Pid<'m> = message.first()?;
    let segment = pid.segment();
    let held = segment.field(3).filled().filter(|cx| cx.part(1).content().is_some());
    let rank = |cx: &Value<'_>| site.patient_id_rank(cx.part(5).raw()).unwrap_or(usize::MAX);
    // Of equals the first.
    let best = held.min_by_key(rank).and_then(|cx| cx.part(1).content());
    best.or_else(|| [2, 4].into_iter().find_map(|n| segment.field(n).first().part(1).content()))
}
