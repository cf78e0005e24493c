//! Where the bridge's tables, queues, bucket and key are: environment variables that `infra/template.yaml` sets.

use std::{env, fmt};

/// The names of everything that was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `LEDGER_TABLE`.
    pub ledger_table: String,
    /// `RESOURCES_TABLE`.
    pub resources_table: String,
    /// `CONFIG_TABLE`.
    pub config_table: String,
    /// `INBOUND_QUEUE_URL`.
    pub inbound_queue_url: String,
    /// `OUTBOUND_QUEUE_URL`.
    pub outbound_queue_url: String,
    /// `COMMANDS_QUEUE_URL`.
    pub commands_queue_url: String,
    /// `POLLS_QUEUE_URL`.
    pub polls_queue_url: String,
    /// `EXPORTS_QUEUE_URL`; empty where nothing is exported.
    pub exports_queue_url: String,
    /// `DROPS_QUEUE_URL`; empty where no files are read.
    pub drops_queue_url: String,
    /// `PAYLOAD_BUCKET`.
    pub payload_bucket: String,
    /// `FILES_BUCKET`; empty where no files are read.
    pub files_bucket: String,
    /// `KEY_ID`: id, alias or ARN of the KMS key.
    pub key_id: String,
    /// `STACK_NAME`: whose keys that sign these are; empty where none are made.
    pub stack: String,
    /// `AWS_ENDPOINT_URL`: something that speaks AWS's protocols in its stead.
    pub endpoint: Option<String>,
    /// The region; `None` for the one of the environment or the profile.
    pub region: Option<String>,
    /// Fixed credentials; `None` for AWS's default chain (environment, profile, container, instance).
    pub credentials: Option<Credentials>,
}

/// An access key. An emulator takes any.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key id.
    pub id: String,
    /// Secret access key.
    pub secret: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The environment lacks something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment lacks {}: infra/template.yaml sets them for every function", .0.join(", "))]
pub struct MissingSettings(pub Vec<&'static str>);

/// A variable of the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "here the process is wired; everybody else is handed its settings"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// Names every variable that is missing or empty.
    pub fn from_env() -> Result<Self, MissingSettings> {
        Self::read(variable)
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, MissingSettings> {
        let mut missing = Vec::new();
        let mut required = |name| {
            variable(name).filter(|value| !value.is_empty()).unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let settings = Self {
            ledger_table: required("LEDGER_TABLE"),
            resources_table: required("RESOURCES_TABLE"),
            config_table: required("CONFIG_TABLE"),
            inbound_queue_url: required("INBOUND_QUEUE_URL"),
            outbound_queue_url: required("OUTBOUND_QUEUE_URL"),
            commands_queue_url: required("COMMANDS_QUEUE_URL"),
            polls_queue_url: required("POLLS_QUEUE_URL"),
            exports_queue_url: variable("EXPORTS_QUEUE_URL").unwrap_or_default(),
            drops_queue_url: variable("DROPS_QUEUE_URL").unwrap_or_default(),
            payload_bucket: required("PAYLOAD_BUCKET"),
            files_bucket: variable("FILES_BUCKET").unwrap_or_default(),
            key_id: required("KEY_ID"),
            stack: variable("STACK_NAME").unwrap_or_default(),
            endpoint: variable("AWS_ENDPOINT_URL").filter(|value| !value.is_empty()),
            region: None,
            credentials: None,
        };
        if missing.is_empty() { Ok(settings) } else { Err(MissingSettings(missing)) }
    }
}

/// Whose tokens `fhir-api` takes. An empty issuer lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSettings {
    /// `FHIR_ISSUER`: what stands in a token as `iss`, and where the issuer's keys are found.
    pub issuer: String,
    /// `FHIR_AUDIENCE`: what stands in a token as `aud`.
    pub audience: String,
    /// `FHIR_TENANT_CLAIM`: the claim that holds the tenant's id.
    pub tenant_claim: String,
    /// `FHIR_ADDRESS`: the public address of `/fhir`, where it is not the one that is called.
    pub address: Option<String>,
}

impl IssuerSettings {
    /// Reads the environment.
    ///
    /// # Errors
    /// Names every variable that is missing; an issuer may be empty.
    pub fn from_env() -> Result<Self, MissingSettings> {
        Self::read(variable)
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, MissingSettings> {
        let mut missing = Vec::new();
        let mut required = |name| {
            variable(name).unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let settings = Self {
            issuer: required("FHIR_ISSUER"),
            audience: required("FHIR_AUDIENCE"),
            tenant_claim: required("FHIR_TENANT_CLAIM"),
            address: variable("FHIR_ADDRESS")
                .filter(|value| !value.is_empty())
                .map(|value| value.trim_end_matches('/').to_owned()),
        };
        if missing.is_empty() { Ok(settings) } else { Err(MissingSettings(missing)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let environment = |name: &str| match name {
            "KEY_ID" | "CONFIG_TABLE" => None,
            "PAYLOAD_BUCKET" => Some(String::new()),
            name => Some(name.to_lowercase()),
        };
        let missing = Settings::read(environment).err().map(|error| error.0);
        assert_eq!(missing, Some(vec!["CONFIG_TABLE", "PAYLOAD_BUCKET", "KEY_ID"]));
    }

    #[test]
    fn secrets_do_not_print() {
        let credentials = Credentials { id: "AKIAEXAMPLE".to_owned(), secret: "hush".to_owned() };
        assert!(!format!("{credentials:?}").contains("hush"));
    }
}
