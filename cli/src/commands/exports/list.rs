//! `bridge exports list`.

use bridge_core::id::TenantId;
use serde_json::json;

use crate::{
    failure::Failure,
    output::{Out, Table},
    system::Pipeline,
};

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, tenant: &TenantId, out: Out) -> Result<(), Failure> {
    let mut table =
        Table::new(&["connection", "export", "last", "next", "runs", "state", "set aside", "trouble"]);
    let exports = pipeline.exports(tenant, None).await?;
    for doc in &exports {
        let set_aside = pipeline.export_problems(&doc.connection, &doc.export).await?.len();
        out.json(&json!({"export": doc, "set_aside": set_aside}));
        let state = match (doc.paused, &doc.run) {
            (true, _) => "paused",
            (false, Some(_)) => "running",
            (false, None) => "waits",
        };
        table.row([
            doc.connection.to_string(),
            doc.export.clone(),
            doc.last.map(|at| at.to_string()).unwrap_or_default(),
            doc.due.to_string(),
            doc.runs.to_string(),
            state.to_owned(),
            set_aside.to_string(),
            doc.cause.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]);
    }
    if exports.is_empty() {
        out.text("no exports: declare one under `exports` of a connection (docs/exports.md)");
        return Ok(());
    }
    for line in table.lines() {
        out.text(line);
    }
    Ok(())
}
