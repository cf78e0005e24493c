//! ChargeItem to FT1, with the visit, the insurance and the guarantor (docs/adr/0020-dft-mapping.md).

use bridge_hl7v2::write::Content;

use super::{
    Outgoing, WriteError, Writing,
    datatypes::{cwe, cx, dtm, ei, of_type, pl, xad, xcn, xon, xpn, xtn},
    header,
    node::Node,
    patient, segment, visit,
};
use crate::tables::{ADMINISTRATIVE_SEX, RELATIONSHIP};

/// DFT^P03 of all ChargeItems, which are one patient's.
pub(super) fn write<'a>(writing: &mut Writing<'a>, outgoing: &Outgoing<'a>) -> Result<(), WriteError> {
    let charges = writing.all("ChargeItem");
    let first = *charges.first().ok_or(WriteError::MissingResource("ChargeItem"))?;
    let subject = writing.follow(first.get("subject"));
    if !subject.is_there() {
        return Err(WriteError::MissingResource("Patient"));
    }
    header::event(writing, outgoing);
    patient::person(writing, subject);
    let encounter = writing.follow(first.get("context"));
    if encounter.is_there() {
        visit::pv1(writing, encounter);
    }
    for (number, charge) in (1_u32..).zip(charges) {
        ft1(writing, charge, number);
        notes(writing, charge);
    }
    let guarantors: Vec<_> =
        writing.all("Account").iter().flat_map(|account| account.each("guarantor")).collect();
    for (number, guarantor) in (1_u32..).zip(guarantors) {
        gt1(writing, guarantor, number);
    }
    for (number, coverage) in (1_u32..).zip(writing.all("Coverage")) {
        in1(writing, coverage, number);
    }
    Ok(())
}

const USED: &[&str] = &[
    "identifier",
    "status",
    "code",
    "subject",
    "context",
    "occurrenceDateTime",
    "occurrencePeriod",
    "performer",
    "performingOrganization",
    "requestingOrganization",
    "costCenter",
    "quantity",
    "priceOverride",
    "enterer",
    "enteredDate",
    "reason",
    "note",
    "account",
    "supportingInformation",
];

fn ft1<'a>(writing: &mut Writing<'a>, charge: Node<'a>, number: u32) {
    let mut ft1 = segment("FT1");
    ft1.set(1, number.to_string());
    for identifier in charge.each("identifier") {
        if identifier.get("type").text("text") == "batch" {
            ft1.set(3, identifier.text("value"));
        } else if identifier.get("type").first("coding").text("code") != "FILL" {
            ft1.set(2, cx(writing, identifier));
        }
    }
    ft1.set(23, ei(writing, of_type(charge, "FILL")));
    let period = charge.get("occurrencePeriod");
    if period.is_there() {
        ft1.set(4, [dtm(period.text("start")), dtm(period.text("end"))]);
    } else {
        ft1.set(4, dtm(charge.text("occurrenceDateTime")));
    }
    ft1.set(5, dtm(charge.text("enteredDate")));
    let kind = match charge.text("status") {
        "aborted" | "entered-in-error" => "CR",
        "not-billable" => "AJ",
        _ => "CG",
    };
    ft1.set(6, Content::default().with(1, kind).with(3, "HL70017"));
    code(writing, &mut ft1, charge);
    ft1.set(10, charge.get("quantity").number("value"));
    let price = charge.get("priceOverride");
    ft1.set(11, money(price));
    ft1.set(13, department(writing, charge));
    if let Some(place) =
        charge.each("supportingInformation").map(|place| writing.follow(place)).find(|p| p.is_there())
    {
        ft1.set(16, pl(writing, place));
    }
    for reason in charge.each("reason") {
        ft1.push(19, cwe(writing, reason, None));
    }
    for performer in charge.each("performer") {
        let role = performer.get("function").first("coding").text("code");
        let person = writing.follow(performer.get("actor"));
        ft1.push(if role == "REF" { 21 } else { 20 }, xcn(writing, person));
    }
    let enterer = writing.follow(charge.get("enterer"));
    ft1.set(24, xcn(writing, enterer));
    for (n, name) in [(32, "performingOrganization"), (33, "requestingOrganization")] {
        let organization = writing.follow(charge.get(name));
        ft1.set(n, xon(writing, organization));
    }
    writing.add(ft1);
    writing.note_unused(charge, USED);
}

/// FT1-7 and FT1-25 are the code; modifiers stand behind it in a coding of their own and go to FT1-26.
fn code<'a>(writing: &Writing<'a>, ft1: &mut bridge_hl7v2::write::SegmentBuilder<'a>, charge: Node<'a>) {
    let concept = charge.get("code");
    let modified = concept.each("coding").find(|coding| coding.text("code").contains(':'));
    let mut plain = concept.each("coding").filter(|coding| !coding.text("code").contains(':'));
    let content = |coding: Node<'a>| {
        let system = super::datatypes::system_name(writing, coding.text("system"));
        Content::default().with(1, coding.text("code")).with(2, coding.text("display")).with(3, system)
    };
    let first = plain.next().unwrap_or(Node::nothing());
    ft1.set(25, content(first));
    ft1.set(7, content(plain.next().unwrap_or(first)).with(9, concept.text("text")));
    let modifiers = modified.map_or("", |coding| coding.text("code")).split(':').skip(1);
    for modifier in modifiers {
        ft1.push(26, modifier);
    }
}

fn money(price: Node<'_>) -> Content<'_> {
    let value = price.number("value");
    match price.text("currency") {
        "" => value.into(),
        currency => Content::default().with(1, Content::default().with(1, value).with(2, currency)),
    }
}

fn department<'a>(writing: &Writing<'a>, charge: Node<'a>) -> Content<'a> {
    let organization = writing.follow(charge.get("costCenter"));
    let identifier = organization.first("identifier");
    let system = super::datatypes::system_name(writing, identifier.text("system"));
    Content::default().with(1, identifier.text("value")).with(2, organization.text("name")).with(3, system)
}

fn notes<'a>(writing: &mut Writing<'a>, charge: Node<'a>) {
    for (number, note) in (1_u32..).zip(charge.each("note")) {
        let mut nte = segment("NTE");
        nte.set(1, number.to_string());
        note.text("text").lines().for_each(|line| {
            nte.push(3, line);
        });
        writing.add(nte);
    }
}

fn gt1<'a>(writing: &mut Writing<'a>, guarantor: Node<'a>, number: u32) {
    let party = writing.follow(guarantor.get("party"));
    if !party.is_there() {
        return;
    }
    let mut gt1 = segment("GT1");
    gt1.set(1, number.to_string());
    match party.text("resourceType") {
        "Organization" => {
            gt1.set(21, xon(writing, party));
        }
        kind => {
            gt1.set(3, xpn(party.first("name")));
            if kind == "Patient" {
                gt1.set(11, ["SEL", "Self", "HL70063"]);
            } else {
                for identifier in party.each("identifier") {
                    gt1.push(2, cx(writing, identifier));
                }
                gt1.set(11, cwe(writing, party.first("relationship"), Some(&RELATIONSHIP)));
            }
            gt1.set(8, dtm(party.text("birthDate")));
            gt1.set(9, ADMINISTRATIVE_SEX.v2(party.text("gender")).unwrap_or_default());
        }
    }
    for address in party.each("address") {
        gt1.push(5, xad(address));
    }
    for point in party.each("telecom") {
        gt1.push(if point.text("use") == "work" { 7 } else { 6 }, xtn(point));
    }
    let period = guarantor.get("period");
    gt1.set(13, dtm(period.text("start"))).set(14, dtm(period.text("end")));
    writing.add(gt1);
}

fn in1<'a>(writing: &mut Writing<'a>, coverage: Node<'a>, number: u32) {
    let mut in1 = segment("IN1");
    in1.set(1, number.to_string());
    let plan = coverage.first("identifier");
    let system = super::datatypes::system_name(writing, plan.text("system"));
    in1.set(
        2,
        Content::default().with(1, plan.text("value")).with(2, plan.get("type").text("text")).with(3, system),
    );
    let payor = writing.follow(coverage.first("payor"));
    for identifier in payor.each("identifier") {
        in1.push(3, cx(writing, identifier));
    }
    in1.set(4, payor.text("name"));
    for address in payor.each("address") {
        in1.push(5, xad(address));
    }
    for point in payor.each("telecom") {
        in1.push(7, xtn(point));
    }
    let class = |code: &str| {
        let kind = |class: &Node<'a>| class.get("type").first("coding").text("code") == code;
        coverage.each("class").find(kind).unwrap_or(Node::nothing())
    };
    in1.set(8, class("group").text("value"))
        .set(9, class("group").text("name"))
        .set(35, class("plan").text("value"));
    let period = coverage.get("period");
    in1.set(12, dtm(period.text("start"))).set(13, dtm(period.text("end")));
    in1.set(15, cwe(writing, coverage.get("type"), None));
    let subscriber = writing.follow(coverage.get("subscriber"));
    in1.set(16, xpn(subscriber.first("name")));
    in1.set(17, cwe(writing, coverage.get("relationship"), Some(&RELATIONSHIP)));
    in1.set(18, dtm(subscriber.text("birthDate")));
    in1.set(19, xad(subscriber.first("address")));
    in1.set(36, coverage.text("subscriberId"));
    in1.set(43, ADMINISTRATIVE_SEX.v2(subscriber.text("gender")).unwrap_or_default());
    for id in coverage.extensions("http://hl7.org/fhir/5.0/StructureDefinition/extension-subscriberId") {
        in1.push(49, cx(writing, id.get("valueIdentifier")));
    }
    writing.add(in1);
}
