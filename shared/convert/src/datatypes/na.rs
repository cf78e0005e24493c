//! NA, an array of numbers: the samples of a signal.

use bridge_hl7v2::Value;

use crate::{conversion::Conversion, datatypes::nm, json::Json, report::Reason};

/// The members of a SampledData. v2 gives neither origin nor period where FHIR requires both (they stand in other
/// OBX of the same channel), so they are 0 and no time, and the samples are the numbers as they came.
pub(crate) fn sampled_data<'m>(c: &mut Conversion<'m>, w: &mut Json, field: impl Iterator<Item = Value<'m>>) {
    let mut samples = String::new();
    let mut channels = 0;
    for series in field {
        let mut count = 0;
        for sample in series.parts() {
            count += 1;
            if let Some(text) = sample.content() {
                match nm::decimal(text.trim()) {
                    Some(number) => {
                        if !samples.is_empty() {
                            samples.push(' ');
                        }
                        samples.push_str(&number);
                    }
                    None => c.note(sample, Reason::NotANumber),
                }
            }
        }
        channels = channels.max(count);
    }
    if samples.is_empty() {
        return;
    }
    w.object("origin", |w| w.literal("value", "0"));
    w.literal("period", "0");
    w.literal("dimensions", &channels.to_string());
    w.text("data", &samples);
}
