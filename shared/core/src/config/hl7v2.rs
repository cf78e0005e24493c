//! How one site speaks HL7 v2: the `hl7v2` section of a connection, and of the adapter that gives its defaults.
//!
//! The standard leaves much to be agreed between two parties, and every interface agrees differently. All of it is
//! said here; `docs/adapter-manifest.md` explains each word.

use std::{collections::BTreeMap, fmt};

use bridge_hl7v2::{ack::Mode, charset::Reading};
use serde::{Deserialize, Serialize};

use super::Hl7v2Send;
use crate::{
    id::ConnectionId,
    manifest::{OtherKinds, Verify},
};

/// The families that are converted, and what they are accepted by when a site lists no events.
const CONVERTED: [&str; 5] = ["ADT^*", "SIU^*", "ORU^R01", "DFT^P03", "DFT^P11"];

/// What is agreed with one site. What is left out is as the adapter says, then as it says here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Hl7v2Site {
    /// How a message over HTTP proves its sender. Without it the connection takes none over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
    /// MSH-3 and MSH-4 of what is meant for this connection, on a port that several share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<Hl7v2Party>,
    /// MSH-5 and MSH-6 of the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver: Option<Hl7v2Party>,
    /// The character set of messages that do not declare theirs. Default: UTF-8, and what is not is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charset: Option<Reading>,
    /// `auto` (default): as MSH-15 and MSH-16 ask. `original`, `enhanced`: always so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack: Option<Mode>,
    /// Where the application acknowledgments go that messages ask for in MSH-16 and can't have as their answer: a
    /// connection that HL7 v2 is sent to (ADR 21). Without it none is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledge_to: Option<ConnectionId>,
    /// What makes two messages the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Which of two messages says the newer thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_by: Option<NewestBy>,
    /// What is accepted: `ADT^A04`, or `ADT^*`. Default: all that is converted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<EventPattern>>,
    /// What becomes of other events. Default: `refuse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_events: Option<OtherKinds>,
    /// Accepted MSH-11. Default: `P`, so that a test system's messages never become patients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processing_ids: Option<Vec<String>>,
    /// System URI of the identifiers that an assigning authority gives.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub authorities: BTreeMap<String, String>,
    /// URI of the code systems that the site has names of its own for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub code_systems: BTreeMap<String, String>,
    /// Identifier types (table 0203) that name a patient, best first. Default: `MR`, `PI`, `PT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_id_types: Option<Vec<String>>,
    /// Values of elements that FHIR requires, by element, for messages without them: `Encounter.status: unknown`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: BTreeMap<String, String>,
    /// The country's identifier of persons (PID-19). Default: the US social security number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub national_id: Option<NationalId>,
    /// What the severity of an allergy means. Default: `reaction`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allergy_severity: Option<AllergySeverity>,
    /// What becomes of NK1. Default: `both`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_of_kin: Option<NextOfKin>,
    /// Whether PV1-16 is about the person, too. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vip_is_personal: Option<bool>,
    /// Whether OBR-13 tells fasting. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clinical_information_is_fasting: Option<bool>,
    /// The address of the sender where MSH-3 has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What a message is parked for, rather than converted as far as it goes. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub park_on: Option<Vec<ParkOn>>,
    /// The JSONata mapping that has the last word about the resources: it sees the message and them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// How messages go out to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<Hl7v2Send>,
}

impl Hl7v2Site {
    /// This site, with what it leaves out taken from `defaults`. Tables are put together, entry by entry.
    #[must_use]
    pub fn over(self, defaults: &Self) -> Self {
        let both = |own: BTreeMap<String, String>, theirs: &BTreeMap<String, String>| {
            let mut all = theirs.clone();
            all.extend(own);
            all
        };
        Self {
            verify: self.verify.or_else(|| defaults.verify.clone()),
            sender: self.sender.or_else(|| defaults.sender.clone()),
            receiver: self.receiver.or_else(|| defaults.receiver.clone()),
            charset: self.charset.or(defaults.charset),
            ack: self.ack.or(defaults.ack),
            acknowledge_to: self.acknowledge_to.or_else(|| defaults.acknowledge_to.clone()),
            identity: self.identity.or(defaults.identity),
            newest_by: self.newest_by.or(defaults.newest_by),
            events: self.events.or_else(|| defaults.events.clone()),
            other_events: self.other_events.or(defaults.other_events),
            processing_ids: self.processing_ids.or_else(|| defaults.processing_ids.clone()),
            authorities: both(self.authorities, &defaults.authorities),
            code_systems: both(self.code_systems, &defaults.code_systems),
            patient_id_types: self.patient_id_types.or_else(|| defaults.patient_id_types.clone()),
            defaults: both(self.defaults, &defaults.defaults),
            national_id: self.national_id.or_else(|| defaults.national_id.clone()),
            allergy_severity: self.allergy_severity.or(defaults.allergy_severity),
            next_of_kin: self.next_of_kin.or(defaults.next_of_kin),
            vip_is_personal: self.vip_is_personal.or(defaults.vip_is_personal),
            clinical_information_is_fasting: self
                .clinical_information_is_fasting
                .or(defaults.clinical_information_is_fasting),
            endpoint: self.endpoint.or_else(|| defaults.endpoint.clone()),
            park_on: self.park_on.or_else(|| defaults.park_on.clone()),
            hook: self.hook.or_else(|| defaults.hook.clone()),
            send: self.send.or_else(|| defaults.send.clone()),
        }
    }

    /// Whether messages of this type and trigger are accepted.
    pub fn accepts(&self, message: &str, trigger: &str) -> bool {
        match &self.events {
            Some(events) => events.iter().any(|event| event.matches(message, trigger)),
            None => CONVERTED.iter().any(|event| pattern_matches(event, message, trigger)),
        }
    }

    /// Whether messages with this MSH-11 are accepted. Without one a message is of production.
    pub fn accepts_processing_id(&self, id: &str) -> bool {
        match &self.processing_ids {
            Some(ids) => ids.iter().any(|known| known == id),
            None => matches!(id, "" | "P"),
        }
    }

    /// Whether the PID-3 type code is one that names a patient, and how good a one: 0 is the best.
    pub fn patient_id_rank(&self, type_code: &str) -> Option<usize> {
        match &self.patient_id_types {
            Some(types) => types.iter().position(|known| known == type_code),
            None => ["MR", "PI", "PT"].iter().position(|known| *known == type_code),
        }
    }
}

/// An application and its facility, by the first component of their fields. What is left out may be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Hl7v2Party {
    /// MSH-3 or MSH-5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// MSH-4 or MSH-6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facility: Option<String>,
}

impl Hl7v2Party {
    /// How many of the two are asked for, if they are these; `None` when they are not.
    pub fn matches(&self, application: &str, facility: &str) -> Option<usize> {
        let asked = [(&self.application, application), (&self.facility, facility)];
        let agrees =
            asked.iter().all(|(wanted, given)| wanted.as_deref().is_none_or(|wanted| wanted == *given));
        agrees.then(|| asked.iter().filter(|(wanted, _)| wanted.is_some()).count())
    }
}

/// What makes two messages the same one (ADR 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// MSH-10 with the sending application, facility and time: a counter that starts again is no repeat.
    #[default]
    ControlId,
    /// All of its bytes: for senders whose control ids are not unique.
    Content,
}

/// Which of two messages says the newer thing (ADR 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NewestBy {
    /// The one made later (MSH-7), and of two made in the same second the one that came later.
    #[default]
    MessageTime,
    /// The one recorded later (EVN-2), for senders that make a message anew when they send it again.
    EventTime,
    /// The one that came later: for senders whose clocks can't be trusted.
    Arrival,
}

/// What a site may want a person to look at before anything comes of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParkOn {
    /// An identifier whose assigning authority has no system: add it to `authorities`.
    UnknownAuthority,
    /// A coding system without a URI: add it to `code-systems`.
    UnknownCodeSystem,
    /// A code that the table of its field does not have.
    UnknownCode,
    /// A patient, visit or order that nothing identifies.
    NoIdentifier,
    /// A date or time that is none.
    WrongTime,
}

/// `ADT^A04`, or `ADT^*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventPattern(String);

impl EventPattern {
    fn matches(&self, message: &str, trigger: &str) -> bool {
        pattern_matches(&self.0, message, trigger)
    }
}

fn pattern_matches(pattern: &str, message: &str, trigger: &str) -> bool {
    pattern.split_once('^').is_some_and(|(m, t)| m == message && (t == "*" || t == trigger))
}

impl TryFrom<String> for EventPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_code = |code: &str| {
            code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        let parts = text.split_once('^');
        match parts.is_some_and(|(message, trigger)| is_code(message) && (trigger == "*" || is_code(trigger)))
        {
            true => Ok(Self(text)),
            false => Err(format!("`{text}` is no event: write `ADT^A04`, or `ADT^*` for all of a type")),
        }
    }
}

impl From<EventPattern> for String {
    fn from(pattern: EventPattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A country's identifier of persons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NationalId {
    /// Its URI.
    pub system: String,
    /// Its code in table 0203.
    pub type_code: String,
}

/// What the severity of an allergy (AL1-4, IAM-4) means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllergySeverity {
    /// How bad a reaction was.
    Reaction,
    /// How dangerous the substance is to this patient.
    Criticality,
}

/// What becomes of NK1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextOfKin {
    /// A contact of the Patient.
    Contact,
    /// A RelatedPerson.
    RelatedPerson,
    /// Both.
    Both,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Result<EventPattern, String> {
        EventPattern::try_from(text.to_owned())
    }

    #[test]
    fn a_site_takes_from_its_adapter_what_it_leaves_out() {
        let table = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        let adapter = Hl7v2Site {
            ack: Some(Mode::Original),
            identity: Some(Identity::Content),
            authorities: table("NORTH", "https://north.example/mrn"),
            ..Hl7v2Site::default()
        };
        let own = Hl7v2Site {
            identity: Some(Identity::ControlId),
            authorities: table("SOUTH", "https://south.example/mrn"),
            ..Hl7v2Site::default()
        };
        let site = own.over(&adapter);
        assert_eq!((site.ack, site.identity), (Some(Mode::Original), Some(Identity::ControlId)));
        assert_eq!(site.authorities.len(), 2);
    }

    #[test]
    fn an_event_is_a_code_or_all_of_a_type() {
        assert!(pattern("ADT^A04").is_ok_and(|p| p.matches("ADT", "A04") && !p.matches("ADT", "A08")));
        assert!(pattern("SIU^*").is_ok_and(|p| p.matches("SIU", "S12") && !p.matches("ADT", "A08")));
        for wrong in ["ADT", "ADT^A4", "adt^a04", "*^A04", "ADT^A04^ADT_A01"] {
            assert!(pattern(wrong).is_err(), "{wrong} was accepted");
        }
    }

    #[test]
    fn without_a_list_what_is_converted_is_accepted() {
        let site = Hl7v2Site::default();
        assert!(site.accepts("ADT", "A40") && site.accepts("ORU", "R01") && !site.accepts("MDM", "T02"));
        assert!(site.accepts_processing_id("P") && !site.accepts_processing_id("T"));
    }

    #[test]
    fn a_party_that_asks_for_more_is_the_closer_one() {
        let any = Hl7v2Party::default();
        let one = Hl7v2Party { application: Some("PM".to_owned()), facility: None };
        assert_eq!(
            (any.matches("PM", "N"), one.matches("PM", "N"), one.matches("LAB", "N")),
            (Some(0), Some(1), None)
        );
    }
}
