//! The process's environment and its user: the only place of the command that reads them.

use std::path::PathBuf;

use bridge_core::task::Actor;

/// A variable; nothing when it is empty.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The folder in which the command was given.
pub(crate) fn folder() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

/// Who gives the command, by the name the operating system has for them.
pub(crate) fn actor(reason: &str) -> Actor {
    let name = variable("SUDO_USER").or_else(|| variable("USER")).or_else(|| variable("LOGNAME"));
    Actor { name: name.unwrap_or_else(|| "unknown".to_owned()), reason: reason.to_owned() }
}
