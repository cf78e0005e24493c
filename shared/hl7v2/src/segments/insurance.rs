//! Insurance: IN1, IN2, IN3 (chapter 6).

use super::segments;
use crate::{
    datatypes::{Cp, Cwe, Cx, Jcc, Xad, Xcn, Xon, Xpn, Xtn},
    value::Value,
};

segments! {
    /// Insurance (§6.5.6).
    In1 "IN1" {
        1 set_id: Value "set id (SI)";
        2 plan: Cwe "health plan id (table 0072)";
        3 company_ids: [Cx] "insurance company ids";
        4 company_names: [Xon] "insurance company names";
        5 company_addresses: [Xad] "insurance company addresses";
        6 company_contacts: [Xpn] "insurance company contact persons";
        7 company_phones: [Xtn] "insurance company telephone numbers";
        8 group_number: Value "group number";
        9 group_names: [Xon] "group names";
        10 group_employer_ids: [Cx] "insured's group employer ids";
        11 group_employer_names: [Xon] "insured's group employer names";
        12 effective: Value "plan effective date (DT)";
        13 expires: Value "plan expiration date (DT)";
        14 authorization: Value "authorization information: number, date and source (AUI)";
        15 plan_type: Cwe "plan type (table 0086)";
        16 insured_names: [Xpn] "names of the insured";
        17 insured_relationship: Cwe "insured's relationship to the patient (table 0063)";
        18 insured_birth: Value "insured's date of birth (DTM)";
        19 insured_addresses: [Xad] "insured's addresses";
        20 assignment_of_benefits: Cwe "assignment of benefits (table 0135)";
        21 coordination_of_benefits: Cwe "coordination of benefits (table 0173)";
        22 coordination_priority: Value "coordination of benefits priority";
        23 notice_of_admission: Value "notice of admission flag (Y, N)";
        24 notice_of_admission_date: Value "notice of admission date (DT)";
        25 report_of_eligibility: Value "report of eligibility flag (Y, N)";
        26 report_of_eligibility_date: Value "report of eligibility date (DT)";
        27 release_information: Cwe "release information code (table 0093)";
        28 preadmit_certificate: Value "pre-admit certificate";
        29 verified: Value "verification date and time (DTM)";
        30 verified_by: [Xcn] "verified by";
        31 agreement_type: Cwe "type of agreement code (table 0098)";
        32 billing_status: Cwe "billing status (table 0022)";
        33 lifetime_reserve_days: Value "lifetime reserve days (NM)";
        34 delay_before_lifetime_reserve: Value "delay before lifetime reserve day (NM)";
        35 company_plan: Cwe "company plan code (table 0042)";
        36 policy_number: Value "policy number";
        37 deductible: Cp "policy deductible";
        38 limit_amount: Cp "policy limit, amount (before v2.7)";
        39 limit_days: Value "policy limit, days (NM)";
        40 room_rate_semi_private: Cp "room rate, semi-private (before v2.7)";
        41 room_rate_private: Cp "room rate, private (before v2.7)";
        42 insured_employment_status: Cwe "insured's employment status (table 0066)";
        43 insured_sex: Cwe "insured's administrative sex (table 0001)";
        44 insured_employer_addresses: [Xad] "insured's employer's addresses";
        45 verification_status: Value "verification status";
        46 prior_plan: Cwe "prior insurance plan id (table 0072)";
        47 coverage_type: Cwe "coverage type (table 0309)";
        48 handicap: Cwe "handicap";
        49 insured_ids: [Cx] "insured's id numbers";
        50 signature: Cwe "signature code (table 0535)";
        51 signature_date: Value "signature code date (DT)";
        52 insured_birth_place: Value "insured's birth place";
        53 vip: Cwe "VIP indicator";
        54 external_plan_ids: [Cx] "external health plan identifiers (v2.8)";
        55 action: Value "insurance action code (v2.8)";
    }
    /// Insurance, additional information (§6.5.7). The fields about benefits programmes of armed forces,
    /// policies and rooms (11 to 24, 28 to 30, 65 to 68) are read through the segment.
    In2 "IN2" {
        1 employee_ids: [Cx] "insured's employee ids";
        2 ssn: Value "insured's social security number";
        3 employers: [Xcn] "insured's employer's names and ids";
        4 employer_information: Cwe "employer information data (table 0139)";
        5 mail_claim_parties: [Cwe] "mail claim parties (table 0137)";
        6 medicare_number: Value "Medicare health insurance card number";
        7 medicaid_names: [Xpn] "Medicaid case names";
        8 medicaid_number: Value "Medicaid case number";
        9 military_sponsor_names: [Xpn] "military sponsor names";
        10 military_id: Value "military id number";
        25 payor_ids: [Cx] "payor ids";
        26 payor_subscriber_ids: [Cx] "payor subscriber ids";
        27 eligibility_source: Cwe "eligibility source (table 0144)";
        31 living_dependency: Cwe "living dependency";
        32 ambulatory_statuses: [Cwe] "ambulatory statuses";
        33 citizenships: [Cwe] "citizenships";
        34 language: Cwe "primary language";
        35 living_arrangement: Cwe "living arrangement";
        36 publicity: Cwe "publicity code";
        37 protection: Value "protection indicator (Y, N)";
        38 student: Cwe "student indicator";
        39 religion: Cwe "religion";
        40 mothers_maiden_names: [Xpn] "mother's maiden names";
        41 nationality: Cwe "nationality";
        42 ethnic_groups: [Cwe] "ethnic groups";
        43 marital_statuses: [Cwe] "marital statuses (table 0002)";
        44 employment_started: Value "insured's employment start date (DT)";
        45 employment_stopped: Value "insured's employment stop date (DT)";
        46 job_title: Value "job title";
        47 job: Jcc "job code and class";
        48 job_status: Cwe "job status";
        49 employer_contacts: [Xpn] "employer contact persons";
        50 employer_contact_phones: [Xtn] "employer contact person's telephone numbers";
        51 employer_contact_reason: Cwe "employer contact reason";
        52 contacts: [Xpn] "insured's contact persons";
        53 contact_phones: [Xtn] "insured's contact person's telephone numbers";
        54 contact_reasons: [Cwe] "insured's contact person reasons";
        55 relationship_started: Value "relationship to the patient start date (DT)";
        56 relationship_stopped: [Value] "relationship to the patient stop dates (DT)";
        57 company_contact_reason: Cwe "insurance company contact reason";
        58 company_contact_phones: [Xtn] "insurance company contact telephone numbers";
        59 policy_scope: Cwe "policy scope (table 0312)";
        60 policy_source: Cwe "policy source (table 0313)";
        61 member_number: Cx "patient member number";
        62 guarantor_relationship: Cwe "guarantor's relationship to the insured (table 0063)";
        63 home_phones: [Xtn] "insured's home telephone numbers";
        64 employer_phones: [Xtn] "insured's employer telephone numbers";
        69 organizations: [Xon] "insured's organisations";
        70 employer_organizations: [Xon] "insured's employer organisations";
        71 races: [Cwe] "races";
        72 patient_relationship: Cwe "patient's relationship to the insured (table 0344)";
    }
    /// Insurance, certification (§6.5.8): the fields a coverage is read from.
    In3 "IN3" {
        1 set_id: Value "set id (SI)";
        2 certification_number: Cx "certification number";
        3 certified_by: [Xcn] "certified by";
        4 certification_required: Value "certification required (Y, N)";
        6 certified: Value "certification date and time (DTM)";
        7 certification_modified: Value "certification modify date and time (DTM)";
        8 operators: [Xcn] "operators";
        9 begin: Value "certification begin date (DT)";
        10 end: Value "certification end date (DT)";
        14 reviewers: [Xcn] "physician reviewers";
        15 contact: Value "certification contact";
        16 contact_phones: [Xtn] "certification contact telephone numbers";
        17 appeal_reason: Cwe "appeal reason (table 0345)";
        18 agency: Cwe "certification agency (table 0346)";
        19 agency_phones: [Xtn] "certification agency telephone numbers";
        21 case_manager: Value "case manager";
        25 second_opinion_physicians: [Xcn] "second opinion physicians";
    }
}
