//! Finding the bridge that a command is about: the one whose functions' environment the command was given, or the
//! one that runs on this machine.

use std::collections::BTreeMap;

use bridge_adapters::Catalog;
use bridge_aws::{Aws, AwsPorts, Credentials, Settings};
use bridge_pipeline::Bridge;

use crate::{
    environment,
    failure::Failure,
    local::state::{State, System},
};

/// The pipeline as operators use it: it calls nobody but AWS.
pub(crate) type Pipeline = Bridge<AwsPorts<Catalog>>;

/// What an emulator is told; it takes anything.
pub(crate) fn local_credentials() -> Credentials {
    Credentials { id: "local".to_owned(), secret: "local".to_owned() }
}

/// A bridge, found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its tables, queues, bucket and key.
    pub(crate) settings: Settings,
    /// Its announcement, where it runs on this machine.
    pub(crate) system: Option<System>,
}

impl Found {
    /// The pipeline over it.
    pub(crate) async fn pipeline(&self) -> Pipeline {
        self.pipeline_with(Catalog::builtin()).await
    }

    /// The same with other adapters.
    pub(crate) async fn pipeline_with(&self, adapters: Catalog) -> Pipeline {
        Bridge::new(AwsPorts::new(Aws::new(self.settings.clone()).await, adapters))
    }
}

/// Finds the bridge.
///
/// # Errors
/// When there is none.
pub(crate) fn find(state: &State, endpoint: Option<&str>) -> Result<Found, Failure> {
    let (mut settings, system) = if environment::variable("LEDGER_TABLE").is_some() {
        (Settings::from_env().map_err(|error| Failure::Wrong(error.to_string()))?, None)
    } else {
        let system = state.system().ok_or_else(|| {
            Failure::NotRunning(format!(
                "no bridge has been started in {}: run `bridge up`, or set the environment of a deployed one's functions",
                state.path().display()
            ))
        })?;
        (settings(&system.environment, &system.region), Some(system))
    };
    if let Some(endpoint) = endpoint {
        settings.endpoint = Some(endpoint.to_owned());
    }
    Ok(Found { settings, system })
}

/// The settings of a bridge on this machine, whose functions get these variables.
pub(crate) fn settings(environment: &BTreeMap<String, String>, region: &str) -> Settings {
    let variable = |name: &str| environment.get(name).cloned().unwrap_or_default();
    Settings {
        ledger_table: variable("LEDGER_TABLE"),
        resources_table: variable("RESOURCES_TABLE"),
        config_table: variable("CONFIG_TABLE"),
        inbound_queue_url: variable("INBOUND_QUEUE_URL"),
        outbound_queue_url: variable("OUTBOUND_QUEUE_URL"),
        commands_queue_url: variable("COMMANDS_QUEUE_URL"),
        polls_queue_url: variable("POLLS_QUEUE_URL"),
        exports_queue_url: variable("EXPORTS_QUEUE_URL"),
        drops_queue_url: variable("DROPS_QUEUE_URL"),
        payload_bucket: variable("PAYLOAD_BUCKET"),
        files_bucket: variable("FILES_BUCKET"),
        key_id: variable("KEY_ID"),
        stack: variable("STACK_NAME"),
        endpoint: Some(variable("AWS_ENDPOINT_URL")).filter(|url| !url.is_empty()),
        region: Some(region.to_owned()),
        credentials: Some(local_credentials()),
    }
}

/// The pipeline over a bridge on this machine.
pub(crate) async fn pipeline(system: &System) -> Pipeline {
    let settings = settings(&system.environment, &system.region);
    Bridge::new(AwsPorts::new(Aws::new(settings).await, Catalog::builtin()))
}
