//! `bridge tenants`: practices.

use bridge_core::config::Tenant;

use super::connections::{self, apply};
use crate::{arguments::Global, failure::Failure, output::Out, system};

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Apply a file, or all files of a folder (the same as `connections apply`)
    Apply(apply::Args),
    /// Show a practice and its connections
    Show {
        /// Its id
        tenant: bridge_core::id::TenantId,
    },
}

/// Runs one.
pub(crate) async fn run(global: &Global, command: Command, out: Out) -> Result<(), Failure> {
    match command {
        Command::Apply(args) => connections::run(global, connections::Command::Apply(args), out).await,
        Command::Show { tenant } => {
            let pipeline = system::find(&global.state(), global.endpoint.as_deref())?.pipeline().await;
            let missing = || {
                Failure::Missing(format!(
                    "there is no tenant `{tenant}`: apply a file with `tenant: {tenant}`"
                ))
            };
            let known: Tenant = pipeline.tenant(&tenant).await?.ok_or_else(missing)?;
            let connections = pipeline.connections(&tenant).await?;
            out.json(&serde_json::json!({"tenant": known, "connections": connections.iter().map(|c| &c.connection).collect::<Vec<_>>()}));
            out.text(format_args!("{} ({})", known.tenant, known.name));
            out.text(format_args!(
                "payloads are kept {} days, the record {} days",
                known.retention.payload_days, known.retention.ledger_days
            ));
            for connection in connections {
                out.text(format_args!("  {}", connection.connection));
            }
            Ok(())
        }
    }
}
