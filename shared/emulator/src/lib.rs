//! MiniStack, an AWS emulator: a Python package that `bridge up` and the tests run as a child on loopback.
//!
//! [`install`] puts it into a virtual environment of its own, pinned by hashes. [`Emulator::start`] runs it. It only
//! ever listens on 127.0.0.1, sees nothing of our environment, and is stopped in the way that saves its state.
//!
//! Everything here blocks. Nothing here knows what the bridge keeps in the emulator.

mod advice;
mod emulator;
mod python;

use std::{io, path::PathBuf};

pub use emulator::{Emulator, Keep};
pub use python::{Python, install};

/// What [`install`] and [`Emulator::start`] are doing: all of it may take seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Making a virtual environment.
    CreatingEnvironment,
    /// Downloading the packages into it.
    InstallingPackages,
    /// Starting the emulator.
    Starting,
}

/// Why there is no emulator.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// No Python that could run it.
    #[error(
        "the emulator needs Python 3.10 or later, and {found}. {advice}, or set AWS_ENDPOINT_URL to an endpoint that speaks AWS's API"
    )]
    NoPython {
        /// What there is instead.
        found: String,
        /// What to install, on this system.
        advice: String,
    },
    /// A Python without the modules that make virtual environments.
    #[error("{python} can't make virtual environments. {advice}")]
    NoVenv {
        /// Which Python.
        python: String,
        /// What to install, on this system.
        advice: String,
    },
    /// A step of the installation failed.
    #[error("{step} failed: {output}")]
    Install {
        /// What was tried.
        step: &'static str,
        /// The end of what it printed.
        output: String,
    },
    /// It ended, or did not answer in time.
    #[error("the emulator did not start; its log, {}, ends: {tail}", log.display())]
    NotStarted {
        /// The whole log.
        log: PathBuf,
        /// Its end.
        tail: String,
    },
    /// Another process uses it.
    #[error("another `bridge up` is running in {}", .0.display())]
    InUse(PathBuf),
    /// It did not end when it was told to, and was killed: what it had not saved is lost.
    #[error("the emulator did not stop within {0} s and was killed: its state is lost")]
    Killed(u64),
    /// A file of ours.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl EmulatorError {
    /// An error about the file at `path`.
    fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

/// The last lines of a text.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
