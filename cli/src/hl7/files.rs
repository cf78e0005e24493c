//! Files of HL7 v2 messages: one, many, FHS/BHS batches, folders of them, or standard input.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use bridge_hl7v2::batch::{self, Part};

use crate::failure::Failure;

/// A file that was read whole.
pub(crate) struct Source {
    /// As it is shown: its path, or `stdin`.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// What stands in a file.
pub(crate) enum Item<'a> {
    /// A message, from its MSH on.
    Message {
        /// The line it begins in, counted from 1.
        line: usize,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// Something that is wrong, with its line.
    Wrong(String),
}

impl Source {
    /// Its messages, and what is wrong between them.
    pub(crate) fn items(&self) -> impl Iterator<Item = Item<'_>> {
        batch::split(&self.bytes).filter_map(|part| match part {
            Part::Message(lines) => Some(Item::Message { line: lines.line, bytes: lines.bytes }),
            Part::Stray(lines) => Some(Item::Wrong(format!("line {}: in no message", lines.line))),
            Part::BatchEnd(count) | Part::FileEnd(count) if !count.agrees() => Some(Item::Wrong(format!(
                "line {}: the trailer's count is not what was found ({})",
                count.line, count.found
            ))),
            _ => None,
        })
    }
}

/// Reads a file, every file of a folder in the order of their names, or standard input for `-`.
///
/// # Errors
/// Names what can't be read.
pub(crate) fn read(path: &Path) -> Result<Vec<Source>, Failure> {
    let unreadable =
        |path: &Path, error: std::io::Error| Failure::Wrong(format!("{}: {error}", path.display()));
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| unreadable(path, error))?;
        return Ok(vec![Source { name: "stdin".to_owned(), bytes }]);
    }
    let mut paths: Vec<PathBuf> = if path.is_dir() {
        let entries = fs::read_dir(path).map_err(|error| unreadable(path, error))?;
        let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
        paths.map_err(|error| unreadable(path, error))?.into_iter().filter(|path| path.is_file()).collect()
    } else {
        vec![path.to_owned()]
    };
    paths.sort();
    let source = |path: &PathBuf| {
        let bytes = fs::read(path).map_err(|error| unreadable(path, error))?;
        Ok(Source { name: path.display().to_string(), bytes })
    };
    paths.iter().map(source).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_is_its_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("b.hl7", "MSH|2"), ("a.hl7", "MSH|1\rMSH|1b"), ("c.hl7", "no message\rMSH|3")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::create_dir(folder.path().join("deeper")).unwrap();
        let sources = read(folder.path()).unwrap();
        let shown: Vec<String> = sources
            .iter()
            .flat_map(Source::items)
            .map(|item| match item {
                Item::Message { line, bytes } => format!("{line} {}", String::from_utf8_lossy(bytes)),
                Item::Wrong(what) => what,
            })
            .collect();
        assert_eq!(shown, ["1 MSH|1", "2 MSH|1b", "1 MSH|2", "line 1: in no message", "2 MSH|3"]);
        assert!(matches!(read(&folder.path().join("none")), Err(Failure::Wrong(_))));
    }
}
