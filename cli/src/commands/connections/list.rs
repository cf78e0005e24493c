//! `bridge connections list`.

use bridge_core::{config::Connection, id::TenantId};
use serde_json::json;

use crate::{
    failure::Failure,
    output::{Out, Table},
    system::Pipeline,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which practice
    #[arg(default_value = "sunrise")]
    tenant: TenantId,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let connections = pipeline.connections(&args.tenant).await?;
    if connections.is_empty() {
        return Err(Failure::Missing(format!(
            "the tenant `{}` has no connections: apply some first",
            args.tenant
        )));
    }
    let mut table = Table::new(&["connection", "adapter", "state", "version", "applied", "by", "routes to"]);
    for stored in connections {
        let connection: Connection = serde_norway::from_str(&stored.yaml)
            .map_err(|error| Failure::World(format!("{} can't be read: {error}", stored.connection)))?;
        let state = if connection.paused { "paused" } else { "open" };
        let routes: Vec<String> = connection.routes.iter().map(|route| route.to.to_string()).collect();
        out.json(&json!({
            "connection": stored.connection, "adapter": connection.adapter, "state": state,
            "version": stored.version, "applied_at": stored.applied_at, "actor": stored.actor, "routes": routes,
        }));
        table.row([
            stored.connection.to_string(),
            connection.adapter,
            state.to_owned(),
            stored.version.to_string(),
            stored.applied_at.to_string(),
            stored.actor.name,
            routes.join(", "),
        ]);
    }
    for line in table.lines() {
        out.text(line);
    }
    Ok(())
}
