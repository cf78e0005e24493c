//! The patient and the people around: PID, PD1, NK1, MRG (chapter 3).

use super::segments;
use crate::{
    datatypes::{Cwe, Cx, Dln, Hd, Jcc, Xad, Xcn, Xon, Xpn, Xtn},
    value::Value,
};

segments! {
    /// Patient identification (§3.4.2).
    Pid "PID" {
        1 set_id: Value "set id (SI)";
        2 patient_id: Cx "patient id (before v2.7)";
        3 identifiers: [Cx] "patient identifier list";
        4 alternate_ids: [Cx] "alternate patient ids (before v2.7)";
        5 names: [Xpn] "patient names";
        6 mothers_maiden_names: [Xpn] "mother's maiden names";
        7 birth: Value "date and time of birth (DTM)";
        8 sex: Cwe "administrative sex (table 0001)";
        9 aliases: [Xpn] "patient aliases (before v2.7)";
        10 races: [Cwe] "races (table 0005)";
        11 addresses: [Xad] "patient addresses";
        12 county: Value "county code (before v2.7)";
        13 home_phones: [Xtn] "home telecommunication";
        14 business_phones: [Xtn] "business telecommunication";
        15 language: Cwe "primary language (table 0296)";
        16 marital_status: Cwe "marital status (table 0002)";
        17 religion: Cwe "religion (table 0006)";
        18 account_number: Cx "patient account number";
        19 ssn: Value "social security number (before v2.7)";
        20 drivers_license: Dln "driver's license number (before v2.7)";
        21 mothers_identifiers: [Cx] "mother's identifiers";
        22 ethnic_groups: [Cwe] "ethnic groups (table 0189)";
        23 birth_place: Value "birth place";
        24 multiple_birth: Value "multiple birth indicator (Y, N)";
        25 birth_order: Value "birth order (NM)";
        26 citizenships: [Cwe] "citizenships";
        27 military_status: Cwe "veterans military status";
        28 nationality: Cwe "nationality";
        29 death: Value "date and time of death (DTM)";
        30 dead: Value "death indicator (Y, N)";
        31 identity_unknown: Value "identity unknown indicator (Y, N)";
        32 identity_reliability: [Cwe] "identity reliability codes (table 0445)";
        33 last_update: Value "last update (DTM)";
        34 last_update_facility: Hd "where the last update was made";
        35 species: Cwe "taxonomic classification";
        36 breed: Cwe "breed";
        37 strain: Value "strain";
        38 production_classes: [Cwe] "production classes";
        39 tribal_citizenships: [Cwe] "tribal citizenships";
        40 telecommunications: [Xtn] "patient telecommunication (v2.7)";
    }
    /// Patient additional demographics (§3.4.10).
    Pd1 "PD1" {
        1 living_dependencies: [Cwe] "living dependencies";
        2 living_arrangement: Cwe "living arrangement";
        3 primary_facilities: [Xon] "patient primary facilities";
        4 primary_care_providers: [Xcn] "primary care providers";
        5 student: Cwe "student indicator";
        6 handicap: Cwe "handicap";
        7 living_will: Cwe "living will (table 0315)";
        8 organ_donor: Cwe "organ donor";
        9 separate_bill: Value "separate bill (Y, N)";
        10 duplicate_patients: [Cx] "duplicate patients";
        11 publicity: Cwe "publicity code (table 0215)";
        12 protection: Value "protection indicator (Y, N)";
        13 protection_effective: Value "protection indicator effective date (DT)";
        14 places_of_worship: [Xon] "places of worship";
        15 advance_directives: [Cwe] "advance directives";
        16 immunization_registry_status: Cwe "immunization registry status";
        17 immunization_registry_effective: Value "immunization registry status effective date (DT)";
        18 publicity_effective: Value "publicity code effective date (DT)";
        19 military_branch: Cwe "military branch";
        20 military_rank: Cwe "military rank";
        21 military_status: Cwe "military status";
        22 advance_directive_verified: Value "advance directive last verified (DT)";
    }
    /// Next of kin and associated parties (§3.4.5).
    Nk1 "NK1" {
        1 set_id: Value "set id (SI)";
        2 names: [Xpn] "names";
        3 relationship: Cwe "relationship (table 0063)";
        4 addresses: [Xad] "addresses";
        5 phones: [Xtn] "telephone numbers";
        6 business_phones: [Xtn] "business telephone numbers";
        7 role: Cwe "contact role (table 0131)";
        8 start: Value "from (DT)";
        9 end: Value "until (DT)";
        10 job_title: Value "job title";
        11 job: Jcc "job code and class";
        12 employee_number: Cx "employee number";
        13 organizations: [Xon] "organisation names";
        14 marital_status: Cwe "marital status (table 0002)";
        15 sex: Cwe "administrative sex (table 0001)";
        16 birth: Value "date and time of birth (DTM)";
        17 living_dependencies: [Cwe] "living dependencies";
        18 ambulatory_statuses: [Cwe] "ambulatory statuses";
        19 citizenships: [Cwe] "citizenships";
        20 language: Cwe "primary language";
        21 living_arrangement: Cwe "living arrangement";
        22 publicity: Cwe "publicity code";
        23 protection: Value "protection indicator (Y, N)";
        24 student: Cwe "student indicator";
        25 religion: Cwe "religion";
        26 mothers_maiden_names: [Xpn] "mother's maiden names";
        27 nationality: Cwe "nationality";
        28 ethnic_groups: [Cwe] "ethnic groups";
        29 contact_reasons: [Cwe] "contact reasons";
        30 contact_names: [Xpn] "contact person's names";
        31 contact_phones: [Xtn] "contact person's telephone numbers";
        32 contact_addresses: [Xad] "contact person's addresses";
        33 identifiers: [Cx] "identifiers of the party";
        34 job_status: Cwe "job status";
        35 races: [Cwe] "races";
        36 handicap: Cwe "handicap";
        37 contact_ssn: Value "contact person's social security number";
        38 birth_place: Value "birth place";
        39 vip: Cwe "VIP indicator";
        40 telecommunications: [Xtn] "telecommunication of the party (v2.7)";
        41 contact_telecommunications: [Xtn] "telecommunication of the contact person (v2.7)";
    }
    /// Merge patient information (§3.4.9).
    Mrg "MRG" {
        1 prior_identifiers: [Cx] "prior patient identifier list";
        2 prior_alternate_ids: [Cx] "prior alternate patient ids (before v2.7)";
        3 prior_account_number: Cx "prior patient account number";
        4 prior_patient_id: Cx "prior patient id (before v2.7)";
        5 prior_visit_number: Cx "prior visit number";
        6 prior_alternate_visit_ids: [Cx] "prior alternate visit ids";
        7 prior_names: [Xpn] "prior patient names";
    }
}
