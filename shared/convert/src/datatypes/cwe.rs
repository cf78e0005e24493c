//! CWE, and CE, CNE, CF, IS and ID, which read as its first components.

use std::borrow::Cow;

use bridge_hl7v2::Value;
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    json::Json,
    parts::Parts,
    report::Reason,
    tables::{Coded, Found, Table},
};

type Cwe<'m> = Parts<'m, 22>;

/// Code, text, coding system, version, OID of the system: the three codings a CWE holds.
const CODINGS: [[u32; 5]; 3] = [[1, 2, 3, 7, 14], [4, 5, 6, 8, 17], [10, 11, 12, 13, 20]];
const MAPPED: [u32; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 20];

/// A CodeableConcept. With a `table`, its FHIR code comes first and the code that was sent after it.
pub(crate) fn codeable_concept<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    value: Value<'m>,
    table: Option<&Table>,
) {
    let cwe = Cwe::of(c, value, &MAPPED);
    let before = w.mark();
    w.array("coding", |w| codings(c, w, &cwe, table));
    concept_text(w, &cwe);
    if !w.since(before) {
        c.note(value, Reason::Lacks("a code or a text"));
    }
}

/// A member that is a CodeableConcept, when the field holds something.
pub(crate) fn member<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    key: &str,
    value: Option<Value<'m>>,
    table: Option<&Table>,
) {
    if let Some(value) = value {
        w.object(key, |w| codeable_concept(c, w, value, table));
    }
}

/// Elements of an array of CodeableConcepts.
pub(crate) fn items<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    values: impl Iterator<Item = Value<'m>>,
    table: Option<&Table>,
) {
    for value in values {
        w.item(|w| codeable_concept(c, w, value, table));
    }
}

fn codings<'m>(c: &mut Conversion<'m>, w: &mut Json, cwe: &Cwe<'m>, table: Option<&Table>) {
    for (nth, part) in CODINGS.into_iter().enumerate() {
        coding_parts(c, w, cwe, part, table.filter(|_| nth == 0));
    }
}

/// Only the codings, as elements: for a concept put together from several fields.
pub(crate) fn coding_items<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    value: Value<'m>,
    table: Option<&Table>,
) {
    let cwe = Cwe::of(c, value, &MAPPED);
    let before = w.mark();
    codings(c, w, &cwe, table);
    if !w.since(before) && !has_text(value) {
        c.note(value, Reason::Lacks("a code or a text"));
    }
}

/// `text`: what was originally written, or the only name the concept has.
fn concept_text(w: &mut Json, cwe: &Cwe<'_>) {
    if let Some(text) = cwe.text(9).or_else(|| cwe.text(2).filter(|_| !cwe.has(1))) {
        w.text("text", &text);
    }
}

/// What stands in `text`, for callers that fill it from another field when there is none.
pub(crate) fn has_text(value: Value<'_>) -> bool {
    !value.part(9).is_empty() || (value.part(1).is_empty() && !value.part(2).is_empty())
}

fn coding_parts<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    cwe: &Cwe<'m>,
    [code, display, system, version, oid]: [u32; 5],
    table: Option<&Table>,
) {
    let Some(text) = cwe.text(code).map(one_space) else {
        if code != 1 && cwe.has(display) {
            w.item(|w| coding_rest(c, w, cwe, [display, system, version, oid], None));
        }
        return;
    };
    let table = table.filter(|table| table.is_named(cwe.raw(system)));
    let found = table.map_or(Found::Unknown, |table| table.find(&text));
    let own = match (&found, table) {
        (Found::Unknown, Some(table)) if cwe.has(system) => Some(table.own_system()),
        (Found::Mapped(_) | Found::NoEquivalent, Some(table)) => Some(table.own_system()),
        _ => None,
    };
    if let Found::Mapped(Coded { code, system }) = found
        && (code != text || own != Some(system))
    {
        w.item(|w| {
            w.code("system", system);
            w.text("code", code);
        });
    }
    w.item(|w| {
        coding_rest(c, w, cwe, [display, system, version, oid], own);
        w.text("code", &text);
    });
}

/// System, version and display of a coding.
fn coding_rest<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    cwe: &Cwe<'m>,
    [display, system, version, oid]: [u32; 4],
    own: Option<&str>,
) {
    match own {
        Some(own) => w.text("system", own),
        None => system_member(c, w, cwe, system, oid),
    }
    if let Some(version) = cwe.text(version) {
        w.text("version", &version);
    }
    if let Some(display) = cwe.text(display) {
        w.text("display", &display);
    }
}

fn system_member<'m>(c: &mut Conversion<'m>, w: &mut Json, cwe: &Cwe<'m>, system: u32, oid: u32) {
    let name = cwe.raw(system);
    match code_system(c, name, cwe.raw(oid)) {
        Some([scheme, rest]) => w.joined("system", &[scheme, rest]),
        None if !name.is_empty() => c.note(cwe.value(system), Reason::UnknownCodeSystem),
        None => {}
    }
}

/// The URI of a coding system in two pieces: by the profile, by name, by the number of its v2 table, by its OID.
pub(crate) fn code_system<'a>(c: &'a Conversion<'_>, name: &'a str, oid: &'a str) -> Option<[&'a str; 2]> {
    if let Some(uri) = c.profile.code_systems.get(name) {
        return Some(["", uri]);
    }
    if let Some((_, uri)) = NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Some(["", uri]);
    }
    let number = name.strip_prefix("HL7").map(|n| n.trim_start_matches('-'));
    if let Some(number) = number.filter(|n| n.len() == 4 && n.bytes().all(|b| b.is_ascii_digit())) {
        return Some(["http://terminology.hl7.org/CodeSystem/v2-", number]);
    }
    let is_oid = oid.contains('.') && oid.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_oid.then_some(["urn:oid:", oid])
}

/// Names of table 0396 and what senders write for them.
const NAMED: &[(&str, &str)] = &[
    ("LN", "http://loinc.org"),
    ("LOINC", "http://loinc.org"),
    ("SCT", "http://snomed.info/sct"),
    ("SNM", "http://snomed.info/sct"),
    ("SNOMED", "http://snomed.info/sct"),
    ("SNOMEDCT", "http://snomed.info/sct"),
    ("UCUM", "http://unitsofmeasure.org"),
    ("I10", "http://hl7.org/fhir/sid/icd-10"),
    ("I10C", "http://hl7.org/fhir/sid/icd-10-cm"),
    ("ICD10", "http://hl7.org/fhir/sid/icd-10"),
    ("ICD-10", "http://hl7.org/fhir/sid/icd-10"),
    ("ICD-10-CM", "http://hl7.org/fhir/sid/icd-10-cm"),
    ("ICD10CM", "http://hl7.org/fhir/sid/icd-10-cm"),
    ("I10P", "http://www.cms.gov/Medicare/Coding/ICD10"),
    ("I9", "http://hl7.org/fhir/sid/icd-9-cm"),
    ("I9C", "http://hl7.org/fhir/sid/icd-9-cm"),
    ("I9CDX", "http://hl7.org/fhir/sid/icd-9-cm"),
    ("ICD9", "http://hl7.org/fhir/sid/icd-9-cm"),
    ("ICD-9-CM", "http://hl7.org/fhir/sid/icd-9-cm"),
    ("C4", "http://www.ama-assn.org/go/cpt"),
    ("CPT4", "http://www.ama-assn.org/go/cpt"),
    ("CPT", "http://www.ama-assn.org/go/cpt"),
    ("HCPCS", "http://terminology.hl7.org/CodeSystem/HCPCS-all-codes"),
    ("HPC", "http://terminology.hl7.org/CodeSystem/HCPCS-all-codes"),
    ("RXNORM", "http://www.nlm.nih.gov/research/umls/rxnorm"),
    ("NDC", "http://hl7.org/fhir/sid/ndc"),
    ("CVX", "http://hl7.org/fhir/sid/cvx"),
    ("MVX", "http://hl7.org/fhir/sid/mvx"),
    ("UNII", "http://fdasis.nlm.nih.gov"),
    ("CDCREC", "urn:oid:2.16.840.1.113883.6.238"),
    ("ISO3166_1", "urn:iso:std:iso:3166"),
    ("ISO639-1", "urn:ietf:bcp:47"),
    ("BCP47", "urn:ietf:bcp:47"),
];

/// The names of [`NAMED`] that go out again.
pub(crate) fn name_of(uri: &str) -> Option<&'static str> {
    NAMED.iter().find(|(_, known)| *known == uri).map(|(name, _)| *name)
}

/// A Coding of the first of the codes.
pub(crate) fn coding<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>, table: Option<&Table>) {
    let cwe = Cwe::of(c, value, &[1, 2, 3, 7, 14]);
    let Some(text) = cwe.text(1).map(one_space) else {
        return c.note(value, Reason::Lacks("a code"));
    };
    let table = table.filter(|table| table.is_named(cwe.raw(3)));
    match table.map_or(Found::Unknown, |table| table.find(&text)) {
        Found::Mapped(Coded { code, system }) => {
            w.code("system", system);
            w.text("code", code);
            if let Some(display) = cwe.text(2) {
                w.text("display", &display);
            }
        }
        Found::NoEquivalent => {
            coding_rest(c, w, &cwe, [2, 3, 7, 14], table.map(Table::own_system));
            w.text("code", &text);
        }
        Found::Unknown => {
            coding_rest(c, w, &cwe, [2, 3, 7, 14], None);
            w.text("code", &text);
        }
    }
}

/// The code itself: the first there is.
pub(crate) fn raw_code(value: Value<'_>) -> Option<Cow<'_, str>> {
    [1, 4].into_iter().find_map(|n| value.part(n).content()).and_then(crate::conversion::trimmed)
}

/// The FHIR code of a coded value, when its table has one; a note, when it does not.
pub(crate) fn code<'m>(c: &mut Conversion<'m>, value: Value<'m>, table: &Table) -> Option<&'static str> {
    let code = raw_code(value).and_then(|code| table.code(&code));
    if code.is_none() {
        c.note(value, Reason::NoCode);
    }
    code
}

/// What a coded value is called: what was originally written, else its text.
pub(crate) fn string<'m>(value: Value<'m>) -> Option<Cow<'m, str>> {
    [9, 2, 1].into_iter().find_map(|n| value.part(n).content()).and_then(crate::conversion::trimmed)
}

/// What each value is called; a note for one that is called nothing.
pub(crate) fn strings<'m>(
    c: &mut Conversion<'m>,
    values: impl Iterator<Item = Value<'m>>,
) -> Vec<Cow<'m, str>> {
    let named = values.filter_map(|value| {
        let name = string(value);
        if name.is_none() {
            c.note(value, Reason::Lacks("a code or a text"));
        }
        name
    });
    named.collect()
}

/// Elements of an array of Identifiers: each code with its coding system as the system.
pub(crate) fn identifier_items<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let cwe = Cwe::of(c, value, &[1, 2, 3, 4, 5, 6, 10, 11, 12]);
    if ![1, 4, 10].into_iter().any(|n| cwe.has(n)) {
        c.note(value, Reason::Lacks("a code"));
    }
    for [code, name, system, _, _] in CODINGS {
        let Some(text) = cwe.text(code) else { continue };
        w.item(|w| {
            system_member(c, w, &cwe, system, 14);
            w.text("value", &text);
            if let Some(name) = cwe.text(name) {
                w.object("type", |w| w.text("text", &name));
            }
        });
    }
}

/// An Organization a coded value names (OBX-15, ORC-17).
pub(crate) fn organization<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<Ref> {
    if let Some(made) = c.recent.get("Organization by code", value.raw()) {
        return Some(made);
    }
    let cwe = Cwe::of(c, value, &[1, 2, 3, 9, 14]);
    let name = cwe.text(9).or_else(|| cwe.text(2));
    let id: Uuid = match (cwe.text(1), &name) {
        (Some(code), _) => c.id("Organization", &["code:", cwe.raw(3)], &[&code]),
        (None, Some(name)) => c.id("Organization", &["name"], &[name]),
        (None, None) => {
            c.note(value, Reason::Lacks("a code or a text"));
            return None;
        }
    };
    let made = c.resource("Organization", id, |c, w| {
        if let Some(code) = cwe.text(1) {
            w.one("identifier", |w| {
                system_member(c, w, &cwe, 3, 14);
                w.text("value", &code);
            });
        }
        if let Some(name) = &name {
            w.text("name", name);
        }
    });
    c.recent.put("Organization by code", value.raw(), made);
    Some(made)
}

/// The unit of a quantity (OBX-6 beside OBX-5).
pub(crate) fn unit<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    unit_called(c, w, value, [2, 1, 9]);
}

/// The unit of a quantity; `names` are the components that may name it, best first.
pub(crate) fn unit_called<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>, names: [u32; 3]) {
    let cwe = Cwe::of(c, value, &[1, 2, 3, 9, 14]);
    if let Some(unit) = names.into_iter().find_map(|n| cwe.text(n)) {
        w.text("unit", &unit);
    }
    if let Some(code) = cwe.text(1).filter(|_| cwe.has(3)) {
        let at = w.mark();
        system_member(c, w, &cwe, 3, 14);
        // qty-3: a code needs a system.
        if w.since(at) {
            w.text("code", &code);
        }
    }
}

/// FHIR codes have no run of blanks in them.
fn one_space(text: Cow<'_, str>) -> Cow<'_, str> {
    let runs = |t: &str| t.contains("  ") || t.contains(['\t', '\r', '\n']);
    if runs(&text) { Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" ")) } else { text }
}
