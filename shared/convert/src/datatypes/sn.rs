//! SN, a structured number: a comparison, a ratio or a range written around numbers.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::{nm, nr},
    json::Json,
    report::Reason,
};

/// The `value[x]` an SN becomes; `unit` writes the unit of each number. What none of FHIR's types can say
/// (`<>5`, `5+`) becomes text.
pub(crate) fn value<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    value: Value<'m>,
    unit: impl Fn(&mut Conversion<'m>, &mut Json),
    unit_text: &str,
) {
    let [comparator, first, separator, second] = [1, 2, 3, 4].map(|n| value.part(n));
    let numbers = [first, second].map(|v| v.content().and_then(|t| nm::decimal(t.trim()).map(|_| ())));
    match (comparator.raw(), separator.raw()) {
        ("<>", _) => text(w, value, unit_text),
        (sign, ":" | "/") if numbers == [Some(()); 2] => {
            w.object("valueRatio", |w| {
                w.object("numerator", |w| {
                    nm::decimal_member(c, w, "value", first);
                    comparison(c, w, sign, comparator);
                    unit(c, w);
                });
                w.object("denominator", |w| {
                    nm::decimal_member(c, w, "value", second);
                    unit(c, w);
                });
            });
        }
        (_, "-") if numbers[0].is_some() || numbers[1].is_some() => {
            w.object("valueRange", |w| nr::range(c, w, [first, second], unit));
            if comparator.content().is_some() {
                c.note(comparator, Reason::NotMapped);
            }
        }
        (sign, "") if numbers[0].is_some() => {
            w.object("valueQuantity", |w| {
                nm::decimal_member(c, w, "value", first);
                comparison(c, w, sign, comparator);
                unit(c, w);
            });
            if second.content().is_some() {
                c.note(second, Reason::NotMapped);
            }
        }
        _ => text(w, value, unit_text),
    }
}

fn comparison<'m>(c: &mut Conversion<'m>, w: &mut Json, sign: &str, value: Value<'m>) {
    match sign {
        "" | "=" => {}
        "<" | "<=" | ">=" | ">" => w.code("comparator", sign),
        _ => c.note(value, Reason::NoCode),
    }
}

fn text(w: &mut Json, value: Value<'_>, unit: &str) {
    let parts = [1, 2, 3, 4].map(|n| value.part(n).content().unwrap_or_default());
    let mut pieces: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    pieces.push(unit);
    pieces.retain(|p| !p.is_empty());
    w.text("valueString", &pieces.join(" "));
}
