//! `bridge adapters show`.

use std::path::PathBuf;

use bridge_core::manifest::{Manifest, On, ResourceApi};
use serde_json::{Value, json};

use super::{adapter, catalog, ways};
use crate::{
    failure::Failure,
    output::{Out, Table},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which
    adapter: String,
    /// A folder of adapters, instead of those of this program
    #[arg(long, value_name = "FOLDER")]
    adapters: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(args: &Args, out: Out) -> Result<(), Failure> {
    let catalog = catalog(args.adapters.as_deref())?;
    let adapter = adapter(&catalog, &args.adapter)?;
    let manifest = adapter.manifest();
    out.json(&document(manifest));
    out.text(format_args!(
        "{}, version {} of the adapter: {}",
        manifest.title,
        manifest.version,
        ways(manifest).join(", ")
    ));
    let mut settings = Table::new(&["setting", "default", "what for"]);
    for (name, setting) in &manifest.settings {
        let default = setting.default.clone().unwrap_or_else(|| "must be given".to_owned());
        settings.row([name.clone(), default, setting.about.clone()]);
    }
    let mut secrets = Table::new(&["secret", "", "what it is"]);
    for (name, about) in &manifest.secrets {
        secrets.row([name.clone(), String::new(), about.clone()]);
    }
    for (name, about) in &manifest.optional_secrets {
        secrets.row([name.clone(), "optional".to_owned(), about.clone()]);
    }
    let mut resources = Table::new(&["resource", "read", "search by", "poll", "write"]);
    for (name, resource) in manifest.api.iter().flat_map(|api| &api.resources) {
        resources.row([
            name.clone(),
            if resource.read.is_some() { "by id" } else { "" }.to_owned(),
            parameters(resource).join(", "),
            resource.poll.as_ref().map(|poll| format!("every {} s", poll.every)).unwrap_or_default(),
            writes(resource).join(", "),
        ]);
    }
    let given = [
        (manifest.settings.len(), settings),
        (manifest.secrets.len() + manifest.optional_secrets.len(), secrets),
    ];
    let interface = manifest.api.iter().map(|api| api.resources.len()).sum::<usize>();
    for (_, table) in given.into_iter().chain([(interface, resources)]).filter(|(rows, _)| *rows > 0) {
        out.text("");
        for line in table.lines() {
            out.text(line);
        }
    }
    Ok(())
}

/// The search parameters it knows, each once.
fn parameters(resource: &ResourceApi) -> Vec<String> {
    let mut names: Vec<String> =
        resource.search.iter().flat_map(|search| search.parameters.keys().cloned()).collect();
    names.sort();
    names.dedup();
    names
}

/// What it can write.
fn writes(resource: &ResourceApi) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for write in &resource.write {
        let word = match (write.on, write.status.as_slice()) {
            (On::Create, _) => "create".to_owned(),
            (On::Update, []) => "update".to_owned(),
            (On::Update, statuses) => statuses.join("/"),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

fn document(manifest: &Manifest) -> Value {
    let settings: Vec<Value> = manifest
        .settings
        .iter()
        .map(|(name, setting)| json!({"name": name, "default": setting.default, "about": setting.about}))
        .collect();
    let resources: Vec<Value> = manifest
        .api
        .iter()
        .flat_map(|api| &api.resources)
        .map(|(name, resource)| {
            json!({
                "resource": name, "read": resource.read.is_some(), "search": parameters(resource),
                "poll": resource.poll.as_ref().map(|poll| poll.every), "write": writes(resource),
            })
        })
        .collect();
    json!({
        "adapter": manifest.adapter, "version": manifest.version, "title": manifest.title, "can": ways(manifest),
        "settings": settings, "secrets": manifest.secrets, "optional_secrets": manifest.optional_secrets,
        "resources": resources,
    })
}
