//! `bridge feeds check`.

use std::{collections::BTreeMap, path::PathBuf};

use bridge_adapters::Catalog;
use bridge_core::{
    config::Connection,
    feed::{Feed, Format},
    id::ConnectionId,
    manifest::Adapters as _,
};
use bridge_formats::{Arriving, Quarantined, Step};
use bridge_mapping::{Context, Mapping};
use serde_json::{Value, json};

use super::sample;
use crate::{
    arguments::Global,
    failure::Failure,
    files::{self, Content},
    output::Out,
    system,
};

/// Bad rows that are shown.
const BAD: usize = 20;

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The sample
    path: PathBuf,
    /// Which feed
    #[arg(long)]
    feed: String,
    /// The connection's YAML file
    #[arg(long, value_name = "FILE", required_unless_present = "connection")]
    config: Option<PathBuf>,
    /// The connection, as a bridge knows it
    #[arg(long, conflicts_with = "config")]
    connection: Option<ConnectionId>,
    /// Show the resources of so many records
    #[arg(long, default_value_t = 3)]
    rows: usize,
}

/// Runs it.
pub(crate) async fn run(global: &Global, args: &Args, out: Out) -> Result<(), Failure> {
    let connection = connection(global, args).await?;
    let feed = connection.feeds.get(&args.feed).ok_or_else(|| {
        let known: Vec<&str> = connection.feeds.keys().map(String::as_str).collect();
        Failure::Missing(format!("there is no feed `{}`: {} has {known:?}", args.feed, connection.connection))
    })?;
    let mut results = connection.exports.values().filter_map(|export| export.result.as_ref());
    if results.any(|result| result.feed == args.feed) {
        let text = "reads the answers to an export: its rows become no resources";
        return Err(Failure::Wrong(format!("feeds.{}: {text}", args.feed)));
    }
    if let Some(problem) = feed.problems().first() {
        return Err(Failure::Wrong(format!("feeds.{}.{problem}", args.feed)));
    }
    let zone = feed.zone.as_ref().unwrap_or(&connection.zone);
    let mut file = Arriving::new(feed, zone);
    let (mut records, mut bad): (Vec<Value>, Vec<Quarantined>) = (Vec::new(), Vec::new());
    let read = sample::read(&args.path, |bytes, is_end| {
        file.push(bytes);
        if is_end {
            file.end();
        }
        let reached = file.read(|step| match step {
            Step::Good { json, .. } if records.len() < args.rows => {
                records.extend(serde_json::from_str::<Value>(json));
            }
            Step::Good { .. } => {}
            Step::Bad(rows) if bad.len() < BAD => bad.extend(rows),
            Step::Bad(_) => {}
        });
        reached.map(|_| true).map_err(|stop| Failure::Unsound(format!("{}: {stop}", args.path.display())))
    });
    show_rows(&bad, out);
    let report = file.report();
    let counts = json!({"received": report.received, "valid": report.valid, "bad": report.bad, "reasons": report.reasons});
    out.json(&json!({"report": counts}));
    out.text(format_args!("{} records: {} good, {} bad", report.received, report.valid, report.bad));
    read?;
    if feed.file.format != Format::Hl7Batch {
        show_resources(&connection, feed, &args.feed, &records, out)?;
    }
    match report.bad {
        0 => Ok(()),
        bad => Err(Failure::Unsound(format!("{bad} records are bad"))),
    }
}

async fn connection(global: &Global, args: &Args) -> Result<Connection, Failure> {
    if let Some(id) = &args.connection {
        let pipeline = system::find(&global.state(), global.endpoint.as_deref())?.pipeline().await;
        let found = pipeline.connection(id).await?;
        let found = found.ok_or_else(|| Failure::Missing(format!("there is no connection `{id}`")))?;
        return Ok(found.connection.clone());
    }
    let path = args.config.clone().unwrap_or_default();
    let wrong = |problems: Vec<files::Problem>| {
        Failure::Wrong(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let read = files::read(&path).map_err(wrong)?;
    let has_feed = |connection: &Connection| connection.feeds.contains_key(&args.feed);
    let connections = read.into_iter().filter_map(|file| match file.content {
        Content::Connection(connection) => Some(*connection),
        Content::Tenant(_) => None,
    });
    let missing = format!("no connection in {} has a feed `{}`", path.display(), args.feed);
    connections.into_iter().find(has_feed).ok_or(Failure::Missing(missing))
}

fn show_rows(bad: &[Quarantined], out: Out) {
    for row in bad {
        out.json(&serde_json::from_str(&row.to_json()).unwrap_or_default());
        let column = if row.column.is_empty() { String::new() } else { format!(", column {}", row.column) };
        out.text(format_args!("{}{column}: {}", row.place, row.reason));
    }
}

/// What the first records become. Their ids are those of no practice.
fn show_resources(
    connection: &Connection,
    feed: &Feed,
    name: &str,
    records: &[Value],
    out: Out,
) -> Result<(), Failure> {
    let catalog = Catalog::builtin();
    let of_adapter = || catalog.mapping(&connection.adapter, &feed.mapping);
    let text = connection.mappings.get(&feed.mapping).map(|own| own.as_str().into()).or_else(of_adapter);
    let text = text.ok_or_else(|| Failure::Wrong(format!("there is no mapping `{}`", feed.mapping)))?;
    let unsound = |text: String| Failure::Unsound(format!("mapping {}: {text}", feed.mapping));
    let mapping = Mapping::compile(&feed.mapping, &text).map_err(|error| unsound(error.to_string()))?;
    let settings =
        catalog.get(&connection.adapter).map(|adapter| adapter.settings(connection)).unwrap_or_default();
    let (kind, headers) = (Feed::kind(name), BTreeMap::new());
    let context = Context { zone: &connection.zone, kind: &kind, headers: &headers, settings: &settings };
    for (number, record) in records.iter().enumerate() {
        let mapped = mapping.apply(record, &context).map_err(|error| unsound(error.to_string()))?;
        let mapped = match mapped {
            Value::Null => Vec::new(),
            Value::Array(resources) => resources,
            resource => vec![resource],
        };
        let resources = bridge_fhir::assemble(uuid::Uuid::nil(), mapped)
            .map_err(|issue| unsound(format!("{}: {}", issue.path, issue.text)))?;
        for resource in resources {
            bridge_fhir::check(&resource.json).map_err(|issues| {
                let all = issues.iter().map(|issue| format!("{}: {}", issue.path, issue.text));
                unsound(all.collect::<Vec<_>>().join("; "))
            })?;
            out.json(&json!({"record": number + 1, "resource": resource.json}));
            out.text(format!("{:#}", resource.json));
        }
    }
    Ok(())
}
