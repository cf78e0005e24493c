//! Addresses, telecommunication and locations.

use super::{Cnn, Cwe, Dr, Ei, Hd, datatypes};
use crate::value::Value;

datatypes! {
    /// SAD, street address (§2.A.67).
    Sad {
        1 street: Value "street or mailing address, one line";
        2 street_name: Value "street name";
        3 dwelling_number: Value "dwelling number";
    }
    /// XAD, extended address (§2.A.85).
    Xad {
        1 street: Sad "street address";
        2 other_designation: Value "other designation, the second line";
        3 city: Value "city";
        4 state: Value "state or province";
        5 postal_code: Value "zip or postal code";
        6 country: Value "country (ISO 3166)";
        7 type_code: Value "address type (table 0190)";
        8 other_geographic: Value "other geographic designation";
        9 county: Cwe "county or parish code";
        10 census_tract: Cwe "census tract";
        11 representation: Value "address representation code";
        12 validity: Dr "validity range, replaced by 13 and 14";
        13 effective_date: Value "valid from (DTM)";
        14 expiration_date: Value "valid until (DTM)";
        15 expiration_reason: Cwe "why it expired";
        16 temporary: Value "temporary (Y, N)";
        17 bad_address: Value "bad address (Y, N)";
        18 usage: Value "usage (table 0617)";
        19 addressee: Value "addressee";
        20 comment: Value "comment";
        21 preference: Value "preference order";
        22 protection: Cwe "protection code";
        23 identifier: Ei "address identifier";
    }
    /// XTN, extended telecommunication number (§2.A.89).
    Xtn {
        1 number: Value "telephone number as one text, replaced by 5 to 8 and 12";
        2 use_code: Value "use (table 0201)";
        3 equipment: Value "equipment (table 0202)";
        4 address: Value "communication address: an e-mail or network address";
        5 country_code: Value "country code";
        6 area_code: Value "area or city code";
        7 local_number: Value "local number";
        8 extension: Value "extension";
        9 any_text: Value "any text";
        10 extension_prefix: Value "extension prefix";
        11 speed_dial: Value "speed dial code";
        12 unformatted: Value "unformatted telephone number";
        13 effective_date: Value "valid from (DTM)";
        14 expiration_date: Value "valid until (DTM)";
        15 expiration_reason: Cwe "why it expired";
        16 protection: Cwe "protection code";
        17 identifier: Ei "shared telecommunication identifier";
        18 preference: Value "preference order";
    }
    /// PL, person location (§2.A.53).
    Pl {
        1 point_of_care: Hd "point of care";
        2 room: Hd "room";
        3 bed: Hd "bed";
        4 facility: Hd "facility";
        5 status: Value "location status";
        6 location_type: Value "person location type (table 0305)";
        7 building: Hd "building";
        8 floor: Hd "floor";
        9 description: Value "description";
        10 identifier: Ei "comprehensive location identifier";
        11 assigning_authority: Hd "who assigned it";
    }
    /// NDL, name with date and location (§2.A.46).
    Ndl {
        1 name: Cnn "the person";
        2 start: Value "from (DTM)";
        3 end: Value "until (DTM)";
        4 point_of_care: Value "point of care";
        5 room: Value "room";
        6 bed: Value "bed";
        7 facility: Hd "facility";
        8 status: Value "location status";
        9 location_type: Value "patient location type";
        10 building: Value "building";
        11 floor: Value "floor";
    }
    /// DLD, discharge to location and date (§2.A.17).
    Dld {
        1 location: Cwe "where the patient was discharged to";
        2 effective_date: Value "when (DTM)";
    }
    /// LA2, location with address, variation 2 (RXA-11).
    La2 {
        1 point_of_care: Value "point of care";
        2 room: Value "room";
        3 bed: Value "bed";
        4 facility: Hd "facility";
        5 status: Value "location status";
        6 location_type: Value "patient location type";
        7 building: Value "building";
        8 floor: Value "floor";
        9 street: Value "street address";
        10 other_designation: Value "other designation";
        11 city: Value "city";
        12 state: Value "state or province";
        13 postal_code: Value "zip or postal code";
        14 country: Value "country";
        15 address_type: Value "address type";
        16 other_geographic: Value "other geographic designation";
    }
}
