//! What a product calls a resource: the identifier with the system that its adapter declares.

use std::collections::BTreeMap;

use bridge_core::{Phi, id::TenantId, manifest::template};
use bridge_fhir::Resource;
use serde_json::{Map, Value, json};

use super::Product;
use crate::{bridge::Bridge, keys::KeyError, ports::Ports, stage::Failure};

impl Product {
    /// The system of the product's own ids of a resource type.
    pub(crate) fn system(&self, resource_type: &str) -> Option<String> {
        let declared = &self.api().resources.get(resource_type)?.identifier;
        template::fill(declared, |name| self.loaded.setting(name)).ok()
    }

    /// The product's own id of a resource.
    pub(crate) fn id_of(&self, resource: &Value) -> Option<Phi<String>> {
        let resource_type = resource.get("resourceType")?.as_str()?;
        value_of(resource, &self.system(resource_type)?).map(|value| Phi::new(value.to_owned()))
    }
}

/// The value of a resource's identifier with this system.
fn value_of<'a>(resource: &'a Value, system: &str) -> Option<&'a str> {
    let identifiers = match resource.get("identifier")? {
        Value::Array(identifiers) => identifiers.as_slice(),
        one => std::slice::from_ref(one),
    };
    let text = |identifier: &'a Value, name| identifier.get(name).and_then(Value::as_str);
    let of_system = identifiers.iter().filter(|identifier| text(identifier, "system") == Some(system));
    of_system.filter_map(|identifier| text(identifier, "value")).find(|value| !value.is_empty())
}

impl<P: Ports> Bridge<P> {
    /// A stored resource as JSON. One that can't be opened any more is as good as none.
    pub(crate) async fn known_resource(
        &self,
        tenant: &TenantId,
        reference: &str,
    ) -> Result<Option<Value>, Failure> {
        match self.resource(tenant, reference).await {
            Ok(found) => Ok(found.and_then(|(_, json)| serde_json::from_slice(json.expose()).ok())),
            Err(KeyError::Port(error)) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// The product's own id of what `Type/id` refers to.
    pub(crate) async fn product_id(
        &self,
        product: &Product,
        reference: &str,
    ) -> Result<Option<Phi<String>>, Failure> {
        let tenant = product.loaded.connection.connection.tenant();
        Ok(self.known_resource(&tenant, reference).await?.and_then(|resource| product.id_of(&resource)))
    }

    /// Puts next to each reference the identifier that the product knows it by.
    pub(crate) async fn identify(
        &self,
        product: &Product,
        resources: &mut [Resource],
    ) -> Result<(), Failure> {
        let mut known: BTreeMap<String, Option<Value>> = BTreeMap::new();
        for resource in resources.iter() {
            references(&resource.json, &mut |reference| {
                known.entry(reference.to_owned()).or_default();
            });
        }
        for (reference, identifier) in &mut known {
            let Some((resource_type, _)) = reference.split_once('/') else { continue };
            let Some(system) = product.system(resource_type) else { continue };
            let id = self.product_id(product, reference).await?;
            *identifier = id.map(|id| json!({"system": system, "value": id.expose()}));
        }
        for resource in resources {
            fill(&mut resource.json, &known);
        }
        Ok(())
    }
}

/// Every literal reference that has no identifier.
fn references(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(fields) => {
            if let Some(reference) = literal(fields) {
                found(reference);
            }
            fields.values().for_each(|field| references(field, found));
        }
        _ => {}
    }
}

fn literal(fields: &Map<String, Value>) -> Option<&str> {
    let reference = fields.get("reference")?.as_str()?;
    let is_literal = !reference.starts_with('#') && reference.split('/').count() == 2;
    (is_literal && !fields.contains_key("identifier")).then_some(reference)
}

fn fill(value: &mut Value, known: &BTreeMap<String, Option<Value>>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, known)),
        Value::Object(fields) => {
            let identifier = literal(fields).and_then(|reference| known.get(reference)).cloned().flatten();
            if let Some(identifier) = identifier {
                fields.insert("identifier".to_owned(), identifier);
            }
            fields.values_mut().for_each(|field| fill(field, known));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_get_what_is_known_of_them_and_keep_what_they_have() {
        let mut appointment = json!({"participant": [
            {"actor": {"reference": "Patient/1"}},
            {"actor": {"reference": "Practitioner/2", "identifier": {"value": "own"}}},
            {"actor": {"reference": "#contained"}},
            {"actor": {"reference": "Location/3"}},
        ]});
        let mut found = Vec::new();
        references(&appointment, &mut |reference| found.push(reference.to_owned()));
        assert_eq!(found, ["Patient/1", "Location/3"]);
        let known = BTreeMap::from([
            ("Patient/1".to_owned(), Some(json!({"system": "urn:p", "value": "7"}))),
            ("Location/3".to_owned(), None),
        ]);
        fill(&mut appointment, &known);
        let identifier = |n: usize| appointment.pointer(&format!("/participant/{n}/actor/identifier/value"));
        assert_eq!(identifier(0), Some(&json!("7")));
        assert_eq!(identifier(1), Some(&json!("own")));
        assert_eq!((identifier(2), identifier(3)), (None, None));
    }
}
