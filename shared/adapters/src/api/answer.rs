//! What a reply says: its body as JSON, and what it means.
//!
//! The product's signals come first, then the operation's rules, then the interface's, and where none fits what HTTP, SOAP,
//! GraphQL or FHIR say.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{
    Cause, Timestamp,
    manifest::{AnswerRule, Extract, Means, Style, scalar},
    remote::CallError,
};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::{send::Reply, xml};
use crate::transport::{retry_after, signals};

/// What is looked at to find a rule's text.
const LONGEST_TEXT: usize = 64 * 1024;
/// Issue types of FHIR R4 (value set `issue-type`): anything else may be somebody's words.
const ISSUES: [&str; 31] = [
    "invalid",
    "structure",
    "required",
    "value",
    "invariant",
    "security",
    "login",
    "unknown",
    "expired",
    "forbidden",
    "suppressed",
    "processing",
    "not-supported",
    "duplicate",
    "multiple-matches",
    "not-found",
    "deleted",
    "too-long",
    "code-invalid",
    "extension",
    "too-costly",
    "business-rule",
    "conflict",
    "transient",
    "lock-error",
    "no-store",
    "exception",
    "timeout",
    "incomplete",
    "throttled",
    "informational",
];

/// An issue's code, where it is one.
pub(super) fn issue_type(code: Option<&str>) -> &'static str {
    ISSUES.into_iter().find(|known| Some(*known) == code).unwrap_or("an issue")
}

/// An answer that can be used.
pub(super) struct Said {
    pub(super) body: Value,
    pub(super) headers: BTreeMap<String, String>,
    /// It says that there are no records.
    pub(super) nothing: bool,
}

/// What is known about the call when its reply is judged.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    /// `operations.{name}`.
    pub(super) place: &'a str,
    pub(super) style: Style,
    /// It changes something: what failed may have been done all the same.
    pub(super) writes: bool,
    pub(super) now: Timestamp,
    pub(super) signals: &'a [bridge_core::manifest::Signal],
    /// The operation's, then the interface's.
    pub(super) rules: [&'a [AnswerRule]; 2],
}

impl Judge<'_> {
    pub(super) fn read(&self, reply: &Reply) -> Result<Said, CallError> {
        let text = String::from_utf8_lossy(reply.bytes.get(..LONGEST_TEXT).unwrap_or(&reply.bytes));
        let wait = reply
            .headers
            .get(RETRY_AFTER)
            .and_then(|value| retry_after::parse(value.to_str().ok()?, self.now));
        let cause = |text: String| Cause::new("api.status", text).at(self.place);
        let status = reply.status;
        if let Some(wait) = signals::judge(status, &reply.headers, &text, self.signals, self.now) {
            return Err(CallError::Throttled(
                wait,
                cause(format!("answered {status}, a signal of its adapter")),
            ));
        }
        let headers = by_name(&reply.headers);
        let body = parse(self.style, &reply.bytes);
        let seen = body.as_ref().unwrap_or(&Value::Null);
        let said = |nothing| Ok(Said { body: Value::Null, headers: headers.clone(), nothing });
        for (rules, of) in self.rules.into_iter().zip(["", "api"]) {
            let found = rules.iter().position(|rule| fits(rule, status, seen, &headers, &text));
            let Some((n, rule)) = found.and_then(|n| Some((n, rules.get(n)?))) else { continue };
            let place = if of.is_empty() { self.place } else { of };
            let cause = Cause::new("api.rule", format!("answered {status}, and a rule of its adapter fits"))
                .at(format!("{place}.answers.{n}"));
            let wait = wait.or(rule.seconds.map(Duration::from_secs));
            return match error(rule.means, wait, cause) {
                Some(error) => Err(error),
                None if rule.means == Means::Nothing => said(true),
                None => Ok(Said { body: body.map_err(|why| self.unreadable(why))?, headers, nothing: false }),
            };
        }
        let (means, text) = self.by_default(status, seen);
        match error(means, wait, cause(text)) {
            Some(error) => Err(error),
            None => Ok(Said { body: body.map_err(|why| self.unreadable(why))?, headers, nothing: false }),
        }
    }

    /// What the protocols say.
    fn by_default(&self, status: u16, body: &Value) -> (Means, String) {
        let not_now = if self.writes { Means::Unknown } else { Means::Retry };
        let by_status = match status {
            200..=299 => Means::Done,
            404 | 410 => Means::NotFound,
            409 | 412 => Means::Conflict,
            401 => Means::Unauthenticated,
            403 => Means::Forbidden,
            429 => Means::Throttled,
            408 | 425 | 500 | 502 | 503 | 504 => not_now,
            _ => Means::Invalid,
        };
        let told = |what: &str| format!("answered {status}: {what}");
        match self.style {
            Style::Soap => match body.pointer("/Fault/faultcode").and_then(Value::as_str) {
                // SOAP 1.1, section 4.4.1: what has to change before it is sent again.
                Some(code) if matches!(local(code), "Client" | "VersionMismatch" | "MustUnderstand") => {
                    (Means::Invalid, told("a fault of the client"))
                }
                _ if body.get("Fault").is_some() => (not_now, told("a fault of the server")),
                _ => (by_status, format!("answered {status}")),
            },
            Style::Graphql if by_status == Means::Done => {
                match body.get("errors").and_then(Value::as_array) {
                    Some(errors) if !errors.is_empty() => {
                        let some = body.get("data").and_then(Value::as_object);
                        let done = some.is_some_and(|data| data.values().any(|value| !value.is_null()));
                        let means = if self.writes && done { Means::Unknown } else { Means::Invalid };
                        (means, told("with errors"))
                    }
                    _ => (by_status, String::new()),
                }
            }
            Style::Fhir if body.get("resourceType").is_some_and(|name| name == "OperationOutcome") => {
                let means =
                    if by_status == Means::Done && is_error(body) { Means::Invalid } else { by_status };
                let code = body.pointer("/issue/0/code").and_then(Value::as_str);
                (means, told(&format!("OperationOutcome, {}", issue_type(code))))
            }
            _ => (by_status, format!("answered {status}")),
        }
    }

    fn unreadable(&self, why: &'static str) -> CallError {
        let cause = Cause::new("api.answer", why).at(self.place);
        if self.writes { CallError::Unknown(cause) } else { CallError::Retry(None, cause) }
    }
}

/// `None` when it is done.
fn error(means: Means, wait: Option<Duration>, cause: Cause) -> Option<CallError> {
    Some(match means {
        Means::Done | Means::Nothing => return None,
        Means::NotFound => CallError::NotFound(cause),
        Means::Conflict => CallError::Conflict(cause),
        Means::Invalid => CallError::Invalid(cause),
        Means::Unauthenticated => CallError::Unauthenticated(cause),
        Means::Forbidden => CallError::Forbidden(cause),
        Means::Throttled => CallError::Throttled(wait, cause),
        Means::Retry => CallError::Retry(wait, cause),
        Means::Unknown => CallError::Unknown(cause),
    })
}

fn fits(
    rule: &AnswerRule,
    status: u16,
    body: &Value,
    headers: &BTreeMap<String, String>,
    text: &str,
) -> bool {
    let by_status = rule.status.is_empty() || rule.status.contains(&status);
    let by_text = rule.text.as_ref().is_none_or(|part| text.contains(part.as_str()));
    by_status && by_text && rule.at.as_ref().is_none_or(|at| stands(rule, at, body, headers))
}

/// Whether what stands at the rule's place is what the rule says.
fn stands(rule: &AnswerRule, at: &Extract, body: &Value, headers: &BTreeMap<String, String>) -> bool {
    let found = || at.find(body, |name| headers.get(name).map(String::as_str));
    if !rule.is.is_empty() {
        return found().is_some_and(|text| rule.is.contains(&text));
    }
    if !rule.is_not.is_empty() {
        return found().is_none_or(|text| !rule.is_not.contains(&text));
    }
    match at {
        Extract::Pointer(pointer) => body.pointer(pointer).is_some_and(is_something),
        _ => found().is_some_and(|text| !matches!(&*text, "false" | "0")),
    }
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        other => scalar(other).is_some_and(|text| !matches!(&*text, "0" | "false")),
    }
}

fn is_error(outcome: &Value) -> bool {
    let issues = outcome.get("issue").and_then(Value::as_array);
    let severe = |issue: &Value| issue.get("severity").is_some_and(|s| s == "error" || s == "fatal");
    issues.is_some_and(|issues| issues.iter().any(severe))
}

fn local(name: &str) -> &str {
    let name = name.rsplit_once(':').map_or(name, |(_, local)| local);
    name.split_once('.').map_or(name, |(first, _)| first)
}

/// An empty body is null.
fn parse(style: Style, bytes: &[u8]) -> Result<Value, &'static str> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    if style == Style::Soap {
        return xml::read(bytes).map_err(xml::XmlFault::reason);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|_| "the answer is not JSON")
}

/// Headers that are text, by lower-case name; one that comes several times is one list (RFC 9110, section 5.3).
fn by_name(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut by_name: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        let text = by_name.entry(name.as_str().to_owned()).or_default();
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(value);
    }
    by_name
}
