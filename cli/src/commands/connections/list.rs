//! `bridge connections list`.

use std::collections::BTreeMap;

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
    let watches: BTreeMap<_, _> = pipeline
        .watches(&args.tenant)
        .await?
        .into_iter()
        .map(|watch| (watch.connection.clone(), watch))
        .collect();
    let headings =
        ["connection", "adapter", "state", "last message", "version", "applied", "by", "routes to"];
    let mut table = Table::new(&headings);
    for stored in connections {
        let connection: Connection = serde_norway::from_str(&stored.yaml)
            .map_err(|error| Failure::World(format!("{} can't be read: {error}", stored.connection)))?;
        let watch = watches.get(&stored.connection);
        let state = match watch {
            _ if connection.paused => "paused",
            Some(watch) if watch.silent.is_some() => "silent",
            _ => "open",
        };
        let heard = watch.and_then(|watch| watch.heard);
        let routes: Vec<String> = connection.routes.iter().map(|route| route.to.to_string()).collect();
        out.json(&json!({
            "connection": stored.connection, "adapter": connection.adapter, "state": state,
            "heard": heard, "silent_since": watch.and_then(|watch| watch.silent), "version": stored.version, "applied_at": stored.applied_at, "actor": stored.actor, "routes": routes,
        }));
        table.row([
            stored.connection.to_string(),
            connection.adapter,
            state.to_owned(),
            heard.map(|heard| heard.to_string()).unwrap_or_default(),
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
