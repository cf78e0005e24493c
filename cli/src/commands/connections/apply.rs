//! `bridge connections apply`: checks everything first, then stores what has changed.

use std::path::PathBuf;

use bridge_adapters::Catalog;
use bridge_core::{
    config::{Connection, Secret, Tenant},
    id::{ConnectionId, TenantId},
};
use serde_json::json;

use crate::{
    environment,
    failure::Failure,
    files::{self, Content, File, Known, Problem},
    output::{Colour, Out},
    system::Pipeline,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A YAML file, or a folder of them
    path: PathBuf,
    /// Why; kept with the version
    #[arg(long, default_value = "")]
    reason: String,
    /// Only check
    #[arg(long)]
    dry_run: bool,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let mut files = files::read(&args.path).map_err(wrong)?;
    let known = known(pipeline, &files).await?;
    let problems = files::check(&files, &known, &Catalog::builtin());
    if !problems.is_empty() {
        return Err(wrong(problems));
    }
    let mut connections = Vec::new();
    // Tenants first: their connections are sealed under their keys.
    files.sort_by_key(|file| file.connection().is_some());
    for file in &files {
        let mut file = file.clone();
        if let Content::Connection(connection) = &mut file.content {
            let mut resolved = (**connection).clone();
            files::resolve(&file, &mut resolved, environment::variable).map_err(wrong)?;
            connections.push(resolved);
        }
    }
    for file in &files {
        if let Content::Tenant(tenant) = &file.content {
            let changed = apply_tenant(pipeline, tenant, args.dry_run).await?;
            say(out, "tenant", tenant.tenant.as_str(), changed.then_some(None));
        }
    }
    for connection in connections {
        let id = connection.connection.clone();
        let version = apply_connection(pipeline, connection, &args.reason, args.dry_run).await?;
        say(out, "connection", id.as_str(), version);
    }
    if args.dry_run {
        out.text("nothing was applied: this was a dry run");
    }
    Ok(())
}

/// All problems, a line each.
fn wrong(problems: Vec<Problem>) -> Failure {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Failure::Wrong(match lines.as_slice() {
        [one] => one.clone(),
        lines => format!("{} problems\n{}", lines.len(), lines.join("\n")),
    })
}

/// `changed`: nothing when nothing was, else the new version if there is one.
fn say(out: Out, what: &str, id: &str, changed: Option<Option<u32>>) {
    let word = if changed.is_some() { "applied" } else { "unchanged" };
    let version = changed.flatten();
    out.json(&json!({what: id, "result": word, "version": version}));
    let colour = if changed.is_some() { Colour::Good } else { Colour::Faint };
    let version = version.map_or_else(String::new, |version| format!("  version {version}"));
    out.text(format_args!("{}  {id}{version}", out.style.paint(colour, format_args!("{word:<9}"))));
}

/// Stores a tenant; whether it was new or different.
pub(crate) async fn apply_tenant(
    pipeline: &Pipeline,
    tenant: &Tenant,
    dry_run: bool,
) -> Result<bool, Failure> {
    let changed = pipeline.tenant(&tenant.tenant).await?.as_ref() != Some(tenant);
    if changed && !dry_run {
        pipeline.apply_tenant(tenant).await?;
    }
    Ok(changed)
}

/// Stores a connection; nothing when it is as it was, else the new version (none in a dry run).
pub(crate) async fn apply_connection(
    pipeline: &Pipeline,
    connection: Connection,
    reason: &str,
    dry_run: bool,
) -> Result<Option<Option<u32>>, Failure> {
    if let Some(current) = pipeline.connection(&connection.connection).await? {
        let same_secret = |(name, secret): (&String, &Secret)| {
            current.connection.secrets.get(name).map(Secret::values) == Some(secret.values())
        };
        let same_secrets = connection.secrets.iter().all(same_secret);
        if same_secrets && canonical(&connection)? == canonical(&current.connection)? {
            // One of before connections were watched.
            if !dry_run && pipeline.watch_of(&connection.connection).await?.is_none() {
                pipeline.schedule_watch(&current.connection, &current.manifest).await?;
            }
            return Ok(None);
        }
    }
    if dry_run {
        return Ok(Some(None));
    }
    // A connection is a large value, and every caller's future would hold it.
    let stored = Box::pin(pipeline.apply_connection(connection, environment::actor(reason))).await?;
    Ok(Some(Some(stored.version)))
}

/// A connection's YAML in the form in which it is stored: all fields, in their order, without secrets.
pub(crate) fn canonical(connection: &Connection) -> Result<String, Failure> {
    let mut connection = connection.clone();
    connection.secrets.clear();
    serde_norway::to_string(&connection).map_err(|error| Failure::World(error.to_string()))
}

/// What is applied already, of the tenants that the files are about.
async fn known(pipeline: &Pipeline, files: &[File]) -> Result<Known, Failure> {
    let tenant_of = |file: &File| match &file.content {
        Content::Tenant(tenant) => tenant.tenant.clone(),
        Content::Connection(connection) => connection.connection.tenant(),
    };
    let mut tenants: Vec<TenantId> = files.iter().map(tenant_of).collect();
    tenants.sort();
    tenants.dedup();
    let mut known = Known::default();
    for tenant in tenants {
        if pipeline.tenant(&tenant).await?.is_none() {
            continue;
        }
        for stored in pipeline.connections(&tenant).await? {
            let id: ConnectionId = stored.connection.clone();
            if let Ok(connection) = serde_norway::from_str::<Connection>(&stored.yaml) {
                known.connections.insert(id.clone(), connection.adapter);
            }
            known.secrets.insert(id, stored.secrets);
        }
        known.tenants.insert(tenant);
    }
    Ok(known)
}
