//! What the tests share: a profile, and the checks every bundle must pass.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub(crate) mod structure;

use std::{env, fs, path::PathBuf};

use bridge_convert::{Converted, Converter, Profile};
use bridge_hl7v2::Message;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use uuid::Uuid;

/// The reference material beside the checkout, where there is one.
#[allow(clippy::disallowed_methods, reason = "where the material is, is the caller's to say")]
pub(crate) fn reference() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/hl7");
    let path = env::var_os("PMS_BRIDGE_HL7").map_or(beside, PathBuf::from);
    path.is_dir().then_some(path)
}

pub(crate) fn profile() -> Profile {
    let zone = TimeZone::get("America/Chicago").unwrap();
    Profile::new(Uuid::from_u128(7), zone, "https://fhir.example/r4")
        .authority("NORTH", "https://north.example/mrn")
}

pub(crate) fn received() -> Timestamp {
    "2024-03-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn convert_with(profile: Profile, text: &str) -> Converted {
    let message = Message::parse(text).unwrap();
    let converted = Converter::new(profile).convert(&message, received()).unwrap();
    structure::check(&converted).unwrap_or_else(|fault| panic!("{fault}\n{}", pretty(&converted)));
    converted
}

pub(crate) fn convert(text: &str) -> Converted {
    convert_with(profile(), text)
}

pub(crate) fn json(converted: &Converted) -> Value {
    serde_json::from_slice(&converted.bundle).unwrap()
}

pub(crate) fn pretty(converted: &Converted) -> String {
    match serde_json::from_slice::<Value>(&converted.bundle) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap(),
        Err(_) => String::from_utf8_lossy(&converted.bundle).into_owned(),
    }
}

/// The resources of one type, in order.
pub(crate) fn resources(converted: &Converted, kind: &str) -> Vec<Value> {
    let of_kind = converted.resources.iter().filter(|r| r.kind == kind);
    of_kind.map(|r| serde_json::from_slice(converted.json(r)).unwrap()).collect()
}

/// The files below a folder, sorted.
pub(crate) fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
