//! The request of one call, as the operation says.

use std::collections::BTreeMap;

use bridge_core::{
    Cause,
    manifest::{
        Method, Operation, Style,
        template::{self, TemplateError},
    },
    remote::CallError,
};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Map, Value, json};

use super::{
    auth, body, encode,
    mappings::Mappings,
    pages::{Point, Values},
    site::{Site, configuration},
};

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    /// The operation's name.
    pub(super) name: &'a str,
    pub(super) operation: &'a Operation,
    pub(super) arguments: &'a BTreeMap<String, String>,
    /// `resource` and `known`, where there are any.
    pub(super) input: &'a Value,
    pub(super) token: Option<&'a str>,
}

/// A request that is being made.
pub(super) struct Draft {
    pub(super) method: reqwest::Method,
    pub(super) url: Url,
    /// Names and values, not encoded.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Value>,
    pub(super) style: Style,
}

/// A request as it is sent.
pub(super) struct Outgoing {
    pub(super) method: reqwest::Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

/// The request for a page: the first one, or where the last answer said that the list goes on.
pub(super) fn request(
    site: &Site<'_>,
    ask: &Ask<'_>,
    at: Option<&Point>,
    mappings: &Mappings,
) -> Result<Outgoing, CallError> {
    let style = ask.operation.style(site.party.api.style);
    let mut draft = match at {
        Some(Point::Address(next)) => {
            let url = site.named(next, &site.address("", "api.base")?, &place(ask, "pages"))?;
            Draft {
                method: reqwest::Method::GET,
                url,
                query: Vec::new(),
                headers: HeaderMap::new(),
                body: None,
                style,
            }
        }
        _ => first(site, ask, style, Values::of(ask.operation.pages.as_ref(), at), mappings)?,
    };
    headers(site, ask, &mut draft)?;
    auth::apply(site, ask.token, &mut draft)?;
    body::finish(site, ask, draft)
}

/// A request to an address that an answer named, with or without what proves who calls.
pub(super) fn to(
    site: &Site<'_>,
    ask: &Ask<'_>,
    address: &str,
    method: reqwest::Method,
    proves: bool,
) -> Result<Outgoing, CallError> {
    let url = site.named(address, &site.address("", "api.base")?, &place(ask, "export"))?;
    let style = ask.operation.style(site.party.api.style);
    let mut draft = Draft { method, url, query: Vec::new(), headers: HeaderMap::new(), body: None, style };
    headers(site, ask, &mut draft)?;
    if proves {
        auth::apply(site, ask.token, &mut draft)?;
    }
    body::finish(site, ask, draft)
}

fn first(
    site: &Site<'_>,
    ask: &Ask<'_>,
    style: Style,
    paging: Values<'_>,
    mappings: &Mappings,
) -> Result<Draft, CallError> {
    let Operation { path, body, .. } = ask.operation;
    let url = site.address(&self::path(site, ask, path)?, &place(ask, "path"))?;
    let mut body = match body {
        Some(mapping) => Some(mappings.apply(site, mapping, ask.name, &input(ask))?),
        None => None,
    };
    let mut query = self::query(site, ask)?;
    for (name, value) in paging.query {
        query.retain(|(other, _)| other != name);
        query.push((name.to_owned(), value));
    }
    for (pointer, value) in paging.body {
        put(body.get_or_insert_with(|| json!({})), pointer, value, &place(ask, "pages"))?;
    }
    Ok(Draft {
        method: method(ask.operation.method, style),
        url,
        query,
        headers: HeaderMap::new(),
        body,
        style,
    })
}

/// What a body's mapping is given.
pub(super) fn input(ask: &Ask<'_>) -> Value {
    let mut input = ask.input.as_object().cloned().unwrap_or_default();
    input.insert("arguments".to_owned(), json!(ask.arguments));
    Value::Object(input)
}

fn method(method: Method, style: Style) -> reqwest::Method {
    match (style, method) {
        (Style::Soap | Style::Graphql, _) | (_, Method::Post) => reqwest::Method::POST,
        (_, Method::Get) => reqwest::Method::GET,
        (_, Method::Put) => reqwest::Method::PUT,
        (_, Method::Patch) => reqwest::Method::PATCH,
        (_, Method::Delete) => reqwest::Method::DELETE,
    }
}

fn path(site: &Site<'_>, ask: &Ask<'_>, path: &str) -> Result<String, CallError> {
    // Dots alone would lead up, encoded or not (WHATWG URL, section 4.1).
    let known = |name: &str| {
        known(site, ask, name).filter(|value| !matches!(*value, "." | "..")).map(encode::percent)
    };
    template::fill(path, known).map_err(|error| match error {
        TemplateError::Braces => configuration("braces that do not pair", &place(ask, "path")),
        TemplateError::Missing(name) => {
            let cause = Cause::new(
                "api.argument",
                format!("needs `{name}`, which was not given or cannot stand here"),
            );
            CallError::Invalid(cause.at(place(ask, "path")))
        }
    })
}

fn query(site: &Site<'_>, ask: &Ask<'_>) -> Result<Vec<(String, String)>, CallError> {
    let mut query = Vec::new();
    for (name, templates) in &ask.operation.query {
        for text in templates.texts() {
            if let Some(value) = optional(site, ask, text, "query")? {
                query.push((name.clone(), value));
            }
        }
    }
    Ok(query)
}

/// Headers of the style, the interface and the operation, each before the next.
fn headers(site: &Site<'_>, ask: &Ask<'_>, draft: &mut Draft) -> Result<(), CallError> {
    body::headers(site, ask, draft)?;
    for (name, text) in site.party.api.headers.iter().chain(&ask.operation.headers) {
        if let Some(value) = optional(site, ask, text, "headers")? {
            set_header(&mut draft.headers, name, &value, &place(ask, "headers"))?;
        }
    }
    Ok(())
}

pub(super) fn set_header(
    headers: &mut HeaderMap,
    name: &str,
    value: &str,
    place: &str,
) -> Result<(), CallError> {
    let name = HeaderName::from_bytes(name.as_bytes());
    let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_str(value)) else {
        return Err(configuration("cannot stand in a header", place));
    };
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// A text in which arguments and settings stand; nothing when one of them is missing or empty.
fn optional(site: &Site<'_>, ask: &Ask<'_>, text: &str, part: &str) -> Result<Option<String>, CallError> {
    match template::fill(text, |name| known(site, ask, name)) {
        Ok(text) => Ok(Some(text)),
        Err(TemplateError::Missing(_)) => Ok(None),
        Err(TemplateError::Braces) => Err(configuration("braces that do not pair", &place(ask, part))),
    }
}

/// An argument, else a setting. An empty one is none.
fn known<'a>(site: &'a Site<'_>, ask: &'a Ask<'_>, name: &str) -> Option<&'a str> {
    let value = ask.arguments.get(name).or_else(|| site.settings.get(name));
    value.map(String::as_str).filter(|value| !value.is_empty())
}

/// What each record takes along of what was asked for.
pub(super) fn carried(site: &Site<'_>, ask: &Ask<'_>) -> Value {
    let carried = ask.operation.carry.iter();
    carried.filter_map(|name| Some((name.clone(), Value::from(known(site, ask, name)?)))).collect()
}

/// Puts a value at a JSON pointer; objects on the way are made. `*` is the only member of an object.
pub(super) fn put(body: &mut Value, pointer: &str, value: Value, place: &str) -> Result<(), CallError> {
    let mut at = body;
    for part in pointer.split('/').skip(1) {
        let key = match (&*at, part) {
            (Value::Object(members), "*") if members.len() == 1 => members.keys().next().cloned(),
            (_, "*") => return Err(configuration("`*` needs an object with one member", place)),
            _ => None,
        };
        let key = key.unwrap_or_else(|| part.replace("~1", "/").replace("~0", "~"));
        if at.is_null() {
            *at = Value::Object(Map::new());
        }
        at = match at {
            Value::Object(members) => members.entry(key).or_insert(Value::Null),
            Value::Array(items) => match key.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                Some(item) => item,
                None => return Err(configuration("the body has no such place", place)),
            },
            _ => return Err(configuration("the body has no such place", place)),
        };
    }
    *at = value;
    Ok(())
}

/// Where in the manifest.
pub(super) fn place(ask: &Ask<'_>, part: &str) -> String {
    format!("operations.{}.{part}", ask.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_where_a_pointer_says() {
        let mut body = json!({"a": {"b": 1}, "list": [{}]});
        for (pointer, value) in [("/a/c/d", json!(2)), ("/e~1f", json!(3)), ("/list/0/x", json!(4))] {
            assert!(put(&mut body, pointer, value, "").is_ok());
        }
        assert_eq!(body, json!({"a": {"b": 1, "c": {"d": 2}}, "list": [{"x": 4}], "e/f": 3}));
        assert!(put(&mut body, "/a/b/c", json!(1), "").is_err());
        assert!(put(&mut body, "/a/*", json!(1), "").is_err(), "which of two?");
        let mut part = json!({"Request": {"Filter": {}}});
        assert!(put(&mut part, "/*/Header/Key", json!("k"), "").is_ok());
        assert_eq!(part, json!({"Request": {"Filter": {}, "Header": {"Key": "k"}}}));
        assert!(put(&mut body, "/list/7", json!(1), "").is_err());
    }
}
