//! OBX-5, the value, whose type OBX-2 tells. Several values become components of one Observation.

use bridge_hl7v2::{Segment, Value};

use crate::{
    conversion::{Conversion, Filled},
    datatypes::{cwe, dr, dtm, ed, na, nm, nr, rp, sn},
    json::Json,
    report::Reason,
    segments::obr::unknown_code,
};

/// The values of one OBX.
pub(crate) struct Values<'m> {
    kind: &'m str,
    values: Filled<'m>,
    count: usize,
    units: Option<Value<'m>>,
}

impl<'m> Values<'m> {
    pub(crate) fn of(c: &mut Conversion<'m>, obx: Segment<'m>) -> Self {
        let values = c.each(obx, 5, "Observation.value");
        let count = values.clone().take(2).count();
        let units = c.one(obx, 6, "Observation.value");
        Self { kind: obx.field(2).first().part(1).raw().trim(), values, count, units }
    }

    /// Whether they become components: an array of samples is one value however often the field repeats.
    pub(crate) fn is_several(&self) -> bool {
        self.count > 1 && self.kind != "NA"
    }

    /// `value[x]` of the Observation.
    pub(crate) fn value(&self, c: &mut Conversion<'m>, w: &mut Json) {
        if self.kind == "NA" {
            let series = self.values.clone();
            w.object("valueSampledData", |w| na::sampled_data(c, w, series));
        } else if !self.is_several()
            && let Some(value) = self.values.clone().next()
        {
            self.write(c, w, value);
        }
        if let Some(units) = self.units.filter(|_| self.count == 0) {
            c.note(units, Reason::Lacks("OBX-5"));
        }
    }

    /// An element of the Observation's `extension`: R4 has no attachment for a value.
    pub(crate) fn extension(&self, c: &mut Conversion<'m>, w: &mut Json) {
        if !self.is_several()
            && let Some(value) = self.values.clone().next()
        {
            self.attachment(c, w, value);
        }
    }

    /// `component`, one for each of several values.
    pub(crate) fn components(
        &self,
        c: &mut Conversion<'m>,
        w: &mut Json,
        code: Option<Value<'m>>,
        range: Option<&str>,
    ) {
        if !self.is_several() {
            return;
        }
        // The code is the same for all: it is written once and repeated.
        let mut shared = Json::default();
        let coded =
            code.is_some_and(|code| shared.object("code", |w| cwe::codeable_concept(c, w, code, None)));
        if !coded {
            unknown_code(&mut shared);
        }
        w.array("component", |w| {
            for value in self.values.clone() {
                w.item(|w| {
                    w.array("extension", |w| self.attachment(c, w, value));
                    w.raw_member(shared.bytes());
                    self.write(c, w, value);
                    if let Some(range) = range {
                        w.one("referenceRange", |w| w.text("text", range));
                    }
                });
            }
        });
    }

    fn attachment(&self, c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
        if !matches!(self.kind, "ED" | "RP") {
            return;
        }
        w.extension(
            "http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.valueAttachment",
            |w| {
                w.object("valueAttachment", |w| match self.kind {
                    "ED" => ed::attachment(c, w, value),
                    _ => rp::attachment(c, w, value),
                });
            },
        );
    }

    fn write(&self, c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
        match self.kind {
            "NM" => self.number(c, w, value),
            "ST" | "FT" | "TX" => text(w, value),
            "CE" | "CWE" | "CF" | "CNE" | "IS" | "ID" => {
                w.object("valueCodeableConcept", |w| cwe::codeable_concept(c, w, value, None));
            }
            "DT" | "DTM" | "TS" => {
                self.or_text(c, w, value, |c, w| dtm::date_time(c, w, "valueDateTime", value))
            }
            "TM" => self.or_text(c, w, value, |c, w| dtm::time(c, w, "valueTime", value)),
            "DR" => {
                w.object("valuePeriod", |w| dr::members(c, w, value));
            }
            "NR" => {
                w.object("valueRange", |w| {
                    nr::range(c, w, [value.part(1), value.part(2)], |c, w| self.unit(c, w));
                });
            }
            "VR" => {
                let [low, high] = [1, 2].map(|n| value.part(n).content().unwrap_or_default());
                w.joined("valueString", &[&low, "-", &high]);
            }
            "SN" => {
                let unit = self.units.and_then(cwe::string).unwrap_or_default();
                sn::value(c, w, value, |c, w| self.unit(c, w), &unit);
            }
            "ED" | "RP" => {}
            _ => {
                c.note(value, Reason::UnknownValueType);
                text(w, value);
            }
        }
    }

    /// A number; with a comparison in front, as many write it, a number with that; else text.
    fn number(&self, c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
        let Some(content) = value.content() else { return };
        let content = content.trim();
        let sign = [">=", "<=", ">", "<"].into_iter().find(|sign| content.starts_with(sign)).unwrap_or("");
        let digits = content[sign.len()..].trim();
        match nm::decimal(digits) {
            Some(number) => {
                w.object("valueQuantity", |w| {
                    w.literal("value", &number);
                    if !sign.is_empty() {
                        w.code("comparator", sign);
                    }
                    self.unit(c, w);
                });
            }
            None => {
                c.note(value, Reason::NotANumber);
                text(w, value);
            }
        }
    }

    fn or_text(
        &self,
        c: &mut Conversion<'m>,
        w: &mut Json,
        value: Value<'m>,
        write: impl FnOnce(&mut Conversion<'m>, &mut Json),
    ) {
        let before = w.mark();
        write(c, w);
        if !w.since(before) {
            text(w, value);
        }
    }

    fn unit(&self, c: &mut Conversion<'m>, w: &mut Json) {
        if let Some(units) = self.units {
            cwe::unit(c, w, units);
        }
    }
}

fn text(w: &mut Json, value: Value<'_>) {
    let text = value.text();
    if !text.trim().is_empty() {
        w.text("valueString", &text);
    }
}
