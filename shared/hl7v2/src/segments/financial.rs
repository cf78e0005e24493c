//! Charges and who pays them: FT1, GT1 (chapter 6).

use super::segments;
use crate::{
    datatypes::{Cp, Cq, Cwe, Cx, Dr, Ei, Fc, Jcc, Pl, Xad, Xcn, Xon, Xpn, Xtn},
    value::Value,
};

segments! {
    /// Financial transaction (§6.5.1).
    Ft1 "FT1" {
        1 set_id: Value "set id (SI)";
        2 transaction_id: Cx "transaction id";
        3 batch_id: Value "transaction batch id";
        4 transaction_date: Dr "transaction date";
        5 posted: Value "transaction posting date (DTM)";
        6 transaction_type: Cwe "transaction type (table 0017)";
        7 code: Cwe "transaction code (table 0132)";
        8 description: Value "transaction description (before v2.7)";
        9 alternate_description: Value "alternate transaction description (before v2.7)";
        10 quantity: Value "transaction quantity (NM)";
        11 extended_amount: Cp "transaction amount, extended";
        12 unit_amount: Cp "transaction amount, unit";
        13 department: Cwe "department code";
        14 health_plan: Cwe "health plan id (table 0072)";
        15 insurance_amount: Cp "insurance amount";
        16 location: Pl "assigned patient location";
        17 fee_schedule: Cwe "fee schedule (table 0024)";
        18 patient_type: Cwe "patient type (table 0018)";
        19 diagnoses: [Cwe] "diagnosis codes";
        20 performed_by: [Xcn] "performed by";
        21 ordered_by: [Xcn] "ordered by";
        22 unit_cost: Cp "unit cost";
        23 filler_order_number: Ei "filler order number";
        24 entered_by: [Xcn] "entered by";
        25 procedure: Cwe "procedure code";
        26 procedure_modifiers: [Cwe] "procedure code modifiers";
        27 beneficiary_notice: Cwe "advanced beneficiary notice code (table 0339)";
        28 duplicate_reason: Cwe "medically necessary duplicate procedure reason";
        29 ndc: Cwe "NDC code";
        30 payment_reference: Cx "payment reference id";
        31 reference_keys: [Value] "transaction reference keys (SI)";
        32 performing_facilities: [Xon] "performing facilities (v2.6)";
        33 ordering_facility: Xon "ordering facility (v2.6)";
        34 item_number: Cwe "item number (v2.6)";
        35 model_number: Value "model number (v2.6)";
        36 special_processing: [Cwe] "special processing codes (v2.6)";
        37 clinic: Cwe "clinic code (v2.6)";
        38 referral_number: Cx "referral number (v2.6)";
        39 authorization_number: Cx "authorization number (v2.6)";
        40 provider_taxonomy: Cwe "service provider taxonomy code (v2.6)";
        41 revenue: Cwe "revenue code (v2.6)";
        42 prescription_number: Value "prescription number (v2.6)";
        43 ndc_quantity: Cq "NDC quantity and unit (v2.6)";
    }
    /// Guarantor (§6.5.5).
    Gt1 "GT1" {
        1 set_id: Value "set id (SI)";
        2 numbers: [Cx] "guarantor numbers";
        3 names: [Xpn] "guarantor names";
        4 spouse_names: [Xpn] "guarantor's spouse names";
        5 addresses: [Xad] "guarantor addresses";
        6 home_phones: [Xtn] "home telephone numbers";
        7 business_phones: [Xtn] "business telephone numbers";
        8 birth: Value "date and time of birth (DTM)";
        9 sex: Cwe "administrative sex (table 0001)";
        10 guarantor_type: Cwe "guarantor type (table 0068)";
        11 relationship: Cwe "relationship to the patient (table 0063)";
        12 ssn: Value "social security number";
        13 begin: Value "from (DT)";
        14 end: Value "until (DT)";
        15 priority: Value "priority (NM)";
        16 employer_names: [Xpn] "employer names";
        17 employer_addresses: [Xad] "employer addresses";
        18 employer_phones: [Xtn] "employer telephone numbers";
        19 employee_ids: [Cx] "employee ids";
        20 employment_status: Cwe "employment status (table 0066)";
        21 organizations: [Xon] "guarantor organisation names";
        22 billing_hold: Value "billing hold flag (Y, N)";
        23 credit_rating: Cwe "credit rating";
        24 death: Value "date and time of death (DTM)";
        25 dead: Value "death flag (Y, N)";
        26 charge_adjustment: Cwe "charge adjustment code";
        27 household_income: Cp "household annual income";
        28 household_size: Value "household size (NM)";
        29 employer_ids: [Cx] "employer ids";
        30 marital_status: Cwe "marital status (table 0002)";
        31 hired: Value "hire effective date (DT)";
        32 employment_stopped: Value "employment stop date (DT)";
        33 living_dependency: Cwe "living dependency";
        34 ambulatory_statuses: [Cwe] "ambulatory statuses";
        35 citizenships: [Cwe] "citizenships";
        36 language: Cwe "primary language";
        37 living_arrangement: Cwe "living arrangement";
        38 publicity: Cwe "publicity code";
        39 protection: Value "protection indicator (Y, N)";
        40 student: Cwe "student indicator";
        41 religion: Cwe "religion";
        42 mothers_maiden_names: [Xpn] "mother's maiden names";
        43 nationality: Cwe "nationality";
        44 ethnic_groups: [Cwe] "ethnic groups";
        45 contact_names: [Xpn] "contact person's names";
        46 contact_phones: [Xtn] "contact person's telephone numbers";
        47 contact_reason: Cwe "contact reason";
        48 contact_relationship: Cwe "contact relationship (table 0063)";
        49 job_title: Value "job title";
        50 job: Jcc "job code and class";
        51 employer_organizations: [Xon] "employer's organisation names";
        52 handicap: Cwe "handicap";
        53 job_status: Cwe "job status";
        54 financial_class: Fc "financial class (table 0064)";
        55 races: [Cwe] "races";
        56 birth_place: Value "birth place";
        57 vip: Cwe "VIP indicator";
    }
}
