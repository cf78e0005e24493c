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
    Actor { name: name.unwrap_or_else(number), reason: reason.to_owned() }
}

/// The user's number, where there is no name (in a container, for example).
#[cfg(target_os = "linux")]
fn number() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let process = std::fs::metadata("/proc/self");
    process.map_or_else(|_| "unknown".to_owned(), |process| format!("user {}", process.uid()))
}

#[cfg(not(target_os = "linux"))]
fn number() -> String {
    "unknown".to_owned()
}
