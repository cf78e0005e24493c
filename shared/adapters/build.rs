//! Puts the adapters into the binary: the manifest, the mappings and the queries of every folder under `adapters/`, not the
//! fixtures. A Lambda has no other way to them, and a table of `include_str!` costs nothing at start.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let adapters = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../adapters").canonicalize()?;
    println!("cargo::rerun-if-changed={}", adapters.display());

    let mut table = String::from("&[\n");
    for (name, folder) in entries(&adapters)?.into_iter().filter(|(_, path)| path.is_dir()) {
        let manifest = folder.join("adapter.yaml");
        writeln!(table, "  Embedded {{ name: {name:?}, manifest: include_str!({manifest:?}), mappings: &[")?;
        texts(&mut table, &folder.join("mappings"), ".jsonata")?;
        table.push_str("  ], queries: &[");
        texts(&mut table, &folder.join("queries"), ".graphql")?;
        table.push_str("  ] },\n");
    }
    table.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("builtin.rs"), table)?;
    Ok(())
}

/// The files of one kind, by name without the ending.
fn texts(table: &mut String, folder: &Path, ending: &str) -> Result<(), Box<dyn Error>> {
    for (file, path) in entries(folder)? {
        if let Some(name) = file.strip_suffix(ending) {
            writeln!(table, "    ({name:?}, include_str!({path:?})),")?;
        }
    }
    Ok(())
}

/// What a folder holds, by name and in order; nothing when there is no such folder.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, Box<dyn Error>> {
    let mut entries = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).ok_or("a name that is not text")?;
            entries.push((name.to_owned(), path));
        }
    }
    entries.sort();
    Ok(entries)
}
