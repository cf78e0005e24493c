//! Patient to PID, PD1 and NK1, and merges to MRG.

use bridge_hl7v2::write::{Content, SegmentBuilder};

use super::{
    Outgoing, WriteError, Writing,
    datatypes::{cwe, cx, dtm, xad, xcn, xon, xpn, xtn},
    header,
    node::Node,
    segment, visit,
};
use crate::tables::{ADMINISTRATIVE_SEX, CONTACT_ROLE, MARITAL_STATUS, RELATIONSHIP, RELIGION};

/// ADT of one patient: EVN, PID, PD1, NK1, and the visit when there is one.
pub(super) fn adt<'a>(writing: &mut Writing<'a>, outgoing: &Outgoing<'a>) -> Result<(), WriteError> {
    let patients = writing.all("Patient");
    let patient = *patients.first().ok_or(WriteError::MissingResource("Patient"))?;
    header::event(writing, outgoing);
    person(writing, patient);
    next_of_kin(writing, patient);
    // PV1 is required of A28 and A31, and `N` says that there is no visit.
    match writing.all("Encounter").first() {
        Some(encounter) => visit::pv1(writing, *encounter),
        None => {
            let mut pv1 = segment("PV1");
            pv1.set(1, "1").set(2, "N");
            writing.add(pv1);
        }
    }
    Ok(())
}

/// ADT^A40: the Patient that `replaces` another, and MRG with that one's identifiers.
pub(super) fn merge<'a>(writing: &mut Writing<'a>, outgoing: &Outgoing<'a>) -> Result<(), WriteError> {
    let replaces = |patient: &Node<'a>| patient.each("link").find(|link| link.text("type") == "replaces");
    let survivor = writing.all("Patient").into_iter().find(|patient| replaces(patient).is_some());
    let survivor = survivor.ok_or(WriteError::MissingElement("Patient.link of type replaces"))?;
    header::event(writing, outgoing);
    person(writing, survivor);
    for link in survivor.each("link").filter(|link| link.text("type") == "replaces") {
        let prior = writing.follow(link.get("other"));
        if !prior.first("identifier").is_there() {
            return Err(WriteError::MissingElement("Patient.identifier of the patient that is replaced"));
        }
        let mut mrg = segment("MRG");
        for identifier in prior.each("identifier") {
            mrg.push(1, cx(writing, identifier));
        }
        for name in prior.each("name") {
            mrg.push(7, xpn(name));
        }
        writing.add(mrg);
    }
    Ok(())
}

const USED: &[&str] = &[
    "identifier",
    "name",
    "telecom",
    "gender",
    "birthDate",
    "_birthDate",
    "deceasedBoolean",
    "deceasedDateTime",
    "address",
    "maritalStatus",
    "multipleBirthBoolean",
    "multipleBirthInteger",
    "contact",
    "communication",
    "generalPractitioner",
    "link",
    "extension",
    "active",
];

/// PID and PD1.
pub(super) fn person<'a>(writing: &mut Writing<'a>, patient: Node<'a>) {
    let mut pid = segment("PID");
    pid.set(1, "1");
    identifiers(writing, &mut pid, patient);
    for name in patient.each("name") {
        pid.push(5, xpn(name));
    }
    for maiden in patient.extensions(&url("patient-mothersMaidenName")) {
        pid.push(6, maiden_name(maiden.text("valueString")));
    }
    let time = patient.get("_birthDate").extension(&url("patient-birthTime")).text("valueDateTime");
    pid.set(7, dtm(if time.is_empty() { patient.text("birthDate") } else { time }));
    pid.set(8, ADMINISTRATIVE_SEX.v2(patient.text("gender")).unwrap_or_default());
    for address in patient.each("address") {
        pid.push(11, xad(address));
    }
    for point in patient.each("telecom") {
        pid.push(if point.text("use") == "work" { 14 } else { 13 }, xtn(point));
    }
    pid.set(15, cwe(writing, patient.first("communication").get("language"), None));
    pid.set(16, cwe(writing, patient.get("maritalStatus"), Some(&MARITAL_STATUS)));
    let religion = patient.extension(&url("patient-religion")).get("valueCodeableConcept");
    pid.set(17, cwe(writing, religion, Some(&RELIGION)));
    if let Some(account) = writing.all("Account").first().map(|account| account.first("identifier")) {
        pid.set(18, cx(writing, account));
    }
    pid.set(23, patient.extension(&url("patient-birthPlace")).get("valueAddress").text("text"));
    pid.set(24, yes_no(patient.boolean("multipleBirthBoolean")));
    pid.set(25, patient.number("multipleBirthInteger"));
    for (n, name) in [(26, "patient-citizenship"), (28, "patient-nationality")] {
        for country in patient.extensions(&url(name)) {
            pid.push(n, cwe(writing, country.extension("code").get("valueCodeableConcept"), None));
        }
    }
    pid.set(29, dtm(patient.text("deceasedDateTime")));
    pid.set(30, yes_no(patient.boolean("deceasedBoolean")));
    writing.add(pid);
    general_practitioners(writing, patient);
    writing.note_unused(patient, USED);
}

fn url(name: &str) -> String {
    format!("http://hl7.org/fhir/StructureDefinition/{name}")
}

fn yes_no(truth: Option<bool>) -> &'static str {
    match truth {
        Some(true) => "Y",
        Some(false) => "N",
        None => "",
    }
}

/// The national number has a field of its own besides PID-3, where senders look for it.
fn identifiers<'a>(writing: &Writing<'a>, pid: &mut SegmentBuilder<'a>, patient: Node<'a>) {
    let national = &writing.profile.national_id;
    for identifier in patient.each("identifier") {
        if identifier.text("system") == national.system {
            pid.set(19, identifier.text("value"));
        } else {
            pid.push(3, cx(writing, identifier));
        }
    }
}

/// The text is given names before the family name, which alone it may be.
fn maiden_name(text: &str) -> Content<'_> {
    let (given, family) = text.rsplit_once(' ').unwrap_or(("", text));
    [family, given].into()
}

/// PD1-3 and PD1-4.
fn general_practitioners<'a>(writing: &mut Writing<'a>, patient: Node<'a>) {
    let mut pd1 = segment("PD1");
    for reference in patient.each("generalPractitioner") {
        let target = writing.follow(reference);
        if target.text("resourceType") == "Organization" {
            pd1.push(3, xon(writing, target));
        } else if target.is_there() {
            pd1.push(4, xcn(writing, target));
        }
    }
    if !pd1.is_empty(3) || !pd1.is_empty(4) {
        writing.add(pd1);
    }
}

/// NK1: the Patient's contacts; RelatedPersons who are none of them.
fn next_of_kin<'a>(writing: &mut Writing<'a>, patient: Node<'a>) {
    let mut number = 0_u32;
    let related: Vec<_> = writing.all("RelatedPerson");
    let name_of = |node: Node<'a>| xpn(node);
    for contact in patient.each("contact") {
        number += 1;
        let mut nk1 = segment("NK1");
        nk1.set(1, number.to_string());
        nk1.set(2, name_of(contact.get("name")));
        party(writing, &mut nk1, contact, contact.get("address"));
        let organization = writing.follow(contact.get("organization"));
        nk1.set(13, xon(writing, organization));
        writing.add(nk1);
    }
    let known: Vec<_> = patient.each("contact").map(|contact| name_of(contact.get("name"))).collect();
    for person in related {
        let name = name_of(person.first("name"));
        if known.contains(&name) {
            continue;
        }
        number += 1;
        let mut nk1 = segment("NK1");
        nk1.set(1, number.to_string()).set(2, name);
        party(writing, &mut nk1, person, person.first("address"));
        nk1.set(16, dtm(person.text("birthDate")));
        for identifier in person.each("identifier") {
            nk1.push(33, cx(writing, identifier));
        }
        writing.add(nk1);
    }
}

/// What a contact and a RelatedPerson have in common.
fn party<'a>(writing: &Writing<'a>, nk1: &mut SegmentBuilder<'a>, party: Node<'a>, address: Node<'a>) {
    let role = |concept: &Node<'a>| !concept.code_of(CONTACT_ROLE.own_system()).is_empty();
    let mut relationships = party.each("relationship");
    let kin = relationships.clone().find(|concept| !role(concept)).unwrap_or(Node::nothing());
    nk1.set(3, cwe(writing, kin, Some(&RELATIONSHIP)));
    nk1.set(4, xad(address));
    for point in party.each("telecom") {
        nk1.push(if point.text("use") == "work" { 6 } else { 5 }, xtn(point));
    }
    nk1.set(7, cwe(writing, relationships.find(role).unwrap_or(Node::nothing()), Some(&CONTACT_ROLE)));
    nk1.set(8, dtm(party.get("period").text("start")));
    nk1.set(9, dtm(party.get("period").text("end")));
    nk1.set(15, ADMINISTRATIVE_SEX.v2(party.text("gender")).unwrap_or_default());
}
