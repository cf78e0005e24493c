//! What is told of a run: its manifest beside the object, its result, and what stands in its way.

use bridge_core::{Cause, export::Export};
use serde_json::json;

use super::docs::{RunDoc, RunState};

pub(super) fn gone() -> Cause {
    Cause::new("export.gone", "the connection has this export no longer: apply it again, or leave it")
}

/// What lies beside a file: by it the receiver knows that the file is whole.
pub(super) fn manifest(run: &RunDoc, export: Option<&Export>) -> String {
    let name = run.object.as_deref().and_then(|key| key.rsplit('/').next());
    let upload = run.upload.as_ref();
    let format = export.map_or("", |export| export.file.format.name());
    let encryption = export.and_then(|export| export.openpgp.as_ref()).map(|_| "openpgp");
    json!({
        "export": run.export, "run": run.run, "number": run.number, "file": name, "format": format, "encryption": encryption,
        "period": {"from": run.from, "to": run.to}, "records": run.counts.records, "resources": run.counts.resources,
        "bytes": upload.map(|upload| upload.bytes), "sha256": upload.map(|upload| upload.sha256.as_str()),
    })
    .to_string()
}

/// What became of a run's records, once the receiver has said it.
pub(super) fn result(run: &RunDoc) -> String {
    let answers = run.answers.unwrap_or_default();
    json!({
        "export": run.export, "run": run.run, "number": run.number, "state": run.state,
        "records": run.counts.records, "accepted": answers.accepted, "rejected": answers.rejected,
        "unanswered": answers.unanswered,
    })
    .to_string()
}

/// One line for whoever follows events.
pub(super) fn log(run: &RunDoc) {
    let (counts, answers) = (&run.counts, run.answers.unwrap_or_default());
    tracing::info!(
        target: "bridge::event", event = "export", run = run.run.as_str(), connection = run.connection.as_str(),
        export = run.export, state = run.state.word(), resources = counts.resources, records = counts.records,
        held = counts.held, rejected = answers.rejected, unanswered = answers.unanswered
    );
    if run.state != RunState::Running && counts.held + answers.rejected > 0 {
        tracing::info!(
            target: "bridge::event", event = "export-set-aside", connection = run.connection.as_str(),
            export = run.export, run = run.run.as_str(), held = counts.held, rejected = answers.rejected
        );
    }
}
