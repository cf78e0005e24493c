//! What an answer means.

use serde::{Deserialize, Serialize};

use super::super::Extract;

/// A rule: an answer that fits all it says means something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AnswerRule {
    /// With one of these statuses. Empty: any.
    #[serde(default)]
    pub status: Vec<u16>,
    /// With something at this place of the body, or in this header.
    #[serde(default)]
    pub at: Option<Extract>,
    /// What stands there is one of these. Empty: anything but nothing, `false`, `0` and an empty list or
    /// object.
    #[serde(default)]
    pub is: Vec<String>,
    /// What stands there is none of these; where nothing stands, the rule fits, too.
    #[serde(default)]
    pub is_not: Vec<String>,
    /// With this text in the first 64 KiB of the body.
    #[serde(default)]
    pub text: Option<String>,
    /// What it means.
    pub means: Means,
    /// For `throttled` and `retry`: the wait in seconds, where the answer names none.
    #[serde(default)]
    pub seconds: Option<u64>,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// It was done.
    Done,
    /// Done, and there are no records (404 on a list, a code for "no results").
    Nothing,
    /// There is no such record.
    NotFound,
    /// It is as if it were there already, or in the way of something: an overlap, a duplicate, a stale version.
    Conflict,
    /// The request is wrong, and would be again.
    Invalid,
    /// The credentials or the token are not, or no longer, good. A token is fetched anew, once.
    Unauthenticated,
    /// The credentials are good, but not for this.
    Forbidden,
    /// Called too often.
    Throttled,
    /// Not now.
    Retry,
    /// It may or may not have been done.
    Unknown,
}
