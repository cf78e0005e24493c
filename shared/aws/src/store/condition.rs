//! Expectations as DynamoDB condition expressions.
//!
//! An item whose `ttl` has passed may still be there for days. To every condition it does not exist.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use bridge_pipeline::ports::Expect;

use crate::clock;

/// An expression with its values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) expression: &'static str,
    names: &'static [(&'static str, &'static str)],
    values: Vec<(&'static str, AttributeValue)>,
}

impl Condition {
    /// The condition of an expectation, at `now` in seconds since the epoch.
    pub(super) fn of(expect: &Expect, now: i64) -> Self {
        let at = (":now", AttributeValue::N(now.to_string()));
        match expect {
            Expect::Absent => Self {
                expression: "attribute_not_exists(#pk) OR #ttl <= :now",
                names: &[("#pk", "pk"), ("#ttl", "ttl")],
                values: vec![at],
            },
            Expect::Rev(rev) => Self {
                expression: "#rev = :rev AND (attribute_not_exists(#ttl) OR #ttl > :now)",
                names: &[("#rev", "rev"), ("#ttl", "ttl")],
                values: vec![at, (":rev", AttributeValue::N(rev.to_string()))],
            },
            Expect::OlderThan(version) => Self {
                expression: "attribute_not_exists(#version) OR #version < :version OR #ttl <= :now",
                names: &[("#version", "version"), ("#ttl", "ttl")],
                values: vec![at, (":version", AttributeValue::S(version.clone()))],
            },
            Expect::OlderAndOther { version, state } => Self {
                expression: "attribute_not_exists(#version) OR #ttl <= :now OR (#version < :version AND \
                             (attribute_not_exists(#state) OR #state <> :state))",
                names: &[("#version", "version"), ("#state", "state"), ("#ttl", "ttl")],
                values: vec![
                    at,
                    (":version", AttributeValue::S(version.clone())),
                    (":state", AttributeValue::S(state.clone())),
                ],
            },
        }
    }

    pub(super) fn names(&self) -> HashMap<String, String> {
        self.names.iter().map(|(alias, name)| ((*alias).to_owned(), (*name).to_owned())).collect()
    }

    pub(super) fn values(&self) -> HashMap<String, AttributeValue> {
        self.values.iter().map(|(alias, value)| ((*alias).to_owned(), value.clone())).collect()
    }
}

/// The revision that a write under this expectation gives the record.
pub(super) fn next_rev(expect: &Expect) -> u64 {
    match expect {
        Expect::Absent => 1,
        Expect::Rev(rev) => rev + 1,
        Expect::OlderThan(_) | Expect::OlderAndOther { .. } => clock::nanos(),
    }
}
