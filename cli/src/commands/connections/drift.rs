//! `bridge connections drift`: where payloads differ from what they usually look like. Names and types, never a value.

use bridge_core::id::ConnectionId;
use bridge_pipeline::watch::Shape;
use serde_json::json;

use crate::{
    environment,
    failure::Failure,
    output::{Out, Table},
    system::Pipeline,
    texts::count,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which connection
    connection: ConnectionId,
    /// From now on this is how payloads are
    #[arg(long)]
    accept: bool,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let id = &args.connection;
    super::existing(pipeline, id).await?;
    if args.accept {
        let actor = environment::actor("bridge connections drift --accept");
        let accepted = pipeline.accept_drift(id, &actor).await;
        let accepted = accepted.map_err(|error| Failure::World(error.to_string()))?;
        out.json(&json!({"connection": id, "accepted": accepted}));
        out.text(format_args!(
            "{} accepted: payloads of {id} are held against this now",
            count(accepted, "difference")
        ));
        return Ok(());
    }
    let shape = pipeline.shape(id).await?;
    out.json(&json!({"connection": id, "drifts": shape.drifts, "kinds": shape.kinds}));
    for line in lines(id, &shape) {
        out.text(line);
    }
    Ok(())
}

fn lines(id: &ConnectionId, shape: &Shape) -> Vec<String> {
    if shape.kinds.is_empty() {
        return vec![format!("no payload of {id} has been looked at yet: that is done once an hour")];
    }
    let mut lines = Vec::new();
    if !shape.drifts.is_empty() {
        let mut table = Table::new(&["kind", "place", "differs", "was", "is", "since"]);
        for drift in &shape.drifts {
            table.row([
                drift.kind.clone(),
                drift.place.clone(),
                drift.differs.word().to_owned(),
                drift.was.clone(),
                drift.is.clone(),
                drift.since.to_string(),
            ]);
        }
        lines.extend(table.lines());
        lines.push(String::new());
    }
    for kind in &shape.kinds {
        let state = if kind.learned { "known" } else { "being learned" };
        let (messages, places) = (count(usize::try_from(kind.messages).unwrap_or(0), "message"), kind.places);
        lines.push(format!("{}: {state}, from {messages} with {}", kind.kind, count(places, "place")));
    }
    if !shape.drifts.is_empty() {
        lines.push(format!("if that is right: bridge connections drift {id} --accept"));
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bridge_pipeline::watch::{Differs, Drift, Known};

    use super::*;

    #[test]
    fn differences_are_shown_with_what_to_do() {
        let id = "sunrise.drchrono".parse().unwrap();
        let drift = |place: &str, differs, was: &str, is: &str| Drift {
            kind: "PATIENT_MODIFY".to_owned(),
            place: place.to_owned(),
            differs,
            was: was.to_owned(),
            is: is.to_owned(),
            since: "2026-03-02T09:00:00Z".parse().unwrap(),
        };
        let shape = Shape {
            drifts: vec![
                drift("object.chart_id", Differs::Retyped, "text", "text or number"),
                drift("object.custom[]", Differs::New, "", "parts"),
                drift("object.email", Differs::Missing, "text", ""),
            ],
            kinds: vec![
                Known { kind: "PATIENT_CREATE".to_owned(), messages: 1, places: 9, learned: false },
                Known { kind: "PATIENT_MODIFY".to_owned(), messages: 240, places: 12, learned: true },
            ],
        };
        insta::assert_snapshot!(lines(&id, &shape).join("\n"));
        insta::assert_snapshot!(lines(&id, &Shape::default()).join("\n"));
    }
}
