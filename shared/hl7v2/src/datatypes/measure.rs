//! Quantities, prices, ranges and timing.

use super::{Cwe, datatypes};
use crate::value::Value;

datatypes! {
    /// CQ, composite quantity with units (§2.A.11).
    Cq {
        1 quantity: Value "quantity (NM)";
        2 units: Cwe "units";
    }
    /// MO, money (§2.A.41).
    Mo {
        1 quantity: Value "amount (NM)";
        2 denomination: Value "currency (ISO 4217)";
    }
    /// CP, composite price (§2.A.10).
    Cp {
        1 price: Mo "price";
        2 price_type: Value "price type (table 0205)";
        3 from: Value "from value (NM)";
        4 to: Value "to value (NM)";
        5 range_units: Cwe "range units";
        6 range_type: Value "range type (table 0298)";
    }
    /// MOC, money and charge code (OBR-23).
    Moc {
        1 amount: Mo "monetary amount";
        2 charge_code: Cwe "charge code";
    }
    /// DR, date and time range (§2.A.20).
    Dr {
        1 start: Value "from (DTM)";
        2 end: Value "until (DTM)";
    }
    /// NR, numeric range (§2.A.48).
    Nr {
        1 low: Value "low value (NM)";
        2 high: Value "high value (NM)";
    }
    /// SN, structured numeric (§2.A.70): a comparator, a range or a ratio.
    Sn {
        1 comparator: Value "comparator (`>`, `<=` ...)";
        2 first: Value "first number";
        3 separator: Value "separator or suffix (`-`, `+`, `/`, `.`, `:`)";
        4 second: Value "second number";
    }
    /// RI, repeat interval (§2.A.63).
    Ri {
        1 pattern: Cwe "repeat pattern (table 0335)";
        2 explicit_times: Value "explicit time interval";
    }
    /// TQ, timing and quantity (§2.A.76), replaced by the TQ1 segment.
    Tq {
        1 quantity: Cq "quantity";
        2 interval: Ri "interval";
        3 duration: Value "duration";
        4 start: Value "start (DTM)";
        5 end: Value "end (DTM)";
        6 priority: Value "priority";
        7 condition: Value "condition";
        8 text: Value "text";
        9 conjunction: Value "conjunction";
        10 sequencing: Value "order sequencing";
        11 occurrence_duration: Cwe "occurrence duration";
        12 total_occurrences: Value "total occurrences (NM)";
    }
    /// RPT, repeat pattern (TQ1-3).
    Rpt {
        1 pattern: Cwe "repeat pattern code (table 0335)";
        2 calendar_alignment: Value "calendar alignment (table 0527)";
        3 phase_begin: Value "phase range begin value (NM)";
        4 phase_end: Value "phase range end value (NM)";
        5 period: Value "period quantity (NM)";
        6 period_units: Value "period units";
        7 institution_time: Value "institution specified time (Y, N)";
        8 event: Value "event (table 0528)";
        9 event_offset: Value "event offset quantity (NM)";
        10 event_offset_units: Value "event offset units";
        11 timing: Value "general timing specification";
    }
}
