//! What a practice is told of its file: a report as JSON and as CSV in the outbox, and the causes in words.

use bridge_core::{
    Cause,
    feed::{DeltaMode, Feed, Format, Shape},
    id::FileId,
};
use bridge_formats::delta::DeltaError;
use serde_json::json;

use super::{
    Job, Stopped,
    docs::{FileDoc, FileState, SnapshotDoc},
};
use crate::{
    bridge::Bridge,
    ports::{FilePorts, Files, PortError},
};

pub(super) fn no_feed_takes_it() -> Cause {
    let text = "no feed of the connection takes a file of this name: compare it with `keys`, or drop it into the feed's folder";
    Cause::new("file.no_feed", text)
}

pub(super) fn feed_is_gone() -> Cause {
    Cause::new(
        "file.no_feed",
        "the connection has this feed no longer: apply it again, then `bridge files retry`",
    )
}

pub(super) fn gone() -> Cause {
    Cause::new("file.gone", "the file is no longer in the bucket: drop it again")
}

pub(super) fn repeats(first: &FileId) -> Cause {
    Cause::new("file.duplicate", format!("{first} had the same bytes: its rows went on then"))
}

pub(super) fn superseded() -> Cause {
    Cause::new("file.superseded", "a later file of the same name has taken its place")
}

pub(super) fn older_snapshot(last: &SnapshotDoc) -> Cause {
    let text = format!(
        "{} was dropped later and is the feed's last snapshot: drop this one again if it counts",
        last.file
    );
    Cause::new("file.older", text)
}

/// What stands in the way of comparing snapshots.
pub(super) fn not_comparable(error: DeltaError) -> Stopped {
    let code = match &error {
        DeltaError::TooManyMissing { .. } => "file.too_many_missing",
        DeltaError::RepeatedKey { .. } => "file.repeated_key",
        _ => {
            let reason = error.to_string();
            return PortError { operation: "files.get", reason }.into();
        }
    };
    Stopped::Refused(Cause::new(code, error.to_string()))
}

pub(super) fn key_too_long(row: u64, _: &std::io::Error) -> Stopped {
    Stopped::Refused(Cause::new("file.key", "a key has more than 16 MiB").at(format!("record {row}")))
}

/// Stands in while a file of a feed that is gone is refused.
pub(super) fn no_feed() -> Feed {
    Feed {
        keys: String::new(),
        openpgp: None,
        file: Shape::of(Format::Csv),
        zone: None,
        columns: Vec::new(),
        key_columns: Vec::new(),
        mapping: String::new(),
        removal: None,
        lane: Vec::new(),
        version: None,
        find_by: Default::default(),
        batch: None,
        delta: Default::default(),
        bad_rows: Default::default(),
        limits: Default::default(),
    }
}

impl<P: FilePorts> Bridge<P> {
    /// Tells what became of a file, and lets the next have its turn. The ledger has the last word.
    pub(super) async fn settle_file(
        &self,
        job: &mut Job,
        state: FileState,
        cause: Option<Cause>,
    ) -> Result<(), Stopped> {
        let is_snapshot = job.feed.delta.mode == DeltaMode::Snapshot;
        let doc = &mut job.held.doc;
        (doc.state, doc.cause) = (state, cause);
        doc.updated_at = self.now();
        let outbox = doc.outbox();
        self.ports.files().put(&format!("{outbox}/report.json"), report_json(doc).into_bytes()).await?;
        self.ports.files().put(&format!("{outbox}/report.csv"), report_csv(doc).into_bytes()).await?;
        if state == FileState::Done {
            self.remember_content(&job.held.doc, is_snapshot).await?;
            if let Some(snapshot) = job.held.doc.progress.snapshot.clone() {
                job.held.feed.snapshot = Some(snapshot);
            }
        }
        job.held.doc.progress.checkpoint = None;
        self.end_file(job).await?;
        let doc = &job.held.doc;
        let (report, compared) = (&doc.progress.report, doc.compared());
        tracing::info!(
            target: "bridge::event", event = "file", file = doc.file.as_str(), connection = doc.connection.as_str(),
            feed = doc.feed, state = state.word(), received = report.received, bad = doc.progress.bad(),
            sent = doc.progress.sent, unchanged = compared.unchanged, deleted = compared.deleted
        );
        Ok(())
    }
}

/// The report of a file, as one JSON object.
pub fn report_json(doc: &FileDoc) -> String {
    let (progress, compared) = (&doc.progress, doc.compared());
    let report = &progress.report;
    json!({
        "file": doc.file, "connection": doc.connection, "feed": doc.feed, "name": doc.name, "bytes": doc.size,
        "dropped_at": doc.dropped_at, "state": doc.state, "at": doc.updated_at, "cause": doc.cause,
        "received": report.received, "valid": report.received - progress.bad().min(report.received),
        "changed": compared.changed, "unchanged": compared.unchanged, "deleted": compared.deleted,
        "bad": progress.bad(), "sent": progress.sent, "reasons": report.reasons,
    })
    .to_string()
}

/// The same as CSV: `what,count`, the reasons after the counts.
pub fn report_csv(doc: &FileDoc) -> String {
    let (progress, compared) = (&doc.progress, doc.compared());
    let report = &progress.report;
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut csv = format!("what,count\r\nstate,{}\r\n", doc.state.word());
    if let Some(cause) = &doc.cause {
        csv.push_str(&format!("cause,{}\r\n", quoted(&cause.to_string())));
    }
    let counts = [
        ("received", report.received),
        ("valid", report.received - progress.bad().min(report.received)),
        ("changed", compared.changed),
        ("unchanged", compared.unchanged),
        ("deleted", compared.deleted),
        ("bad", progress.bad()),
        ("sent", progress.sent),
    ];
    for (what, count) in counts {
        csv.push_str(&format!("{what},{count}\r\n"));
    }
    for (reason, count) in &report.reasons {
        csv.push_str(&format!("{},{count}\r\n", quoted(reason)));
    }
    csv
}
