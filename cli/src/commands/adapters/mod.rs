//! `bridge adapters`: what is known of products, and whether it is true.

mod certify;
mod check;
mod list;
mod new;
mod show;
mod simulate;

use std::{path::Path, sync::Arc};

use bridge_adapters::{Adapter, Catalog};

use crate::{failure::Failure, output::Out};

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the adapters, and what each can do
    List(list::Args),
    /// Show what a connection of an adapter says and what it can do
    Show(show::Args),
    /// Look for mistakes in a folder of adapters
    Check(check::Args),
    /// Begin a new adapter
    New(new::Args),
    /// Prove that an adapter does with its product what it says
    Certify(certify::Args),
    /// Run the simulator of a product, and print a connection to it
    Simulate(simulate::Args),
}

/// Runs one.
pub(crate) async fn run(command: Command, out: Out) -> Result<(), Failure> {
    match command {
        Command::List(args) => list::run(&args, out),
        Command::Show(args) => show::run(&args, out),
        Command::Check(args) => check::run(&args, out),
        Command::New(args) => new::run(&args, out),
        Command::Certify(args) => certify::run(&args, out).await,
        Command::Simulate(args) => simulate::run(&args, out).await,
    }
}

/// The adapters of a folder, or those of this program.
pub(crate) fn catalog(folder: Option<&Path>) -> Result<Catalog, Failure> {
    let Some(folder) = folder else { return Ok(Catalog::builtin()) };
    Catalog::from_dir(folder).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::Wrong(lines.join("\n"))
    })
}

fn adapter(catalog: &Catalog, name: &str) -> Result<Arc<Adapter>, Failure> {
    catalog.get(name).cloned().ok_or_else(|| {
        let names: Vec<&str> = catalog.names().collect();
        Failure::Missing(format!("there is no adapter `{name}`; there are {}", names.join(", ")))
    })
}

/// The ways in and out that a manifest has, in the order of the pipeline.
fn ways(manifest: &bridge_core::manifest::Manifest) -> Vec<&'static str> {
    let api = manifest.api.as_deref();
    let of_api = |is: fn(&bridge_core::manifest::ResourceApi) -> bool| {
        api.is_some_and(|api| api.resources.values().any(is))
    };
    let ways = [
        (manifest.webhook.is_some() || manifest.open && manifest.hl7v2.is_none(), "webhooks"),
        (manifest.hl7v2.is_some(), "HL7 v2"),
        (of_api(|resource| resource.poll.is_some()), "polls"),
        (of_api(|resource| !resource.search.is_empty() || resource.read.is_some()), "reads"),
        (of_api(|resource| !resource.write.is_empty()), "writes"),
        (manifest.deliver.is_some(), "deliveries"),
    ];
    ways.into_iter().filter_map(|(has, way)| has.then_some(way)).collect()
}
