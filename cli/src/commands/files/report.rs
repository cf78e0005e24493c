//! `bridge files report`.

use std::collections::BTreeMap;

use bridge_pipeline::files::{FileDoc, report_csv, report_json};
use serde_json::json;

use super::Which;
use crate::{
    failure::Failure,
    output::{Out, Table, print},
    system::Pipeline,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// As it stands in the outbox as CSV
    #[arg(long)]
    csv: bool,
    /// Count where its rows stand by now, too: one read of the ledger for each
    #[arg(long)]
    delivered: bool,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let doc = args.which.find(pipeline).await?;
    if args.csv && !out.json {
        print(report_csv(&doc));
    } else {
        show(&doc, out);
    }
    if args.delivered { show_rows(pipeline, &doc, out).await } else { Ok(()) }
}

/// Prints how far a file's rows have come.
async fn show_rows(pipeline: &Pipeline, doc: &FileDoc, out: Out) -> Result<(), Failure> {
    let connection = pipeline.connection(&doc.connection).await?;
    let Some(feed) = connection.as_ref().and_then(|known| known.connection.feeds.get(&doc.feed)) else {
        return Err(Failure::Missing(format!("{} has no feed `{}` any more", doc.connection, doc.feed)));
    };
    let Some(now) = pipeline.rows_now(doc, feed).await? else {
        out.text("  its messages have ids of their own: see `bridge messages list`");
        return Ok(());
    };
    let counts = now.standing.iter().map(|(standing, count)| (standing.word(), *count));
    let counts: BTreeMap<_, _> = counts.chain([("on the queue", now.queued)]).collect();
    out.json(&json!({"file": doc.file, "rows": counts}));
    let mut table = Table::new(&["by now", "rows"]);
    for (what, count) in counts {
        table.row([what.to_owned(), count.to_string()]);
    }
    for line in table.lines() {
        out.text(line);
    }
    Ok(())
}

/// Prints a file's report.
pub(super) fn show(doc: &FileDoc, out: Out) {
    out.json(&serde_json::from_str(&report_json(doc)).unwrap_or_default());
    let (progress, compared) = (&doc.progress, doc.compared());
    out.text(format_args!("{}  {}  {}", doc.file, doc.state.word(), doc.name));
    if let Some(cause) = &doc.cause {
        out.text(format_args!("  {cause}"));
    }
    let counts = [
        (progress.report.received, "received"),
        (progress.bad(), "bad"),
        (compared.changed, "changed"),
        (compared.unchanged, "unchanged"),
        (compared.deleted, "deleted"),
        (progress.sent, "sent"),
    ];
    let mut table = Table::new(&["what", "rows"]);
    for (count, what) in counts {
        table.row([what.to_owned(), count.to_string()]);
    }
    for (reason, count) in &progress.report.reasons {
        table.row([format!("  {reason}"), count.to_string()]);
    }
    for line in table.lines() {
        out.text(line);
    }
}
