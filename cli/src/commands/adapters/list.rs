//! `bridge adapters list`.

use std::path::PathBuf;

use serde_json::json;

use super::{catalog, ways};
use crate::{
    failure::Failure,
    output::{Out, Table},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder of adapters, instead of those of this program
    #[arg(long, value_name = "FOLDER")]
    adapters: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(args: &Args, out: Out) -> Result<(), Failure> {
    let catalog = catalog(args.adapters.as_deref())?;
    let mut table = Table::new(&["adapter", "version", "product", "can"]);
    for adapter in catalog.names().filter_map(|name| catalog.get(name)) {
        let manifest = adapter.manifest();
        let ways = ways(manifest);
        out.json(&json!({
            "adapter": manifest.adapter, "version": manifest.version, "title": manifest.title, "can": ways,
        }));
        table.row([
            manifest.adapter.clone(),
            manifest.version.to_string(),
            manifest.title.clone(),
            ways.join(", "),
        ]);
    }
    for line in table.lines() {
        out.text(line);
    }
    Ok(())
}
