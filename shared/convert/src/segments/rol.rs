//! ROL, a person in a role: for the patient (after PID), for the visit (after PV1).

use bridge_hl7v2::{Segment, Value};

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, ei, period, pl, xad, xcn, xon, xtn},
    json::Json,
    tables::{ORGANIZATION_UNIT_TYPE, PROVIDER_ROLE},
};

fn is_primary_care(rol: Segment<'_>) -> bool {
    rol.field(3).component(1).raw() == "PP"
}

/// Elements of Patient.generalPractitioner.
pub(crate) fn general_practitioners<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    for rol in c.children(pid, &["ROL"]) {
        if is_primary_care(rol)
            && let Some(role) = practitioner_role(c, rol, |xad| {
                !is_office(xad) && (!is_billing(xad) || rol.field(14).is_empty())
            })
        {
            role.item(w);
        }
    }
}

/// Elements of Encounter.participant.
pub(crate) fn participants<'m>(c: &mut Conversion<'m>, w: &mut Json, pv1: Segment<'m>) {
    for rol in c.children(pv1, &["ROL"]) {
        let Some(role) = practitioner_role(c, rol, |_| true) else { continue };
        w.item(|w| {
            if let Some(kind) = c.one(rol, 3, "Encounter.participant.type") {
                w.one("type", |w| cwe::codeable_concept(c, w, kind, Some(&PROVIDER_ROLE)));
            }
            period(c, w, rol, "Encounter.participant.period");
            role.write(w, "individual");
        });
    }
}

fn period<'m>(c: &mut Conversion<'m>, w: &mut Json, rol: Segment<'m>, path: &'static str) {
    period::member(c, w, rol, [5, 6], path);
}

/// The PractitionerRole of one ROL; `None` when it names nobody. `personal` tells which addresses are the person's.
fn practitioner_role<'m>(
    c: &mut Conversion<'m>,
    rol: Segment<'m>,
    personal: impl Fn(Value<'m>) -> bool,
) -> Option<Ref> {
    c.skip(rol, &[2]);
    let person = c.one(rol, 4, "PractitionerRole.practitioner")?;
    let practitioner = xcn::practitioner_with(c, person, |c, w| {
        w.array("address", |w| {
            let addresses: Vec<_> = c.each(rol, 11, "Practitioner.address").collect();
            let of_person = addresses.into_iter().filter(|xad| personal(*xad));
            xad::items(c, w, of_person);
        });
    })?;
    let organization = organization(c, rol);
    let location = location(c, rol, is_primary_care(rol));
    let id = ei::id(c, "PractitionerRole", rol.field(1).first()).unwrap_or_else(|| {
        c.id_within("PractitionerRole", practitioner.id, &["ROL:", rol.field(3).component(1).raw()])
    });
    Some(c.resource("PractitionerRole", id, |c, w| {
        if let Some(identifier) = c.one(rol, 1, "PractitionerRole.identifier") {
            w.one("identifier", |w| ei::identifier(c, w, identifier, None));
        }
        period(c, w, rol, "PractitionerRole.period");
        practitioner.write(w, "practitioner");
        if let Some(organization) = organization {
            organization.write(w, "organization");
        }
        if let Some(code) = c.one(rol, 3, "PractitionerRole.code") {
            w.one("code", |w| cwe::codeable_concept(c, w, code, Some(&PROVIDER_ROLE)));
        }
        if let Some(location) = location {
            w.array("location", |w| location.item(w));
        }
        w.array("telecom", |w| {
            let telecoms = c.each(rol, 12, "PractitionerRole.telecom");
            xtn::items(c, w, telecoms, "work");
        });
    }))
}

/// Addresses (table 0190) of an office, which is a place, and of an organisation.
fn is_office(xad: Value<'_>) -> bool {
    matches!(xad.part(7).raw(), "M" | "O" | "S" | "SH" | "TM")
}

fn is_billing(xad: Value<'_>) -> bool {
    matches!(xad.part(7).raw(), "B" | "BI" | "L")
}

fn organization<'m>(c: &mut Conversion<'m>, rol: Segment<'m>) -> Option<Ref> {
    let value = c.one(rol, 14, "PractitionerRole.organization")?;
    xon::organization_with(c, value, |c, w| {
        w.array("address", |w| {
            let addresses = c.each(rol, 11, "Organization.address").filter(|xad| is_billing(*xad));
            xad::items(c, w, addresses);
        });
    })
}

/// The place of ROL-13, or one that has an address only.
fn location<'m>(c: &mut Conversion<'m>, rol: Segment<'m>, offices: bool) -> Option<Ref> {
    let office = rol.field(11).filled().find(|xad| offices && is_office(*xad));
    if let Some(value) = c.one(rol, 13, "PractitionerRole.location") {
        return pl::location(c, value, |c, w| {
            if let Some(address) = office {
                w.object("address", |w| xad::address(c, w, address, None));
            }
        });
    }
    let address = office?;
    let id = c.id("Location", &["xad"], &[address.raw()]);
    Some(c.resource("Location", id, |c, w| {
        w.code("mode", "instance");
        w.object("address", |w| xad::address(c, w, address, None));
    }))
}

/// The CareTeam of the patient's other roles.
pub(crate) fn care_team<'m>(c: &mut Conversion<'m>, pid: Segment<'m>, patient: Ref) {
    let members: Vec<_> = c.children(pid, &["ROL"]).filter(|rol| !is_primary_care(*rol)).collect();
    if members.is_empty() {
        return;
    }
    let id = c.id_within("CareTeam", patient.id, &["ROL"]);
    c.resource("CareTeam", id, |c, w| {
        patient.write(w, "subject");
        w.array("participant", |w| {
            for rol in &members {
                w.item(|w| care_team_member(c, w, *rol));
            }
        });
        w.array("reasonCode", |w| {
            for rol in &members {
                let reasons = c.each(*rol, 8, "CareTeam.reasonCode");
                cwe::items(c, w, reasons, None);
            }
        });
        w.array("telecom", |w| {
            for rol in &members {
                let telecoms = c.each(*rol, 12, "CareTeam.telecom");
                xtn::items(c, w, telecoms, "");
            }
        });
    });
}

fn care_team_member<'m>(c: &mut Conversion<'m>, w: &mut Json, rol: Segment<'m>) {
    c.skip(rol, &[2]);
    w.array("role", |w| {
        let role = c.each(rol, 3, "CareTeam.participant.role");
        cwe::items(c, w, role, Some(&PROVIDER_ROLE));
        let kinds = c.each(rol, 9, "CareTeam.participant.role");
        cwe::items(c, w, kinds, None);
    });
    let person = c.one(rol, 4, "CareTeam.participant.member").and_then(|xcn| xcn::practitioner(c, xcn));
    let organization = care_team_organization(c, rol);
    member(w, person, organization);
    period(c, w, rol, "CareTeam.participant.period");
}

/// `member` of a CareTeam's participant: the person, on behalf of the organisation, or the organisation itself.
pub(crate) fn member(w: &mut Json, person: Option<Ref>, organization: Option<Ref>) {
    match (person, organization) {
        (Some(person), organization) => {
            person.write(w, "member");
            if let Some(organization) = organization {
                organization.write(w, "onBehalfOf");
            }
        }
        (None, Some(organization)) => organization.write(w, "member"),
        (None, None) => {}
    }
}

fn care_team_organization<'m>(c: &mut Conversion<'m>, rol: Segment<'m>) -> Option<Ref> {
    let kind = c.one(rol, 10, "Organization.type");
    let kind_member = |c: &mut Conversion<'m>, w: &mut Json| {
        if let Some(kind) = kind {
            w.one("type", |w| cwe::codeable_concept(c, w, kind, Some(&ORGANIZATION_UNIT_TYPE)));
        }
    };
    if let Some(value) = c.one(rol, 14, "CareTeam.participant.onBehalfOf") {
        return xon::organization_with(c, value, kind_member);
    }
    let kind = kind?;
    let id = c.id_in_message("Organization", &["ROL-10:", kind.raw()]);
    Some(c.resource("Organization", id, |c, w| {
        if let Some(name) = cwe::string(kind) {
            w.text("name", &name);
        }
        kind_member(c, w);
    }))
}
