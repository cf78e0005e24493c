//! Mappings through the public API.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod apply;
mod errors;
mod exact;
mod functions;
mod limits;

use std::collections::BTreeMap;

use bridge_mapping::{Context, Mapping, MappingError};
use serde_json::Value;

/// Applies `source` for a connection in Chicago.
fn apply(source: &str, record: &Value) -> Result<Value, MappingError> {
    let zone = "America/Chicago".parse().unwrap();
    let settings = BTreeMap::from([("site".to_owned(), "https://pms.example/12".to_owned())]);
    let headers = BTreeMap::from([("x-event".to_owned(), "APPT".to_owned())]);
    let context = Context { zone: &zone, kind: "Appointment", headers: &headers, settings: &settings };
    Mapping::compile("test", source)?.apply(record, &context)
}

/// The JSON that `source` makes of `record`, or the error it prints.
fn map(source: &str, record: &str) -> String {
    match apply(source, &serde_json::from_str(record).unwrap()) {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    }
}
