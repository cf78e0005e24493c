//! Why a request is not answered as asked: an OperationOutcome (FHIR R4) and its HTTP status.

use bridge_core::{Cause, remote::CallError};
use serde_json::{Value, json};

use super::reply::Reply;
use crate::{
    configuration::ConfigurationError, keys::KeyError, ledger::LedgerError, ports::PortError,
    remote::RemoteError, stage::Failure,
};

/// What kind of issue it is: the value set `issue-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Invalid,
    Structure,
    Required,
    Value,
    NotSupported,
    NotFound,
    Conflict,
    Login,
    Expired,
    Forbidden,
    Throttled,
    Transient,
    Timeout,
    Exception,
    Incomplete,
    BusinessRule,
    Processing,
    TooLong,
}

impl Code {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::NotSupported => "not-supported",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Login => "login",
            Self::Expired => "expired",
            Self::Forbidden => "forbidden",
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::Timeout => "timeout",
            Self::Exception => "exception",
            Self::Incomplete => "incomplete",
            Self::BusinessRule => "business-rule",
            Self::Processing => "processing",
            Self::TooLong => "too-long",
        }
    }
}

/// A refusal. Holds no PHI.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) status: u16,
    issues: Vec<(Code, Cause)>,
    headers: Vec<(&'static str, String)>,
}

impl Refused {
    pub(super) fn new(status: u16, code: Code, text: impl Into<String>) -> Self {
        Self { status, issues: vec![(code, Cause::new(code.as_str(), text))], headers: Vec::new() }
    }

    /// The same with an operator's cause.
    pub(super) fn because(status: u16, code: Code, cause: Cause) -> Self {
        Self { status, issues: vec![(code, cause)], headers: Vec::new() }
    }

    /// A resource that is not FHIR R4.
    pub(super) fn not_fhir(issues: &[bridge_fhir::Issue]) -> Self {
        let issue = |issue: &bridge_fhir::Issue| {
            (Code::Invalid, Cause::new("invalid", issue.text.clone()).at(issue.path.clone()))
        };
        Self { status: 422, issues: issues.iter().map(issue).collect(), headers: Vec::new() }
    }

    /// An interaction that the type does not have.
    pub(super) fn interaction(allowed: String) -> Self {
        Self::new(
            405,
            Code::NotSupported,
            "the product's interface has no way to do this with resources of this type",
        )
        .with("allow", allowed)
    }

    /// At this element.
    pub(super) fn at(mut self, expression: impl Into<String>) -> Self {
        let expression = expression.into();
        self.issues.iter_mut().for_each(|(_, cause)| cause.place.clone_from(&expression));
        self
    }

    pub(super) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    /// Whether a stale answer is better than none.
    pub(super) const fn is_passing(&self) -> bool {
        matches!(self.status, 429 | 502 | 503 | 504)
    }

    pub(super) fn reply(self) -> Reply {
        let outcome = json!({
            "resourceType": "OperationOutcome",
            "issue": self.issues.iter().map(|(code, cause)| issue("error", *code, cause)).collect::<Vec<_>>(),
        });
        let mut reply =
            Reply::resource(self.status, outcome).because(self.issues.into_iter().next().map(|i| i.1));
        for (name, value) in self.headers {
            reply = reply.with(name, value);
        }
        reply
    }
}

/// An issue of an OperationOutcome.
pub(super) fn issue(severity: &str, code: Code, cause: &Cause) -> Value {
    let mut issue = json!({"severity": severity, "code": code.as_str(), "diagnostics": cause.text});
    if cause.code != code.as_str() {
        issue["details"] = json!({"text": cause.code});
    }
    if !cause.place.is_empty() {
        issue["expression"] = json!([cause.place]);
    }
    issue
}

impl From<RemoteError> for Refused {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Failed(failure) => failure.into(),
            RemoteError::NotBefore(until) => {
                let text = "the product fails, or is called as often as it allows: ask again later";
                Self::new(503, Code::Transient, text).with("retry-after", "5").not_before(until)
            }
            RemoteError::Unauthorized(cause) => Self::because(502, Code::Exception, cause),
            RemoteError::Call(error) => match error {
                CallError::NotFound(cause) => Self::because(404, Code::NotFound, cause),
                CallError::Conflict(cause) => Self::because(409, Code::Conflict, cause),
                CallError::Invalid(cause) => Self::because(422, Code::Processing, cause),
                CallError::Unauthenticated(cause) | CallError::Forbidden(cause) => {
                    // The caller may; the bridge may not.
                    Self::because(502, Code::Exception, cause)
                }
                CallError::Throttled(after, cause) => {
                    let seconds = after.map_or(5, |after| after.as_secs().max(1));
                    Self::because(429, Code::Throttled, cause).with("retry-after", seconds.to_string())
                }
                CallError::Retry(after, cause) => {
                    let seconds = after.map_or(5, |after| after.as_secs().max(1));
                    Self::because(503, Code::Transient, cause).with("retry-after", seconds.to_string())
                }
                CallError::Unknown(cause) => Self::because(504, Code::Timeout, cause),
            },
        }
    }
}

impl Refused {
    fn not_before(mut self, until: bridge_core::Timestamp) -> Self {
        self.issues
            .iter_mut()
            .for_each(|(_, cause)| cause.text = format!("{}, not before {until}", cause.text));
        self
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        tracing::error!(error = %failure, "a request could not be answered");
        Self::new(503, Code::Transient, "the bridge is not available: ask again").with("retry-after", "5")
    }
}

macro_rules! failures {
    ($($error:ty),*) => {
        $(impl From<$error> for Refused {
            fn from(error: $error) -> Self {
                Failure::from(error).into()
            }
        })*
    };
}
failures!(PortError, KeyError, LedgerError, ConfigurationError);
