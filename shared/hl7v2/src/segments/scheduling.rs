//! Appointments: SCH, RGS, AIS, AIG, AIL, AIP (chapter 10).

use super::segments;
use crate::{
    datatypes::{Cwe, Ei, Pl, Tq, Xad, Xcn, Xtn},
    value::Value,
};

segments! {
    /// Scheduling activity information (§10.6.2).
    Sch "SCH" {
        1 placer_id: Ei "placer appointment id";
        2 filler_id: Ei "filler appointment id";
        3 occurrence_number: Value "occurrence number (NM)";
        4 placer_group: Ei "placer group number";
        5 schedule: Cwe "schedule id";
        6 event_reason: Cwe "event reason";
        7 appointment_reason: Cwe "appointment reason (table 0276)";
        8 appointment_type: Cwe "appointment type (table 0277)";
        9 duration: Value "appointment duration (before v2.6, NM)";
        10 duration_units: Cwe "appointment duration units (before v2.6)";
        11 timing: [Tq] "appointment timing and quantity (before v2.6)";
        12 placer_contacts: [Xcn] "placer contact persons";
        13 placer_phone: Xtn "placer contact telephone number";
        14 placer_addresses: [Xad] "placer contact addresses";
        15 placer_location: Pl "placer contact location";
        16 filler_contacts: [Xcn] "filler contact persons";
        17 filler_phone: Xtn "filler contact telephone number";
        18 filler_addresses: [Xad] "filler contact addresses";
        19 filler_location: Pl "filler contact location";
        20 entered_by: [Xcn] "entered by";
        21 entered_by_phones: [Xtn] "entered by telephone numbers";
        22 entered_by_location: Pl "entered by location";
        23 parent_placer_id: Ei "parent placer appointment id";
        24 parent_filler_id: Ei "parent filler appointment id";
        25 status: Cwe "filler status (table 0278)";
        26 placer_orders: [Ei] "placer order numbers";
        27 filler_orders: [Ei] "filler order numbers";
        28 alternate_placer_order_group: Ei "alternate placer order group number (v2.9)";
    }
    /// Resource group (§10.6.3).
    Rgs "RGS" {
        1 set_id: Value "set id (SI)";
        2 action: Value "segment action code (table 0206)";
        3 group: Cwe "resource group id";
    }
    /// Appointment information: service (§10.6.4).
    Ais "AIS" {
        1 set_id: Value "set id (SI)";
        2 action: Value "segment action code (table 0206)";
        3 service: Cwe "universal service identifier";
        4 start: Value "start (DTM)";
        5 start_offset: Value "start offset (NM)";
        6 start_offset_units: Cwe "start offset units";
        7 duration: Value "duration (NM)";
        8 duration_units: Cwe "duration units";
        9 substitution: Cwe "allow substitution code (table 0279)";
        10 status: Cwe "filler status (table 0278)";
        11 placer_information: [Cwe] "placer supplemental service information";
        12 filler_information: [Cwe] "filler supplemental service information";
    }
    /// Appointment information: general resource (§10.6.5).
    Aig "AIG" {
        1 set_id: Value "set id (SI)";
        2 action: Value "segment action code (table 0206)";
        3 resource: Cwe "resource id";
        4 resource_type: Cwe "resource type";
        5 groups: [Cwe] "resource groups";
        6 quantity: Value "resource quantity (NM)";
        7 quantity_units: Cwe "resource quantity units";
        8 start: Value "start (DTM)";
        9 start_offset: Value "start offset (NM)";
        10 start_offset_units: Cwe "start offset units";
        11 duration: Value "duration (NM)";
        12 duration_units: Cwe "duration units";
        13 substitution: Cwe "allow substitution code (table 0279)";
        14 status: Cwe "filler status (table 0278)";
    }
    /// Appointment information: location resource (§10.6.6).
    Ail "AIL" {
        1 set_id: Value "set id (SI)";
        2 action: Value "segment action code (table 0206)";
        3 locations: [Pl] "location resources";
        4 location_type: Cwe "location type";
        5 group: Cwe "location group";
        6 start: Value "start (DTM)";
        7 start_offset: Value "start offset (NM)";
        8 start_offset_units: Cwe "start offset units";
        9 duration: Value "duration (NM)";
        10 duration_units: Cwe "duration units";
        11 substitution: Cwe "allow substitution code (table 0279)";
        12 status: Cwe "filler status (table 0278)";
    }
    /// Appointment information: personnel resource (§10.6.7).
    Aip "AIP" {
        1 set_id: Value "set id (SI)";
        2 action: Value "segment action code (table 0206)";
        3 personnel: [Xcn] "personnel resources";
        4 resource_type: Cwe "resource type (table 0182)";
        5 group: Cwe "resource group";
        6 start: Value "start (DTM)";
        7 start_offset: Value "start offset (NM)";
        8 start_offset_units: Cwe "start offset units";
        9 duration: Value "duration (NM)";
        10 duration_units: Cwe "duration units";
        11 substitution: Cwe "allow substitution code (table 0279)";
        12 status: Cwe "filler status (table 0278)";
    }
}
