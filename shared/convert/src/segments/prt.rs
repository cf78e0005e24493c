//! PRT, a participation (v2.7, in place of ROL): a person, an organisation, a place or a device.

use bridge_hl7v2::Segment;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, dtm, ei, period, pl, pln, xad, xcn, xon, xtn},
    json::Json,
    segments::rol,
    tables::{ORGANIZATION_UNIT_TYPE, PARTICIPATION},
};

/// PRT-4, whose codes are of table 0443 or 0912.
pub(crate) fn role(prt: Segment<'_>) -> &str {
    prt.field(4).component(1).raw()
}

/// Elements of Patient.generalPractitioner: the person, or, where more is told than the person, the role.
pub(crate) fn general_practitioners<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    for prt in c.children(pid, &["PRT"]).filter(|prt| role(*prt) == "PP") {
        let more = [1, 6, 8, 9, 11, 12, 15, 24].iter().any(|n| c.valued(prt, *n));
        let made = if more { practitioner_role(c, prt) } else { person(c, prt) };
        if let Some(made) = made {
            c.skip(prt, &[2, 4]);
            made.item(w);
        }
    }
}

/// The Practitioner of PRT-5, at the address of PRT-14.
fn person<'m>(c: &mut Conversion<'m>, prt: Segment<'m>) -> Option<Ref> {
    let person = c.one(prt, 5, "PractitionerRole.practitioner")?;
    xcn::practitioner_with(c, person, |c, w| {
        w.array("address", |w| {
            let addresses = c.each(prt, 14, "Practitioner.address");
            xad::items(c, w, addresses);
        });
    })
}

/// Elements of Encounter.participant.
pub(crate) fn participants<'m>(c: &mut Conversion<'m>, w: &mut Json, pv1: Segment<'m>) {
    for prt in c.children(pv1, &["PRT"]) {
        let Some(practitioner) = practitioner_role(c, prt) else { continue };
        w.item(|w| {
            if let Some(kind) = c.one(prt, 4, "Encounter.participant.type") {
                w.one("type", |w| cwe::codeable_concept(c, w, kind, Some(&PARTICIPATION)));
            }
            practitioner.write(w, "individual");
        });
    }
}

/// The PractitionerRole of one PRT; `None` when it names nobody.
pub(crate) fn practitioner_role<'m>(c: &mut Conversion<'m>, prt: Segment<'m>) -> Option<Ref> {
    c.skip(prt, &[2]);
    let practitioner = person(c, prt)?;
    let organization = organization(c, prt);
    let location = c.one(prt, 9, "PractitionerRole.location").and_then(|pl| pl::location(c, pl, |_, _| {}));
    let id = ei::id(c, "PractitionerRole", prt.field(1).first())
        .unwrap_or_else(|| c.id_within("PractitionerRole", practitioner.id, &["PRT:", role(prt)]));
    Some(c.resource("PractitionerRole", id, |c, w| {
        w.array("identifier", |w| {
            if let Some(identifier) = c.one(prt, 1, "PractitionerRole.identifier") {
                w.item(|w| ei::identifier(c, w, identifier, None));
            }
            for number in c.each(prt, 24, "PractitionerRole.identifier") {
                w.item(|w| pln::identifier(c, w, number));
            }
        });
        period(c, w, prt);
        practitioner.write(w, "practitioner");
        if let Some(organization) = organization {
            organization.write(w, "organization");
        }
        if let Some(code) = c.one(prt, 4, "PractitionerRole.code") {
            w.one("code", |w| cwe::codeable_concept(c, w, code, Some(&PARTICIPATION)));
        }
        if let Some(unit) = c.one(prt, 6, "PractitionerRole.specialty") {
            w.one("specialty", |w| cwe::codeable_concept(c, w, unit, None));
        }
        if let Some(location) = location {
            w.array("location", |w| location.item(w));
        }
        w.array("telecom", |w| telecoms(c, w, prt));
    }))
}

fn organization<'m>(c: &mut Conversion<'m>, prt: Segment<'m>) -> Option<Ref> {
    let value = c.one(prt, 8, "PractitionerRole.organization")?;
    xon::organization_with(c, value, |c, w| {
        if !c.valued(prt, 5) {
            w.array("telecom", |w| telecoms(c, w, prt));
            w.array("address", |w| {
                let addresses = c.each(prt, 14, "Organization.address");
                xad::items(c, w, addresses);
            });
        }
        if let Some(kind) = c.one(prt, 7, "Organization.type") {
            w.one("type", |w| cwe::codeable_concept(c, w, kind, Some(&ORGANIZATION_UNIT_TYPE)));
        }
    })
}

fn period<'m>(c: &mut Conversion<'m>, w: &mut Json, prt: Segment<'m>) {
    period::member(c, w, prt, [11, 12], "PractitionerRole.period");
}

/// Roles in a care team (table 0912), other than primary care.
const CARE_TEAM: [&str; 13] =
    ["AD", "AP", "ARI", "AT", "CP", "FHCP", "OP", "PH", "PRI", "RP", "RT", "VP", "PO"];

/// The CareTeam of the patient's participations.
pub(crate) fn care_team<'m>(c: &mut Conversion<'m>, pid: Segment<'m>, patient: Ref) {
    let members: Vec<_> = c.children(pid, &["PRT"]).filter(|prt| CARE_TEAM.contains(&role(*prt))).collect();
    if members.is_empty() {
        return;
    }
    let id = c.id_within("CareTeam", patient.id, &["PRT"]);
    c.resource("CareTeam", id, |c, w| {
        patient.write(w, "subject");
        w.array("participant", |w| {
            for prt in &members {
                w.item(|w| member(c, w, *prt));
            }
        });
    });
}

/// A practitioner, in a role when PRT-6 says in what unit; an organisation where no person is named.
fn member<'m>(c: &mut Conversion<'m>, w: &mut Json, prt: Segment<'m>) {
    c.skip(prt, &[2]);
    if let Some(role) = c.one(prt, 4, "CareTeam.participant.role") {
        w.one("role", |w| cwe::codeable_concept(c, w, role, Some(&PARTICIPATION)));
    }
    let person = if c.valued(prt, 6) { practitioner_role(c, prt) } else { contact(c, prt) };
    let organization = organization(c, prt);
    rol::member(w, person, organization);
    period(c, w, prt);
}

/// The Practitioner of PRT-5 with address and telephone numbers.
fn contact<'m>(c: &mut Conversion<'m>, prt: Segment<'m>) -> Option<Ref> {
    let person = c.one(prt, 5, "CareTeam.participant.member")?;
    xcn::practitioner_with(c, person, |c, w| {
        w.array("telecom", |w| telecoms(c, w, prt));
        w.array("address", |w| {
            let addresses = c.each(prt, 14, "Practitioner.address");
            xad::items(c, w, addresses);
        });
    })
}

/// PRT-15, preferred when PRT-23 says so: it names a kind of line, and with PRT-15 there is one kind.
fn telecoms<'m>(c: &mut Conversion<'m>, w: &mut Json, prt: Segment<'m>) {
    let preferred = c.text(prt, 23, "PractitionerRole.telecom").is_some();
    for telecom in c.each(prt, 15, "PractitionerRole.telecom") {
        w.item(|w| {
            let before = w.mark();
            xtn::contact_point(c, w, telecom, "");
            if preferred && w.since(before) && telecom.part(18).is_empty() {
                w.literal("rank", "1");
            }
        });
    }
}

/// Elements of Observation.extension: where the observation was made, as a place (PRT-9) or an address (PRT-14).
pub(crate) fn observation_location<'m>(c: &mut Conversion<'m>, w: &mut Json, prt: Segment<'m>) {
    const URL: &str = "http://hl7.org/fhir/StructureDefinition/event-location";
    for place in c.each(prt, 9, "Observation.extension") {
        if let Some(location) = pl::location(c, place, |_, _| {}) {
            w.extension(URL, |w| location.write(w, "valueReference"));
        }
    }
    for address in c.each(prt, 14, "Observation.extension") {
        let id = c.id("Location", &["xad"], &[address.raw()]);
        let location = c.resource("Location", id, |c, w| {
            w.code("mode", "instance");
            w.object("address", |w| xad::address(c, w, address, None));
        });
        w.extension(URL, |w| location.write(w, "valueReference"));
    }
}

/// The Device of one PRT that carries one.
pub(crate) fn device<'m>(c: &mut Conversion<'m>, prt: Segment<'m>) -> Option<Ref> {
    let value = c.one(prt, 10, "Device.identifier").or_else(|| c.one(prt, 16, "Device.udiCarrier"))?;
    let id = ei::id(c, "Device", value)?;
    Some(c.resource("Device", id, |c, w| {
        if let Some(identifier) = c.one(prt, 10, "Device.identifier") {
            w.one("identifier", |w| ei::identifier(c, w, identifier, None));
        }
        if let Some(udi) = c.text(prt, 16, "Device.udiCarrier") {
            w.one("udiCarrier", |w| w.text("deviceIdentifier", &udi));
        }
        for (n, key) in [(17, "manufactureDate"), (18, "expirationDate")] {
            if let Some(at) = c.one(prt, n, "Device") {
                dtm::date_time(c, w, key, at);
            }
        }
        for (n, key) in [(21, "distinctIdentifier"), (19, "lotNumber"), (20, "serialNumber")] {
            if let Some(text) = c.text(prt, n, "Device") {
                w.text(key, &text);
            }
        }
        let kind = c.one(prt, 22, "Device.type");
        cwe::member(c, w, "type", kind, None);
    }))
}
