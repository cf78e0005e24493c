//! TQ, timing and quantity as v2 had it before TQ1: ORC-7, OBR-27, SCH-11.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::{cq, cwe, dtm, nm, ri},
    json::Json,
    parts::Parts,
    report::Reason,
    tables::REQUEST_PRIORITY,
};

/// A TQ cut into its parts.
pub(crate) struct TimingQuantity<'m>(Parts<'m, 12>);

impl<'m> TimingQuantity<'m> {
    /// For a request: quantity, interval, start and end, priority.
    pub(crate) fn of(c: &mut Conversion<'m>, value: Value<'m>) -> Self {
        Self(Parts::of(c, value, &[1, 2, 3, 4, 5, 6, 8, 12]))
    }

    /// For an appointment: duration, start and end.
    pub(crate) fn of_appointment(c: &mut Conversion<'m>, value: Value<'m>) -> Self {
        Self(Parts::of(c, value, &[3, 4, 5]))
    }

    pub(crate) fn start(&self) -> Option<Value<'m>> {
        self.0.has(4).then(|| self.0.value(4))
    }

    pub(crate) fn end(&self) -> Option<Value<'m>> {
        self.0.has(5).then(|| self.0.value(5))
    }

    /// TQ-3 in minutes: a unit letter and a number (`M30`), or, as schedulers write it, minutes alone.
    pub(crate) fn minutes(&self, c: &mut Conversion<'m>) -> Option<i64> {
        let text = self.0.text(3)?;
        let letter = usize::from(text.starts_with(|c: char| c.is_ascii_alphabetic()));
        let (unit, number) = text.split_at_checked(letter)?;
        let number = number.parse::<f64>().ok();
        let minutes = number.and_then(|number| cq::minutes(number, unit)).filter(|m| *m >= 1.0);
        if minutes.is_none() {
            c.note(self.0.value(3), Reason::NotMapped);
        }
        // Appointments last minutes, so what is lost of a fraction of one is nothing.
        minutes.and_then(|m| format!("{m:.0}").parse().ok())
    }

    /// `priority` of a request.
    pub(crate) fn priority(&self, c: &mut Conversion<'m>) -> Option<&'static str> {
        self.0.has(6).then(|| cwe::code(c, self.0.value(6), &REQUEST_PRIORITY)).flatten()
    }

    /// `quantityQuantity` of a request.
    pub(crate) fn quantity(&self, c: &mut Conversion<'m>, w: &mut Json) {
        if self.0.has(1) {
            w.object("quantityQuantity", |w| cq::quantity(c, w, self.0.value(1)));
        }
    }

    /// `occurrenceTiming` of a request.
    pub(crate) fn timing(&self, c: &mut Conversion<'m>, w: &mut Json) {
        let interval = self.0.value(2);
        w.object("repeat", |w| {
            if !self.0.has(4) && !self.0.has(5) {
                self.bounds_duration(c, w);
            }
            w.object("boundsPeriod", |w| {
                for (key, value) in [("start", self.start()), ("end", self.end())] {
                    if let Some(value) = value {
                        dtm::date_time(c, w, key, value);
                    }
                }
            });
            if self.0.has(12) {
                nm::integer_member(c, w, "count", self.0.value(12), 1);
            }
            if self.0.has(2) {
                ri::times(c, w, interval);
            }
        });
        if self.0.has(2) {
            ri::code(c, w, interval);
        }
    }

    /// TQ-3, a letter and a number (`D5`, five days), where neither start nor end says as much.
    fn bounds_duration(&self, c: &mut Conversion<'m>, w: &mut Json) {
        let Some(text) = self.0.text(3) else { return };
        // `L` is lunar cycles: months, as near as FHIR has it.
        let unit = match text.as_bytes().first() {
            Some(b'S') => "s",
            Some(b'M') => "min",
            Some(b'H') => "h",
            Some(b'D') => "d",
            Some(b'W') => "wk",
            Some(b'L') => "mo",
            _ => "",
        };
        let number = text.get(1..).filter(|_| !unit.is_empty()).and_then(nm::decimal);
        let Some(number) = number else { return c.note(self.0.value(3), Reason::NotMapped) };
        w.object("boundsDuration", |w| {
            w.literal("value", &number);
            w.code("unit", unit);
            w.code("system", "http://unitsofmeasure.org");
            w.code("code", unit);
        });
    }

    /// TQ-8, as an element of `note`.
    pub(crate) fn note(&self, w: &mut Json) {
        if let Some(text) = self.0.text(8) {
            w.item(|w| w.text("text", &text));
        }
    }
}
