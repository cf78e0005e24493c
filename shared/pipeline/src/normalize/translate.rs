//! From what was received to checked FHIR R4 resources. Pure but for the caches.

use bridge_core::{
    Cause, Phi,
    feed::Feed,
    id::BlindToken,
    manifest::{Adapters as _, Extract},
    task::{Format, NormalizeTask},
};
use bridge_fhir::Resource;
use bridge_mapping::{Context, Mapping};
use bridge_seal::IndexKey;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

use super::merge::Asides;
use crate::{bridge::Bridge, configuration::Loaded, ports::Ports};

/// What a message says, in FHIR.
pub(crate) struct Translated {
    pub(crate) resources: Vec<Resource>,
    /// The source's own version of the record; empty when it has none.
    pub(crate) version: String,
    /// Where several records came together: that of each resource, by `Type/id`.
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) find: Vec<BlindToken>,
    pub(crate) mapped_by: String,
    /// What was not used, by place.
    pub(crate) notes: Vec<String>,
    /// What it says besides, when the resources say only what the message does. `None`: they are whole.
    pub(crate) asides: Option<Asides>,
}

impl Translated {
    /// Whole resources, of which nothing else is known yet.
    pub(super) fn of(resources: Vec<Resource>, mapped_by: String) -> Self {
        Self {
            resources,
            version: String::new(),
            versions: BTreeMap::new(),
            find: Vec::new(),
            mapped_by,
            notes: Vec::new(),
            asides: None,
        }
    }
}

impl<P: Ports> Bridge<P> {
    /// Parses, maps, assembles and checks.
    ///
    /// # Errors
    /// The cause names the place in the message, the mapping or the resource.
    pub(crate) fn translate(
        &self,
        task: &NormalizeTask,
        source: &Loaded,
        received: &Phi<Vec<u8>>,
        index: &IndexKey,
    ) -> Result<Translated, Cause> {
        if let Some(as_it_is) = super::asked::as_it_is(task, received) {
            return as_it_is;
        }
        match task.format {
            Format::Json => self.translate_json(task, source, received, index),
            Format::Hl7v2 => self.translate_hl7(task, source, received, index),
            Format::Rows => self.translate_rows(task, source, received, index),
        }
    }

    fn translate_json(
        &self,
        task: &NormalizeTask,
        source: &Loaded,
        received: &Phi<Vec<u8>>,
        index: &IndexKey,
    ) -> Result<Translated, Cause> {
        let message: Value = serde_json::from_slice(received.expose()).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Cause::new("message.malformed", "what was received is not JSON").at(place)
        })?;
        self.translate_record(task, source, &message, index)
    }

    /// Maps a record, and names what it is found by.
    pub(super) fn translate_record(
        &self,
        task: &NormalizeTask,
        source: &Loaded,
        message: &Value,
        index: &IndexKey,
    ) -> Result<Translated, Cause> {
        let (translated, rule) = self.translate_value(source, &task.kind, message, index)?;
        let find = rule.find_by.iter().filter_map(|(name, place)| {
            let value = place.find_in(message)?;
            Some(index.token(&task.connection, name, &value))
        });
        Ok(Translated { find: find.collect(), ..translated })
    }

    /// What a record of `kind` is in FHIR, and the rule that says so.
    ///
    /// # Errors
    /// As for [`Self::translate`].
    pub(crate) fn translate_value<'a>(
        &self,
        source: &'a Loaded,
        kind: &str,
        message: &Value,
        index: &IndexKey,
    ) -> Result<(Translated, Rule<'a>), Cause> {
        let rule = Rule::of(source, kind).ok_or_else(|| {
            let text = format!("neither the adapter nor a feed has a rule for the kind `{kind}`");
            Cause::new("kind.unknown", text)
        })?;
        if message.is_string() {
            // A line of a file that its product exported, as it came.
            return Err(Cause::new(
                "record.unreadable",
                "the product's record is not a JSON object of its type",
            ));
        }
        if rule.mapping.is_empty() {
            let text = "the message only names a record, and does not say which: see `fetch` of its kind";
            return Err(Cause::new("webhook.no_record", text));
        }
        let (mapped_by, mapping) = self.mapping(source, rule.mapping)?;
        let mapped = apply(&mapping, &mapped_by, message, kind, source)?;
        let namespace = uuid::Uuid::from_bytes(index.fhir_namespace());
        let resources =
            bridge_fhir::assemble(namespace, mapped).map_err(|issue| invalid(&mapped_by, &[issue]))?;
        for resource in &resources {
            bridge_fhir::check(&resource.json).map_err(|issues| invalid(&mapped_by, &issues))?;
        }
        let version = rule.version.as_ref().and_then(|place| place.find_in(message)).unwrap_or_default();
        // No version sorts before any: what would sort before none is nothing that versions begin with.
        let version = version.trim_start_matches(|c| c <= '#').to_owned();
        Ok((Translated { version, ..Translated::of(resources, mapped_by) }, rule))
    }

    pub(crate) fn mapping(&self, source: &Loaded, name: &str) -> Result<(String, Arc<Mapping>), Cause> {
        let own = source.connection.mappings.get(name);
        let mapped_by = match own {
            Some(_) => format!("{}@{}/{name}", source.connection.connection, source.version),
            None => format!("{}@{}/{name}", source.manifest.adapter, source.manifest.version),
        };
        if let Some(known) = self.cached_mapping(&mapped_by) {
            return Ok((mapped_by, known));
        }
        let of_adapter = || self.ports.adapters().mapping(&source.manifest.adapter, name);
        let text = own.map(|own| Arc::from(own.as_str())).or_else(of_adapter).ok_or_else(|| {
            Cause::new("mapping.missing", "neither the connection nor its adapter has this mapping")
                .at(&mapped_by)
        })?;
        let mapping = Mapping::compile(&mapped_by, &text).map_err(|error| {
            let place = error.place().map(|place| place.to_string()).unwrap_or_default();
            Cause::new("mapping.broken", error.text()).at(format!("{mapped_by} {place}").trim_end())
        })?;
        let mapping = Arc::new(mapping);
        self.cache_mapping(&mapped_by, &mapping);
        Ok((mapped_by, mapping))
    }
}

/// What is done with messages of a kind.
pub(crate) struct Rule<'a> {
    mapping: &'a str,
    version: Option<&'a Extract>,
    find_by: &'a BTreeMap<String, Extract>,
}

impl<'a> Rule<'a> {
    /// The rule of a feed, of the webhook, or of the product's interface.
    fn of(source: &'a Loaded, kind: &str) -> Option<Self> {
        if let Some((name, is_removal)) = Feed::of_kind(kind) {
            let feed = source.connection.feeds.get(name)?;
            let mapping = if is_removal { feed.removal.as_deref()? } else { &*feed.mapping };
            let version = feed.version.as_ref().filter(|_| !is_removal);
            return Some(Self { mapping, version, find_by: &feed.find_by });
        }
        let kind = source.kind(kind)?;
        Some(Self { mapping: &kind.mapping, version: kind.version.as_ref(), find_by: &kind.find_by })
    }
}

/// What a mapping makes of a record.
pub(crate) fn apply(
    mapping: &Mapping,
    mapped_by: &str,
    record: &Value,
    kind: &str,
    source: &Loaded,
) -> Result<Vec<Value>, Cause> {
    let (settings, headers) = (source.settings(), BTreeMap::new());
    let context = Context { zone: &source.connection.zone, kind, headers: &headers, settings: &settings };
    let mapped = mapping.apply(record, &context).map_err(|error| {
        let place = error.place().map(|place| place.to_string()).unwrap_or_default();
        Cause::new("mapping.failed", error.text()).at(format!("{mapped_by} {place}").trim_end())
    })?;
    Ok(match mapped {
        Value::Null => Vec::new(),
        Value::Array(resources) => resources,
        resource => vec![resource],
    })
}

/// A resource that is not valid FHIR R4.
pub(super) fn invalid(mapped_by: &str, issues: &[bridge_fhir::Issue]) -> Cause {
    let first = issues.first();
    let more = match issues.len() {
        0 | 1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    let (path, text) = first.map_or(("", ""), |issue| (issue.path.as_str(), issue.text.as_str()));
    Cause::new("fhir.invalid", format!("{mapped_by} made a resource that is not valid FHIR R4: {text}{more}"))
        .at(path)
}
