//! `bridge adapters new`: a folder that is complete and says nothing yet that isn't so.

use std::{fs, path::PathBuf};

use serde_json::json;

use crate::{failure::Failure, output::Out};

/// The files of a new adapter; `NAME` in them is its name.
const FILES: [(&str, &str); 6] = [
    ("adapter.yaml", include_str!("skeleton/adapter.yaml")),
    ("mappings/patient.jsonata", include_str!("skeleton/patient.jsonata")),
    ("fixtures/patient/meta.yaml", include_str!("skeleton/meta.yaml")),
    ("fixtures/patient/input.json", include_str!("skeleton/input.json")),
    ("fixtures/patient/expected.json", include_str!("skeleton/expected.json")),
    ("README.md", include_str!("skeleton/README.md")),
];

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The adapter's name: small letters, digits and `-`
    name: String,
    /// The folder of the adapters
    #[arg(long, value_name = "FOLDER", default_value = "adapters")]
    adapters: PathBuf,
}

/// Runs it.
pub(crate) fn run(args: &Args, out: Out) -> Result<(), Failure> {
    let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if args.name.is_empty() || !args.name.chars().all(is_fine) || args.name.starts_with('-') {
        return Err(Failure::Wrong(
            "an adapter's name has small letters, digits and `-`: open-dental".to_owned(),
        ));
    }
    let folder = args.adapters.join(&args.name);
    if folder.exists() {
        return Err(Failure::Wrong(format!("{} is there already", folder.display())));
    }
    for (path, text) in FILES {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&file, text.replace("NAME", &args.name))?;
        out.json(&json!({"wrote": file}));
        out.text(format_args!("wrote {}", file.display()));
    }
    out.text(format_args!(
        "next: docs/new-adapter.md, and `bridge adapters check {}`",
        args.adapters.display()
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bridge_adapters::Catalog;

    use super::*;

    fn new(name: &str, folder: &std::path::Path) -> Result<(), Failure> {
        run(&Args { name: name.to_owned(), adapters: folder.to_owned() }, Out::new(true))
    }

    #[test]
    fn what_it_writes_has_no_mistakes() {
        let folder = tempfile::tempdir().unwrap();
        new("acme-dental", folder.path()).unwrap();
        let catalog = Catalog::from_dir(folder.path()).unwrap();
        assert!(catalog.get("acme-dental").is_some());
        assert!(
            matches!(new("acme-dental", folder.path()), Err(Failure::Wrong(text)) if text.contains("already"))
        );
        assert!(matches!(new("Acme", folder.path()), Err(Failure::Wrong(_))));
        assert!(matches!(new("../x", folder.path()), Err(Failure::Wrong(_))));
    }
}
