//! Tenants and connections as YAML files: what `bridge connections apply` and `bridge tenants apply` read.
//!
//! Everything wrong is found before anything is changed, and said as `file:line: reason`. A reason never shows the
//! value of a secret.

mod check;
mod secrets;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use bridge_core::config::{Connection, Tenant};
use serde::de::DeserializeOwned;

use crate::failure::Failure;

pub(crate) use check::{Known, check};
pub(crate) use secrets::resolve;

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// As it was named on the command line.
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// What, and what to do about it.
    pub(crate) reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

/// A file that was read.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// As it was named on the command line.
    pub(crate) name: String,
    /// As it was written.
    pub(crate) text: String,
    /// What it says.
    pub(crate) content: Content,
}

/// What a file is about: a tenant where it has the key `tenant`, a connection where it has the key `connection`.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// A practice.
    Tenant(Tenant),
    /// One of its links.
    Connection(Box<Connection>),
}

impl File {
    /// Something wrong at a path in this file.
    pub(crate) fn problem(&self, path: &[&str], reason: impl Into<String>) -> Problem {
        let line = bridge_adapters::line_of(&self.text, path);
        Problem { file: self.name.clone(), line, reason: reason.into() }
    }

    /// The connection, if it is one.
    pub(crate) fn connection(&self) -> Option<&Connection> {
        match &self.content {
            Content::Connection(connection) => Some(connection),
            Content::Tenant(_) => None,
        }
    }
}

/// Reads a file, or all `.yaml` and `.yml` files of a folder in the order of their names.
///
/// # Errors
/// Everything that can't be read, and everything that is not in the vocabulary.
pub(crate) fn read(path: &Path) -> Result<Vec<File>, Vec<Problem>> {
    let unreadable = |path: &Path, error: std::io::Error| Problem {
        file: path.display().to_string(),
        line: 1,
        reason: format!("cannot be read: {error}"),
    };
    let paths = if path.is_dir() {
        yaml_files(path).map_err(|error| vec![unreadable(path, error)])?
    } else {
        vec![path.to_owned()]
    };
    if paths.is_empty() {
        let reason = "this folder has no .yaml files".to_owned();
        return Err(vec![Problem { file: path.display().to_string(), line: 1, reason }]);
    }
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let read = fs::read_to_string(&path).map_err(|error| unreadable(&path, error));
        match read.and_then(|text| parse(&path.display().to_string(), text)) {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(problems) }
}

/// Reads the file of one connection.
///
/// # Errors
/// As for [`read`], and when it is something else.
pub(crate) fn read_connection(path: &Path) -> Result<(File, Connection), Failure> {
    let mut files = read(path).map_err(|problems| {
        Failure::Wrong(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })?;
    let Some(file) = files.pop().filter(|_| files.is_empty()) else {
        return Err(Failure::Wrong(format!("{} is a folder: name one file", path.display())));
    };
    let connection = file.connection().cloned().ok_or_else(|| {
        Failure::Wrong(format!("{} is about a tenant: only connections have versions", path.display()))
    })?;
    Ok((file, connection))
}

fn yaml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries: Result<Vec<_>, _> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let mut paths: Vec<PathBuf> = entries?.into_iter().filter(is_yaml).collect();
    paths.sort();
    Ok(paths)
}

/// Reads a file's text.
///
/// # Errors
/// Syntax, unknown fields, and values of the wrong form.
pub(crate) fn parse(name: &str, text: String) -> Result<File, Problem> {
    let problem = |line, reason: &str| Problem { file: name.to_owned(), line, reason: reason.to_owned() };
    let wrong = |error: &serde_norway::Error, line: Option<usize>| {
        let line = line.or_else(|| error.location().map(|place| place.line())).unwrap_or(1);
        // The line and column stand in front already.
        let text = error.to_string();
        problem(line, text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason))
    };
    let document: serde_norway::Value = serde_norway::from_str(&text).map_err(|error| wrong(&error, None))?;
    let content = if document.get("connection").is_some() {
        let connection = serde_norway::from_str(&text);
        let connection =
            connection.map_err(|error| wrong(&error, culprit::<Connection>(&text, &document)))?;
        Content::Connection(Box::new(connection))
    } else if document.get("tenant").is_some() {
        let tenant = serde_norway::from_str(&text);
        Content::Tenant(tenant.map_err(|error| wrong(&error, culprit::<Tenant>(&text, &document)))?)
    } else {
        return Err(problem(
            1,
            "neither a tenant (`tenant: name`) nor a connection (`connection: tenant.name`)",
        ));
    };
    Ok(File { name: name.to_owned(), text, content })
}

/// The line of the key at the top whose plain value is wrong. serde knows lines inside of it only: for
/// `zone: Mars/Olympus` it names the whole document. The key is the one without which another thing is wrong, or
/// nothing.
fn culprit<T: DeserializeOwned>(text: &str, document: &serde_norway::Value) -> Option<usize> {
    let wrong_without = |key: Option<&serde_norway::Value>| {
        let mut fields = document.as_mapping()?.clone();
        if let Some(key) = key {
            fields.remove(key);
        }
        serde_norway::from_value::<T>(fields.into()).err().map(|error| error.to_string())
    };
    let wrong = wrong_without(None);
    let plain =
        document.as_mapping()?.iter().filter(|(_, value)| !value.is_mapping() && !value.is_sequence());
    let key = plain.map(|(key, _)| key).find(|key| wrong_without(Some(key)) != wrong)?;
    Some(bridge_adapters::line_of(text, &[key.as_str()?]))
}
