//! Orders: ORC, OBR, TQ1 (chapters 4 and 7).

use super::segments;
use crate::{
    datatypes::{Cq, Cwe, Cx, Dr, Ei, Eip, Moc, Ndl, Pl, Prl, Rpt, Sps, Tq, Xad, Xcn, Xon, Xtn},
    value::Value,
};

segments! {
    /// Common order (§4.5.1).
    Orc "ORC" {
        1 control: Value "order control (table 0119)";
        2 placer_order_number: Ei "placer order number";
        3 filler_order_number: Ei "filler order number";
        4 placer_group_number: Eip "placer group number";
        5 status: Value "order status (table 0038)";
        6 response: Value "response flag (table 0121)";
        7 timing: [Tq] "quantity and timing (before v2.7)";
        8 parent: Eip "parent order";
        9 transaction: Value "date and time of the transaction (DTM)";
        10 entered_by: [Xcn] "entered by";
        11 verified_by: [Xcn] "verified by";
        12 ordering_providers: [Xcn] "ordering providers";
        13 enterer_location: Pl "enterer's location";
        14 callback_phones: [Xtn] "call back telephone numbers";
        15 effective: Value "order effective date and time (DTM)";
        16 control_reason: Cwe "order control code reason";
        17 entering_organization: Cwe "entering organisation";
        18 entering_device: Cwe "entering device";
        19 action_by: [Xcn] "action by";
        20 beneficiary_notice: Cwe "advanced beneficiary notice code (table 0339)";
        21 facility_names: [Xon] "ordering facility names";
        22 facility_addresses: [Xad] "ordering facility addresses";
        23 facility_phones: [Xtn] "ordering facility telephone numbers";
        24 provider_addresses: [Xad] "ordering provider addresses";
        25 status_modifier: Cwe "order status modifier";
        26 beneficiary_notice_override: Cwe "advanced beneficiary notice override reason";
        27 expected_availability: Value "filler's expected availability (DTM)";
        28 confidentiality: Cwe "confidentiality code (table 0177)";
        29 order_type: Cwe "order type (table 0482)";
        30 authorization_mode: Cwe "enterer authorization mode (table 0483)";
        31 parent_service: Cwe "parent universal service identifier";
        32 beneficiary_notice_date: Value "advanced beneficiary notice date (v2.6, DT)";
        33 alternate_placer_numbers: [Cx] "alternate placer order numbers (v2.8)";
        34 workflow_profiles: [Cwe] "order workflow profiles (v2.8)";
        35 action: Value "action code (v2.9)";
        36 status_dates: Dr "order status date range (v2.9)";
        37 created: Value "order creation date and time (v2.9, DTM)";
        38 filler_group_number: Ei "filler order group number (v2.9)";
    }
    /// Observation request (§7.4.1).
    Obr "OBR" {
        1 set_id: Value "set id (SI)";
        2 placer_order_number: Ei "placer order number";
        3 filler_order_number: Ei "filler order number";
        4 service: Cwe "universal service identifier";
        5 priority: Value "priority (before v2.7)";
        6 requested: Value "requested date and time (before v2.7, DTM)";
        7 observed: Value "observation start (DTM)";
        8 observation_end: Value "observation end (DTM)";
        9 collection_volume: Cq "collection volume";
        10 collectors: [Xcn] "collectors";
        11 specimen_action: Value "specimen action code (table 0065)";
        12 danger: Cwe "danger code";
        13 clinical_information: [Cwe] "relevant clinical information";
        14 specimen_received: Value "specimen received (before v2.7, DTM)";
        15 specimen_source: Sps "specimen source (before v2.7)";
        16 ordering_providers: [Xcn] "ordering providers";
        17 callback_phones: [Xtn] "order callback telephone numbers";
        18 placer_field_1: Value "placer field 1";
        19 placer_field_2: Value "placer field 2";
        20 filler_field_1: Value "filler field 1";
        21 filler_field_2: Value "filler field 2";
        22 status_changed: Value "results report or status change (DTM)";
        23 charge: Moc "charge to practice";
        24 section: Value "diagnostic service section id (table 0074)";
        25 status: Value "result status (table 0123)";
        26 parent_result: Prl "parent result";
        27 timing: [Tq] "quantity and timing (before v2.7)";
        28 copies_to: [Xcn] "result copies to";
        29 parent: Eip "parent";
        30 transportation_mode: Value "transportation mode (table 0124)";
        31 reasons: [Cwe] "reasons for study";
        32 principal_interpreter: Ndl "principal result interpreter";
        33 assistant_interpreters: [Ndl] "assistant result interpreters";
        34 technicians: [Ndl] "technicians";
        35 transcriptionists: [Ndl] "transcriptionists";
        36 scheduled: Value "scheduled date and time (DTM)";
        37 containers: Value "number of sample containers (NM)";
        38 transport_logistics: [Cwe] "transport logistics of the collected sample";
        39 collector_comments: [Cwe] "collector's comments";
        40 transport_responsibility: Cwe "transport arrangement responsibility";
        41 transport_arranged: Value "transport arranged (table 0224)";
        42 escort_required: Value "escort required (table 0225)";
        43 transport_comments: [Cwe] "planned patient transport comments";
        44 procedure: Cwe "procedure code";
        45 procedure_modifiers: [Cwe] "procedure code modifiers";
        46 placer_information: [Cwe] "placer supplemental service information";
        47 filler_information: [Cwe] "filler supplemental service information";
        48 duplicate_reason: Cwe "medically necessary duplicate procedure reason";
        49 result_handling: Cwe "result handling (table 0507)";
        50 parent_service: Cwe "parent universal service identifier";
        51 observation_group: Ei "observation group id (v2.8)";
        52 parent_observation_group: Ei "parent observation group id (v2.8)";
        53 alternate_placer_numbers: [Cx] "alternate placer order numbers (v2.8)";
        54 parent_order: Eip "parent order (v2.9)";
    }
    /// Timing and quantity (§4.5.4).
    Tq1 "TQ1" {
        1 set_id: Value "set id (SI)";
        2 quantity: Cq "quantity";
        3 patterns: [Rpt] "repeat patterns";
        4 explicit_times: [Value] "explicit times (TM)";
        5 relative_times: [Cq] "relative times";
        6 service_duration: Cq "service duration";
        7 start: Value "start (DTM)";
        8 end: Value "end (DTM)";
        9 priorities: [Cwe] "priorities (table 0485)";
        10 condition: Value "condition";
        11 instruction: Value "instruction";
        12 conjunction: Value "conjunction (table 0427)";
        13 occurrence_duration: Cq "occurrence duration";
        14 total_occurrences: Value "total occurrences (NM)";
    }
}
