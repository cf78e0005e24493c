//! What the protocol itself is made of, and data carried in messages: MSG, PT, VID, ERL, ED, RP.

use super::{Cwe, Hd, datatypes};
use crate::value::Value;

datatypes! {
    /// MSG, message type (§2.A.44).
    Msg {
        1 code: Value "message code (table 0076: ADT, ORU ...)";
        2 trigger: Value "trigger event (table 0003: A01, R01 ...)";
        3 structure: Value "message structure (table 0354: ADT_A01 ...)";
    }
    /// PT, processing type (§2.A.57).
    Pt {
        1 id: Value "processing id (table 0103: P, T, D)";
        2 mode: Value "processing mode (table 0207)";
    }
    /// VID, version identifier (§2.A.81).
    Vid {
        1 id: Value "version (table 0104: 2.5.1 ...)";
        2 internationalization: Cwe "country";
        3 international_version: Cwe "version of the country's edition";
    }
    /// ERL, error location (ERR-2).
    Erl {
        1 segment: Value "segment name";
        2 sequence: Value "which segment of that name, from 1 on";
        3 field: Value "field number";
        4 repetition: Value "repetition, from 1 on";
        5 component: Value "component number";
        6 subcomponent: Value "subcomponent number";
    }
    /// ELD, error location and description (ERR-1, before v2.5).
    Eld {
        1 segment: Value "segment name";
        2 sequence: Value "which segment of that name, from 1 on";
        3 field: Value "field number";
        4 code: Cwe "error (table 0357)";
    }
    /// ED, encapsulated data (§2.A.24).
    Ed {
        1 source: Hd "source application";
        2 data_type: Value "type of data (table 0834)";
        3 subtype: Value "data subtype (table 0291)";
        4 encoding: Value "encoding (table 0299: A, Hex, Base64)";
        5 data: Value "the data";
    }
    /// RP, reference pointer (§2.A.65).
    Rp {
        1 pointer: Value "pointer";
        2 application: Hd "application id";
        3 data_type: Value "type of data (table 0834)";
        4 subtype: Value "data subtype (table 0291)";
    }
}
