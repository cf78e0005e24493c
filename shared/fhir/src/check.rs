//! Whether a resource is FHIR R4.

use serde_json::Value;

use crate::Issue;

/// Checks the JSON of one resource.
///
/// # Errors
/// All issues found, in the order of the resource.
pub fn check(resource: &Value) -> Result<(), Vec<Issue>> {
    match resource.get("resourceType").and_then(Value::as_str) {
        Some(_) => Ok(()),
        None => Err(vec![Issue::new("resourceType", "is required")]),
    }
}
