//! Every file of `tests/cases` gives what is written beside it, in whatever pieces it comes and wherever reading stops.
//!
//! `cases/<format>/<good|odd|malicious>/<name>.<ext>` is a file, `<name>.yaml` says why it is there and how it is
//! declared, and `<name>.expected` what it gives: a line for each record (`line @offset #number record`), or what is
//! wrong with it. `UPDATE_CASES=1` writes what came out: read the difference.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

mod support;

use std::{fs, path::Path};

use bridge_core::feed::{Column, Shape};
use bridge_formats::Limits;
use serde::Deserialize;
use support::{How, arriving, read, read_with_stops, taken_and_arriving};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Case {
    about: String,
    file: Shape,
    #[serde(default)]
    columns: Vec<Column>,
    #[serde(default)]
    record_bytes: Option<usize>,
    #[serde(default)]
    depth: Option<usize>,
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            files(&entry, found);
        } else if entry.extension().is_some_and(|e| e == "yaml") {
            found.push(entry);
        }
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "whether to write them is the caller's to say")]
fn every_file_gives_what_is_written_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut declared = Vec::new();
    files(&folder, &mut declared);
    assert!(declared.len() >= 60, "{} cases", declared.len());
    let mut wrong = Vec::new();
    for yaml in declared {
        let name = yaml.strip_prefix(&folder).unwrap().display().to_string();
        let case: Case = serde_norway::from_str(&fs::read_to_string(&yaml).unwrap())
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!case.about.is_empty(), "{name} says why it is there");
        let beside = |entry: &fs::DirEntry| {
            let path = entry.path();
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            path.file_stem() == yaml.file_stem() && !matches!(extension, "yaml" | "expected")
        };
        let mut siblings = fs::read_dir(yaml.parent().unwrap()).unwrap().map(Result::unwrap);
        let input = siblings.find(beside).unwrap_or_else(|| panic!("{name} has no file"));
        let bytes = fs::read(input.path()).unwrap();
        let defaults = Limits::default();
        let limits = Limits {
            record_bytes: case.record_bytes.unwrap_or(defaults.record_bytes),
            depth: case.depth.unwrap_or(defaults.depth),
            ..defaults
        };
        let how = How { shape: case.file, columns: case.columns, limits };

        let whole = read(&bytes, &how, usize::MAX);
        for size in [1, 2, 7, 64] {
            assert_eq!(read(&bytes, &how, size), whole, "{name} in pieces of {size}");
        }
        assert_eq!(read_with_stops(&bytes, &how), whole, "{name} with stops");
        for size in [1, 7, 200] {
            let (taken, arrived) = taken_and_arriving(&bytes, &how, size);
            assert_eq!(arrived, taken, "{name} arriving by {size}, each time elsewhere");
            assert_eq!(arriving(&bytes, &how, size), taken, "{name} arriving by {size}");
        }

        let found = whole.join("\n") + "\n";
        let expected = yaml.with_extension("expected");
        if std::env::var_os("UPDATE_CASES").is_some() {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{name}:\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
