//! One adapter.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bridge_core::{
    config::Connection,
    manifest::{Manifest, Webhook},
};
use bridge_mapping::Mapping;

use crate::{CatalogError, Fault, Problem, check};

/// What the project knows about one product.
#[derive(Debug)]
pub struct Adapter {
    manifest: Arc<Manifest>,
    mappings: BTreeMap<String, Arc<str>>,
    queries: BTreeMap<String, Arc<str>>,
}

impl Adapter {
    /// Reads a manifest. Mappings are taken as they are; [`Self::problems`] compiles them.
    pub(crate) fn parse(
        yaml: &str,
        mappings: impl IntoIterator<Item = (String, Arc<str>)>,
        queries: impl IntoIterator<Item = (String, Arc<str>)>,
    ) -> Result<Self, serde_norway::Error> {
        let manifest = Arc::new(serde_norway::from_str(yaml)?);
        let (mappings, queries) = (mappings.into_iter().collect(), queries.into_iter().collect());
        Ok(Self { manifest, mappings, queries })
    }

    /// What it declares.
    pub fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    /// The JSONata source of a mapping.
    pub fn mapping(&self, name: &str) -> Option<&Arc<str>> {
        self.mappings.get(name)
    }

    /// A GraphQL document.
    pub fn query(&self, name: &str) -> Option<&Arc<str>> {
        self.queries.get(name)
    }

    /// The names of its mappings.
    pub fn mapping_names(&self) -> impl Iterator<Item = &str> {
        self.mappings.keys().map(String::as_str)
    }

    /// A connection's settings, with the manifest's defaults for what it leaves out.
    pub fn settings(&self, connection: &Connection) -> BTreeMap<String, String> {
        settings(connection, &self.manifest)
    }

    /// The rules for a connection's webhook: its own where the adapter is open.
    pub fn webhook<'a>(&'a self, connection: &'a Connection) -> Option<&'a Webhook> {
        let own = connection.webhook.as_ref().filter(|_| self.manifest.open);
        own.or(self.manifest.webhook.as_ref())
    }

    /// What is wrong with a connection that names this adapter; nothing when it can be used.
    pub fn check_connection(&self, connection: &Connection) -> Vec<Problem> {
        check::connection(connection, &self.manifest, &self.mapping_names().collect())
    }

    /// Everything that is wrong with the adapter itself. `folder` is its name, `yaml` its manifest's text.
    pub(crate) fn problems(&self, folder: &str, yaml: &str) -> Vec<CatalogError> {
        let names: BTreeSet<&str> = self.mapping_names().collect();
        let file = format!("{folder}/adapter.yaml");
        let queries: BTreeSet<&str> = self.queries.keys().map(String::as_str).collect();
        let in_manifest = check::manifest(&self.manifest, folder, &names, &queries).into_iter();
        let mut errors: Vec<_> = in_manifest
            .map(|problem| CatalogError {
                file: file.clone(),
                line: problem.line(yaml),
                fault: problem.fault,
            })
            .collect();
        errors.extend(check::anchors_set_again(yaml).into_iter().map(|(line, name)| CatalogError {
            file: file.clone(),
            line,
            fault: Fault::AnchorAgain(name),
        }));
        let kinds = self.manifest.webhook.iter().flat_map(|webhook| webhook.kinds.values());
        let of_api = self.manifest.api.iter().flat_map(|api| api.mappings());
        let used: BTreeSet<&str> = kinds.map(|kind| kind.mapping.as_str()).chain(of_api).collect();
        for (name, source) in &self.mappings {
            let file = format!("{folder}/mappings/{name}.jsonata");
            if !used.contains(name.as_str()) {
                errors.push(CatalogError { file: file.clone(), line: 1, fault: Fault::UnusedMapping });
            }
            if let Err(error) = Mapping::compile(name, source) {
                let line = error.place().map_or(1, |place| place.line);
                errors.push(CatalogError { file, line, fault: Fault::Mapping(error) });
            }
        }
        let named: BTreeSet<&str> = self.manifest.api.iter().flat_map(|api| check::queries(api)).collect();
        for name in queries.into_iter().filter(|name| !named.contains(name)) {
            let file = format!("{folder}/queries/{name}.graphql");
            errors.push(CatalogError { file, line: 1, fault: Fault::UnusedQuery });
        }
        errors
    }
}

pub(crate) fn settings(connection: &Connection, manifest: &Manifest) -> BTreeMap<String, String> {
    let default = |(name, setting): (&String, &bridge_core::manifest::Setting)| {
        Some((name.clone(), setting.default.clone()?))
    };
    let mut settings: BTreeMap<_, _> = manifest.settings.iter().filter_map(default).collect();
    settings.extend(connection.settings.clone());
    settings
}
