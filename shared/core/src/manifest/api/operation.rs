//! One thing that can be called.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{super::Extract, AnswerRule, Pages};

/// How a body is written and an answer read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// JSON both ways.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded` out (an object or list within is JSON text), JSON back.
    Form,
    /// SOAP 1.1 both ways. The answer's body is an object of elements by local name; an element that repeats is a list, an
    /// element with `xsi:nil` is null, all else is text. A fault is an object `Fault`.
    Soap,
    /// GraphQL over HTTP: `{query, variables}` out, `{data, errors}` back.
    Graphql,
    /// FHIR JSON both ways; a Bundle's entries are rows, an OperationOutcome says what was wrong.
    Fhir,
}

/// HTTP methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Creates, and calls SOAP and GraphQL.
    Post,
    /// Replaces.
    Put,
    /// Changes a part.
    Patch,
    /// Removes.
    Delete,
}

/// One thing that can be called.
///
/// In `path`, `query` and `headers` `{name}` is an argument of the call, else a setting of the connection. A query
/// parameter or header in which an argument is missing is left out; a path in which one is missing is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Operation {
    /// GET, where nothing else is said; SOAP and GraphQL always POST.
    #[serde(default)]
    pub method: Method,
    /// Below the base. Arguments are percent-encoded.
    #[serde(default)]
    pub path: String,
    /// Query parameters; one that is sent several times has a list.
    #[serde(default)]
    pub query: BTreeMap<String, Templates>,
    /// Headers besides the interface's.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The mapping that makes the body of `{"arguments": …, "resource": …, "known": …}`: a JSON object (in GraphQL the
    /// variables, in SOAP the operation's content).
    #[serde(default)]
    pub body: Option<String>,
    /// Its own style.
    #[serde(default)]
    pub style: Option<Style>,
    /// SOAP: the operation's element. GraphQL: the document, `queries/{call}.graphql`.
    #[serde(default)]
    pub call: Option<String>,
    /// JSON pointer to the list of records in the answer, `""` for the answer itself. One object counts as a list of one;
    /// null, and in SOAP nothing at all, as an empty one. Left out: the answer is one record (in FHIR: the Bundle's entries).
    #[serde(default)]
    pub rows: Option<String>,
    /// Arguments, or settings, that each record gets as `/arguments/{name}`: where the product does not repeat what it was
    /// asked for, free times of a practitioner for example.
    #[serde(default)]
    pub carry: Vec<String>,
    /// How a list goes on. Left out: it is whole.
    #[serde(default)]
    pub pages: Option<Pages>,
    /// What its answers mean, before the interface's rules.
    #[serde(default)]
    pub answers: Vec<AnswerRule>,
    /// The answer says where the result can be fetched later.
    #[serde(default)]
    pub job: Option<Job>,
    /// The answer begins an export by FHIR Bulk Data Access, whose files are the list.
    #[serde(default)]
    pub export: Option<Export>,
    /// Needs at least this version of the product.
    #[serde(default)]
    pub since: Option<String>,
}

/// One text, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "must be a text or a list of texts")]
pub enum Templates {
    /// One.
    One(String),
    /// Several, each of which is left out for itself.
    Several(Vec<String>),
}

impl Templates {
    /// All of them.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Several(texts) => texts,
        }
    }
}

/// A result that is made ready while somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Job {
    /// What the job is known by, in the answer that starts it.
    pub id: Extract,
    /// The operation that asks for the result; it has the argument `job`, and its rows and pages count.
    pub result: String,
    /// A place in the result's answer, and what stands there while it is not ready.
    pub at: Extract,
    /// The words for "not ready".
    pub waiting: Vec<String>,
    /// Seconds between two questions.
    pub every: u64,
}

/// An export by FHIR Bulk Data Access: `$export` is answered with where it can be asked for, and when it is ready its manifest
/// names files with a resource a line. What was deleted comes as a record with `deleted: true`; the manifest is the first
/// page's answer, so a mark may stand at `/transactionTime`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Export {
    /// The resource type that is exported: the operation's `_type`.
    pub of: String,
    /// Seconds between two questions whether it is ready, where the server does not say.
    #[serde(default = "a_minute")]
    pub every: u64,
    /// Hours after which it is called off.
    #[serde(default = "a_day")]
    pub within: u64,
}

const fn a_minute() -> u64 {
    60
}

const fn a_day() -> u64 {
    24
}

impl Operation {
    /// The style, with the interface's for want of its own.
    pub fn style(&self, of_api: Style) -> Style {
        self.style.unwrap_or(of_api)
    }
}
