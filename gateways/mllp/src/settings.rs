//! The gateway's settings: environment variables, which `infra/gateway.yaml` sets. Where the tables and queues are is
//! [`bridge_aws::Settings`].
//!
//! | variable | |
//! |---|---|
//! | `MLLP_DOORS` | YAML: a list of [`Door`]s |
//! | `MLLP_CERTIFICATE`, `MLLP_KEY` | PEM: what doors with TLS show |
//! | `MLLP_CLIENT_CERTIFICATES` | PEM: who vouches for clients, for doors with mutual TLS |
//! | `MLLP_TLS_FOLDER` | instead of these three: a folder of them, looked at again every minute ([`renewal`]) |
//! | `MLLP_HEALTH_PORT` | default 8080 |
//! | `MLLP_SERVICE` | the dimension of its metrics; default `mllp-gateway` |
//! | `MLLP_MAX_CONNECTIONS`, `MLLP_MAX_FRAME_BYTES`, `MLLP_IDLE_SECONDS`, `MLLP_FRAME_SECONDS`, `MLLP_DRAIN_SECONDS` | [`Limits`] |

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Limits,
    door::{self, Door, Tls, WrongDoor},
    renewal,
    tls::Identity,
};

/// Everything that is set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub doors: Vec<Door>,
    /// For doors with TLS.
    pub identity: Identity,
    /// Where it lies, if it can change.
    pub tls_folder: Option<PathBuf>,
    /// The port of `GET /healthz`.
    pub health_port: u16,
    /// What its metrics are told apart by.
    pub service: String,
    /// The limits.
    pub limits: Limits,
}

/// What is wrong with a variable, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It is not there.
    #[error("{name} is not set: {what}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What it should hold.
        what: &'static str,
    },
    /// It can't be read.
    #[error("{name}: {reason}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The doors don't fit together.
    #[error("MLLP_DOORS: {0}")]
    Doors(#[from] WrongDoor),
}

const DOORS: &str = "MLLP_DOORS";
const TLS_FOLDER: &str = "MLLP_TLS_FOLDER";

impl Settings {
    /// Reads the environment through `variable`.
    ///
    /// # Errors
    /// The first thing that is missing or wrong.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let text = |name: &'static str| variable(name).filter(|value| !value.trim().is_empty());
        let what = "a list of doors, such as [{port: 2575, connection: sunrise.lab}]";
        let doors = text(DOORS).ok_or(SettingsError::Missing { name: DOORS, what })?;
        let doors: Vec<Door> = serde_norway::from_str(&doors)
            .map_err(|error| SettingsError::Wrong { name: DOORS, reason: error.to_string() })?;
        if doors.is_empty() {
            return Err(SettingsError::Missing { name: DOORS, what });
        }
        door::check(&doors)?;
        let tls_folder = text(TLS_FOLDER).map(PathBuf::from);
        let identity = match &tls_folder {
            Some(folder) => in_folder(folder)?,
            None => in_variables(text, &doors)?,
        };
        let number = |name: &'static str, least: u64, default: u64| match text(name)
            .map(|text| text.trim().parse())
        {
            None => Ok(default),
            Some(Ok(number)) if number >= least => Ok(number),
            Some(_) => {
                Err(SettingsError::Wrong { name, reason: format!("must be a whole number from {least} up") })
            }
        };
        let size = |name, default: usize| {
            number(name, 1, default as u64).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
        };
        let seconds = |name, default: Duration| number(name, 1, default.as_secs()).map(Duration::from_secs);
        let default = Limits::default();
        let limits = Limits {
            connections: size("MLLP_MAX_CONNECTIONS", default.connections)?,
            frame: size("MLLP_MAX_FRAME_BYTES", default.frame)?,
            idle: seconds("MLLP_IDLE_SECONDS", default.idle)?,
            frame_time: seconds("MLLP_FRAME_SECONDS", default.frame_time)?,
            drain: seconds("MLLP_DRAIN_SECONDS", default.drain)?,
            ..default
        };
        let health = "MLLP_HEALTH_PORT";
        let health_port = u16::try_from(number(health, 1, 8080)?)
            .map_err(|_| SettingsError::Wrong { name: health, reason: "must be a port".to_owned() })?;
        let service = text("MLLP_SERVICE").unwrap_or_else(|| "mllp-gateway".to_owned());
        Ok(Self { doors, identity, tls_folder, health_port, service, limits })
    }
}

fn in_folder(folder: &Path) -> Result<Identity, SettingsError> {
    renewal::read(folder)
        .map_err(|error| SettingsError::Wrong { name: TLS_FOLDER, reason: error.to_string() })
}

fn in_variables(
    text: impl Fn(&'static str) -> Option<String>,
    doors: &[Door],
) -> Result<Identity, SettingsError> {
    let needed = |name, what, tls: &[Tls]| match text(name) {
        Some(pem) => Ok(pem),
        None if doors.iter().any(|door| tls.contains(&door.tls)) => {
            Err(SettingsError::Missing { name, what })
        }
        None => Ok(String::new()),
    };
    let any = [Tls::Server, Tls::Mutual];
    Ok(Identity {
        certificates: needed("MLLP_CERTIFICATE", "PEM of what doors with TLS show", &any)?,
        key: needed("MLLP_KEY", "PEM of the certificate's key", &any)?,
        clients: needed("MLLP_CLIENT_CERTIFICATES", "PEM of who vouches for clients", &[Tls::Mutual])?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashMap;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let variables: HashMap<&str, &str> = variables.iter().copied().collect();
        Settings::read(|name| variables.get(name).map(|value| (*value).to_owned()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn doors_are_all_that_must_be_said() {
        let settings = read(&[("MLLP_DOORS", "[{port: 2575, connection: sunrise.lab}]")]).unwrap();
        assert_eq!((settings.doors.len(), settings.health_port), (1, 8080));
        assert_eq!(settings.limits, Limits::default());
    }

    #[test]
    fn limits_can_be_set() {
        let settings = read(&[
            ("MLLP_DOORS", "[{port: 2575, tenants: [sunrise]}]"),
            ("MLLP_MAX_CONNECTIONS", "7"),
            ("MLLP_IDLE_SECONDS", " 90 "),
        ])
        .unwrap();
        assert_eq!((settings.limits.connections, settings.limits.idle), (7, Duration::from_secs(90)));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        const DOOR: (&str, &str) = ("MLLP_DOORS", "[{port: 2575, tls: mutual, connection: sunrise.lab}]");
        let error = |variables: &[(&str, &str)]| read(variables).unwrap_err();
        assert!(error(&[]).starts_with("MLLP_DOORS is not set"));
        assert!(error(&[("MLLP_DOORS", "[{port: x}]")]).starts_with("MLLP_DOORS: "));
        assert!(error(&[DOOR]).starts_with("MLLP_CERTIFICATE is not set"));
        let pem = [DOOR, ("MLLP_CERTIFICATE", "x"), ("MLLP_KEY", "x")];
        assert!(error(&pem).starts_with("MLLP_CLIENT_CERTIFICATES is not set"));
        let plain = ("MLLP_DOORS", "[{port: 2575, connection: sunrise.lab}]");
        assert!(error(&[plain, ("MLLP_FRAME_SECONDS", "0")]).contains("from 1 up"));
        assert!(error(&[plain, ("MLLP_HEALTH_PORT", "70000")]).contains("port"));
        let nowhere = error(&[DOOR, ("MLLP_TLS_FOLDER", "no/such/folder")]);
        assert!(nowhere.starts_with("MLLP_TLS_FOLDER: no/such/folder/"), "{nowhere}");
    }
}
