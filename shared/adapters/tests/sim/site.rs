//! A connection to a simulated product.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bridge_adapters::{Adapter, Catalog, Transports};
use bridge_core::{
    Phi, Timestamp, Zone,
    config::Connection,
    manifest::{Api, Manifest, Reference, template},
    remote::{Answer, ApiCall, Authenticate, CallError, Party, Remote as _, WriteCall, Written},
};
use bridge_mapping::{Context, Mapping};
use bridge_simulators::{Seed, Served, Simulator, serve};
use serde_json::{Value, json};
use uuid::Uuid;

/// The access token, and the refresh token that came with it.
type Tokens = (Option<Phi<String>>, Option<Phi<String>>);

/// A practice in a simulated product, and how the bridge is connected to it.
pub(crate) struct Site {
    pub(crate) served: Served,
    catalog: Catalog,
    connection: Connection,
    manifest: Arc<Manifest>,
    ways: Transports,
    /// The token, and the refresh token that came with it.
    token: Mutex<Tokens>,
}

impl Site {
    /// `more` are settings besides those that the simulator names.
    pub(crate) async fn open(simulator: Arc<dyn Simulator>, more: &[(&str, &str)]) -> Self {
        simulator.seed(&Seed::default());
        let served = serve(simulator, None).await.unwrap();
        let access = served.simulator.connection(&served.base);
        let mut settings = access.settings;
        settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let connection = json!({
            "connection": "north.pms", "adapter": served.simulator.adapter(), "zone": access.zone,
            "settings": settings, "secrets": access.secrets,
        });
        let catalog = Catalog::builtin();
        let manifest = Arc::clone(catalog.get(served.simulator.adapter()).unwrap().manifest());
        let site = Self {
            connection: serde_json::from_value(connection).unwrap(),
            catalog,
            manifest,
            served,
            ways: Transports::new().unwrap(),
            token: Mutex::default(),
        };
        let problems = site.adapter().check_connection(&site.connection);
        assert!(problems.is_empty(), "{problems:?}");
        if site.api().auth.needs_token() {
            site.sign_in().await.unwrap();
        }
        site
    }

    pub(crate) fn adapter(&self) -> &Adapter {
        self.catalog.get(self.served.simulator.adapter()).unwrap()
    }

    pub(crate) fn api(&self) -> &Api {
        self.manifest.api.as_ref().unwrap()
    }

    fn zone(&self) -> &Zone {
        &self.connection.zone
    }

    fn party(&self) -> Party<'_> {
        Party {
            connection: &self.connection,
            manifest: &self.manifest,
            api: self.api(),
            adapters: &self.catalog,
            now: Timestamp::from_millis(self.served.simulator.clock().now().as_millisecond()),
            time_left: Duration::from_secs(10),
        }
    }

    /// Asks for a token, with the refresh token that came last.
    pub(crate) async fn sign_in(&self) -> Result<(), CallError> {
        let refresh = self.token.lock().unwrap().1.clone();
        // Good for one use where it is looked at.
        let nonce = format!("n-{}", self.served.simulator.clock().now().as_nanosecond());
        let ask =
            Authenticate { party: self.party(), refresh: refresh.as_ref(), nonce: &nonce, signer: None };
        let token = self.ways.authenticate(&ask).await?;
        *self.token.lock().unwrap() = (Some(token.access), token.refresh.or(refresh));
        Ok(())
    }

    fn token(&self) -> Option<Phi<String>> {
        // Products that count calls by the second: tests are not about that.
        self.served.simulator.clock().advance(Duration::from_secs(1));
        self.token.lock().unwrap().0.clone()
    }

    pub(crate) async fn call(
        &self,
        operation: &str,
        arguments: &[(&str, &str)],
        page: Option<&Phi<String>>,
    ) -> Result<Answer, CallError> {
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let (arguments, token) = (Phi::new(arguments.collect::<BTreeMap<_, _>>()), self.token());
        let call = ApiCall {
            party: self.party(),
            operation,
            arguments: &arguments,
            input: None,
            page,
            token: token.as_ref(),
        };
        self.ways.call(&call).await
    }

    /// All records that an operation lists.
    pub(crate) async fn all(&self, operation: &str, arguments: &[(&str, &str)]) -> Vec<Value> {
        let (mut all, mut page) = (Vec::new(), None);
        loop {
            let answer = self.call(operation, arguments, page.as_ref()).await.unwrap();
            all.extend(answer.records.expose().clone());
            page = answer.next;
            if page.is_none() {
                return all;
            }
        }
    }

    /// What a FHIR search finds; references are given as the product's ids.
    pub(crate) async fn search(&self, of: &str, asked: &[(&str, &str)]) -> Vec<Value> {
        let resource = &self.api().resources[of];
        let asked: Vec<_> =
            asked.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let search = resource.search_for(&asked).unwrap();
        let ids = |reference: &Reference<'_>| Some(reference.value.to_owned());
        let settings = self.adapter().settings(&self.connection);
        let arguments = search.arguments(&asked, self.zone(), &settings, ids).unwrap();
        let arguments: Vec<_> =
            arguments.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let records = self.all(&search.operation, &arguments).await;
        records.iter().flat_map(|record| self.resources(of, record)).collect()
    }

    /// The checked FHIR resources that a record of a resource's kind becomes.
    pub(crate) fn resources(&self, of: &str, record: &Value) -> Vec<Value> {
        let kind = &self.api().resources[of].kind;
        let mapping = &self.api().kinds[kind].mapping;
        let (settings, headers) = (self.adapter().settings(&self.connection), BTreeMap::new());
        let kind = format!("api.{kind}");
        let context = Context { zone: self.zone(), kind: &kind, headers: &headers, settings: &settings };
        let mapped = Mapping::compile(mapping, self.adapter().mapping(mapping).unwrap()).unwrap();
        let mapped = match mapped.apply(record, &context).unwrap() {
            Value::Null => Vec::new(),
            Value::Array(several) => several,
            one => vec![one],
        };
        let made = bridge_fhir::assemble(Uuid::nil(), mapped).unwrap();
        made.into_iter()
            .map(|resource| {
                bridge_fhir::check(&resource.json)
                    .unwrap_or_else(|issues| panic!("{issues:?}\n{:#}", resource.json));
                resource.json
            })
            .collect()
    }

    pub(crate) async fn write(
        &self,
        resource: Value,
        id: Option<&str>,
        again: bool,
    ) -> Result<Written, CallError> {
        let (resource, id, token) = (Phi::new(resource), id.map(|id| Phi::new(id.to_owned())), self.token());
        let call = WriteCall {
            party: self.party(),
            resource: &resource,
            id: id.as_ref(),
            token: token.as_ref(),
            again,
        };
        self.ways.write(&call).await
    }

    /// The one resource that is written, as it is read back.
    pub(crate) async fn written(&self, resource: Value, id: Option<&str>) -> (String, Value) {
        let of = resource["resourceType"].as_str().unwrap().to_owned();
        let written = self.write(resource, id, false).await.unwrap();
        let read = self.resources(&of, written.record.expose()).remove(0);
        (written.id.expose().clone(), read)
    }

    /// The identifier by which the product knows a resource.
    pub(crate) fn identifier(&self, resource: &Value) -> Value {
        let of = resource["resourceType"].as_str().unwrap();
        let settings = self.adapter().settings(&self.connection);
        let system = template::fill(&self.api().resources[of].identifier, |name| settings.get(name)).unwrap();
        let found =
            resource["identifier"].as_array().unwrap().iter().find(|known| known["system"] == *system);
        found.unwrap_or_else(|| panic!("{resource:#} has no {system}")).clone()
    }

    /// A participant of an appointment.
    pub(crate) fn participant(&self, resource: &Value) -> Value {
        json!({"actor": {"type": resource["resourceType"], "identifier": self.identifier(resource)}, "status": "accepted"})
    }
}
