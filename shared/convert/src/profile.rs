//! What a connection says about its sender: the facts a message leaves out and a conversion needs.
//!
//! Nothing here is guessed. A fact the profile does not have is left out of the resources and noted.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use uuid::Uuid;

/// How the messages of one connection are converted.
///
/// ```
/// use bridge_convert::Profile;
/// use jiff::tz::TimeZone;
///
/// let profile = Profile::new(uuid::Uuid::nil(), TimeZone::UTC, "https://fhir.example/r4")
///     .authority("NORTH", "https://north.example/mrn")
///     .code_system("L", "https://north.example/codes");
/// ```
#[derive(Debug, Clone)]
pub struct Profile {
    pub(crate) namespace: Uuid,
    pub(crate) zone: TimeZone,
    pub(crate) base: String,
    pub(crate) authorities: HashMap<String, String>,
    pub(crate) code_systems: HashMap<String, String>,
    /// Values for elements FHIR requires and v2 may leave out.
    pub defaults: Defaults,
    /// Identifier types (v2 table 0203) that name a patient, best first; the first PID-3 of one of them gives the
    /// Patient its id. Without any of them the first PID-3 does.
    pub patient_id_types: Vec<String>,
    /// The system of PID-19 and its like, and its type in table 0203 (`SS` in the US, `SB` elsewhere).
    pub national_id: NationalId,
    /// The address that stands where MessageHeader requires one and the message has none. Without it, the reason for the
    /// absence stands there, which is as valid, and which readers that want a value do not take.
    pub endpoint: Option<String>,
    /// What the sender means by an allergy's severity (AL1-4, IAM-4).
    pub allergy_severity: AllergySeverity,
    /// What becomes of NK1.
    pub next_of_kin: NextOfKin,
    /// Whether PV1-16 is about the person (Patient) as well as the stay (Encounter).
    pub vip_is_personal: bool,
    /// Whether OBR-13 tells fasting (Specimen) rather than other supporting information (ServiceRequest).
    pub clinical_information_is_fasting: bool,
}

impl Profile {
    /// A profile with the defaults of this crate.
    ///
    /// `namespace` is the tenant's, under which ids are made; `zone` is where the sender's clocks stand, for time
    /// stamps without offset; `base` is the URL of the FHIR service the resources will be found at, without a slash
    /// at the end.
    pub fn new(namespace: Uuid, zone: TimeZone, base: impl Into<String>) -> Self {
        Self {
            namespace,
            zone,
            base: base.into(),
            authorities: HashMap::new(),
            code_systems: HashMap::new(),
            defaults: Defaults::default(),
            patient_id_types: ["MR", "PI", "PT"].map(String::from).to_vec(),
            national_id: NationalId::default(),
            endpoint: None,
            allergy_severity: AllergySeverity::Reaction,
            next_of_kin: NextOfKin::Both,
            vip_is_personal: false,
            clinical_information_is_fasting: false,
        }
    }

    /// Says that identifiers assigned by `authority` (the namespace or universal id of an HD) are in `system`.
    #[must_use]
    pub fn authority(mut self, authority: impl Into<String>, system: impl Into<String>) -> Self {
        self.authorities.insert(authority.into(), system.into());
        self
    }

    /// Says which URI the sender means by `name` in CWE-3. Comes before the names of table 0396.
    #[must_use]
    pub fn code_system(mut self, name: impl Into<String>, uri: impl Into<String>) -> Self {
        self.code_systems.insert(name.into(), uri.into());
        self
    }
}

/// Values of required elements for when the message has none. Each use is noted.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// Encounter.status.
    pub encounter_status: String,
    /// Encounter.class, a code of v3-ActCode.
    pub encounter_class: String,
    /// Observation.status.
    pub observation_status: String,
    /// DiagnosticReport.status.
    pub report_status: String,
    /// ServiceRequest.status.
    pub request_status: String,
    /// Procedure.status.
    pub procedure_status: String,
    /// Coverage.status.
    pub coverage_status: String,
    /// ChargeItem.status.
    pub charge_status: String,
    /// EpisodeOfCare.status.
    pub episode_status: String,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            encounter_status: "unknown".into(),
            encounter_class: "AMB".into(),
            observation_status: "unknown".into(),
            report_status: "unknown".into(),
            request_status: "active".into(),
            procedure_status: "unknown".into(),
            coverage_status: "active".into(),
            charge_status: "billable".into(),
            episode_status: "active".into(),
        }
    }
}

/// A country's identifier of persons, for the fields that hold nothing else.
#[derive(Debug, Clone)]
pub struct NationalId {
    /// Its URI.
    pub system: String,
    /// Its code in v2 table 0203.
    pub type_code: String,
}

impl Default for NationalId {
    /// The US social security number.
    fn default() -> Self {
        Self { system: "http://hl7.org/fhir/sid/us-ssn".into(), type_code: "SS".into() }
    }
}

/// What an allergy's severity says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllergySeverity {
    /// How bad a reaction was.
    Reaction,
    /// How dangerous the substance is to this patient.
    Criticality,
}

/// What becomes of NK1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextOfKin {
    /// A Patient.contact.
    Contact,
    /// A RelatedPerson, or a contact when the role (NK1-3) is an organisation's: employer, insurer, agency.
    RelatedPerson,
    /// A contact, and a RelatedPerson when the role is a person's. The guide's reading.
    Both,
}
