//! Refusals as OperationOutcomes.

use serde_json::{Value, json};

use crate::Answer;

/// FHIR's media type.
pub const MEDIA_TYPE: &str = "application/fhir+json; charset=utf-8";

/// Why something was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// FHIR's issue type.
    pub code: &'static str,
    /// The product's own code, where it has one: its system and the code.
    pub detail: Option<(&'static str, &'static str)>,
    /// For people. Repeats nothing of the request.
    pub text: String,
}

impl Refusal {
    /// Without a code of the product's.
    #[must_use]
    pub fn new(status: u16, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, code, detail: None, text: text.into() }
    }

    /// There is no such resource.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "not-found", "No such resource")
    }

    /// With a code of the product's.
    #[must_use]
    pub fn with_detail(self, system: &'static str, code: &'static str) -> Self {
        Self { detail: Some((system, code)), ..self }
    }

    /// The resource.
    #[must_use]
    pub fn outcome(&self) -> Value {
        let severity = if self.status < 300 { "warning" } else { "error" };
        outcome(severity, self.code, self.detail, &self.text)
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        fhir(refusal.status, &refusal.outcome())
    }
}

/// An OperationOutcome with one issue.
#[must_use]
pub fn outcome(severity: &str, code: &str, detail: Option<(&str, &str)>, text: &str) -> Value {
    let details = match detail {
        Some((system, code)) => json!({"coding": [{"system": system, "code": code}], "text": text}),
        None => json!({"text": text}),
    };
    json!({
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "details": details}],
    })
}

/// A resource as an answer.
#[must_use]
pub fn fhir(status: u16, resource: &Value) -> Answer {
    Answer::of(status, MEDIA_TYPE, resource.to_string())
}
