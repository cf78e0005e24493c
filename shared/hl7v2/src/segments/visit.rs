//! The visit and who takes part in it: PV1, PV2, ROL, PRT (chapters 3, 7 and 15).

use super::segments;
use crate::{
    datatypes::{Cwe, Cx, Dld, Ei, Fc, Pl, Pln, Xad, Xcn, Xon, Xtn},
    value::Value,
};

segments! {
    /// Patient visit (§3.4.3).
    Pv1 "PV1" {
        1 set_id: Value "set id (SI)";
        2 patient_class: Cwe "patient class (table 0004)";
        3 assigned_location: Pl "assigned patient location";
        4 admission_type: Cwe "admission type (table 0007)";
        5 preadmit_number: Cx "preadmit number";
        6 prior_location: Pl "prior patient location";
        7 attending_doctors: [Xcn] "attending doctors";
        8 referring_doctors: [Xcn] "referring doctors";
        9 consulting_doctors: [Xcn] "consulting doctors";
        10 hospital_service: Cwe "hospital service (table 0069)";
        11 temporary_location: Pl "temporary location";
        12 preadmit_test: Cwe "preadmit test indicator";
        13 readmission: Cwe "re-admission indicator (table 0092)";
        14 admit_source: Cwe "admit source (table 0023)";
        15 ambulatory_statuses: [Cwe] "ambulatory statuses (table 0009)";
        16 vip: Cwe "VIP indicator (table 0099)";
        17 admitting_doctors: [Xcn] "admitting doctors";
        18 patient_type: Cwe "patient type (table 0018)";
        19 visit_number: Cx "visit number";
        20 financial_classes: [Fc] "financial classes (table 0064)";
        21 charge_price: Cwe "charge price indicator";
        22 courtesy: Cwe "courtesy code (table 0045)";
        23 credit_rating: Cwe "credit rating";
        24 contract_codes: [Cwe] "contract codes";
        25 contract_effective_dates: [Value] "contract effective dates (DT)";
        26 contract_amounts: [Value] "contract amounts (NM)";
        27 contract_periods: [Value] "contract periods (NM)";
        28 interest: Cwe "interest code";
        29 bad_debt: Cwe "transfer to bad debt code";
        30 bad_debt_date: Value "transfer to bad debt date (DT)";
        31 bad_debt_agency: Cwe "bad debt agency";
        32 bad_debt_transfer: Value "bad debt transfer amount (NM)";
        33 bad_debt_recovery: Value "bad debt recovery amount (NM)";
        34 delete_account: Cwe "delete account indicator";
        35 delete_account_date: Value "delete account date (DT)";
        36 discharge_disposition: Cwe "discharge disposition (table 0112)";
        37 discharged_to: Dld "discharged to location";
        38 diet: Cwe "diet type (table 0114)";
        39 servicing_facility: Cwe "servicing facility (table 0115)";
        40 bed_status: Value "bed status (table 0116)";
        41 account_status: Cwe "account status (table 0117)";
        42 pending_location: Pl "pending location";
        43 prior_temporary_location: Pl "prior temporary location";
        44 admitted: Value "admit date and time (DTM)";
        45 discharged: Value "discharge date and time (DTM)";
        46 balance: Value "current patient balance (NM)";
        47 charges: Value "total charges (NM)";
        48 adjustments: Value "total adjustments (NM)";
        49 payments: Value "total payments (NM)";
        50 alternate_visit_ids: [Cx] "alternate visit ids";
        51 visit_indicator: Cwe "visit indicator (table 0326)";
        52 other_providers: [Xcn] "other healthcare providers (before v2.7)";
        53 episode_description: Value "service episode description";
        54 episode_id: Cx "service episode identifier";
    }
    /// Patient visit, additional information (§3.4.4).
    Pv2 "PV2" {
        1 prior_pending_location: Pl "prior pending location";
        2 accommodation: Cwe "accommodation code (table 0129)";
        3 admit_reason: Cwe "admit reason";
        4 transfer_reason: Cwe "transfer reason";
        5 valuables: [Value] "patient valuables";
        6 valuables_location: Value "patient valuables location";
        7 visit_user_codes: [Cwe] "visit user codes (table 0130)";
        8 expected_admit: Value "expected admit date and time (DTM)";
        9 expected_discharge: Value "expected discharge date and time (DTM)";
        10 estimated_stay: Value "estimated length of inpatient stay in days (NM)";
        11 actual_stay: Value "actual length of inpatient stay in days (NM)";
        12 description: Value "visit description";
        13 referral_sources: [Xcn] "referral sources";
        14 previous_service: Value "previous service date (DT)";
        15 employment_related: Value "employment illness related indicator (Y, N)";
        16 purge_status: Cwe "purge status code";
        17 purge_status_date: Value "purge status date (DT)";
        18 special_program: Cwe "special program code";
        19 retention: Value "retention indicator (Y, N)";
        20 expected_plans: Value "expected number of insurance plans (NM)";
        21 visit_publicity: Cwe "visit publicity code";
        22 visit_protection: Value "visit protection indicator (Y, N)";
        23 clinic_organizations: [Xon] "clinic organisation names";
        24 patient_status: Cwe "patient status code (table 0216)";
        25 visit_priority: Cwe "visit priority code (table 0217)";
        26 previous_treatment: Value "previous treatment date (DT)";
        27 expected_disposition: Cwe "expected discharge disposition (table 0112)";
        28 signature_on_file: Value "signature on file date (DT)";
        29 first_similar_illness: Value "first similar illness date (DT)";
        30 charge_adjustment: Cwe "patient charge adjustment code";
        31 recurring_service: Cwe "recurring service code";
        32 billing_media: Value "billing media code (Y, N)";
        33 expected_surgery: Value "expected surgery date and time (DTM)";
        34 military_partnership: Value "military partnership code (Y, N)";
        35 military_non_availability: Value "military non-availability code (Y, N)";
        36 newborn: Value "newborn baby indicator (Y, N)";
        37 baby_detained: Value "baby detained indicator (Y, N)";
        38 mode_of_arrival: Cwe "mode of arrival code (table 0430)";
        39 recreational_drugs: [Cwe] "recreational drug use codes";
        40 level_of_care: Cwe "admission level of care code";
        41 precautions: [Cwe] "precaution codes";
        42 condition: Cwe "patient condition code";
        43 living_will: Cwe "living will code";
        44 organ_donor: Cwe "organ donor code";
        45 advance_directives: [Cwe] "advance directive codes";
        46 status_effective: Value "patient status effective date (DT)";
        47 expected_return: Value "expected return from leave of absence (DTM)";
        48 expected_preadmission_testing: Value "expected pre-admission testing (DTM)";
        49 notify_clergy: [Cwe] "notify clergy codes";
        50 advance_directive_verified: Value "advance directive last verified (DT)";
    }
    /// Role (§15.4.7), before PRT.
    Rol "ROL" {
        1 instance_id: Ei "role instance id";
        2 action: Value "action code (table 0287)";
        3 role: Cwe "role (table 0443)";
        4 persons: [Xcn] "role persons";
        5 begin: Value "from (DTM)";
        6 end: Value "until (DTM)";
        7 duration: Cwe "role duration";
        8 action_reason: Cwe "role action reason";
        9 provider_types: [Cwe] "provider types";
        10 organization_unit_type: Cwe "organisation unit type";
        11 addresses: [Xad] "office or home addresses";
        12 phones: [Xtn] "telephone numbers";
        13 location: Pl "person's location";
        14 organization: Xon "organisation";
    }
    /// Participation (v2.7 §7.4.4).
    Prt "PRT" {
        1 instance_id: Ei "participation instance id";
        2 action: Value "action code (table 0287)";
        3 action_reason: Cwe "action reason";
        4 role: Cwe "role of participation (table 0912)";
        5 persons: [Xcn] "persons";
        6 provider_type: Cwe "person provider type";
        7 organization_unit_type: Cwe "organisation unit type";
        8 organizations: [Xon] "organisations";
        9 locations: [Pl] "locations";
        10 devices: [Ei] "devices";
        11 begin: Value "from (DTM)";
        12 end: Value "until (DTM)";
        13 qualitative_duration: Cwe "qualitative duration";
        14 addresses: [Xad] "addresses";
        15 telecommunications: [Xtn] "telecommunication addresses";
        16 udi: Ei "UDI device identifier";
        17 manufactured: Value "device manufacture date (DTM)";
        18 expires: Value "device expiry date (DTM)";
        19 lot_number: Value "device lot number";
        20 serial_number: Value "device serial number";
        21 donation_id: Ei "device donation identification";
        22 device_type: Cwe "device type";
        23 preferred_contact: Cwe "preferred method of contact";
        24 contact_identifiers: [Pln] "contact identifiers";
    }
}
