//! `bridge exports preview`: PHI, so whoever looks says why.

use serde_json::json;

use super::Which;
use crate::{
    commands::messages::access, failure::Failure, local::state::State, output::Out, system::Pipeline,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Of so many of the resources that have changed
    #[arg(long, default_value_t = 5)]
    limit: usize,
    /// Why you look at patients' data; it is recorded
    #[arg(long)]
    reason: String,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, state: &State, args: &Args, out: Out) -> Result<(), Failure> {
    let Which { connection, export } = &args.which;
    args.which.find(pipeline).await?;
    access::record_of(state, &connection.tenant(), &format!("{connection}#{export}"), &args.reason)?;
    let preview = pipeline.preview_export(connection, export, args.limit).await?;
    let preview = match preview {
        None => return Err(Failure::Missing(format!("{connection} has no export `{export}`"))),
        Some(Err(cause)) => return Err(Failure::Wrong(cause.to_string())),
        Some(Ok(preview)) => preview,
    };
    let file = String::from_utf8_lossy(preview.file.expose());
    let held: Vec<_> =
        preview.held.iter().map(|(name, cause)| json!({"resource": name, "cause": cause})).collect();
    out.json(&json!({
        "changed": preview.changed, "looked": preview.looked, "records": preview.records, "file": file, "held": held,
    }));
    for line in file.split_inclusive(['\n', '\r']).map(|line| line.trim_end_matches(['\r', '\n'])) {
        if !line.is_empty() {
            out.text(line);
        }
    }
    out.text(format_args!(
        "-- {} records of {} of {} resources that have changed",
        preview.records, preview.looked, preview.changed
    ));
    for (reference, cause) in &preview.held {
        out.text(format_args!("-- would be set aside: {reference}  {cause}"));
    }
    Ok(())
}
