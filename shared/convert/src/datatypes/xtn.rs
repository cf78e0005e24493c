//! XTN, a telephone number or another way to reach someone.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::period,
    json::Json,
    parts::Parts,
    report::Reason,
    tables::{TELECOM_SYSTEM, TELECOM_USE},
};

const MAPPED: [u32; 13] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 18];

/// Elements of an array of ContactPoints. `default_use` is what the field says when XTN-2 says nothing.
pub(crate) fn items<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    values: impl Iterator<Item = Value<'m>>,
    default_use: &str,
) {
    for value in values {
        w.item(|w| contact_point(c, w, value, default_use));
    }
}

/// The members of a ContactPoint.
pub(crate) fn contact_point<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>, default_use: &str) {
    let xtn = Parts::<18>::of(c, value, &MAPPED);
    let equipment = xtn.text(3);
    let network = matches!(equipment.as_deref(), Some("Internet" | "X.400"));
    w.array("extension", |w| {
        for (n, url) in NUMBER_PARTS {
            if let Some(part) = xtn.text(n).filter(|_| !network || n != 7) {
                w.extension(url, |w| {
                    w.text("valueString", &part);
                });
            }
        }
    });
    system_and_use(c, w, &xtn, equipment.as_deref(), default_use);
    if network || !(xtn.has(1) || xtn.has(7) || xtn.has(12)) {
        if let Some(address) = xtn.text(4).or_else(|| xtn.text(1)) {
            w.text("value", &address);
        }
    } else {
        number(w, &xtn);
        if xtn.has(4) {
            c.note(xtn.value(4), Reason::Superseded("the telephone number"));
        }
    }
    if xtn.has(9) {
        c.note(xtn.value(9), Reason::NotMapped);
    }
    if let Some(rank) = xtn.text(18) {
        match rank.parse::<u32>() {
            Ok(1..) => w.literal("rank", rank.trim_start_matches('0')),
            _ => c.note(xtn.value(18), Reason::NotANumber),
        }
    }
    w.object("period", |w| {
        period::bounds(c, w, Some(xtn.value(13)), Some(xtn.value(14)));
    });
}

const NUMBER_PARTS: [(u32, &str); 4] = [
    (5, "http://hl7.org/fhir/StructureDefinition/contactpoint-country"),
    (6, "http://hl7.org/fhir/StructureDefinition/contactpoint-area"),
    (7, "http://hl7.org/fhir/StructureDefinition/contactpoint-local"),
    (8, "http://hl7.org/fhir/StructureDefinition/contactpoint-extension"),
];

/// What kind of line it is, and what for. A number that does not say is a telephone number: that is what XTN-1, -7
/// and -12 are defined to hold. A cell phone is one by XTN-3, which FHIR tells by its use.
fn system_and_use<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    xtn: &Parts<'m, 18>,
    equipment: Option<&str>,
    default_use: &str,
) {
    let mut mobile = false;
    match equipment.map(|kind| (kind, TELECOM_SYSTEM.code(kind))) {
        Some(("CP", _)) => {
            mobile = true;
            w.code("system", "phone");
        }
        Some((_, Some(system))) => w.code("system", system),
        Some((_, None)) => {
            c.note(xtn.value(3), Reason::NoCode);
            w.code("system", "other");
        }
        None if xtn.has(4) && !(xtn.has(1) || xtn.has(7) || xtn.has(12)) => w.code("system", "email"),
        None => w.code("system", "phone"),
    }
    let sent = xtn.text(2);
    let code = match sent.as_deref() {
        _ if mobile => "mobile",
        None => default_use,
        Some(sent) => TELECOM_USE.code(sent).unwrap_or_else(|| {
            // NET says that it is an address in a network, as the system does.
            if sent != "NET" {
                c.note(xtn.value(2), Reason::NoCode);
            }
            ""
        }),
    };
    if !code.is_empty() {
        w.text("use", code);
    }
}

/// The number as one text: as it was written, else put together from its parts.
fn number(w: &mut Json, xtn: &Parts<'_, 18>) {
    if let Some(text) = xtn.text(12) {
        return w.text("value", &text);
    }
    let [country, area, local, extension] = [5, 6, 7, 8].map(|n| xtn.text(n).unwrap_or_default());
    if local.is_empty() {
        if let Some(text) = xtn.text(1) {
            w.text("value", &text);
        }
        return;
    }
    let plus = if country.is_empty() || country.starts_with('+') { "" } else { "+" };
    let gap = |before: &str| if before.is_empty() { "" } else { " " };
    let mark = if extension.is_empty() { "" } else { " X" };
    w.joined("value", &[plus, &country, gap(&country), &area, gap(&area), &local, mark, &extension]);
}
