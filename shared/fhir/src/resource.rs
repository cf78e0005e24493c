//! A resource with its identity.

use std::fmt;

use serde_json::Value;
use uuid::Uuid;

/// A FHIR R4 resource that has its id.
#[derive(Clone, PartialEq)]
pub struct Resource {
    /// Its FHIR type, as in `json.resourceType`.
    pub resource_type: String,
    /// Its logical id, as in `json.id`: a UUID in lower case.
    pub id: String,
    /// The resource itself.
    pub json: Value,
}

impl Resource {
    /// `Type/id`, as references name it.
    pub fn reference(&self) -> String {
        format!("{}/{}", self.resource_type, self.id)
    }
}

/// Type and id; the content is PHI.
impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resource").field(&self.reference()).finish()
    }
}

/// The id of the resource of this type that `system` knows as `value`: a UUID version 5 (RFC 9562) of the three.
///
/// Two systems that use the same value never share an id, nor do two tenants: `namespace` is the tenant's and
/// secret, so that an id cannot be guessed from a chart number.
pub fn resource_id(namespace: Uuid, resource_type: &str, system: &str, value: &str) -> String {
    // With their lengths, so that no two triples are the same bytes.
    let name = format!("{resource_type}\n{}\n{system}\n{value}", system.len());
    Uuid::new_v5(&namespace, name.as_bytes()).to_string()
}
