//! A Python with MiniStack in it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{EmulatorError, Progress, advice, tail};

/// What is installed: versions and hashes. `infra/emulator-requirements.in` says why these.
const REQUIREMENTS: &str = include_str!("../../../infra/emulator-requirements.txt");
/// The oldest that MiniStack runs on.
const OLDEST: (u32, u32) = (3, 10);
/// Where a system's `python3` is too old there is often another one.
const NAMES: [&str; 6] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// An interpreter with MiniStack in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    pub(crate) interpreter: PathBuf,
}

/// Installs MiniStack into a virtual environment at `venv`, unless that is done already. Processes that do so at the
/// same time wait for each other.
///
/// # Errors
/// When there is no Python for it, with what to install; when a download fails.
pub fn install(venv: &Path, mut progress: impl FnMut(Progress)) -> Result<Python, EmulatorError> {
    install_from(&NAMES, venv, &mut progress)
}

fn install_from(
    names: &[&str],
    venv: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Python, EmulatorError> {
    let parent = venv.parent().unwrap_or(venv);
    fs::create_dir_all(parent).map_err(EmulatorError::at(parent))?;
    let lock = venv.with_extension("lock");
    let lock =
        File::create(&lock).and_then(|file| file.lock().map(|()| file)).map_err(EmulatorError::at(lock))?;
    let python = Python { interpreter: venv.join("bin/python") };
    // Written last, so it also says that the installation came to its end.
    let installed = venv.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == REQUIREMENTS) && works(&python.interpreter) {
        return Ok(python);
    }
    let system = find(names)?;
    progress(Progress::CreatingEnvironment);
    run("making a virtual environment", Command::new(&system).args(["-m", "venv", "--clear"]).arg(venv))?;
    progress(Progress::InstallingPackages);
    let requirements = venv.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).map_err(EmulatorError::at(&requirements))?;
    let pip =
        ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--require-hashes"];
    let mut pip_install = Command::new(&python.interpreter);
    pip_install.args(pip).args(["--only-binary", ":all:", "--requirement"]).arg(&requirements);
    run("installing the emulator", &mut pip_install)?;
    fs::write(&installed, REQUIREMENTS).map_err(EmulatorError::at(&installed))?;
    drop(lock);
    Ok(python)
}

/// The first of these that is recent enough.
fn find(names: &[&str]) -> Result<String, EmulatorError> {
    let mut found = "there is none".to_owned();
    for name in names {
        let Some(version) = version(name) else { continue };
        if version < OLDEST {
            found = format!("{name} is {}.{}", version.0, version.1);
            continue;
        }
        // Debian leaves them out of its python3.
        let modules = Command::new(name).args(["-c", "import ensurepip, venv"]).output();
        return if modules.is_ok_and(|output| output.status.success()) {
            Ok((*name).to_owned())
        } else {
            Err(EmulatorError::NoVenv { python: (*name).to_owned(), advice: advice::install_python() })
        };
    }
    Err(EmulatorError::NoPython { found, advice: advice::install_python() })
}

fn version(name: &str) -> Option<(u32, u32)> {
    let output = Command::new(name).args(["-c", "import sys; print(*sys.version_info[:2])"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// An environment breaks when the Python that it was made with is replaced.
fn works(interpreter: &Path) -> bool {
    Command::new(interpreter)
        .args(["-c", "import ministack"])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn run(step: &'static str, command: &mut Command) -> Result<(), EmulatorError> {
    match command.output() {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(Output { stdout, stderr, .. }) => {
            let output = [stdout, stderr].concat();
            Err(EmulatorError::Install { step, output: tail(&String::from_utf8_lossy(&output)) })
        }
        Err(error) => Err(EmulatorError::Install { step, output: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn without_python_it_says_what_to_install() {
        let folder = tempfile::tempdir().unwrap();
        let error = install_from(&["no-such-python"], &folder.path().join("venv"), &mut |_| {}).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("Python 3.10 or later, and there is none. Install"), "{text}");
    }

    #[test]
    fn what_is_installed_is_pinned_by_hashes() {
        let pinned = REQUIREMENTS.lines().filter(|line| line.contains("==")).count();
        let hashed = REQUIREMENTS.split("==").skip(1).filter(|rest| rest.contains("--hash=sha256:")).count();
        assert!(pinned > 5 && pinned == hashed, "{pinned} packages, {hashed} with hashes");
    }
}
