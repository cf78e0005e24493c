//! `bridge messages trace`: the story of one message as a timeline.

use bridge_core::Timestamp;
use bridge_pipeline::queries::{Overview, Step};
use serde_json::json;

use super::Which;
use crate::{
    failure::Failure,
    output::{Colour, Out, Style},
    system::Pipeline,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let one = args.which.find(pipeline).await?;
    let steps = one.steps();
    out.json(&json!({
        "message": one.message.message, "connection": one.message.connection, "kind": one.message.kind,
        "state": one.standing.word(), "steps": steps,
    }));
    for line in timeline(&one, &steps, out.style) {
        out.text(line);
    }
    Ok(())
}

fn timeline(one: &Overview, steps: &[Step], style: Style) -> Vec<String> {
    let doc = &one.message;
    let begun = doc.received_at;
    let state = one.standing.word();
    let mut lines = vec![format!(
        "{}  {} {}  {}",
        style.paint(Colour::Strong, &doc.message),
        doc.connection,
        doc.kind,
        style.outcome(state, state)
    )];
    for step in steps {
        lines.push(line(step, begun, style));
    }
    lines
}

/// `12:00:01.250   +0.038 s  deliver    delivered  to sunrise.studio, attempt 2, 35 ms`
fn line(step: &Step, begun: Timestamp, style: Style) -> String {
    let mut what: Vec<String> = Vec::new();
    if let Some(destination) = &step.destination {
        what.push(format!("to {destination}"));
    }
    if let Some(attempt) = step.attempt {
        what.push(format!("attempt {attempt}"));
    }
    if !step.by.is_empty() {
        what.push(format!("by way of {}", step.by));
    }
    if let Some(took) = step.took_ms {
        what.push(format!("{took} ms"));
    }
    if let Some(actor) = &step.actor {
        what.push(format!("by {}: {}", actor.name, actor.reason));
    }
    if !step.note.is_empty() {
        what.push(step.note.clone());
    }
    if let Some(cause) = &step.cause {
        what.push(cause.to_string());
    }
    let after = step.at.as_millis() - begun.as_millis();
    let after =
        format!("{}{}.{:03} s", if after < 0 { '-' } else { '+' }, after.abs() / 1000, after.abs() % 1000);
    let outcome = format!("{:<13}", step.outcome);
    let line = format!(
        "  {}  {}  {:<9} {} {}",
        step.at,
        style.paint(Colour::Faint, format_args!("{after:>11}")),
        step.step,
        style.outcome(&step.outcome, outcome),
        what.join(", ")
    );
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bridge_pipeline::{
        ledger::{DeliveryDoc, MessageDoc},
        queries::Standing,
    };

    use super::*;

    fn doc<T: serde::de::DeserializeOwned>(document: serde_json::Value) -> T {
        serde_json::from_str(&document.to_string()).unwrap()
    }

    fn message(fields: serde_json::Value) -> MessageDoc {
        let mut document = json!({
            "message": "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa", "connection": "sunrise.opendental", "kind": "Patient",
            "lane": "lane_aaaaaaaaaaaaaaaaaaaaaaaaaa", "received_at": "2026-01-05T15:00:00.100Z", "order": "1",
            "state": "normalized", "normalized_at": "2026-01-05T15:00:00.145Z",
            "mapped_by": "opendental@1/patient", "resources": ["Patient/p1"],
            "destinations": ["sunrise.practice-studio"], "expires": "2032-01-05T00:00:00.000Z",
        });
        document.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        doc(document)
    }

    fn shown(message: MessageDoc, deliveries: Vec<DeliveryDoc>, standing: Standing) -> String {
        let one = Overview { message, deliveries, standing };
        timeline(&one, &one.steps(), Style::new(false)).join("\n")
    }

    #[test]
    fn a_delivery_that_needed_a_second_attempt() {
        let delivery = doc(json!({
            "delivery": "dlv_aaaaaaaaaaaaaaaaaaaaaaaaaa", "message": "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "source": "sunrise.opendental", "destination": "sunrise.practice-studio",
            "lane": "lane_bbbbbbbbbbbbbbbbbbbbbbbbbb", "queued_at": "2026-01-05T15:00:00.139Z",
            "state": {"delivered": {"at": "2026-01-05T15:00:02.031Z"}}, "attempts": 2, "tries": 2,
            "history": [
                {"number": 1, "at": "2026-01-05T15:00:00.180Z", "took_ms": 22, "outcome": "retry",
                 "cause": {"code": "destination.status", "text": "answered 503"}},
                {"number": 2, "at": "2026-01-05T15:00:02.000Z", "took_ms": 31, "outcome": "delivered"},
            ],
            "expires": "2032-01-05T00:00:00.000Z",
        }));
        let replays = json!({"replays": [{
            "at": "2026-01-05T16:00:00.000Z", "actor": {"name": "ada", "reason": "mapping fixed"}, "command": "c",
        }]});
        insta::assert_snapshot!(shown(message(replays), vec![delivery], Standing::Delivered));
    }

    #[test]
    fn a_delivery_that_went_another_way_says_which() {
        let delivery = doc(json!({
            "delivery": "dlv_aaaaaaaaaaaaaaaaaaaaaaaaaa", "message": "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "source": "sunrise.opendental", "destination": "sunrise.practice-studio",
            "lane": "lane_bbbbbbbbbbbbbbbbbbbbbbbbbb", "queued_at": "2026-01-05T15:00:00.139Z",
            "state": {"delivered": {"at": "2026-01-05T15:31:02.031Z"}}, "attempts": 2, "tries": 2,
            "history": [
                {"number": 1, "at": "2026-01-05T15:00:00.180Z", "took_ms": 22, "outcome": "retry", "by": "east",
                 "cause": {"code": "destination.status", "text": "answered 503"}},
                {"number": 2, "at": "2026-01-05T15:31:02.000Z", "took_ms": 31, "outcome": "delivered", "by": "outbox"},
            ],
            "instead": "outbox", "expires": "2032-01-05T00:00:00.000Z",
        }));
        insta::assert_snapshot!(shown(message(json!({})), vec![delivery], Standing::Delivered));
    }

    #[test]
    fn a_message_that_was_parked_says_why() {
        let parked = json!({
            "state": "parked", "resources": [], "destinations": [], "mapped_by": "",
            "cause": {"code": "fhir.invalid", "place": "Patient.birthDate", "text": "is not a date"},
        });
        insta::assert_snapshot!(shown(message(parked), Vec::new(), Standing::Parked));
    }
}
