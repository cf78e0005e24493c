//! `bridge messages show`: the record of a message and its deliveries; its payload only when asked for by `--reveal`.

use serde_json::json;

use super::{Which, access};
use crate::{
    failure::Failure,
    local::state::State,
    output::{Colour, Out, print},
    system::Pipeline,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Print what was received: protected health information. The access is recorded
    #[arg(long, requires = "reason")]
    reveal: bool,
    /// Why the payload is looked at
    #[arg(long)]
    reason: Option<String>,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, state: &State, args: &Args, out: Out) -> Result<(), Failure> {
    let Which { message, tenant } = &args.which;
    let one = args.which.find(pipeline).await?;
    if args.reveal {
        access::record(state, tenant, message, args.reason.as_deref().unwrap_or_default())?;
        let missing = || Failure::Missing(format!("{message} has no payload"));
        let payload = pipeline.reveal(tenant, message).await?.ok_or_else(missing)?;
        print(format_args!("{}\n", String::from_utf8_lossy(payload.expose())));
        return Ok(());
    }
    out.json(&json!({"message": one.message, "state": one.standing.word(), "deliveries": one.deliveries}));
    let doc = &one.message;
    out.text(format_args!(
        "{}  {}",
        out.style.paint(Colour::Strong, &doc.message),
        out.style.outcome(one.standing.word(), one.standing.word())
    ));
    let line = |name: &str, value: &str| {
        if !value.is_empty() {
            out.text(format_args!("  {name:<13} {value}"));
        }
    };
    line("connection", doc.connection.as_str());
    line("kind", &doc.kind);
    line("lane", doc.lane.as_str());
    line("received", &doc.received_at.to_string());
    line("mapped by", &doc.mapped_by);
    line("resources", &doc.resources.join(", "));
    line("superseded", &doc.superseded.join(", "));
    line("unchanged", &doc.unchanged.join(", "));
    line("cause", &doc.cause.as_ref().map(ToString::to_string).unwrap_or_default());
    doc.notes.iter().for_each(|note| line("not used", note));
    line(
        "replays",
        &doc.replays
            .iter()
            .map(|r| format!("{} by {}: {}", r.at, r.actor.name, r.actor.reason))
            .collect::<Vec<_>>()
            .join("; "),
    );
    line("kept until", &doc.expires.to_string());
    for delivery in &one.deliveries {
        let word = delivery.state.word();
        out.text(format_args!("  → {}  {}", delivery.destination, out.style.outcome(word, word)));
        line("  delivery", delivery.delivery.as_str());
        line("  lane", delivery.lane.as_str());
        line("  attempts", &delivery.attempts.to_string());
        line("  instead", delivery.instead.as_deref().unwrap_or_default());
        line("  cause", &delivery.cause.as_ref().map(ToString::to_string).unwrap_or_default());
    }
    Ok(())
}
