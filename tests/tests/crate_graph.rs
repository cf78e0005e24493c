//! The crate graph of `docs/ARCHITECTURE.md`, edge by edge. An edge that is not here needs a reason there.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Who may name whom, in what is shipped.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("bridge-core", &["bridge-hl7v2"]),
    ("bridge-emulator", &[]),
    ("bridge-hl7v2", &[]),
    ("bridge-convert", &["bridge-hl7v2", "bridge-fhir"]),
    ("bridge-seal", &["bridge-core"]),
    ("bridge-fhir", &["bridge-core"]),
    ("bridge-formats", &["bridge-core", "bridge-hl7v2"]),
    ("bridge-mapping", &["bridge-core"]),
    ("bridge-openpgp", &["bridge-core", "bridge-formats"]),
    ("bridge-adapters", &["bridge-core", "bridge-fhir", "bridge-hl7v2", "bridge-mapping", "bridge-seal"]),
    (
        "bridge-pipeline",
        &[
            "bridge-convert",
            "bridge-core",
            "bridge-fhir",
            "bridge-formats",
            "bridge-hl7v2",
            "bridge-mapping",
            "bridge-seal",
        ],
    ),
    ("bridge-aws", &["bridge-core", "bridge-pipeline"]),
    ("bridge-simulators", &[]),
    (
        "bridge-certify",
        &[
            "bridge-adapters",
            "bridge-core",
            "bridge-fhir",
            "bridge-mapping",
            "bridge-pipeline",
            "bridge-seal",
        ],
    ),
    ("bridge-testkit", &["bridge-core", "bridge-pipeline", "bridge-seal"]),
    ("webhook-intake", &["bridge-adapters", "bridge-aws", "bridge-core", "bridge-pipeline"]),
    ("hl7-intake", &["bridge-adapters", "bridge-aws", "bridge-core", "bridge-pipeline"]),
    ("export", &["bridge-adapters", "bridge-aws", "bridge-core", "bridge-openpgp", "bridge-pipeline"]),
    ("file-ingest", &["bridge-adapters", "bridge-aws", "bridge-core", "bridge-openpgp", "bridge-pipeline"]),
    ("normalize", &["bridge-adapters", "bridge-aws", "bridge-core", "bridge-pipeline"]),
    ("deliver", &["bridge-adapters", "bridge-aws", "bridge-core", "bridge-pipeline"]),
    ("fhir-api", &["bridge-adapters", "bridge-aws", "bridge-core", "bridge-pipeline"]),
    ("poll", &["bridge-adapters", "bridge-aws", "bridge-core", "bridge-pipeline"]),
    ("retry", &["bridge-adapters", "bridge-aws", "bridge-core", "bridge-pipeline"]),
    (
        "mllp-gateway",
        &["bridge-adapters", "bridge-aws", "bridge-core", "bridge-hl7v2", "bridge-pipeline", "bridge-seal"],
    ),
    (
        "bridge",
        &[
            "bridge-adapters",
            "bridge-aws",
            "bridge-certify",
            "bridge-convert",
            "bridge-core",
            "bridge-emulator",
            "bridge-fhir",
            "bridge-formats",
            "bridge-hl7v2",
            "bridge-mapping",
            "bridge-pipeline",
            "bridge-seal",
            "bridge-simulators",
            "deliver",
            "export",
            "file-ingest",
            "fhir-api",
            "hl7-intake",
            "mllp-gateway",
            "normalize",
            "poll",
            "retry",
            "webhook-intake",
        ],
    ),
    ("bridge-tests", &[]),
];

fn members() -> Vec<Package> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    metadata.packages
}

fn shipped(package: &Package) -> impl Iterator<Item = &str> {
    let is_shipped = |kind| matches!(kind, DependencyKind::Normal | DependencyKind::Build);
    package.dependencies.iter().filter(move |d| is_shipped(d.kind)).map(|d| d.name.as_str())
}

#[test]
fn every_edge_points_the_way_the_architecture_says() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        MAY_NAME.iter().map(|(name, may)| (*name, may.iter().copied().collect())).collect();
    let members = members();
    let ours: BTreeSet<&str> = members.iter().map(|package| package.name.as_str()).collect();
    for package in &members {
        let may = allowed
            .get(package.name.as_str())
            .unwrap_or_else(|| panic!("{} is not in the graph: say whom it may name", package.name));
        for named in shipped(package).filter(|name| ours.contains(name)) {
            assert!(may.contains(named), "{} must not name {named}", package.name);
        }
    }
    let unknown: Vec<_> = allowed.keys().filter(|name| !ours.contains(*name)).collect();
    assert!(unknown.is_empty(), "not crates of this workspace: {unknown:?}");
}

#[test]
fn one_crate_names_each_outside_world() {
    let alone = [
        ("bridge-aws", &["aws-", "lambda_", "aws_lambda"] as &[&str]),
        ("bridge-fhir", &["fhir-sdk", "fhir-model"]),
        ("bridge-mapping", &["jsonata"]),
        ("bridge-openpgp", &["pgp"]),
        ("bridge-seal", &["aws-lc-rs", "zstd"]),
        ("bridge-simulators", &["aws-lc-rs"]),
        // Files come packed, too.
        ("bridge-formats", &["zstd"]),
    ];
    for package in members() {
        for name in shipped(&package) {
            for (owner, prefixes) in alone {
                let is_its = prefixes.iter().any(|prefix| name.starts_with(prefix));
                let elsewhere = alone.iter().any(|(other, names)| {
                    *other == package.name.as_str() && names.iter().any(|prefix| name.starts_with(prefix))
                });
                assert!(
                    !is_its || package.name.as_str() == owner || elsewhere,
                    "only {owner} may name {name}, and {} does",
                    package.name
                );
            }
        }
    }
}

#[test]
fn nothing_shipped_depends_on_the_testkit() {
    for package in members().iter().filter(|package| package.name.as_str() != "bridge-testkit") {
        assert!(!shipped(package).any(|name| name == "bridge-testkit"), "{}", package.name);
    }
}
