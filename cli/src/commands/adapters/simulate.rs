//! `bridge adapters simulate`: a product on loopback, to try a connection on.

use bridge_simulators::{Seed, by_name, serve};
use serde_json::json;

use crate::{failure::Failure, output::Out};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which product
    adapter: String,
    /// Port [default: a free one]
    #[arg(long)]
    port: Option<u16>,
    /// The practice that the printed connection belongs to
    #[arg(long, default_value = "sunrise")]
    tenant: String,
}

/// Serves the product until Ctrl-C. What it prints is a connection's file.
pub(crate) async fn run(args: &Args, out: Out) -> Result<(), Failure> {
    let simulator = by_name(&args.adapter)
        .ok_or_else(|| Failure::Missing(format!("this program has no simulator of `{}`", args.adapter)))?;
    simulator.seed(&Seed::default());
    simulator.prepare();
    let served = serve(simulator, args.port).await?;
    let access = served.simulator.connection(&served.base);
    let connection = json!({
        "connection": format!("{}.{}", args.tenant, args.adapter), "adapter": args.adapter, "zone": access.zone,
        "poll": true, "settings": access.settings, "secrets": access.secrets,
        "routes": [{"to": format!("{}.practice-studio", args.tenant), "resources": ["Patient", "Appointment"]}],
    });
    let yaml = serde_norway::to_string(&connection).map_err(|error| Failure::World(error.to_string()))?;
    out.json(&json!({"base": served.base, "connection": connection}));
    out.text(format_args!("# {} at {} until Ctrl-C; a connection to it:\n{yaml}", args.adapter, served.base));
    tokio::signal::ctrl_c().await?;
    Ok(())
}
