//! What the sources may say.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn sources(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    folders.iter().for_each(|folder| rust_files(&root().join(folder), &mut found));
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// A new product is a folder of data: no code of the pipeline knows any by name.
#[test]
fn no_pipeline_code_names_a_product() {
    let products: Vec<String> = fs::read_dir(root().join("adapters"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().to_lowercase())
        // Where everything goes, and what belongs to nobody.
        .filter(|name| !["practice-studio", "generic-json", "hl7v2"].contains(&name.as_str()))
        .collect();
    assert!(products.len() >= 3, "{products:?}");
    let folders =
        ["shared/core/src", "shared/pipeline/src", "shared/aws/src", "shared/seal/src", "shared/fhir/src"];
    for (path, text) in sources(&folders) {
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for product in &products {
            // Tests may use a product as an example.
            let code = code.split("#[cfg(test)]").next().unwrap().to_lowercase();
            assert!(!code.contains(product.as_str()), "{} names {product}", path.display());
        }
    }
}

#[test]
fn no_source_file_grows_beyond_five_hundred_lines() {
    for (path, text) in sources(&["shared", "functions", "gateways", "cli", "tests"]) {
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines: split it by job", path.display());
    }
}
