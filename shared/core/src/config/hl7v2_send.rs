//! How a connection's HL7 v2 messages go out: the section `hl7v2.send`.

use serde::{Deserialize, Serialize};

/// The words of `hl7v2.send`. Every one of them has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Hl7v2Send {
    /// MSH-3.
    pub sending_application: String,
    /// MSH-4.
    pub sending_facility: String,
    /// MSH-5.
    pub receiving_application: String,
    /// MSH-6.
    pub receiving_facility: String,
    /// MSH-11: `P` in production, `T` in training, `D` in debugging.
    pub processing_id: String,
    /// MSH-12.
    pub version: String,
    /// MSH-1 and MSH-2.
    pub delimiters: String,
    /// MSH-18 (table 0211), and the bytes.
    pub charset: String,
    /// The events that are sent: `ADT^A28`, `SIU^*`. Empty: all that can be written.
    pub events: Vec<String>,
    /// What the receiver's answers mean.
    pub answers: Answers,
}

impl Default for Hl7v2Send {
    fn default() -> Self {
        Self {
            sending_application: "PMS-BRIDGE".to_owned(),
            sending_facility: String::new(),
            receiving_application: String::new(),
            receiving_facility: String::new(),
            processing_id: "P".to_owned(),
            version: "2.5.1".to_owned(),
            delimiters: "|^~\\&".to_owned(),
            charset: "UNICODE UTF-8".to_owned(),
            events: Vec::new(),
            answers: Answers::default(),
        }
    }
}

impl Hl7v2Send {
    /// Whether `event`, as `ADT^A28`, is sent.
    pub fn sends(&self, event: &str) -> bool {
        let is_it = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => event.starts_with(prefix),
            None => event == pattern,
        };
        self.events.is_empty() || self.events.iter().any(is_it)
    }
}

/// What a receiver's acknowledgments mean, where MSA-1 alone does not say it: by error codes in ERR-3 (table 0357), or
/// ERR-1 before v2.5. The first list that has one of the answer's codes decides; without one AA and CA are delivered,
/// AE and CE are tried again, AR and CR are rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Answers {
    /// The receiver has the message already (`205` for some, when a repeat reaches them).
    pub delivered: Vec<String>,
    /// The same message will fare the same: somebody must look.
    pub rejected: Vec<String>,
    /// Later it may be taken.
    pub retry: Vec<String>,
    /// A 2xx over HTTP without an acknowledgment in its body counts as one.
    pub bare_status: bool,
}

impl Default for Answers {
    /// What is wrong in the message's content will not mend by itself.
    fn default() -> Self {
        Self {
            delivered: Vec::new(),
            rejected: ["100", "101", "102", "103"].map(str::to_owned).to_vec(),
            retry: Vec::new(),
            bare_status: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_named_or_a_family() {
        let some =
            Hl7v2Send { events: vec!["ADT^A28".to_owned(), "SIU^*".to_owned()], ..Hl7v2Send::default() };
        assert!(some.sends("ADT^A28") && some.sends("SIU^S12"));
        assert!(!some.sends("ADT^A31") && !some.sends("DFT^P03"));
        assert!(Hl7v2Send::default().sends("DFT^P03"));
    }
}
