//! SPS, the specimen source of OBR-15, from before there was SPM.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::cwe,
    json::Json,
    parts::Parts,
    tables::{ADDITIVE, BODY_SITE, SPECIMEN_CONDITION, SPECIMEN_TYPE},
};

/// An SPS cut into its parts.
pub(crate) struct SpecimenSource<'m>(Parts<'m, 7>);

impl<'m> SpecimenSource<'m> {
    pub(crate) fn of(c: &mut Conversion<'m>, value: Value<'m>) -> Self {
        Self(Parts::of(c, value, &[1, 2, 3, 4, 6]))
    }

    fn part(&self, n: u32) -> Option<Value<'m>> {
        self.0.has(n).then(|| self.0.value(n))
    }

    /// `type`.
    pub(crate) fn kind(&self, c: &mut Conversion<'m>, w: &mut Json) {
        cwe::member(c, w, "type", self.part(1), Some(&SPECIMEN_TYPE));
    }

    /// `bodySite` of the collection.
    pub(crate) fn body_site(&self, c: &mut Conversion<'m>, w: &mut Json) {
        cwe::member(c, w, "bodySite", self.part(4), Some(&BODY_SITE));
    }

    /// `container`, `condition`, and how it was collected, as a note.
    pub(crate) fn rest(&self, c: &mut Conversion<'m>, w: &mut Json) {
        if let Some(additive) = self.part(2) {
            w.one("container", |w| {
                cwe::member(c, w, "additiveCodeableConcept", Some(additive), Some(&ADDITIVE))
            });
        }
        if let Some(condition) = self.part(6) {
            w.one("condition", |w| cwe::codeable_concept(c, w, condition, Some(&SPECIMEN_CONDITION)));
        }
    }

    /// SPS-3, as an element of `note`.
    pub(crate) fn note(&self, w: &mut Json) {
        if let Some(text) = self.0.text(3) {
            w.item(|w| w.text("text", &text));
        }
    }
}
