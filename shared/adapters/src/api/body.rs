//! What a style makes of a request: its headers, and its body as bytes.

use bridge_core::{
    Cause,
    manifest::{Style, scalar},
    remote::CallError,
};
use reqwest::{
    Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderValue, IF_MATCH},
};
use serde_json::{Value, json};

use super::{
    encode,
    request::{Ask, Draft, Outgoing, place, set_header},
    site::{Site, configuration},
    soap,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FHIR: HeaderValue = HeaderValue::from_static("application/fhir+json");
const JSON_PATCH: HeaderValue = HeaderValue::from_static("application/json-patch+json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");

/// What the style says before the interface and the operation do.
pub(super) fn headers(site: &Site<'_>, ask: &Ask<'_>, draft: &mut Draft) -> Result<(), CallError> {
    let accept = match draft.style {
        Style::Json | Style::Form | Style::Graphql => JSON,
        Style::Fhir => FHIR,
        Style::Soap => HeaderValue::from_static("text/xml"),
    };
    draft.headers.insert(ACCEPT, accept);
    match draft.style {
        Style::Soap => {
            let place = place(ask, "call");
            let soap = site.party.api.soap.as_ref();
            let soap = soap.ok_or_else(|| configuration("SOAP needs the section `soap`", "api.soap"))?;
            let action =
                soap.action.replace("{operation}", ask.operation.call.as_deref().unwrap_or_default());
            set_header(&mut draft.headers, "soapaction", &format!("\"{action}\""), &place)
        }
        Style::Fhir => fhir(ask, draft),
        Style::Json | Style::Form | Style::Graphql => Ok(()),
    }
}

/// A change names the version that it changes (FHIR R4, section 3.1.0.5.1), and wants to see what became of it.
fn fhir(ask: &Ask<'_>, draft: &mut Draft) -> Result<(), CallError> {
    if matches!(draft.method, Method::POST | Method::PUT | Method::PATCH) {
        draft.headers.insert("prefer", HeaderValue::from_static("return=representation"));
    }
    if matches!(draft.method, Method::PUT | Method::PATCH | Method::DELETE) {
        let of_known = ask.input.pointer("/known/meta/versionId").and_then(scalar);
        if let Some(version) = ask.arguments.get("version").cloned().or(of_known) {
            set_header(
                &mut draft.headers,
                IF_MATCH.as_str(),
                &format!("W/\"{version}\""),
                &place(ask, "version"),
            )?;
        }
    }
    Ok(())
}

/// The request as it is sent.
pub(super) fn finish(site: &Site<'_>, ask: &Ask<'_>, draft: Draft) -> Result<Outgoing, CallError> {
    let Draft { method, mut url, query, mut headers, body, style } = draft;
    if !query.is_empty() {
        let encoded = encode::pairs(query.iter().map(|(name, value)| (&**name, &**value)));
        let whole = match url.query().filter(|query| !query.is_empty()) {
            Some(before) => format!("{before}&{encoded}"),
            None => encoded,
        };
        url.set_query(Some(&whole));
    }
    let body = match style {
        _ if method == Method::GET => None,
        Style::Soap => Some((XML, soap::envelope(site, ask, body)?)),
        Style::Graphql => Some((JSON, json_bytes(ask, &graphql(site, ask, body)?)?)),
        _ => match body {
            None | Some(Value::Null) => None,
            Some(body) => Some(match style {
                Style::Form => (FORM, form(ask, &body)?),
                Style::Fhir if method == Method::PATCH && body.is_array() => {
                    (JSON_PATCH, json_bytes(ask, &body)?)
                }
                Style::Fhir => (FHIR, json_bytes(ask, &body)?),
                _ => (JSON, json_bytes(ask, &body)?),
            }),
        },
    };
    let body = body.map(|(content_type, bytes)| {
        headers.entry(CONTENT_TYPE).or_insert(content_type);
        bytes
    });
    Ok(Outgoing { method, url, headers, body })
}

fn graphql(site: &Site<'_>, ask: &Ask<'_>, variables: Option<Value>) -> Result<Value, CallError> {
    let call = ask.operation.call.as_deref().unwrap_or_default();
    let query = site.party.adapters.query(&site.party.connection.adapter, call);
    let query = query.ok_or_else(|| configuration("the adapter has no such query", &place(ask, "call")))?;
    Ok(json!({"query": &*query, "variables": variables.unwrap_or_else(|| json!({}))}))
}

fn form(ask: &Ask<'_>, body: &Value) -> Result<Vec<u8>, CallError> {
    let members = body.as_object().ok_or_else(|| wrong(ask, "a form is made of an object"))?;
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(_) | Value::Array(_) => serde_json::to_string(value).ok(),
        other => scalar(other),
    };
    let pairs: Vec<_> = members.iter().filter_map(|(name, value)| Some((name, text(value)?))).collect();
    Ok(encode::pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))).into_bytes())
}

fn json_bytes(ask: &Ask<'_>, body: &Value) -> Result<Vec<u8>, CallError> {
    serde_json::to_vec(body).map_err(|_| wrong(ask, "cannot be written as JSON"))
}

/// The mapping made a body that cannot be sent.
pub(super) fn wrong(ask: &Ask<'_>, text: &str) -> CallError {
    CallError::Invalid(Cause::new("api.body", text).at(place(ask, "body")))
}
