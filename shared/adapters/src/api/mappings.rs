//! Mappings, compiled once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use bridge_core::{Cause, remote::CallError};
use bridge_mapping::{Context, Mapping, MappingError};
use serde_json::Value;

use super::site::{Site, configuration};

/// Compiled mappings by adapter and name.
#[derive(Debug, Default)]
pub(crate) struct Mappings(Mutex<HashMap<(String, String), Compiled>>);

#[derive(Debug)]
struct Compiled {
    source: Arc<str>,
    mapping: Arc<Mapping>,
}

impl Mappings {
    /// Applies a mapping of the site's adapter. `kind` is what it knows as `$kind`.
    pub(super) fn apply(
        &self,
        site: &Site<'_>,
        name: &str,
        kind: &str,
        input: &Value,
    ) -> Result<Value, CallError> {
        let mapping = self.get(site, name)?;
        let zone = &site.party.connection.zone;
        let context = Context { zone, kind, headers: &BTreeMap::new(), settings: &site.settings };
        mapping.apply(input, &context).map_err(|error| failed(&error))
    }

    fn get(&self, site: &Site<'_>, name: &str) -> Result<Arc<Mapping>, CallError> {
        let adapter = &site.party.connection.adapter;
        let source = site.party.adapters.mapping(adapter, name);
        let source = source.ok_or_else(|| configuration("the adapter has no such mapping", name))?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (adapter.clone(), name.to_owned());
        if let Some(compiled) = known.get(&key)
            && Arc::ptr_eq(&compiled.source, &source)
        {
            return Ok(Arc::clone(&compiled.mapping));
        }
        let mapping =
            Mapping::compile(&format!("{adapter}/{name}"), &source).map_err(|error| failed(&error))?;
        let mapping = Arc::new(mapping);
        known.insert(key, Compiled { source, mapping: Arc::clone(&mapping) });
        Ok(mapping)
    }
}

fn failed(error: &MappingError) -> CallError {
    let place = error.place().map_or_else(String::new, |place| format!(":{place}"));
    let cause = Cause::new("api.mapping", error.text());
    CallError::Invalid(cause.at(format!("{}{place}", error.mapping())))
}
