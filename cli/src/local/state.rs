//! The state folder, `.bridge/`: what a running bridge leaves there for the other commands, and its lock.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use bridge_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

const NAME: &str = ".bridge";
const SYSTEM: &str = "system.json";

/// What the other commands must know of a bridge on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct System {
    /// The process.
    pub(crate) pid: u32,
    /// When it was ready.
    pub(crate) since: Timestamp,
    /// Where its webhooks are, without a slash at the end.
    pub(crate) gateway: String,
    /// Where it takes HL7 v2 by MLLP: host and port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mllp: Option<String>,
    /// Where the demo's receiver is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) receiver: Option<String>,
    /// The region that the emulator pretends to be.
    pub(crate) region: String,
    /// The variables that the functions get from the template.
    pub(crate) environment: BTreeMap<String, String>,
}

/// A state folder.
#[derive(Debug, Clone)]
pub(crate) struct State(PathBuf);

/// Held while a bridge runs in a state folder.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl State {
    /// The folder that was asked for, or the nearest `.bridge` from `from` upwards, or a new one in `from`.
    pub(crate) fn find(asked: Option<&Path>, from: &Path) -> Self {
        let near = || from.ancestors().map(|folder| folder.join(NAME)).find(|folder| folder.is_dir());
        Self(asked.map(Path::to_owned).or_else(near).unwrap_or_else(|| from.join(NAME)))
    }

    /// This folder.
    pub(crate) fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Creates the folder, readable by its owner only, and locks it.
    ///
    /// # Errors
    /// When another bridge runs in it.
    pub(crate) fn lock(&self) -> Result<Lock, Failure> {
        let unusable = |error: std::io::Error| {
            Failure::Wrong(format!(
                "{} can't be used ({error}): choose another folder with --state-dir",
                self.0.display()
            ))
        };
        create_private(&self.0).map_err(unusable)?;
        let file = File::create(self.0.join("lock")).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => {
                let pid =
                    self.system().map_or_else(String::new, |system| format!(" (process {})", system.pid));
                Err(Failure::Wrong(format!(
                    "a bridge{pid} runs in {} already: stop it, or give this one a folder with --state-dir",
                    self.0.display()
                )))
            }
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// The bridge that runs here, or ran here last.
    pub(crate) fn system(&self) -> Option<System> {
        let text = fs::read_to_string(self.0.join(SYSTEM)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Tells the other commands.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(crate) fn announce(&self, system: &System) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(system).map_err(|error| Failure::World(error.to_string()))?;
        // Whole or not at all: a command may read it at any time.
        let fresh = self.0.join("system.json.new");
        fs::write(&fresh, text + "\n")?;
        Ok(fs::rename(fresh, self.0.join(SYSTEM))?)
    }

    /// No bridge runs here any more.
    pub(crate) fn withdraw(&self) {
        // It is no harm when it stays: the other commands then find that nobody answers.
        let _ = fs::remove_file(self.0.join(SYSTEM));
    }
}

#[cfg(unix)]
fn create_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_nearest_state_folder_is_found_from_below() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        assert_eq!(State::find(None, &deep).path(), deep.join(NAME));
        fs::create_dir(root.path().join(NAME)).unwrap();
        assert_eq!(State::find(None, &deep).path(), root.path().join(NAME));
        assert_eq!(State::find(Some(&deep), root.path()).path(), deep);
    }

    #[test]
    fn two_bridges_do_not_share_a_folder() {
        let root = tempfile::tempdir().unwrap();
        let state = State::find(Some(&root.path().join("s")), root.path());
        let held = state.lock().unwrap();
        assert!(matches!(state.lock(), Err(Failure::Wrong(text)) if text.contains("--state-dir")));
        drop(held);
        assert!(state.lock().is_ok());
    }

    #[test]
    fn what_is_announced_is_read_until_it_is_withdrawn() {
        let root = tempfile::tempdir().unwrap();
        let state = State::find(Some(root.path()), root.path());
        assert_eq!(state.system(), None);
        let system = System {
            pid: 7,
            since: Timestamp::from_millis(0),
            gateway: "http://127.0.0.1:9400".to_owned(),
            mllp: Some("127.0.0.1:2575".to_owned()),
            receiver: None,
            region: "us-east-1".to_owned(),
            environment: BTreeMap::from([("LEDGER_TABLE".to_owned(), "l".to_owned())]),
        };
        state.announce(&system).unwrap();
        assert_eq!(state.system(), Some(system));
        state.withdraw();
        assert_eq!(state.system(), None);
    }
}
