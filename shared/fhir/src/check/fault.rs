//! serde's errors without the values they quote.

use std::fmt;

use serde::de::{self, Expected, Unexpected};
use serde_json::Value;

use super::path::Path;
use crate::Issue;

/// Why a value does not fit a type of fhir-sdk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where; unknown until it has passed the reader of the value.
    pub(super) path: Option<String>,
    pub(super) text: String,
    missing: Option<Missing>,
}

/// What an object lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Missing {
    Element(&'static str),
    /// By the name of its type in fhir-sdk.
    Choice(String),
}

/// The text of a fault that is the absence of an element.
pub(super) const REQUIRED: &str = "is required";
const CODE: &str = "is not a code of the value set that FHIR R4 requires here";
const TIME: &str = "is not written as FHIR R4 writes dates and times: `yyyy`, `yyyy-MM`, `yyyy-MM-dd`, or \
                    `yyyy-MM-ddThh:mm:ss` with an offset";
const FORM: &str = "does not have the form that FHIR R4 asks for here";

impl Fault {
    fn new(text: impl Into<String>) -> Self {
        Self { path: None, text: text.into(), missing: None }
    }

    /// A date or time that is not R4's.
    pub(super) fn of_time() -> Self {
        Self::new(TIME)
    }

    /// Something else where a resource belongs.
    pub(super) fn of_resource() -> Self {
        Self::new("must be a resource, an object with a resourceType")
    }

    /// The same fault, found at `path` when it has no place yet.
    pub(super) fn at(mut self, path: &Path<'_>, value: &Value) -> Self {
        if self.path.is_none() {
            self.path = Some(path.to_string());
            if self.text == FORM
                && value.as_str().is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()))
            {
                TIME.clone_into(&mut self.text);
            }
        }
        self
    }

    /// The fault of an object at `path` that lacks an element.
    pub(super) fn of_element(mut self, path: &Path<'_>) -> Self {
        let missing = self.missing.take().filter(|_| self.path.is_none());
        self.path = self.path.or_else(|| match missing? {
            Missing::Element(name) => Some(format!("{path}.{name}")),
            Missing::Choice(type_name) => Some(format!("{path}.{}[x]", stem(&type_name, path))),
        });
        self
    }

    pub(super) fn into_issue(self, root: &Path<'_>) -> Issue {
        Issue::new(self.path.unwrap_or_else(|| root.to_string()), self.text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    /// Whatever fhir-sdk says in its own words quotes the value.
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        if let Some(choice) =
            message.strip_prefix("no variant of enum ").and_then(|rest| rest.split(' ').next())
        {
            return Self { missing: Some(Missing::Choice(choice.to_owned())), ..Self::new(REQUIRED) };
        }
        Self::new(if message.starts_with("Unknown value") { CODE } else { FORM })
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("must be {}", kind(&expected.to_string())))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("must be {}", kind(&expected.to_string())))
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::new(CODE)
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: Some(Missing::Element(field)), ..Self::new(REQUIRED) }
    }
}

/// The element of a choice from the name of its type, which is made of the names on the way to it:
/// `chargeItem` of `InvoiceLineItemChargeItem` at `Invoice.lineItem[0]`.
fn stem(type_name: &str, path: &Path<'_>) -> String {
    let way = path.to_string();
    let parent: String =
        way.split('.').map(|name| capitalised(name.split('[').next().unwrap_or(name))).collect();
    let last_word = type_name.rfind(|c: char| c.is_ascii_uppercase()).map_or("", |start| &type_name[start..]);
    let name = type_name.strip_prefix(&parent).filter(|name| !name.is_empty()).unwrap_or(last_word);
    let (first, rest) = name.split_at(name.len().min(1));
    first.to_ascii_lowercase() + rest
}

fn capitalised(name: &str) -> String {
    let (first, rest) = name.split_at(name.len().min(1));
    first.to_ascii_uppercase() + rest
}

/// serde's words for what it expected, in the words of JSON.
fn kind(expected: &str) -> &'static str {
    match expected {
        "a string" => "a text",
        "a boolean" => "true or false",
        "i32" | "i64" | "u32" => "a whole number",
        "f64" => "a number",
        expected if expected.contains("nonzero") => "a whole number above zero",
        expected if expected.contains("sequence") => "a list",
        expected if expected.contains("struct") => "an object",
        _ => "of another kind",
    }
}
