//! The CapabilityStatement, made of the same table that decides what is allowed.

use serde_json::{Value, json};

use super::server::Rights;

/// `GET {base}/metadata`.
#[must_use]
pub fn statement(software: &str, version: &str, date: &str, base: &str, rights: &[Rights]) -> Value {
    let resources: Vec<Value> = rights.iter().map(resource).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": software, "version": version},
        "implementation": {"description": software, "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [{
            "mode": "server",
            "security": {"service": [{"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                "code": "SMART-on-FHIR",
            }]}]},
            "resource": resources,
        }],
    })
}

fn resource(rights: &Rights) -> Value {
    let interactions: Vec<Value> = rights.interactions.iter().map(|code| json!({"code": code})).collect();
    let parameters: Vec<Value> = rights
        .parameters
        .iter()
        .map(|parameter| json!({"name": parameter.name, "type": parameter.form.name()}))
        .collect();
    let operations: Vec<Value> = rights
        .operations
        .iter()
        .map(|name| json!({"name": name, "definition": format!("http://simulated.invalid/OperationDefinition/{name}")}))
        .collect();
    let mut resource = json!({"type": rights.name, "interaction": interactions, "versioning": "versioned"});
    if let Some(members) = resource.as_object_mut() {
        for (name, list) in [("searchParam", parameters), ("operation", operations)] {
            if !list.is_empty() {
                members.insert(name.to_owned(), json!(list));
            }
        }
    }
    resource
}
