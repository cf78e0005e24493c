//! The AWS endpoint of a bridge on this machine: an emulator that it starts, or whatever it is given.

use std::path::{Path, PathBuf};

use bridge_emulator::{Emulator, EmulatorError, Keep, install};

use crate::{environment, failure::Failure, output::Progress};

/// An endpoint, and the emulator behind it where it is ours.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// For example `http://127.0.0.1:4566`.
    pub(crate) url: String,
    emulator: Option<Emulator>,
}

impl From<EmulatorError> for Failure {
    fn from(error: EmulatorError) -> Self {
        match error {
            EmulatorError::NoPython { .. } | EmulatorError::NoVenv { .. } | EmulatorError::InUse(_) => {
                Self::Wrong(error.to_string())
            }
            _ => Self::World(error.to_string()),
        }
    }
}

/// The endpoint that is given, or an emulator with its state in `home`, which is installed where that has not been
/// done yet.
///
/// # Errors
/// When the endpoint is AWS itself; when there is no Python, with what to install; when the emulator does not start.
pub(crate) async fn endpoint(
    given: Option<String>,
    home: &Path,
    keep: Keep,
    progress: &Progress,
) -> Result<Endpoint, Failure> {
    if let Some(url) = given {
        if url.contains("amazonaws.com") {
            return Err(Failure::Wrong(
                "`bridge up` runs on an emulator: unset AWS_ENDPOINT_URL, or deploy to AWS with sam (docs/operations.md)"
                    .to_owned(),
            ));
        }
        progress.step("endpoint").done(&format!("{url}, as given"));
        return Ok(Endpoint { url, emulator: None });
    }
    let step = progress.step("python");
    let venv = tools(home).join("emulator");
    let python = blocking(move || install(&venv, |_| {})).await?;
    step.done("has the emulator (MiniStack)");
    let step = progress.step("emulator");
    let home = home.join("emulator");
    let emulator = blocking(move || Emulator::start(&python, &home, keep, |_| {})).await?;
    let url = emulator.endpoint();
    step.done(&url);
    Ok(Endpoint { url, emulator: Some(emulator) })
}

impl Endpoint {
    /// Stops the emulator if it is ours, so that it keeps its state. Whether there was one to stop.
    ///
    /// # Errors
    /// When it had to be killed.
    pub(crate) async fn stop(self) -> Result<bool, Failure> {
        let Some(emulator) = self.emulator else { return Ok(false) };
        blocking(move || emulator.stop()).await?;
        Ok(true)
    }
}

/// Where what is installed is shared by all state folders of a user.
fn tools(state: &Path) -> PathBuf {
    let cache = || {
        let home = environment::variable("HOME").map(|home| PathBuf::from(home).join(".cache"));
        environment::variable("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or(home)
            .map(|cache| cache.join("pms-bridge"))
    };
    environment::variable("BRIDGE_TOOLS")
        .map(PathBuf::from)
        .or_else(cache)
        .unwrap_or_else(|| state.join("tools"))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EmulatorError> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Failure::World("the emulator's launcher panicked".to_owned())),
    }
}
