//! What holds for every resource, whatever its type (FHIR R4, sections 2.6.2 "JSON" and 2.24 "data types").

use serde_json::Value;

use super::{holds_resources, lost::UNKNOWN, path::Path};
use crate::Issue;

/// Checks a resource without the resources that it holds.
pub(super) fn check(resource: &Value, path: &Path<'_>, issues: &mut Vec<Issue>) {
    if resource.get("id").is_some_and(|id| !id.as_str().is_some_and(is_id)) {
        issues.push(Issue::new(format!("{path}.id"), "must be 1 to 64 of A-Z, a-z, 0-9, `-` and `.`"));
    }
    content(resource, path, false, issues);
}

/// `may_pad`: nulls stand for items that have only an extension.
fn content(value: &Value, path: &Path<'_>, may_pad: bool, issues: &mut Vec<Issue>) {
    let mut wrong = |text: &str| issues.push(Issue::new(path.to_string(), text));
    match value {
        Value::Null if !may_pad => wrong("is null; leave the element out"),
        Value::String(text) if text.is_empty() => wrong("is an empty text; leave the element out"),
        Value::Array(items) if items.is_empty() => wrong("is an empty list; leave the element out"),
        Value::Object(fields) if fields.is_empty() => wrong("is an empty object; leave the element out"),
        Value::Array(items) => path.items(items, &mut |item, path| content(item, path, may_pad, issues)),
        Value::Object(fields) => path.fields(fields, &mut |name, field, path| {
            match (name, field) {
                ("reference", Value::String(reference)) if !reference.is_empty() && !is_reference(reference) => {
                    let text = "must be `Type/id`, a URL, `#id` of a contained resource, `urn:uuid:…` or `urn:oid:…`";
                    issues.push(Issue::new(path.to_string(), text));
                }
                // R4B added these to extensions.
                ("valueCodeableReference" | "valueRatioRange", _) => {
                    issues.push(Issue::new(path.to_string(), UNKNOWN));
                }
                ("system" | "url" | "fullUrl", Value::String(uri)) if uri.contains(char::is_whitespace) => {
                    issues.push(Issue::new(path.to_string(), "is a URI and holds no blanks"));
                }
                _ => {}
            }
            if !holds_resources(name, field) {
                let twin = name.strip_prefix('_').map_or_else(|| format!("_{name}"), str::to_owned);
                content(field, path, field.is_array() && fields.contains_key(&twin), issues);
            }
        }),
        _ => {}
    }
}

/// The `id` type: `[A-Za-z0-9\-\.]{1,64}`.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// A literal reference (FHIR R4, section 2.3.0.1).
fn is_reference(reference: &str) -> bool {
    if reference.contains(char::is_whitespace) {
        return false;
    }
    if let Some(fragment) = reference.strip_prefix('#') {
        // `#` alone is the resource that contains this one.
        return fragment.is_empty() || is_id(fragment);
    }
    if let Some((scheme, rest)) = reference.split_once(':') {
        return !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    }
    let mut parts = reference.split('/');
    let typed = parts.next().is_some_and(super::types::is_referable) && parts.next().is_some_and(is_id);
    typed
        && match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => true,
            (Some("_history"), Some(version), None) => is_id(version),
            _ => false,
        }
}
