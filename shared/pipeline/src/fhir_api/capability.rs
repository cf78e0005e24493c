//! `metadata`: what can be asked of a connection, as its adapter declares it. Nothing else is claimed.

use std::collections::BTreeMap;

use bridge_core::{
    Timestamp,
    manifest::{Api, On, ResourceApi, SearchParameter},
};
use serde_json::{Value, json};

use super::include::references;
use crate::product::Product;

/// The CapabilityStatement.
pub(super) fn statement(product: &Product, base: &str, now: Timestamp) -> Value {
    let manifest = &product.loaded.manifest;
    let resources: Vec<Value> =
        product.api().resources.iter().map(|(kind, rules)| resource(product.api(), kind, rules)).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": now.to_string(),
        "kind": "instance",
        "software": {"name": "pms-bridge", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": manifest.title, "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
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

fn resource(api: &Api, kind: &str, rules: &ResourceApi) -> Value {
    let writes = |on| rules.write.iter().any(|write| write.on == on);
    let interactions = [
        ("read", rules.read.is_some()),
        ("search-type", !rules.search.is_empty() || rules.read.is_some()),
        ("create", writes(On::Create)),
        ("update", writes(On::Update)),
    ];
    let mut parameters: BTreeMap<&str, &str> = BTreeMap::new();
    for search in &rules.search {
        parameters.extend(search.parameters.iter().map(|(name, parameter)| (name.as_str(), form(parameter))));
    }
    if rules.read.is_some() {
        parameters.insert("_id", "token");
    }
    let mut resource = json!({
        "type": kind,
        "interaction": interactions
            .iter()
            .filter(|(_, can)| *can)
            .map(|(code, _)| json!({"code": code}))
            .collect::<Vec<_>>(),
        "versioning": "no-version",
        "readHistory": false,
        "updateCreate": false,
        "conditionalCreate": writes(On::Create) && !rules.search.is_empty(),
        "conditionalRead": if rules.read.is_some() { "full-support" } else { "not-supported" },
        "conditionalUpdate": false,
        "conditionalDelete": "not-supported",
    });
    let includes: Vec<String> = references(rules).keys().map(|name| format!("{kind}:{name}")).collect();
    if !includes.is_empty() {
        resource["searchInclude"] = json!(includes);
    }
    let referring: Vec<String> =
        api.resources.iter().flat_map(|(source, rules)| refers(source, rules, kind)).collect();
    if !referring.is_empty() && interactions[1].1 {
        resource["searchRevInclude"] = json!(referring);
    }
    if !parameters.is_empty() {
        let parameter = |(name, form): (&&str, &&str)| json!({"name": name, "type": form});
        resource["searchParam"] = parameters.iter().map(parameter).collect();
    }
    resource
}

/// The parameters of a type that refer to another.
fn refers(source: &str, rules: &ResourceApi, to: &str) -> Vec<String> {
    let references = references(rules).into_iter().filter(|(_, target)| *target == to);
    references.map(|(name, _)| format!("{source}:{name}")).collect()
}

const fn form(parameter: &SearchParameter) -> &'static str {
    match parameter {
        SearchParameter::String { .. } => "string",
        SearchParameter::Token { .. } => "token",
        SearchParameter::Reference { .. } => "reference",
        SearchParameter::Date { .. } | SearchParameter::Day { .. } => "date",
    }
}
