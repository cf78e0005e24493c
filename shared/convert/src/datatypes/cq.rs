//! CQ, a quantity with its unit.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::{cwe, eip, nm},
    json::Json,
};

/// The members of a Quantity.
pub(crate) fn quantity<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    eip::two_parts(c, value);
    nm::decimal_member(c, w, "value", value.part(1));
    let unit = value.part(2);
    if unit.content().is_some() {
        cwe::unit_called(c, w, unit, [9, 2, 1]);
    }
}

/// The members of a Duration: a unit of time is one of UCUM, and another is kept as it is called.
pub(crate) fn duration<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    eip::two_parts(c, value);
    nm::decimal_member(c, w, "value", value.part(1));
    let unit = value.part(2);
    let Some(name) = cwe::string(unit) else { return };
    match time_unit(&name).or_else(|| time_unit(unit.part(1).raw())) {
        Some(code) => {
            w.code("unit", code);
            w.code("system", "http://unitsofmeasure.org");
            w.code("code", code);
        }
        None => w.text("unit", &name),
    }
}

/// Minutes, for elements counted in them; the unit is a code of UCUM or table 0255, minutes when there is none.
pub(crate) fn minutes(number: f64, unit: &str) -> Option<f64> {
    let factor = match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => 1.0 / 60.0,
        "" | "m" | "min" | "mins" | "minute" | "minutes" => 1.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 60.0,
        "d" | "day" | "days" => 24.0 * 60.0,
        "wk" | "w" | "week" | "weeks" => 7.0 * 24.0 * 60.0,
        _ => return None,
    };
    Some(number * factor)
}

/// The UCUM code of a unit of time, as Timing.repeat and Duration want it.
pub(crate) fn time_unit(unit: &str) -> Option<&'static str> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "min",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "wk" | "w" | "week" | "weeks" => "wk",
        "mo" | "mon" | "month" | "months" => "mo",
        "a" | "y" | "yr" | "year" | "years" => "a",
        _ => return None,
    })
}
