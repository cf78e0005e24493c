//! An adapter with a connection to its product: what the suite asks.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bridge_adapters::{Adapter, Catalog, Transports};
use bridge_core::{
    Cause, Phi, Timestamp,
    config::Connection,
    manifest::{Api, ResourceApi, Webhook, template},
    remote::{
        Answer, ApiCall, Authenticate, CallError, Party, Remote as _, Signer, Token, WriteCall, Written,
    },
};
use bridge_fhir::Resource;
use bridge_mapping::{Context, Mapping};
use serde_json::Value;
use uuid::Uuid;

use crate::control::{Control, ControlError};

/// Ids of a certification: no tenant's, so they match nothing that is stored.
const NAMESPACE: Uuid = Uuid::from_u128(0x6272_6964_6765_2063_6572_7469_6679_0001);
/// Of one call.
const TIME: Duration = Duration::from_secs(30);
/// A list that has more pages than this does not end.
const MOST_PAGES: usize = 5_000;
/// So often a call waits for the product's limits before that counts as a failure.
const MOST_WAITS: usize = 200;

/// An adapter, a connection to its product, and what steers the product where it is a simulator.
pub struct Subject {
    adapter: Arc<Adapter>,
    catalog: Arc<Catalog>,
    connection: Connection,
    transports: Transports,
    pub(crate) control: Option<Control>,
    signer: Option<Arc<dyn Signer>>,
    token: Mutex<Option<Token>>,
    nonces: AtomicU64,
    mappings: Mutex<BTreeMap<String, Arc<Mapping>>>,
}

/// What a record of the product is in FHIR.
#[derive(Debug, Clone)]
pub(crate) struct Mapped {
    pub(crate) resources: Vec<Resource>,
}

impl Mapped {
    /// The resource of a type, and the product's id of it.
    pub(crate) fn of_type(&self, resource_type: &str, system: &str) -> Option<(&Resource, String)> {
        self.resources.iter().find_map(|resource| {
            let fits = resource.resource_type == resource_type;
            Some((resource, product_id(&resource.json, system)?)).filter(|_| fits)
        })
    }
}

/// The value of the identifier of this system.
pub(crate) fn product_id(resource: &Value, system: &str) -> Option<String> {
    let identifiers = match resource.get("identifier")? {
        Value::Array(identifiers) => identifiers.as_slice(),
        one => std::slice::from_ref(one),
    };
    let fits = |identifier: &&Value| identifier.get("system").and_then(Value::as_str) == Some(system);
    identifiers.iter().find(fits)?.get("value")?.as_str().map(str::to_owned)
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Subject {
    /// An adapter of the catalog with this connection; `control` where the product is a simulator.
    ///
    /// # Errors
    /// There is no such adapter, it has no interface, the connection does not fit it, or there is no HTTPS here.
    pub fn new(
        catalog: Arc<Catalog>,
        connection: Connection,
        control: Option<Control>,
    ) -> Result<Self, String> {
        let adapter = catalog.get(&connection.adapter).cloned();
        let adapter = adapter.ok_or_else(|| format!("there is no adapter `{}`", connection.adapter))?;
        if adapter.manifest().api.is_none() {
            return Err(format!("the adapter `{}` has no `api` section to certify", connection.adapter));
        }
        if let Some(problem) = adapter.check_connection(&connection).first() {
            return Err(problem.to_string());
        }
        let transports = Transports::new().map_err(|error| error.to_string())?;
        Ok(Self {
            adapter,
            catalog,
            connection,
            transports,
            control,
            signer: None,
            token: Mutex::default(),
            nonces: AtomicU64::default(),
            mappings: Mutex::default(),
        })
    }

    /// The same, with a key that signs for the connection.
    #[must_use]
    pub fn signed_by(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    pub(crate) fn adapter(&self) -> &str {
        &self.adapter.manifest().adapter
    }

    pub(crate) fn version(&self) -> u32 {
        self.adapter.manifest().version
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The interface; an empty one never is certified (`new` refuses it).
    pub(crate) fn api(&self) -> Option<&Api> {
        self.adapter.manifest().api.as_deref()
    }

    /// What it sends by itself.
    pub(crate) fn webhook(&self) -> Option<&Webhook> {
        self.adapter.manifest().webhook.as_ref()
    }

    /// The FHIR resource types, with what can be done with each.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&str, &ResourceApi)> {
        self.api()
            .into_iter()
            .flat_map(|api| &api.resources)
            .map(|(name, resource)| (name.as_str(), resource))
    }

    /// A text of the manifest with the connection's settings.
    pub(crate) fn filled(&self, text: &str) -> String {
        let settings = self.adapter.settings(&self.connection);
        // What can't be filled was refused when the adapter was checked.
        template::fill(text, |name| settings.get(name)).unwrap_or_else(|_| text.to_owned())
    }

    /// The same subject with another value of a secret.
    pub(crate) fn with_secrets(&self, change: impl Fn(&str, &str) -> String) -> Result<Self, String> {
        let mut connection = self.connection.clone();
        for (name, secret) in &mut connection.secrets {
            let value = secret.values().first().map(|value| change(name, value.expose())).unwrap_or_default();
            *secret = bridge_core::config::Secret::One(Phi::new(value));
        }
        let other = Self::new(Arc::clone(&self.catalog), connection, self.control.clone())?;
        Ok(Self { signer: self.signer.clone(), ..other })
    }

    /// The product's time: a simulator has its own.
    pub(crate) async fn now(&self) -> Result<Timestamp, ControlError> {
        match &self.control {
            Some(control) => control.now().await,
            None => Ok(real()),
        }
    }

    /// Lets this much time pass for the product.
    pub(crate) async fn wait(&self, time: Duration) -> Result<(), ControlError> {
        match &self.control {
            Some(control) => control.advance(time).await,
            None => {
                tokio::time::sleep(time.min(TIME)).await;
                Ok(())
            }
        }
    }

    fn party<'a>(&'a self, api: &'a Api, now: Timestamp) -> Party<'a> {
        Party {
            connection: &self.connection,
            manifest: self.adapter.manifest(),
            api,
            adapters: &*self.catalog,
            now,
            time_left: TIME,
        }
    }

    /// The token, fetched where there is none that can still be used.
    pub(crate) async fn token(&self, anew: bool) -> Result<Option<Phi<String>>, CallError> {
        let Some(api) = self.api().filter(|api| api.auth.needs_token()) else { return Ok(None) };
        let now = self.now().await.map_err(uncontrolled)?;
        let kept = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(token) = kept.as_ref().filter(|token| !anew && token.until > now) {
            return Ok(Some(token.access.clone()));
        }
        let refresh = kept.and_then(|token| token.refresh);
        let nonce = format!("certify-{}-{}", now.as_millis(), self.nonces.fetch_add(1, Ordering::Relaxed));
        let ask = Authenticate {
            party: self.party(api, now),
            refresh: refresh.as_ref(),
            nonce: &nonce,
            signer: self.signer.as_deref(),
        };
        let mut token = self.transports.authenticate(&ask).await?;
        token.refresh = token.refresh.or(refresh);
        let access = token.access.clone();
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Ok(Some(access))
    }

    /// One call, as it is answered: nothing is repeated.
    pub(crate) async fn once(
        &self,
        operation: &str,
        arguments: &Phi<BTreeMap<String, String>>,
        page: Option<&Phi<String>>,
    ) -> Result<Answer, CallError> {
        let Some(api) = self.api() else { return Err(no_interface()) };
        let token = self.token(false).await?;
        let now = self.now().await.map_err(uncontrolled)?;
        let party = self.party(api, now);
        let call = ApiCall { party, operation, arguments, input: None, page, token: token.as_ref() };
        self.transports.call(&call).await
    }

    /// One call, patiently: with a new token where the old one is refused, after the waits that are asked for.
    pub(crate) async fn patient(
        &self,
        operation: &str,
        arguments: &Phi<BTreeMap<String, String>>,
        page: Option<&Phi<String>>,
    ) -> Result<Answer, CallError> {
        self.patiently(async || self.once(operation, arguments, page).await).await
    }

    /// Asks again with a new token where the old one is refused, and after the waits that are asked for.
    async fn patiently<T>(&self, ask: impl AsyncFn() -> Result<T, CallError>) -> Result<T, CallError> {
        let (mut renewed, mut waits) = (false, 0);
        loop {
            match ask().await {
                Err(CallError::Unauthenticated(_)) if !renewed => {
                    renewed = true;
                    self.token(true).await?;
                }
                Err(CallError::Throttled(after, _)) if waits < MOST_WAITS => {
                    waits += 1;
                    self.wait(after.unwrap_or(Duration::from_secs(5))).await.map_err(uncontrolled)?;
                }
                other => return other,
            }
        }
    }

    /// All records of a list.
    pub(crate) async fn all(
        &self,
        operation: &str,
        arguments: &Phi<BTreeMap<String, String>>,
    ) -> Result<Vec<Value>, CallError> {
        let (mut records, mut page) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let answer = self.patient(operation, arguments, page.as_ref()).await?;
            records.extend(answer.records.expose().iter().cloned());
            if let Some(time) = answer.wait {
                self.wait(time).await.map_err(uncontrolled)?;
            }
            page = answer.next;
            if page.is_none() {
                return Ok(records);
            }
        }
        let text = "the list has no end";
        Err(CallError::Invalid(Cause::new("certify.endless", text).at(operation)))
    }

    /// A write, patiently.
    pub(crate) async fn write(
        &self,
        resource: &Phi<Value>,
        id: Option<&Phi<String>>,
        again: bool,
    ) -> Result<Written, CallError> {
        let Some(api) = self.api() else { return Err(no_interface()) };
        let write = async || {
            let token = self.token(false).await?;
            let now = self.now().await.map_err(uncontrolled)?;
            let call = WriteCall { party: self.party(api, now), resource, id, token: token.as_ref(), again };
            self.transports.write(&call).await
        };
        let written = self.patiently(write).await?;
        if written.unconfirmed { self.confirmed(resource, &written).await } else { Ok(written) }
    }

    /// A write; one of which nobody knows whether it was done is looked for, and done if it was not.
    pub(crate) async fn settled(
        &self,
        resource: &Phi<Value>,
        id: Option<&Phi<String>>,
        again: bool,
    ) -> Result<Written, CallError> {
        match self.write(resource, id, again).await {
            Err(CallError::Unknown(_)) => {
                self.wait(Duration::from_secs(60)).await.map_err(uncontrolled)?;
                self.write(resource, id, true).await
            }
            other => other,
        }
    }

    async fn confirmed(&self, resource: &Phi<Value>, written: &Written) -> Result<Written, CallError> {
        let Some(api) = self.api() else { return Err(no_interface()) };
        for _ in 0..20 {
            self.wait(Duration::from_secs(30)).await.map_err(uncontrolled)?;
            let token = self.token(false).await?;
            let now = self.now().await.map_err(uncontrolled)?;
            let (party, id) = (self.party(api, now), Some(&written.id));
            let call = WriteCall { party, resource, id, token: token.as_ref(), again: true };
            if let Some(written) = self.transports.confirm(&call).await? {
                return Ok(written);
            }
        }
        Err(CallError::Unknown(Cause::new("certify.unconfirmed", "the write is never confirmed")))
    }

    /// What a record is in FHIR, checked; what is wrong with it, by place.
    pub(crate) fn mapped(&self, kind: &str, record: &Value) -> Result<Mapped, String> {
        let kind_rule = self.api().and_then(|api| api.kinds.get(kind));
        let name = &kind_rule.ok_or_else(|| format!("there is no kind `{kind}`"))?.mapping;
        let mapping = self.mapping(name)?;
        let (settings, headers) = (self.adapter.settings(&self.connection), BTreeMap::new());
        let word = format!("api.{kind}");
        let zone = &self.connection.zone;
        let context = Context { zone, kind: &word, headers: &headers, settings: &settings };
        let made = mapping.apply(record, &context).map_err(|error| format!("{name}: {}", error.text()))?;
        let made = match made {
            Value::Null => Vec::new(),
            Value::Array(resources) => resources,
            one => vec![one],
        };
        let resources = bridge_fhir::assemble(NAMESPACE, made)
            .map_err(|issue| format!("{name}: {} {}", issue.path, issue.text))?;
        for resource in &resources {
            let issue = bridge_fhir::check(&resource.json).err().and_then(|issues| issues.into_iter().next());
            if let Some(issue) = issue {
                return Err(format!("{name}: {} {}", issue.path, issue.text));
            }
        }
        Ok(Mapped { resources })
    }

    fn mapping(&self, name: &str) -> Result<Arc<Mapping>, String> {
        let mut mappings = self.mappings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mapping) = mappings.get(name) {
            return Ok(Arc::clone(mapping));
        }
        let source = self.adapter.mapping(name).ok_or_else(|| format!("there is no mapping `{name}`"))?;
        let mapping = Arc::new(Mapping::compile(name, source).map_err(|error| error.text().to_owned())?);
        mappings.insert(name.to_owned(), Arc::clone(&mapping));
        Ok(mapping)
    }
}

fn uncontrolled(error: ControlError) -> CallError {
    CallError::Retry(None, Cause::new("certify.control", error.to_string()))
}

fn no_interface() -> CallError {
    CallError::Invalid(Cause::new("certify.interface", "the adapter has no `api` section"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a sandbox has the world's time, and nothing is simulated there"
)]
fn real() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}
