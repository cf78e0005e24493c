//! Tenants and connections in the `config` table: versioned, with sealed secrets.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | tenant | `{tenant}` | `tenant` |
//! | connection, current | `{tenant}` | `connection#{name}` |
//! | connection, each version | `{tenant}` | `history#{name}#{version}` |

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use bridge_convert::Converter;
use bridge_core::{
    Phi, Timestamp,
    config::{Connection, Hl7v2Site, Retention, Secret, Tenant},
    id::{ConnectionId, EndpointName, TenantId},
    manifest::{Adapters, Kind, Manifest, Transport, Webhook},
    task::Actor,
};
use bridge_seal::Binding;
use serde::{Deserialize, Serialize};

use crate::{
    bridge::Bridge,
    keys::{Keep, KeyError},
    ledger::{docs_read, docs_write},
    ports::{Clock, Expect, Index, Key, PortError, Ports, Query, Record, Store, Table, Write, WriteError},
    resilience::places::There,
};

/// A connection, ready to be used.
#[derive(Debug)]
pub struct Loaded {
    /// With its secrets opened.
    pub connection: Connection,
    /// Its adapter.
    pub manifest: Arc<Manifest>,
    /// Its tenant's retention.
    pub retention: Retention,
    /// Which version of the connection this is.
    pub version: u32,
    /// How it speaks HL7 v2, its adapter's defaults included; `None` when it does not.
    pub hl7v2: Option<Box<Hl7v2Site>>,
    /// Which of its endpoints this is about; `None` where it has one address.
    pub(crate) endpoint: Option<EndpointName>,
    /// The connection as it is at each of its endpoints.
    pub(crate) there: Vec<There>,
    /// Made when it is first needed.
    pub(crate) converter: OnceLock<Converter>,
}

impl Loaded {
    /// A connection with its adapter, as it is in no version yet.
    pub(crate) fn new(connection: Connection, manifest: Arc<Manifest>) -> Self {
        let hl7v2 = match (connection.hl7v2.clone(), &manifest.hl7v2) {
            (own, Some(defaults)) => Some(Box::new(own.unwrap_or_default().over(defaults))),
            (own, None) => own,
        };
        let (retention, converter) = (Retention::default(), OnceLock::new());
        Self {
            connection,
            manifest,
            retention,
            version: 0,
            hl7v2,
            endpoint: None,
            there: Vec::new(),
            converter,
        }
    }

    /// Its webhook rules: its own, or its adapter's.
    pub fn webhook(&self) -> Option<&Webhook> {
        self.connection.webhook.as_ref().or(self.manifest.webhook.as_ref())
    }

    /// Whether the product's own interface writes what it is sent.
    pub(crate) fn is_written(&self) -> bool {
        self.manifest.deliver.as_ref().is_some_and(|deliver| deliver.transport == Transport::Api)
    }

    /// What is known of a kind of message: of the webhook's, or of those that are polled.
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        let polled = || self.manifest.api.as_ref()?.kind_of(name);
        self.webhook().and_then(|webhook| webhook.kinds.get(name)).or_else(polled)
    }

    /// The values of a secret, the current one first.
    pub fn secret(&self, name: &str) -> &[Phi<String>] {
        self.connection.secrets.get(name).map_or(&[], Secret::values)
    }

    /// A setting, or its default.
    pub fn setting(&self, name: &str) -> Option<&str> {
        let own = self.connection.settings.get(name);
        own.or_else(|| self.manifest.settings.get(name)?.default.as_ref()).map(String::as_str)
    }

    /// Whether a setting that something needs says anything; where nothing is needed, it can be done.
    pub(crate) fn has(&self, needed: Option<&str>) -> bool {
        needed.is_none_or(|name| self.setting(name).is_some_and(|text| !text.is_empty()))
    }

    /// All settings with their values.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let named = |name: &String| Some((name.clone(), self.setting(name)?.to_owned()));
        self.manifest.settings.keys().filter_map(named).chain(self.connection.settings.clone()).collect()
    }
}

/// A version of a connection as it is stored: without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredConnection {
    /// Its id.
    pub connection: ConnectionId,
    /// 1 for the first.
    pub version: u32,
    /// The YAML, in canonical form.
    pub yaml: String,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// Who applied it, and why.
    pub actor: Actor,
    /// The names of its secrets.
    pub secrets: Vec<String>,
}

/// Why a configuration was not applied or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A port failed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// What is stored can't be read by this version.
    #[error("the stored configuration of {0} can't be read by this version: {1}")]
    Unreadable(String, String),
    /// Somebody else was faster.
    #[error("{0} was changed by somebody else just now: look at it again")]
    Changed(String),
    /// It does not exist.
    #[error("{0} does not exist")]
    Missing(String),
}

impl<P: Ports> Bridge<P> {
    /// The connection, from memory when it was read in the last half minute.
    ///
    /// # Errors
    /// When a port fails or what is stored can't be read.
    pub async fn connection(&self, id: &ConnectionId) -> Result<Option<Arc<Loaded>>, ConfigurationError> {
        if let Some(known) = self.cached_connection(id) {
            return Ok(known);
        }
        let loaded = self.load(id).await?.map(Arc::new);
        self.cache_connection(id, loaded.clone());
        Ok(loaded)
    }

    async fn load(&self, id: &ConnectionId) -> Result<Option<Loaded>, ConfigurationError> {
        let Some(record) = self.ports.store().get(&current_key(id)).await? else { return Ok(None) };
        let stored: StoredConnection = read(&record, id.as_str())?;
        let unreadable = |why: &str| ConfigurationError::Unreadable(id.to_string(), why.to_owned());
        let mut connection: Connection =
            serde_norway::from_str(&stored.yaml).map_err(|error| unreadable(&error.to_string()))?;
        let Some(manifest) = self.ports.adapters().manifest(&connection.adapter) else {
            return Err(unreadable("its adapter is not part of this version"));
        };
        connection.secrets = self.open_secrets(&stored, record.blob.as_deref()).await?;
        let retention = self.tenant(&id.tenant()).await?.map(|tenant| tenant.retention).unwrap_or_default();
        let loaded = Loaded { retention, version: stored.version, ..Loaded::new(connection, manifest) };
        Ok(Some(loaded.with_endpoints()))
    }

    async fn open_secrets(
        &self,
        stored: &StoredConnection,
        sealed: Option<&[u8]>,
    ) -> Result<BTreeMap<String, Secret>, ConfigurationError> {
        let Some(sealed) = sealed else { return Ok(BTreeMap::new()) };
        let id = stored.version.to_string();
        let plain = self.open(secrets_binding(&stored.connection, &id), sealed).await?;
        let values: BTreeMap<String, Vec<Phi<String>>> =
            serde_json::from_slice(plain.expose()).map_err(|_| {
                ConfigurationError::Unreadable(stored.connection.to_string(), "its secrets".to_owned())
            })?;
        Ok(values.into_iter().map(|(name, values)| (name, Secret::Rotating(values))).collect())
    }

    /// A tenant's settings.
    ///
    /// # Errors
    /// When a port fails or what is stored can't be read.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, ConfigurationError> {
        match self.ports.store().get(&tenant_key(id)).await? {
            None => Ok(None),
            Some(record) => Ok(Some(read(&record, id.as_str())?)),
        }
    }

    /// Stores a tenant and gives it its keys.
    ///
    /// # Errors
    /// When a port fails, or somebody else changes it at the same time.
    pub async fn apply_tenant(&self, tenant: &Tenant) -> Result<(), ConfigurationError> {
        self.create_index_key(&tenant.tenant).await?;
        let key = tenant_key(&tenant.tenant);
        let expect = expect(self.ports.store().get(&key).await?.as_ref());
        let put = Write::Put(Record::new(key, docs_write(tenant)), expect);
        self.put(vec![put], tenant.tenant.as_str()).await
    }

    /// Stores a new version of a connection. Secrets that it does not give keep the values they have.
    ///
    /// # Errors
    /// When a port fails, or somebody else changes it at the same time.
    pub async fn apply_connection(
        &self,
        mut connection: Connection,
        actor: Actor,
    ) -> Result<StoredConnection, ConfigurationError> {
        let id = connection.connection.clone();
        let current = self.ports.store().get(&current_key(&id)).await?;
        let mut version = 1;
        let mut secrets = std::mem::take(&mut connection.secrets);
        if let Some(record) = &current {
            let stored: StoredConnection = read(record, id.as_str())?;
            version = stored.version + 1;
            for (name, value) in self.open_secrets(&stored, record.blob.as_deref()).await? {
                secrets.entry(name).or_insert(value);
            }
        }
        let yaml = serde_norway::to_string(&connection)
            .map_err(|error| ConfigurationError::Unreadable(id.to_string(), error.to_string()))?;
        let values: BTreeMap<&String, &[Phi<String>]> =
            secrets.iter().map(|(n, s)| (n, s.values())).collect();
        let stored = StoredConnection {
            connection: id.clone(),
            version,
            yaml,
            applied_at: self.ports.clock().now(),
            actor,
            secrets: secrets.keys().cloned().collect(),
        };
        let plain = docs_write(&values);
        let sealed =
            self.seal(secrets_binding(&id, &version.to_string()), Keep::Lasting, plain.as_bytes()).await?;
        let record = |key| {
            let mut record = Record::new(key, docs_write(&stored));
            record.blob = Some(sealed.clone());
            record
        };
        let writes = vec![
            Write::Put(record(current_key(&id)), expect(current.as_ref())),
            Write::Put(record(history_key(&id, version)), Expect::Absent),
        ];
        self.put(writes, id.as_str()).await?;
        self.forget_configuration();
        if let Some(manifest) = self.ports.adapters().manifest(&connection.adapter) {
            self.schedule_poll(&id, &manifest, connection.poll && !connection.paused).await?;
            self.schedule_watch(&connection, &manifest).await?;
        }
        self.schedule_exports(&connection).await?;
        Ok(stored)
    }

    /// Applies an earlier version again, with the secrets of today.
    ///
    /// # Errors
    /// When that version does not exist, or as for [`Bridge::apply_connection`].
    pub async fn roll_back(
        &self,
        id: &ConnectionId,
        version: u32,
        actor: Actor,
    ) -> Result<StoredConnection, ConfigurationError> {
        let missing = || ConfigurationError::Missing(format!("version {version} of {id}"));
        let record = self.ports.store().get(&history_key(id, version)).await?.ok_or_else(missing)?;
        let stored: StoredConnection = read(&record, id.as_str())?;
        let connection = serde_norway::from_str(&stored.yaml)
            .map_err(|error| ConfigurationError::Unreadable(id.to_string(), error.to_string()))?;
        self.apply_connection(connection, actor).await
    }

    /// Lets a connection's work wait, or go on.
    ///
    /// # Errors
    /// When it does not exist, or as for [`Bridge::apply_connection`].
    pub async fn set_paused(
        &self,
        id: &ConnectionId,
        paused: bool,
        actor: Actor,
    ) -> Result<StoredConnection, ConfigurationError> {
        let loaded = self.load(id).await?.ok_or_else(|| ConfigurationError::Missing(id.to_string()))?;
        let mut connection = loaded.connection;
        connection.paused = paused;
        self.apply_connection(connection, actor).await
    }

    /// The connections of a tenant, by name.
    ///
    /// # Errors
    /// When a port fails or what is stored can't be read.
    pub async fn connections(&self, tenant: &TenantId) -> Result<Vec<StoredConnection>, ConfigurationError> {
        self.stored(tenant, "connection#").await
    }

    /// All versions of a connection, oldest first.
    ///
    /// # Errors
    /// When a port fails or what is stored can't be read.
    pub async fn history(&self, id: &ConnectionId) -> Result<Vec<StoredConnection>, ConfigurationError> {
        self.stored(&id.tenant(), &format!("history#{}#", name_of(id))).await
    }

    async fn stored(
        &self,
        tenant: &TenantId,
        prefix: &str,
    ) -> Result<Vec<StoredConnection>, ConfigurationError> {
        let query = Query::prefix(Table::Config, Index::Main, tenant.as_str(), prefix);
        let records = self.ports.store().query(query).await?;
        records.iter().map(|record| read(record, tenant.as_str())).collect()
    }

    async fn put(&self, writes: Vec<Write>, what: &str) -> Result<(), ConfigurationError> {
        match self.ports.store().write(writes).await {
            Ok(()) => Ok(()),
            Err(WriteError::Conflict { .. }) => Err(ConfigurationError::Changed(what.to_owned())),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }
}

fn expect(current: Option<&Record>) -> Expect {
    current.map_or(Expect::Absent, |record| Expect::Rev(record.rev))
}

fn read<T: serde::de::DeserializeOwned>(record: &Record, what: &str) -> Result<T, ConfigurationError> {
    docs_read(record).map_err(|error| ConfigurationError::Unreadable(what.to_owned(), error))
}

fn secrets_binding<'a>(connection: &'a ConnectionId, version: &'a str) -> Binding<'a> {
    Binding { connection, purpose: "secrets", id: version }
}

fn name_of(id: &ConnectionId) -> &str {
    id.as_str().split_once('.').map_or("", |(_, name)| name)
}

fn tenant_key(id: &TenantId) -> Key {
    Key::new(Table::Config, id.as_str(), "tenant")
}

fn current_key(id: &ConnectionId) -> Key {
    Key::new(Table::Config, id.tenant().as_str(), format!("connection#{}", name_of(id)))
}

fn history_key(id: &ConnectionId, version: u32) -> Key {
    Key::new(Table::Config, id.tenant().as_str(), format!("history#{}#{version:06}", name_of(id)))
}
