//! Where the corpus of real messages is, if it is there: `PMS_BRIDGE_HL7`, or `shared/hl7` beside the
//! workspace.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    dead_code,
    unreachable_pub
)]

use std::{env, fs, path::PathBuf};

/// Each file's name and bytes. Empty, with a note, when there is no corpus.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/hl7");
    let root = env::var_os("PMS_BRIDGE_HL7").map_or(beside, PathBuf::from).join("corpus");
    let mut files = Vec::new();
    for folder in fs::read_dir(&root).into_iter().flatten().flatten().filter(|f| f.path().is_dir()) {
        for file in fs::read_dir(folder.path()).unwrap().flatten() {
            let name = format!("{}/{}", folder.file_name().display(), file.file_name().display());
            files.push((name, fs::read(file.path()).unwrap()));
        }
    }
    files.sort();
    if files.is_empty() {
        eprintln!("no corpus at {}: nothing was tested", root.display());
    }
    files
}
