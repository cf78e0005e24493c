//! IN1, an insurance, with IN2 behind it.

use bridge_hl7v2::Segment;
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, cx, dtm, period, xad, xon, xpn, xtn},
    json::Json,
    report::Reason,
    tables::{ADMINISTRATIVE_SEX, RELATIONSHIP},
};

/// The Coverage of one IN1.
pub(crate) fn coverage<'m>(c: &mut Conversion<'m>, in1: Segment<'m>, patient: Ref) -> Ref {
    let id = id(c, in1, patient);
    let id = c.fresh("Coverage", id);
    let subscriber = subscriber(c, in1, patient);
    let payor = payor(c, in1);
    let holder = policy_holder(c, in1);
    c.resource("Coverage", id, |c, w| {
        subscriber_ids(c, w, in1);
        if let Some(plan) = c.one(in1, 2, "Coverage.identifier") {
            w.array("identifier", |w| cwe::identifier_items(c, w, plan));
        }
        w.text("status", &c.profile.defaults.coverage_status);
        let kind = c.one(in1, 15, "Coverage.type");
        cwe::member(c, w, "type", kind, None);
        if let Some(holder) = holder {
            holder.write(w, "policyHolder");
        }
        if let Some(subscriber) = subscriber {
            subscriber.write(w, "subscriber");
        }
        if let Some(policy) = c.text(in1, 36, "Coverage.subscriberId") {
            w.text("subscriberId", &policy);
        }
        patient.write(w, "beneficiary");
        let relationship = c.one(in1, 17, "Coverage.relationship");
        cwe::member(c, w, "relationship", relationship, Some(&RELATIONSHIP));
        period::member(c, w, in1, [12, 13], "Coverage.period");
        w.array("payor", |w| match payor {
            Some(payor) => payor.item(w),
            None => {
                w.item(|w| {
                    w.one_extension("http://hl7.org/fhir/StructureDefinition/data-absent-reason", |w| {
                        w.code("valueCode", "unknown");
                    });
                });
            }
        });
        classes(c, w, in1);
        // The place of this insurance among the patient's: first, second.
        if let Some(order) = c.text(in1, 1, "Coverage.order").and_then(|n| n.parse::<u16>().ok())
            && order > 0
        {
            w.literal("order", &order.to_string());
        }
    })
}

/// By plan, company and policy under the patient.
fn id<'m>(c: &mut Conversion<'m>, in1: Segment<'m>, patient: Ref) -> Uuid {
    let [plan, company, policy] = [2, 3, 36].map(|n| in1.field(n).component(1).raw());
    c.id_within("Coverage", patient.id, &["IN1:", plan, "|", company, "|", policy])
}

/// IN1-49 is the subscriber's number; IN1-10 is, when its type says so (`SN`).
fn subscriber_ids<'m>(c: &mut Conversion<'m>, w: &mut Json, in1: Segment<'m>) {
    w.array("extension", |w| {
        for value in in1.field(10).filled().filter(|cx| cx.part(5).raw() == "SN") {
            c.field(in1, 10);
            subscriber_id(c, w, value);
        }
        for value in c.each(in1, 49, "Coverage.extension") {
            subscriber_id(c, w, value);
        }
    });
}

fn subscriber_id<'m>(c: &mut Conversion<'m>, w: &mut Json, value: bridge_hl7v2::Value<'m>) {
    w.extension("http://hl7.org/fhir/5.0/StructureDefinition/extension-subscriberId", |w| {
        w.object("valueIdentifier", |w| cx::identifier(c, w, value, None));
    });
}

/// The insurance company: its name (IN1-4), number (IN1-3), address, contact and telephone.
fn payor<'m>(c: &mut Conversion<'m>, in1: Segment<'m>) -> Option<Ref> {
    let company = c.one(in1, 4, "Coverage.payor");
    let numbers = c.each(in1, 3, "Organization.identifier");
    let contact = |c: &mut Conversion<'m>, w: &mut Json| {
        w.array("telecom", |w| {
            let telecoms = c.each(in1, 7, "Organization.telecom");
            xtn::items(c, w, telecoms, "work");
        });
        w.array("address", |w| {
            let addresses = c.each(in1, 5, "Organization.address");
            xad::items(c, w, addresses);
        });
        if let Some(name) = c.one(in1, 6, "Organization.contact") {
            w.one("contact", |w| {
                w.object("name", |w| xpn::human_name(c, w, name));
            });
        }
    };
    let by_number = numbers.clone().next().and_then(|cx| cx::id(c, "Organization", cx));
    let id = match (by_number, company.and_then(|xon| xon::string(c, xon))) {
        (Some(id), _) => id,
        (None, Some(name)) => c.id("Organization", &["name"], &[&name]),
        (None, None) => {
            for value in company.into_iter().chain(numbers) {
                c.note(value, Reason::Lacks("an identifier or a name"));
            }
            return None;
        }
    };
    Some(c.resource("Organization", id, |c, w| {
        xon::named(c, w, company, numbers);
        contact(c, w);
    }))
}

/// The employer or group that holds the policy: IN1-11 by name, IN1-10 by number.
fn policy_holder<'m>(c: &mut Conversion<'m>, in1: Segment<'m>) -> Option<Ref> {
    let name = c.one(in1, 11, "Coverage.policyHolder");
    let numbers: Vec<_> =
        c.each(in1, 10, "Coverage.policyHolder").filter(|cx| cx.part(5).raw() != "SN").collect();
    let id = match (numbers.first(), name.and_then(|xon| xon::string(c, xon))) {
        (Some(number), _) => cx::needed_id(c, "Organization", *number)?,
        (None, Some(name)) => c.id("Organization", &["name"], &[&name]),
        (None, None) => {
            if let Some(value) = name {
                c.note(value, Reason::Lacks("an identifier or a name"));
            }
            return None;
        }
    };
    Some(c.resource("Organization", id, |c, w| xon::named(c, w, name, numbers.into_iter())))
}

/// The patient, when IN1-17 says so; else a RelatedPerson of the insured's name and address.
fn subscriber<'m>(c: &mut Conversion<'m>, in1: Segment<'m>, patient: Ref) -> Option<Ref> {
    let relationship = in1.field(17).component(1);
    let name = c.one(in1, 16, "Coverage.subscriber");
    if matches!(relationship.raw(), "SEL" | "01" | "18" | "patient" | "S" | "SELF") {
        for (n, by) in [(18, "PID-7"), (19, "PID-11"), (43, "PID-8")] {
            c.superseded(in1, n, by);
        }
        return Some(patient);
    }
    let name = name?;
    let id = c.id_within("RelatedPerson", patient.id, &["NK1:", name.raw(), "|", relationship.raw()]);
    let in2 = c.child(in1, &["IN2"]);
    Some(c.resource("RelatedPerson", id, |c, w| {
        patient.write(w, "patient");
        if let Some(relationship) = c.one(in1, 17, "RelatedPerson.relationship") {
            w.one("relationship", |w| cwe::codeable_concept(c, w, relationship, Some(&RELATIONSHIP)));
        }
        w.array("name", |w| {
            let names = c.each(in1, 16, "RelatedPerson.name");
            xpn::items(c, w, names);
        });
        w.array("telecom", |w| {
            let telecoms = in2.map(|in2| c.each(in2, 63, "RelatedPerson.telecom"));
            xtn::items(c, w, telecoms.into_iter().flatten(), "home");
        });
        if let Some(sex) = c.one(in1, 43, "RelatedPerson.gender")
            && let Some(code) = cwe::code(c, sex, &ADMINISTRATIVE_SEX)
        {
            w.code("gender", code);
        }
        if let Some(birth) = c.one(in1, 18, "RelatedPerson.birthDate") {
            dtm::date(c, w, "birthDate", birth);
        }
        w.array("address", |w| {
            let addresses = c.each(in1, 19, "RelatedPerson.address");
            xad::items(c, w, addresses);
        });
    }))
}

/// `class`: the group (IN1-8, IN1-9) and the plan (IN1-35 by name).
fn classes<'m>(c: &mut Conversion<'m>, w: &mut Json, in1: Segment<'m>) {
    let number = c.text(in1, 8, "Coverage.class.where(type.coding.code = 'group')");
    let name =
        c.one(in1, 9, "Coverage.class.where(type.coding.code = 'group')").and_then(|xon| xon::string(c, xon));
    w.array("class", |w| {
        match (number, name) {
            (Some(value), name) => class(w, "group", &value, name.as_deref()),
            // A class needs a value.
            (None, Some(name)) => class(w, "group", &name, None),
            (None, None) => {}
        }
        if let Some(plan) = c.text(in1, 35, "Coverage.class.where(type.coding.code = 'plan')") {
            class(w, "plan", &plan, None);
        }
    });
}

fn class(w: &mut Json, kind: &str, value: &str, name: Option<&str>) {
    w.item(|w| {
        w.object("type", |w| {
            w.one("coding", |w| {
                w.code("system", "http://terminology.hl7.org/CodeSystem/coverage-class");
                w.code("code", kind);
            });
        });
        w.text("value", value);
        if let Some(name) = name {
            w.text("name", name);
        }
    });
}
