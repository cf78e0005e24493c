//! What the protocol itself says: MSH, EVN, SFT, MSA, ERR (chapters 2 and 3).

use super::segments;
use crate::{
    datatypes::{Cwe, Ei, Eld, Erl, Hd, Msg, Pt, Vid, Xcn, Xon, Xtn},
    value::Value,
};

segments! {
    /// Message header (§2.15.9). MSH-1 and MSH-2 are [`Message::delimiters`](crate::Message::delimiters).
    Msh "MSH" {
        3 sending_application: Hd "sending application";
        4 sending_facility: Hd "sending facility";
        5 receiving_application: Hd "receiving application";
        6 receiving_facility: Hd "receiving facility";
        7 date_time: Value "when the message was made (DTM)";
        8 security: Value "security";
        9 message_type: Msg "message type";
        10 control_id: Value "message control id";
        11 processing_id: Pt "processing id";
        12 version: Vid "version";
        13 sequence_number: Value "sequence number (NM)";
        14 continuation_pointer: Value "continuation pointer";
        15 accept_acknowledgment: Value "when an accept acknowledgment is wanted (table 0155: AL, NE, ER, SU)";
        16 application_acknowledgment: Value "when an application acknowledgment is wanted (table 0155)";
        17 country: Value "country (ISO 3166)";
        18 character_sets: [Value] "character sets (table 0211)";
        19 language: Cwe "principal language";
        20 alternate_character_set_scheme: Value "alternate character set handling scheme";
        21 profiles: [Ei] "message profile identifiers";
        22 sending_organization: Xon "sending responsible organisation";
        23 receiving_organization: Xon "receiving responsible organisation";
        24 sending_network_address: Hd "sending network address";
        25 receiving_network_address: Hd "receiving network address";
        26 security_classification: Cwe "security classification tag (v2.9)";
        27 security_handling: [Cwe] "security handling instructions (v2.9)";
        28 special_access_restrictions: [Value] "special access restriction instructions (v2.9)";
    }
    /// Event type (§3.4.1).
    Evn "EVN" {
        1 event_type: Value "event type code, as in MSH-9.2 (before v2.7)";
        2 recorded: Value "when it was recorded (DTM)";
        3 planned: Value "when it is planned (DTM)";
        4 reason: Cwe "event reason (table 0062)";
        5 operators: [Xcn] "who entered it";
        6 occurred: Value "when it occurred (DTM)";
        7 facility: Hd "where it occurred";
    }
    /// Software (§2.15.12).
    Sft "SFT" {
        1 vendor: Xon "software vendor";
        2 version: Value "certified version or release number";
        3 product: Value "product name";
        4 binary_id: Value "binary id";
        5 information: Value "product information";
        6 installed: Value "install date (DTM)";
    }
    /// Message acknowledgment (§2.15.8).
    Msa "MSA" {
        1 code: Value "acknowledgment code (table 0008: AA, AE, AR, CA, CE, CR)";
        2 control_id: Value "control id of the message it answers";
        3 text: Value "text message (before v2.7)";
        4 expected_sequence_number: Value "expected sequence number (NM)";
        5 delayed_type: Value "delayed acknowledgment type";
        6 error_condition: Cwe "error condition (before v2.7)";
        7 waiting_number: Value "how many messages wait (NM)";
        8 waiting_priority: Value "highest priority among them";
    }
    /// Error (§2.15.5).
    Err "ERR" {
        1 code_and_locations: [Eld] "error code and location (before v2.5)";
        2 locations: [Erl] "where the error is";
        3 code: Cwe "HL7 error code (table 0357)";
        4 severity: Value "severity (table 0516: E, W, I, F)";
        5 application_code: Cwe "application error code";
        6 application_parameters: [Value] "application error parameters";
        7 diagnostic: Value "diagnostic information";
        8 user_message: Value "user message";
        9 inform: [Cwe] "whom to inform";
        10 override_type: Cwe "override type";
        11 override_reasons: [Cwe] "override reasons";
        12 help_desk: [Xtn] "help desk contact points";
    }
}
