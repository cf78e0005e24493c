//! Diagnoses, procedures, allergies and notes: DG1, PR1, AL1, IAM, NTE (chapters 2, 3 and 6).

use super::segments;
use crate::{
    datatypes::{Cp, Cwe, Ei, Pl, Xcn, Xon, Xpn},
    value::Value,
};

segments! {
    /// Diagnosis (§6.5.2).
    Dg1 "DG1" {
        1 set_id: Value "set id (SI)";
        2 coding_method: Value "diagnosis coding method (before v2.7)";
        3 code: Cwe "diagnosis";
        4 description: Value "diagnosis description (before v2.7)";
        5 diagnosed: Value "diagnosis date and time (DTM)";
        6 diagnosis_type: Cwe "diagnosis type (table 0052)";
        7 major_category: Cwe "major diagnostic category";
        8 related_group: Cwe "diagnostic related group";
        9 drg_approval: Value "DRG approval indicator (Y, N)";
        10 drg_review: Cwe "DRG grouper review code";
        11 outlier_type: Cwe "outlier type";
        12 outlier_days: Value "outlier days (NM)";
        13 outlier_cost: Cp "outlier cost";
        14 grouper_version: Value "grouper version and type";
        15 priority: Value "diagnosis priority (1 is primary)";
        16 clinicians: [Xcn] "diagnosing clinicians";
        17 classification: Cwe "diagnosis classification (table 0228)";
        18 confidential: Value "confidential indicator (Y, N)";
        19 attested: Value "attestation date and time (DTM)";
        20 identifier: Ei "diagnosis identifier";
        21 action: Value "diagnosis action code (table 0206)";
        22 parent: Ei "parent diagnosis";
        23 drg_ccl: Cwe "DRG CCL value code";
        24 drg_grouping: Value "DRG grouping usage (Y, N)";
        25 drg_determination: Cwe "DRG diagnosis determination status";
        26 present_on_admission: Cwe "present on admission indicator (table 0895)";
    }
    /// Procedures (§6.5.4).
    Pr1 "PR1" {
        1 set_id: Value "set id (SI)";
        2 coding_method: Value "procedure coding method (before v2.7)";
        3 code: Cwe "procedure";
        4 description: Value "procedure description (before v2.7)";
        5 performed: Value "procedure date and time (DTM)";
        6 functional_type: Cwe "procedure functional type (table 0230)";
        7 minutes: Value "procedure minutes (NM)";
        8 anesthesiologists: [Xcn] "anesthesiologists";
        9 anesthesia: Cwe "anesthesia code (table 0019)";
        10 anesthesia_minutes: Value "anesthesia minutes (NM)";
        11 surgeons: [Xcn] "surgeons";
        12 practitioners: [Xcn] "procedure practitioners";
        13 consent: Cwe "consent code (table 0059)";
        14 priority: Value "procedure priority (table 0418)";
        15 diagnosis: Cwe "associated diagnosis";
        16 modifiers: [Cwe] "procedure code modifiers";
        17 drg_type: Cwe "procedure DRG type";
        18 tissue_types: [Cwe] "tissue types";
        19 identifier: Ei "procedure identifier";
        20 action: Value "procedure action code (table 0206)";
        21 drg_determination: Cwe "DRG procedure determination status";
        22 drg_relevance: Cwe "DRG procedure relevance";
        23 treating_units: [Pl] "treating organisational units";
        24 respiratory_within_surgery: Value "respiratory within surgery (Y, N)";
        25 parent: Ei "parent procedure";
    }
    /// Patient allergy (§3.4.6).
    Al1 "AL1" {
        1 set_id: Value "set id (SI, CE before v2.5)";
        2 allergen_type: Cwe "allergen type (table 0127)";
        3 allergen: Cwe "allergen";
        4 severity: Cwe "severity (table 0128)";
        5 reactions: [Value] "reactions";
        6 identified: Value "identification date (before v2.7, DT)";
    }
    /// Patient adverse reaction (§3.4.7).
    Iam "IAM" {
        1 set_id: Value "set id (SI)";
        2 allergen_type: Cwe "allergen type (table 0127)";
        3 allergen: Cwe "allergen";
        4 severity: Cwe "severity (table 0128)";
        5 reactions: [Value] "reactions";
        6 action: Cwe "allergy action code (table 0323)";
        7 identifier: Ei "allergy unique identifier";
        8 action_reason: Value "action reason";
        9 sensitivity: Cwe "sensitivity to causative agent (table 0436)";
        10 allergen_group: Cwe "allergen group";
        11 onset: Value "onset date (DT)";
        12 onset_text: Value "onset date as text";
        13 reported: Value "reported date and time (DTM)";
        14 reported_by: Xpn "reported by";
        15 reporter_relationship: Cwe "relationship of the reporter to the patient";
        16 alert_device: Cwe "alert device code";
        17 clinical_status: Cwe "allergy clinical status (table 0438)";
        18 statused_by: Xcn "statused by person";
        19 statused_by_organization: Xon "statused by organisation";
        20 statused: Value "statused at (DTM)";
        21 inactivated_by: Xcn "inactivated by person (v2.6)";
        22 inactivated: Value "inactivated at (v2.6, DTM)";
        23 recorded_by: Xcn "initially recorded by person (v2.6)";
        24 recorded: Value "initially recorded at (v2.6, DTM)";
        25 modified_by: Xcn "modified by person (v2.6)";
        26 modified: Value "modified at (v2.6, DTM)";
        27 clinician_code: Cwe "clinician identified code (v2.6)";
        28 recorded_by_organization: Xon "initially recorded by organisation (v2.6)";
        29 modified_by_organization: Xon "modified by organisation (v2.6)";
        30 inactivated_by_organization: Xon "inactivated by organisation (v2.6)";
    }
    /// Notes and comments (§2.15.10).
    Nte "NTE" {
        1 set_id: Value "set id (SI)";
        2 source: Value "source of comment (table 0105)";
        3 comments: [Value] "comment (FT)";
        4 comment_type: Cwe "comment type (table 0364)";
        5 entered_by: Xcn "entered by";
        6 entered: Value "entered (DTM)";
        7 effective: Value "effective start date (DTM)";
        8 expires: Value "expiration date (DTM)";
        9 coded_comments: [Cwe] "coded comments (v2.9)";
    }
}
