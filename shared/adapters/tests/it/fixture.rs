//! A fixture: one message of a product, and the FHIR that comes of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use bridge_adapters::Adapter;
use bridge_core::{config::Connection, manifest::Extract};
use bridge_mapping::{Context, Mapping};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// Ids follow from it, so it never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x5f1d_9c3a_7e42_4b8d_9a60_2c7b_81e4_d035);

/// `meta.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Meta {
    /// Why the case is there.
    pub(crate) about: String,
    /// Headers of the request, by lower-case name.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The connection's zone.
    #[serde(default = "chicago")]
    zone: String,
    /// The connection's settings.
    #[serde(default)]
    settings: BTreeMap<String, String>,
    /// For a record of the product's interface: its kind there (`api.appointment`).
    kind: Option<String>,
    /// For a mapping that makes a request: its name. `input.json` is what it is given, `expected.json` what it makes.
    pub(crate) request: Option<String>,
    /// Which message of `body.json`.
    #[serde(default)]
    row: usize,
    /// What the message is kept in order by, where the case is about that.
    lane: Option<Vec<String>>,
    /// The source's version of the record, where the case is about that.
    version: Option<String>,
}

fn chicago() -> String {
    "America/Chicago".to_owned()
}

/// `refused.yaml`: who refuses the message.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Refused {
    Mapping { saying: String },
    Assemble { at: String },
    Check { at: String },
}

pub(crate) struct Fixture {
    pub(crate) path: PathBuf,
    pub(crate) meta: Meta,
}

impl Fixture {
    pub(crate) fn open(path: &Path) -> Self {
        let meta = fs::read_to_string(path.join("meta.yaml")).unwrap();
        Self { path: path.to_owned(), meta: serde_norway::from_str(&meta).unwrap() }
    }

    /// From the message to checked resources.
    pub(crate) fn run(&self, adapter: &Adapter) -> Result<Vec<Value>, Refused> {
        self.run_changed(adapter, &Value::Null)
    }

    /// The same, with some members of the message replaced.
    pub(crate) fn run_changed(&self, adapter: &Adapter, change: &Value) -> Result<Vec<Value>, Refused> {
        let connection = self.connection(adapter);
        let problems = adapter.check_connection(&connection);
        assert!(problems.is_empty(), "{problems:?}");
        let mut message = self.message(adapter.webhook(&connection));
        replace(&mut message, change);
        if let Some(name) = &self.meta.request {
            return Ok(vec![self.request(adapter, &connection, name, &message)]);
        }

        let header = |name: &str| self.meta.headers.get(name).map(String::as_str);
        let (name, kind) = match (&self.meta.kind, &adapter.manifest().api) {
            (Some(name), Some(api)) => (name.clone(), api.kind_of(name).expect("a kind of `api.kinds`")),
            _ => {
                let webhook = adapter.webhook(&connection).expect("a webhook, or `kind` in meta.yaml");
                let name = webhook.kind.find(&message, header).expect("a kind");
                let kind = &webhook.kinds[&name];
                (name, kind)
            }
        };
        let parts = |places: &[Extract]| places.iter().map(|place| place.find(&message, header)).collect();
        if let Some(lane) = &self.meta.lane {
            assert_eq!(Some(lane), Option::<Vec<String>>::as_ref(&parts(&kind.lane)), "lane");
        }
        if let Some(version) = &self.meta.version {
            assert_eq!(kind.version.as_ref().unwrap().find_in(&message).as_ref(), Some(version), "version");
        }

        let own = connection.mappings.get(&kind.mapping).map(String::as_str);
        let source = own.or_else(|| adapter.mapping(&kind.mapping).map(|source| &**source)).unwrap();
        let (settings, headers) = (adapter.settings(&connection), BTreeMap::new());
        let context = Context { zone: &connection.zone, kind: &name, headers: &headers, settings: &settings };
        let mapped = Mapping::compile(&kind.mapping, source).unwrap().apply(&message, &context);
        let mapped = match mapped.map_err(|error| Refused::Mapping { saying: error.text().to_owned() })? {
            Value::Null => Vec::new(),
            Value::Array(resources) => resources,
            resource => vec![resource],
        };
        let resources =
            bridge_fhir::assemble(NAMESPACE, mapped).map_err(|issue| Refused::Assemble { at: issue.path })?;
        for resource in &resources {
            bridge_fhir::check(&resource.json)
                .map_err(|issues| Refused::Check { at: issues[0].path.clone() })?;
        }
        Ok(resources.into_iter().map(|resource| resource.json).collect())
    }

    /// What a mapping makes of a FHIR resource for a request.
    fn request(&self, adapter: &Adapter, connection: &Connection, name: &str, input: &Value) -> Value {
        let (settings, headers) = (adapter.settings(connection), BTreeMap::new());
        let context = Context { zone: &connection.zone, kind: "", headers: &headers, settings: &settings };
        let source = adapter.mapping(name).expect("a mapping of that name");
        Mapping::compile(name, source).unwrap().apply(input, &context).unwrap()
    }

    /// `connection.yaml`, or one made of what the adapter asks for.
    fn connection(&self, adapter: &Adapter) -> Connection {
        let manifest = adapter.manifest();
        if let Ok(yaml) = fs::read_to_string(self.path.join("connection.yaml")) {
            return serde_norway::from_str(&yaml).unwrap();
        }
        let secrets: BTreeMap<_, _> = manifest.secrets.keys().map(|name| (name, "invented")).collect();
        let json = serde_json::json!({
            "connection": "demo.source",
            "adapter": manifest.adapter,
            "zone": self.meta.zone,
            "settings": self.meta.settings,
            "secrets": secrets,
        });
        serde_json::from_value(json).unwrap()
    }

    /// `input.json`, or a row of `body.json`.
    fn message(&self, webhook: Option<&bridge_core::manifest::Webhook>) -> Value {
        let read = |name: &str| Some(serde_json::from_slice(&fs::read(self.path.join(name)).ok()?).unwrap());
        read("input.json").unwrap_or_else(|| {
            let body = read("body.json").expect("input.json or body.json");
            webhook.expect("a webhook").messages(body).unwrap().swap_remove(self.meta.row)
        })
    }
}

/// Replaces members, objects member by member.
fn replace(message: &mut Value, change: &Value) {
    match (message, change) {
        (_, Value::Null) => {}
        (Value::Object(message), Value::Object(change)) => {
            for (name, value) in change {
                replace(message.entry(name).or_insert(Value::Null), value);
            }
        }
        (message, change) => *message = change.clone(),
    }
}

/// The folder of the adapters.
pub(crate) fn adapters() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../adapters")
}

/// The cases of an adapter, in order.
pub(crate) fn cases(adapter: &str) -> Vec<PathBuf> {
    let Ok(folder) = fs::read_dir(adapters().join(adapter).join("fixtures")) else { return Vec::new() };
    let mut cases: Vec<_> = folder.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}
