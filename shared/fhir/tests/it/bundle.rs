//! The Bundle that is delivered.

use bridge_fhir::{assemble, check, transaction};
use serde_json::json;
use uuid::Uuid;

use crate::resources::{appointment, patient};

#[test]
fn a_transaction_puts_each_resource_under_its_id() {
    let resources = assemble(Uuid::nil(), vec![patient(), appointment()]).unwrap();
    let bundle = transaction(&resources);
    assert_eq!(check(&bundle), Ok(()));
    assert_eq!(bundle["type"], json!("transaction"));
    assert_eq!(bundle["entry"].as_array().map(Vec::len), Some(2));
    for (entry, resource) in bundle["entry"].as_array().unwrap().iter().zip(&resources) {
        assert_eq!(entry["fullUrl"], json!(format!("urn:uuid:{}", resource.id)));
        assert_eq!(entry["request"], json!({"method": "PUT", "url": resource.reference()}));
        assert_eq!(entry["resource"], resource.json);
    }
    assert!(bundle.to_string().contains("120.50"));
}
