//! `bridge files status`.

use bridge_core::id::{ConnectionId, FileId, TenantId};
use bridge_pipeline::files::FileDoc;
use serde_json::json;

use super::Which;
use crate::{
    failure::Failure,
    output::{Out, Table},
    system::Pipeline,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One file, `file_…` [default: all]
    file: Option<FileId>,
    /// Of which practice
    #[arg(long, default_value = "sunrise")]
    tenant: TenantId,
    /// Of one connection [default: all of the practice]
    #[arg(long)]
    connection: Option<ConnectionId>,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let mut files = Vec::new();
    if let Some(file) = &args.file {
        files.push(Which { file: file.clone(), tenant: args.tenant.clone() }.find(pipeline).await?);
    } else {
        let connections = match &args.connection {
            Some(one) => vec![one.clone()],
            None => pipeline.connections(&args.tenant).await?.into_iter().map(|s| s.connection).collect(),
        };
        for connection in connections {
            files.extend(pipeline.files(&connection, args.limit).await?);
        }
    }
    files.sort_by_key(|doc| std::cmp::Reverse(doc.dropped_at));
    files.truncate(args.limit);
    show(&files, out);
    Ok(())
}

fn show(files: &[FileDoc], out: Out) {
    let mut table =
        Table::new(&["dropped", "file", "connection", "feed", "state", "read", "sent", "bad", "what"]);
    for doc in files {
        out.json(&json!({
            "file": doc.file, "connection": doc.connection, "feed": doc.feed, "name": doc.name, "bytes": doc.size,
            "dropped_at": doc.dropped_at, "state": doc.state, "at": doc.updated_at, "phase": doc.progress.phase,
            "received": doc.progress.report.received, "sent": doc.progress.sent, "bad": doc.progress.bad(),
            "cause": doc.cause,
        }));
        table.row([
            doc.dropped_at.to_string(),
            doc.file.to_string(),
            doc.connection.to_string(),
            doc.feed.clone(),
            doc.state.word().to_owned(),
            share(doc),
            doc.progress.sent.to_string(),
            doc.progress.bad().to_string(),
            doc.cause.as_ref().map_or_else(|| doc.name.clone(), ToString::to_string),
        ]);
    }
    if files.is_empty() {
        out.text("no files: send one with `bridge files put FILE --connection …`");
        return;
    }
    for line in table.lines() {
        out.text(line);
    }
}

/// How much of a file's way is behind it. Packed files are larger when they are read: then the bytes are said.
fn share(doc: &FileDoc) -> String {
    let at = doc.progress.checkpoint.as_ref().map_or(0, |at| at.place.offset);
    match doc.state.is_final() {
        true => format!("{} rows", doc.progress.report.received),
        false if at <= doc.size && doc.size > 0 => format!("{} %", at * 100 / doc.size),
        false => format!("{at} bytes"),
    }
}
