//! JSON: one document with an array of records, one record a line, and the two shapes FHIR gives them.
//!
//! A record is handed on as it was written. serde_json reads it once, to say whether it is JSON.

mod array;
mod lines;
mod scan;

use serde::de::IgnoredAny;

use crate::{
    error::{Error, Fault, JsonFault},
    place::Place,
};

pub(crate) use array::Elements;
pub(crate) use lines::Lines;
pub(crate) use scan::{blank, lines as count_lines};

/// FHIR R4 resources and entries have these.
#[derive(serde::Deserialize)]
struct Typed {
    #[serde(rename = "resourceType")]
    resource_type: Option<String>,
}

/// `text` is one JSON object; for FHIR, one with a type.
fn check(text: &str, place: Place, is_resource: bool) -> Result<(), Error> {
    let fault = |fault: JsonFault| Error::new(place, fault.into());
    let at = |e: &serde_json::Error| {
        let line = place.line + e.line().saturating_sub(1) as u64;
        fault(JsonFault::Line { line, column: e.column() })
    };
    if !text.starts_with('{') {
        serde_json::from_str::<IgnoredAny>(text).map_err(|e| at(&e))?;
        return Err(fault(JsonFault::NotAnObject));
    }
    serde_json::from_str::<IgnoredAny>(text).map_err(|e| at(&e))?;
    // What is passed over is not unescaped, and half a character (`\ud800`) not noticed.
    if memchr::memmem::find(text.as_bytes(), b"\\u").is_some() {
        serde_json::from_str::<serde_json::Value>(text).map_err(|e| at(&e))?;
    }
    if is_resource {
        let typed: Typed = serde_json::from_str(text).map_err(|e| at(&e))?;
        typed.resource_type.ok_or_else(|| Error::new(place, Fault::Json(JsonFault::NoType)))?;
    }
    Ok(())
}
