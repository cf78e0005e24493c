//! How a list goes on: the records of a page, and where the next one is.

use std::collections::BTreeMap;

use bridge_core::{
    Cause, Phi,
    manifest::{Extract, Operation, Pages, Parameter, Style, scalar},
    remote::CallError,
};
use bridge_seal::sha256;
use data_encoding::HEXLOWER;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{answer::Said, export::Progress};

/// More pages than any list has; what has more goes on for ever.
const MOST: u32 = 100_000;

/// Where a list goes on: what `next` holds, which nobody else reads.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// The job whose result is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) job: Option<String>,
    /// How far an export is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) export: Option<Progress>,
    /// Where on the list. `None`: at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Point>,
    /// How many answers there were before.
    #[serde(default)]
    pub(super) count: u32,
    /// What one of the pages before looked like. A list that leads in a circle comes back to it: it is renewed after twice
    /// as many pages each time, as in Brent's algorithm, so a circle of any length is found with one mark.
    #[serde(default)]
    pub(super) mark: String,
}

/// A point on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Point {
    /// So many records on, or this page.
    Number(u64),
    /// What goes into the next request.
    Cursor(String),
    /// Where to ask.
    Address(String),
}

impl Place {
    /// What an answer gave as `next`.
    pub(super) fn open(page: Option<&Phi<String>>) -> Result<Self, CallError> {
        let Some(page) = page else { return Ok(Self::default()) };
        serde_json::from_str(page.expose()).map_err(|_| error("not what an answer gave as `next`", "page"))
    }

    /// The result of a job that was started here.
    pub(super) fn of_job(self, id: String) -> Self {
        Self { job: Some(id), ..self }
    }

    /// Where a job was started whose result has come.
    pub(super) fn without_job(self) -> Self {
        Self { job: None, ..self }
    }

    pub(super) fn close(&self) -> Result<Phi<String>, CallError> {
        let text =
            serde_json::to_string(self).map_err(|_| error("the page's place cannot be kept", "page"))?;
        Ok(Phi::new(text))
    }

    /// The same place, asked once more.
    pub(super) fn again(self, place: &str) -> Result<Self, CallError> {
        let count = self.count + 1;
        if count > MOST {
            return Err(error("the list does not end", place));
        }
        Ok(Self { count, ..self })
    }

    /// The place after a page that had these bytes. Pages that are counted are known by what they hold: a product that
    /// takes no notice of the number gives the same one for ever. The others are known by where they lead.
    fn after(self, at: Point, bytes: &[u8], place: &str) -> Result<Self, CallError> {
        let next = self.again(place)?;
        let hash = match &at {
            Point::Number(_) => sha256(&[bytes]),
            Point::Cursor(text) | Point::Address(text) => sha256(&[text.as_bytes()]),
        };
        let looks = HEXLOWER.encode(hash.get(..12).unwrap_or(&hash));
        if next.mark == looks {
            return Err(error("the list leads back to a page that it had", place));
        }
        let mark = if next.count.is_power_of_two() { looks } else { next.mark };
        Ok(Self { at: Some(at), mark, ..next })
    }
}

/// The values that a paging operation puts into its requests.
#[derive(Default)]
pub(super) struct Values<'a> {
    /// By parameter.
    pub(super) query: Vec<(&'a str, String)>,
    /// By JSON pointer.
    pub(super) body: Vec<(&'a str, Value)>,
}

impl<'a> Values<'a> {
    pub(super) fn of(pages: Option<&'a Pages>, at: Option<&Point>) -> Self {
        let number = |otherwise: u32| match at {
            Some(Point::Number(number)) => *number,
            _ => u64::from(otherwise),
        };
        let mut values = Self::default();
        let (limit, size) = match pages {
            None => return values,
            Some(Pages::Offset { offset, limit, size }) => {
                values.add(offset, Value::from(number(0)));
                (limit, size)
            }
            Some(Pages::Number { page, first, limit, size }) => {
                values.add(page, Value::from(number(*first)));
                (limit, size)
            }
            Some(Pages::Next { limit, size, .. }) => (limit, size),
            Some(
                Pages::Cursor { cursor, limit, size, .. } | Pages::LastRecord { cursor, limit, size, .. },
            ) => {
                if let Some(Point::Cursor(known)) = at {
                    values.add(cursor, Value::from(known.as_str()));
                }
                (limit, size)
            }
            Some(Pages::Bundle { size }) => {
                values.query.push(("_count", size.to_string()));
                return values;
            }
        };
        if let Some(limit) = limit.as_ref().filter(|_| *size > 0) {
            values.add(limit, Value::from(*size));
        }
        values
    }

    fn add(&mut self, parameter: &'a Parameter, value: Value) {
        match parameter {
            Parameter::Query(name) => self.query.extend(scalar(&value).map(|text| (name.as_str(), text))),
            Parameter::Body { body } => self.body.push((body, value)),
        }
    }
}

/// The records of a page. The answer keeps the first of them alone.
pub(super) fn records(
    said: &mut Said,
    operation: &Operation,
    style: Style,
    place: &str,
) -> Result<Vec<Value>, CallError> {
    if said.nothing {
        return Ok(Vec::new());
    }
    let Some(pointer) = &operation.rows else {
        return Ok(match &mut said.body {
            Value::Null => Vec::new(),
            body if style == Style::Fhir && body.get("resourceType").is_some_and(|name| name == "Bundle") => {
                entries(body)
            }
            body => vec![body.clone()],
        });
    };
    let nothing = style == Style::Soap || ends_in_null(&said.body, pointer);
    match said.body.pointer_mut(pointer) {
        Some(Value::Array(rows)) => {
            // A mark may stand in the first record; the others need not be held twice.
            let first = rows.first().cloned();
            Ok(std::mem::replace(rows, first.into_iter().collect()))
        }
        Some(Value::Null) => Ok(Vec::new()),
        Some(one @ Value::Object(_)) => Ok(vec![one.clone()]),
        // An empty element is an empty text.
        Some(Value::String(text)) if style == Style::Soap && text.trim().is_empty() => Ok(Vec::new()),
        Some(_) => Err(error("what stands there is not a list", &format!("{place}.rows"))),
        None if nothing => Ok(Vec::new()),
        None => Err(error("the answer has no such list", &format!("{place}.rows"))),
    }
}

/// The resources of a Bundle; what the server says about the search is no record.
fn entries(bundle: &mut Value) -> Vec<Value> {
    let Some(Value::Array(entries)) = bundle.get_mut("entry") else { return Vec::new() };
    let outcome = |entry: &Value| entry.pointer("/search/mode").is_some_and(|mode| mode == "outcome");
    let taken = std::mem::take(entries).into_iter().filter(|entry| !outcome(entry));
    taken.filter_map(|mut entry| entry.get_mut("resource").map(Value::take)).collect()
}

/// Whether the way to a place ends early in null.
fn ends_in_null(body: &Value, pointer: &str) -> bool {
    let ends = pointer.match_indices('/').map(|(at, _)| at);
    ends.filter_map(|end| body.pointer(pointer.get(..end)?)).any(Value::is_null)
}

/// A page that came.
pub(super) struct Page<'a> {
    pub(super) said: &'a Said,
    pub(super) records: &'a [Value],
    /// The answer as it came.
    pub(super) bytes: &'a [u8],
    /// What was asked: an address in the answer may be relative to it.
    pub(super) url: &'a Url,
}

/// Where the list goes on after this page; `None` at its end.
pub(super) fn next(
    place: Place,
    pages: &Pages,
    page: &Page<'_>,
    name: &str,
) -> Result<Option<Place>, CallError> {
    let Page { said, records, bytes, url } = *page;
    // Whether a call may go there is asked when it is made.
    let address = |text: String| Point::Address(url.join(&text).map_or(text, String::from));
    let name = format!("{name}.pages");
    let find =
        |extract: &Extract| extract.find(&said.body, |header| said.headers.get(header).map(String::as_str));
    let full = |size: u32| u32::try_from(records.len()).is_ok_and(|count| count >= size);
    let before = |first: u64| match place.at {
        Some(Point::Number(number)) => number,
        _ => first,
    };
    let at = match pages {
        _ if said.nothing => None,
        Pages::Offset { size, .. } => full(*size).then(|| Point::Number(before(0) + u64::from(*size))),
        Pages::Number { first, size, .. } => {
            full(*size).then(|| Point::Number(before(u64::from(*first)) + 1))
        }
        Pages::Next { next: Extract::Header { header, .. }, .. } if header == "link" => {
            said.headers.get("link").and_then(|value| link(value)).map(address)
        }
        Pages::Next { next, .. } => find(next).map(address),
        Pages::Cursor { next, more, .. } => {
            let more = more.as_ref().is_none_or(|more| find(more).is_some_and(|text| text == "true"));
            find(next).filter(|_| more).map(Point::Cursor)
        }
        Pages::LastRecord { at, size, .. } => {
            let last = records.last().filter(|_| full(*size));
            last.and_then(|record| record.pointer(at).and_then(scalar)).map(Point::Cursor)
        }
        Pages::Bundle { .. } => bundle(&said.body).map(address),
    };
    at.map(|at| place.after(at, bytes, &name)).transpose()
}

fn bundle(body: &Value) -> Option<String> {
    let links = body.get("link")?.as_array()?;
    let next = links.iter().find(|link| link.get("relation").is_some_and(|relation| relation == "next"))?;
    next.get("url").and_then(scalar)
}

/// The target of `rel=next` in a header `Link` (RFC 8288, section 3).
fn link(header: &str) -> Option<String> {
    let mut rest = header;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (target, after) = after.split_once('>')?;
        let (parameters, after) = parameters(after);
        let relations = parameters.get("rel").map(String::as_str).unwrap_or_default();
        if relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next")) {
            return Some(target.to_owned());
        }
        rest = after;
    }
}

/// The parameters of a link, and what follows it. The first of a name counts.
fn parameters(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut parameters = BTreeMap::new();
    let mut rest = text.trim_start();
    while let Some(after) = rest.strip_prefix(';') {
        let end = after.find(['=', ';', ',']).unwrap_or(after.len());
        let (name, mut tail) = after.split_at(end);
        let mut value = String::new();
        if let Some(after) = tail.strip_prefix('=') {
            let after = after.trim_start();
            if let Some(quoted) = after.strip_prefix('"') {
                let (text, left) = quoted.split_once('"').unwrap_or((quoted, ""));
                (value, tail) = (text.to_owned(), left);
            } else {
                let end = after.find([';', ',']).unwrap_or(after.len());
                let (text, left) = after.split_at(end);
                (value, tail) = (text.trim().to_owned(), left);
            }
        }
        parameters.entry(name.trim().to_ascii_lowercase()).or_insert(value);
        rest = tail.trim_start();
    }
    (parameters, rest)
}

fn error(text: &str, place: &str) -> CallError {
    CallError::Invalid(Cause::new("api.pages", text).at(place))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_next_link_is_found_in_the_header() {
        for (header, next) in [
            ("<https://x/?p=2>; rel=\"next\"", Some("https://x/?p=2")),
            ("<https://x/?p=1>; rel=prev, <https://x/?p=3>; rel=next", Some("https://x/?p=3")),
            ("<a,b;c>; title=\"x, y; rel=next\"; rel=\"last\", </p?n=2>;REL=\"first NEXT\"", Some("/p?n=2")),
            ("<https://x/?p=1>; rel=prev; rel=next", None),
            ("<https://x/?p=1>", None),
            ("", None),
            ("<broken; rel=next", None),
        ] {
            assert_eq!(link(header).as_deref(), next, "{header}");
        }
    }

    /// A circle of any length is found before it has been gone round four times.
    #[test]
    fn a_list_in_a_circle_is_found() {
        for length in 1..40_u64 {
            let mut place = Some(Place::default());
            let mut pages = 0;
            while let Some(before) = place.take() {
                let page = (pages % length).to_be_bytes();
                place = before.after(Point::Number(pages), &page, "").ok();
                pages += 1;
                assert!(pages < 4 * length + 4, "{length}");
            }
        }
        let mut place = Place::default();
        for n in 0..1000_u64 {
            place = place.after(Point::Number(n), &n.to_be_bytes(), "").unwrap();
        }
        assert_eq!(place.count, 1000, "a long list is no circle");
    }

    #[test]
    fn a_list_has_an_end() {
        let place = Place { count: MOST, ..Place::default() };
        assert!(place.after(Point::Number(1), b"", "").is_err());
    }
}
