//! `ChargeItem/$create`: a charge event, which becomes charges.

use serde_json::{Value, json};

use super::OracleHealth;
use crate::{
    Answer, Request,
    parts::fhir::{
        outcome::{Refusal, fhir},
        server::body,
    },
};

/// The name of the parameter that holds the charge. Not confirmed.
pub const CHARGE: &str = "chargeItem";

impl OracleHealth {
    pub(super) fn charge(&self, request: &Request, base: &str) -> Result<Answer, Refusal> {
        let parameters = body("Parameters", request)?;
        let all =
            parameters.get("parameter").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let charge = all.iter().find(|one| one.get("name") == Some(&json!(CHARGE)));
        let wrong = |text: &str| Refusal::new(422, "required", text);
        let mut charge = charge
            .and_then(|one| one.get("resource"))
            .cloned()
            .ok_or_else(|| wrong("The parameter with the charge is missing"))?;
        for name in ["code", "subject", "occurrenceDateTime"] {
            if charge.get(name).is_none() {
                return Err(wrong(&format!("ChargeItem.{name} is missing")));
            }
        }
        if let Some(members) = charge.as_object_mut() {
            members.insert("resourceType".to_owned(), json!("ChargeItem"));
            members.insert("status".to_owned(), json!("billable"));
            members.remove("id");
        }
        let mut store = self.server.store();
        let id = store.create(charge, self.clock.now());
        let kept = store.get("ChargeItem", &id).map(|kept| kept.resource.clone()).unwrap_or_default();
        let bundle = json!({
            "resourceType": "Bundle", "type": "collection",
            "entry": [{"fullUrl": format!("{base}/ChargeItem/{id}"), "resource": kept}],
        });
        Ok(fhir(201, &bundle))
    }
}
