//! Medication and vaccination: RXA, RXR, RXO (chapter 4A).

use super::segments;
use crate::{
    datatypes::{Cwe, Ei, La2, Pl, Xad, Xcn, Xtn},
    value::Value,
};

segments! {
    /// Pharmacy administration (§4.14.7).
    Rxa "RXA" {
        1 give_sub_id: Value "give sub-id counter (NM)";
        2 administration_sub_id: Value "administration sub-id counter (NM)";
        3 start: Value "start of administration (DTM)";
        4 end: Value "end of administration (DTM)";
        5 code: Cwe "administered code (table 0292)";
        6 amount: Value "administered amount (NM)";
        7 units: Cwe "administered units";
        8 dosage_form: Cwe "administered dosage form";
        9 notes: [Cwe] "administration notes";
        10 providers: [Xcn] "administering providers";
        11 location: La2 "administered at location";
        12 per: Value "administered per time unit";
        13 strength: Value "administered strength (NM)";
        14 strength_units: Cwe "administered strength units";
        15 lot_numbers: [Value] "substance lot numbers";
        16 expirations: [Value] "substance expiration dates (DTM)";
        17 manufacturers: [Cwe] "substance manufacturers (table 0227)";
        18 refusal_reasons: [Cwe] "substance or treatment refusal reasons";
        19 indications: [Cwe] "indications";
        20 completion: Value "completion status (table 0322)";
        21 action: Value "action code (table 0206)";
        22 entered: Value "system entry date and time (DTM)";
        23 strength_volume: Value "administered drug strength volume (NM)";
        24 strength_volume_units: Cwe "administered drug strength volume units";
        25 barcode: Cwe "administered barcode identifier";
        26 order_type: Value "pharmacy order type (table 0480)";
        27 administer_at: Pl "administer at";
        28 administered_at_address: Xad "administered at address";
        29 tags: [Ei] "administered tag identifiers";
    }
    /// Pharmacy route (§4.14.2).
    Rxr "RXR" {
        1 route: Cwe "route (table 0162)";
        2 site: Cwe "administration site (table 0550)";
        3 device: Cwe "administration device (table 0164)";
        4 method: Cwe "administration method (table 0165)";
        5 routing: Cwe "routing instruction";
        6 site_modifier: Cwe "administration site modifier";
    }
    /// Pharmacy order (§4.14.1).
    Rxo "RXO" {
        1 code: Cwe "requested give code";
        2 minimum: Value "requested give amount, minimum (NM)";
        3 maximum: Value "requested give amount, maximum (NM)";
        4 units: Cwe "requested give units";
        5 dosage_form: Cwe "requested dosage form";
        6 treatment_instructions: [Cwe] "provider's pharmacy or treatment instructions";
        7 administration_instructions: [Cwe] "provider's administration instructions";
        8 deliver_to: La2 "deliver-to location";
        9 substitutions: Value "allow substitutions (table 0161)";
        10 dispense_code: Cwe "requested dispense code";
        11 dispense_amount: Value "requested dispense amount (NM)";
        12 dispense_units: Cwe "requested dispense units";
        13 refills: Value "number of refills (NM)";
        14 dea_numbers: [Xcn] "ordering provider's DEA numbers";
        15 verifiers: [Xcn] "pharmacist verifiers";
        16 needs_review: Value "needs human review (Y, N)";
        17 give_per: Value "requested give per time unit";
        18 strength: Value "requested give strength (NM)";
        19 strength_units: Cwe "requested give strength units";
        20 indications: [Cwe] "indications";
        21 rate: Value "requested give rate amount";
        22 rate_units: Cwe "requested give rate units";
        23 daily_dose: Value "total daily dose (CQ)";
        24 supplementary: [Cwe] "supplementary codes";
        25 strength_volume: Value "requested drug strength volume (NM)";
        26 strength_volume_units: Cwe "requested drug strength volume units";
        27 order_type: Value "pharmacy order type (table 0480)";
        28 dispensing_interval: Value "dispensing interval (NM)";
        29 instance_id: Ei "medication instance identifier (v2.7)";
        30 segment_instance_id: Ei "segment instance identifier (v2.7)";
        31 mood: Cwe "mood code (table 0725, v2.7)";
        32 pharmacy: Cwe "dispensing pharmacy (v2.7)";
        33 pharmacy_address: Xad "dispensing pharmacy address (v2.7)";
        34 deliver_to_location: Pl "deliver-to patient location (v2.7)";
        35 deliver_to_address: Xad "deliver-to address (v2.7)";
        36 pharmacy_phones: [Xtn] "pharmacy telephone numbers (v2.8)";
    }
}
