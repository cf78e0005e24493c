//! The Bundle that carries a message's resources to a destination.

use serde_json::{Value, json};

use crate::Resource;

/// A `transaction` Bundle (FHIR R4, section 3.1.0.11) that puts each resource under its id. Sent twice it has the
/// same effect as sent once.
pub fn transaction(resources: &[Resource]) -> Value {
    let entry = |resource: &Resource| {
        json!({
            "fullUrl": format!("urn:uuid:{}", resource.id),
            "resource": resource.json,
            "request": {"method": "PUT", "url": resource.reference()},
        })
    };
    json!({
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": resources.iter().map(entry).collect::<Vec<_>>(),
    })
}
