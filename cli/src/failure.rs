//! How a command fails: one sentence that says what to do, and an exit code that a script can tell apart.

use std::process::ExitCode;

use bridge_pipeline::{
    KeyError, configuration::ConfigurationError, ledger::LedgerError, ports::PortError, queries::QueryError,
};

/// Why a command could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A file, an argument or a configuration is wrong. Exit code 2, as clap's.
    #[error("{0}")]
    Wrong(String),
    /// What was asked for is not there. Exit code 3.
    #[error("{0}")]
    Missing(String),
    /// No bridge answers. Exit code 4.
    #[error("{0}")]
    NotRunning(String),
    /// What was looked at is not as it should be (`connections test`). Exit code 5.
    #[error("{0}")]
    Unsound(String),
    /// The world did not do what was asked, and may do it the next time. Exit code 1.
    #[error("{0}")]
    World(String),
}

impl Failure {
    /// The process's exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::World(_) => 1,
            Self::Wrong(_) => 2,
            Self::Missing(_) => 3,
            Self::NotRunning(_) => 4,
            Self::Unsound(_) => 5,
        })
    }

    /// One word, for `--json`.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::World(_) => "failed",
            Self::Wrong(_) => "wrong",
            Self::Missing(_) => "missing",
            Self::NotRunning(_) => "not_running",
            Self::Unsound(_) => "unsound",
        }
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        // Where nothing listens, nothing runs.
        if error.reason.starts_with("no answer") {
            return Self::NotRunning(format!("{error}: is `bridge up` running, or AWS within reach?"));
        }
        Self::World(error.to_string())
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Port(error) => error.into(),
            KeyError::NoTenant(_) => Self::Missing(error.to_string()),
            KeyError::Seal(_) | KeyError::Expired => Self::World(error.to_string()),
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Port(error) => error.into(),
            LedgerError::Contended | LedgerError::Unreadable(_) => Self::World(error.to_string()),
        }
    }
}

impl From<ConfigurationError> for Failure {
    fn from(error: ConfigurationError) -> Self {
        match error {
            ConfigurationError::Key(error) => error.into(),
            ConfigurationError::Port(error) => error.into(),
            ConfigurationError::Missing(_) => Self::Missing(error.to_string()),
            ConfigurationError::Unreadable(..) | ConfigurationError::Changed(_) => {
                Self::World(error.to_string())
            }
        }
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Key(error) => error.into(),
            QueryError::Ledger(error) => error.into(),
        }
    }
}

impl From<bridge_pipeline::Failure> for Failure {
    fn from(error: bridge_pipeline::Failure) -> Self {
        match error {
            bridge_pipeline::Failure::Port(error) => error.into(),
            bridge_pipeline::Failure::Key(error) => error.into(),
            bridge_pipeline::Failure::Ledger(error) => error.into(),
            bridge_pipeline::Failure::Configuration(error) => error.into(),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::World(error.to_string())
    }
}
