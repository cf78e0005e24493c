//! Code tables: HL7 v2 tables and the FHIR codes they become, as data in `tables/*.tsv`.
//!
//! The data restate the concept maps of the v2-to-FHIR guide (CC0). A file names its v2 table (`#table`), then lists
//! codes under the FHIR code system they belong to (`#system`): the v2 code, and the FHIR code where it differs. Codes
//! under `#none` are in the v2 table and have no FHIR code.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::OnceLock,
};

/// One v2 table and what its codes become.
pub(crate) struct Table {
    text: &'static str,
    parsed: OnceLock<Parsed>,
}

struct Parsed {
    /// The URI of the v2 table as a FHIR code system.
    own: String,
    /// Its number, four digits.
    number: &'static str,
    /// Sorted by v2 code.
    rows: Vec<(&'static str, Option<Coded>)>,
    /// The same by code.
    by_code: HashMap<&'static str, Option<Coded>, BuildHasherDefault<CodeHasher>>,
}

/// A FHIR code and its system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Coded {
    pub(crate) code: &'static str,
    pub(crate) system: &'static str,
}

/// What a table says about a code.
pub(crate) enum Found {
    /// The FHIR code.
    Mapped(Coded),
    /// The code is in the v2 table, and FHIR has none like it.
    NoEquivalent,
    /// The table has no such code.
    Unknown,
}

impl Table {
    const fn new(text: &'static str) -> Self {
        Self { text, parsed: OnceLock::new() }
    }

    pub(crate) fn find(&self, code: &str) -> Found {
        match self.parsed().by_code.get(code) {
            Some(coded) => coded.map_or(Found::NoEquivalent, Found::Mapped),
            None => Found::Unknown,
        }
    }

    /// The FHIR code alone, for elements of type `code`.
    pub(crate) fn code(&self, code: &str) -> Option<&'static str> {
        match self.find(code) {
            Found::Mapped(coded) => Some(coded.code),
            _ => None,
        }
    }

    /// The v2 code that becomes this FHIR code; of several, the one that looks like it (`O` for `other`), else the first.
    pub(crate) fn v2(&self, fhir: &str) -> Option<&'static str> {
        let all =
            self.parsed().rows.iter().filter(|(_, to)| to.is_some_and(|c| c.code == fhir)).map(|(v2, _)| *v2);
        let alike = |v2: &&str| fhir.get(..v2.len()).is_some_and(|start| start.eq_ignore_ascii_case(v2));
        all.clone().find(alike).or_else(|| all.clone().next())
    }

    /// Whether a v2 code of this table becomes this FHIR code.
    pub(crate) fn gives(&self, system: &str, fhir: &str) -> bool {
        let is_it = |coded: Coded| coded.code == fhir && coded.system == system;
        system != self.own_system() && self.parsed().rows.iter().any(|(_, to)| to.is_some_and(is_it))
    }

    /// How CWE-3 names the table: `HL70001`.
    pub(crate) fn name(&self) -> String {
        format!("HL7{}", self.parsed().number)
    }

    /// The v2 table as a FHIR code system.
    pub(crate) fn own_system(&self) -> &str {
        &self.parsed().own
    }

    /// Whether CWE-3 names this table: `HL70001`, `0001`, `HL7-0001`, or nothing.
    pub(crate) fn is_named(&self, system: &str) -> bool {
        let digits = system.strip_prefix("HL7").unwrap_or(system).trim_start_matches('-');
        system.is_empty() || digits == self.parsed().number
    }

    fn parsed(&self) -> &Parsed {
        self.parsed.get_or_init(|| {
            let (mut number, mut system, mut rows) = ("", None, Vec::new());
            for line in self.text.lines() {
                if let Some(n) = line.strip_prefix("#table\t") {
                    number = n;
                } else if let Some(uri) = line.strip_prefix("#system\t") {
                    system = Some(uri);
                } else if line == "#none" {
                    system = None;
                } else {
                    let (v2, code) = line.split_once('\t').unwrap_or((line, line));
                    rows.push((v2, system.map(|system| Coded { code, system })));
                }
            }
            rows.sort_unstable_by_key(|(v2, _)| *v2);
            let by_code = rows.iter().copied().collect();
            let own = format!("http://terminology.hl7.org/CodeSystem/v2-{number}");
            Parsed { own, number, rows, by_code }
        })
    }
}

/// FNV-1a: the tables are ours, their codes a few letters, and no one can add to them.
struct CodeHasher(u64);

impl Default for CodeHasher {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for CodeHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

macro_rules! tables {
    ($($name:ident $file:literal)*) => {
        $(pub(crate) static $name: Table = Table::new(include_str!(concat!("tables/", $file, ".tsv")));)*

        #[cfg(test)]
        const ALL: &[(&str, &Table)] = &[$(($file, &$name)),*];
    };
}

tables! {
    ADDITIVE "additive"
    ADDRESS_TYPE "address_type"
    ADDRESS_USE "address_use"
    ADMINISTRATIVE_SEX "administrative_sex"
    ADMISSION_TYPE "admission_type"
    ALLERGEN_CATEGORY "allergen_category"
    ALLERGEN_TYPE "allergen_type"
    ALLERGY_CRITICALITY "allergy_criticality"
    ALLERGY_KIND "allergy_kind"
    ALLERGY_SEVERITY "allergy_severity"
    AMBULATORY_STATUS "ambulatory_status"
    APPOINTMENT_REASON "appointment_reason"
    APPOINTMENT_STATUS "appointment_status"
    APPOINTMENT_TYPE "appointment_type"
    BED_STATUS "bed_status"
    BODY_SITE "body_site"
    COLLECTION_METHOD "collection_method"
    CONFIDENTIALITY "confidentiality"
    CONTACT_ROLE "contact_role"
    DEGREE "degree"
    DIAGNOSIS_TYPE "diagnosis_type"
    DIAGNOSTIC_SECTION "diagnostic_section"
    ENCOUNTER_CLASS "encounter_class"
    ENCOUNTER_PRIORITY "encounter_priority"
    ENCOUNTER_STATUS_OF_CLASS "encounter_status_of_class"
    ENCOUNTER_STATUS_OF_EVENT "encounter_status_of_event"
    EVENT_REASON "event_reason"
    EVENT_RELATED_PERIOD "event_related_period"
    HOSPITAL_SERVICE "hospital_service"
    IDENTIFIER_TYPE "identifier_type"
    INTERPRETATION "interpretation"
    LIVING_WILL "living_will"
    MARITAL_STATUS "marital_status"
    MODE_OF_ARRIVAL "mode_of_arrival"
    NAME_ASSEMBLY_ORDER "name_assembly_order"
    NAME_USE "name_use"
    NATURE_OF_ABNORMAL_TEST "nature_of_abnormal_test"
    OBSERVATION_STATUS "observation_status"
    ORDER_CONTROL_STATUS "order_control_status"
    ORDER_STATUS "order_status"
    ORDER_TYPE "order_type"
    ORGANIZATION_UNIT_TYPE "organization_unit_type"
    PARTICIPATION "participation"
    PRACTITIONER_NUMBER_TYPE "practitioner_number_type"
    PROVIDER_ROLE "provider_role"
    REACTION_SEVERITY "reaction_severity"
    READMISSION "readmission"
    RELATIONSHIP "relationship"
    RELIGION "religion"
    REPEAT_PATTERN "repeat_pattern"
    REPORT_STATUS "report_status"
    REQUEST_PRIORITY "request_priority"
    SPECIMEN_CONDITION "specimen_condition"
    SPECIMEN_STATUS "specimen_status"
    SPECIMEN_TYPE "specimen_type"
    TELECOM_SYSTEM "telecom_system"
    TELECOM_USE "telecom_use"
    UNIVERSAL_ID_TYPE "universal_id_type"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_well_formed() {
        for (name, table) in ALL {
            let parsed = table.parsed();
            assert!(parsed.number.len() == 4 && parsed.number.bytes().all(|b| b.is_ascii_digit()), "{name}");
            assert!(!parsed.rows.is_empty(), "{name}");
            for pair in parsed.rows.windows(2) {
                assert!(pair[0].0 < pair[1].0, "{name}: {} stands twice", pair[1].0);
            }
            for (v2, coded) in &parsed.rows {
                assert!(!v2.is_empty() && v2.trim() == *v2, "{name}");
                if let Some(coded) = coded {
                    assert!(!coded.code.is_empty() && coded.system.contains(':'), "{name} {v2}");
                }
            }
        }
    }

    #[test]
    fn a_table_knows_its_names() {
        for name in ["", "HL70001", "0001", "HL7-0001"] {
            assert!(ADMINISTRATIVE_SEX.is_named(name), "{name}");
        }
        assert!(!ADMINISTRATIVE_SEX.is_named("HL70002"));
        assert_eq!(ADMINISTRATIVE_SEX.code("F"), Some("female"));
        assert!(matches!(NAME_USE.find("K"), Found::NoEquivalent));
        assert!(matches!(NAME_USE.find("?"), Found::Unknown));
    }
}
