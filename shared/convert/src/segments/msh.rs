//! MSH, the header: where the message is from, where it goes, and what it is about.

use bridge_hl7v2::{Segment, Value};

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, dtm, hd, msg, pt, xon},
    json::Json,
    report::Reason,
    segments::{pid::agent_type, sft},
};

/// The MessageHeader; `focus` are the resources the message is about.
pub(crate) fn message_header<'m>(c: &mut Conversion<'m>, focus: &[Ref]) -> Ref {
    let msh = c.message.header();
    let id = c.id_in_message("MessageHeader", &["MSH"]);
    c.resource("MessageHeader", id, |c, w| {
        // Delimiters, set while reading; acknowledgement settings and the character set, spent on the way here.
        c.skip(msh, &[1, 2, 12, 13, 15, 16, 18]);
        meta(c, w, msh);
        if let Some(code) = c.one(msh, 19, "MessageHeader.language").and_then(cwe::raw_code) {
            w.text("language", &code);
        }
        let event = c.field(msh, 9).first();
        w.object("eventCoding", |w| msg::coding(c, w, event));
        destination(c, w, msh);
        if let Some(sender) = sending_facility(c) {
            sender.write(w, "sender");
        }
        source(c, w, msh);
        if let Some(responsible) = c.one(msh, 22, "MessageHeader.responsible")
            && let Some(organization) = xon::organization(c, responsible)
        {
            organization.write(w, "responsible");
        }
        response(c, w, msh);
        w.array("focus", |w| focus.iter().for_each(|about| about.item(w)));
    })
}

fn meta<'m>(c: &mut Conversion<'m>, w: &mut Json, msh: Segment<'m>) {
    w.object("meta", |w| {
        w.array("security", |w| {
            if let Some(security) = c.text(msh, 8, "MessageHeader.meta.security") {
                w.item(|w| w.text("display", &security));
            }
            for n in [26, 27] {
                for label in c.each(msh, n, "MessageHeader.meta.security") {
                    w.item(|w| cwe::coding(c, w, label, None));
                }
            }
        });
        if let Some(processing) = c.one(msh, 11, "MessageHeader.meta.tag") {
            w.array("tag", |w| pt::tags(c, w, processing));
        }
    });
}

/// MSH-25 is the address, MSH-5 the application; MSH-23 the responsible organisation, MSH-6 the facility.
fn destination<'m>(c: &mut Conversion<'m>, w: &mut Json, msh: Segment<'m>) {
    let application = c.one(msh, 5, "MessageHeader.destination");
    let network = c.one(msh, 25, "MessageHeader.destination.endpoint");
    let organization = receiver(c, msh);
    if application.is_none() && network.is_none() && organization.is_none() {
        return;
    }
    w.one("destination", |w| {
        if let Some(name) = application.and_then(|hd| name_of(hd, network.is_some())) {
            w.text("name", &name);
        }
        if let Some(device) = application.and_then(|hd| hd::device(c, hd)) {
            device.write(w, "target");
        }
        hd::endpoint(c, w, network.or(application));
        if let Some(organization) = organization {
            organization.write(w, "receiver");
        }
    });
}

fn name_of(application: Value<'_>, addressed: bool) -> Option<String> {
    let universal = application.part(2).content().filter(|_| addressed);
    Some(universal.or_else(|| application.part(1).content())?.into_owned())
}

fn receiver<'m>(c: &mut Conversion<'m>, msh: Segment<'m>) -> Option<Ref> {
    if let Some(organization) = c.one(msh, 23, "MessageHeader.destination.receiver") {
        c.superseded(msh, 6, "MSH-23");
        return xon::organization(c, organization);
    }
    let facility = c.one(msh, 6, "MessageHeader.destination.receiver")?;
    hd::organization(c, facility)
}

/// The Organization MSH-4 names, in the country of MSH-17. It is asked for before any other resource is made, so that
/// where the facility assigns identifiers it is the same Organization.
pub(crate) fn sending_facility<'m>(c: &mut Conversion<'m>) -> Option<Ref> {
    let msh = c.message.header();
    let country = c.text(msh, 17, "MessageHeader.sender");
    let Some(facility) = c.one(msh, 4, "MessageHeader.sender") else {
        if country.is_some() {
            c.note_field(msh, 17, Reason::Lacks("MSH-4"));
        }
        return None;
    };
    hd::organization_in(c, facility, country.as_deref())
}

fn source<'m>(c: &mut Conversion<'m>, w: &mut Json, msh: Segment<'m>) {
    let application = c.one(msh, 3, "MessageHeader.source");
    let network = c.one(msh, 24, "MessageHeader.source.endpoint");
    w.object("source", |w| {
        let product = sft::software(c, w);
        hd::source(c, w, application, network, product.as_deref());
    });
}

/// What the message answers, when it does (MSA).
fn response<'m>(c: &mut Conversion<'m>, w: &mut Json, msh: Segment<'m>) {
    let Some(msa) = c.child(msh, &["MSA"]) else { return };
    let code = c.text(msa, 1, "MessageHeader.response.code");
    let Some(identifier) = c.text(msa, 2, "MessageHeader.response.identifier") else { return };
    w.object("response", |w| {
        w.text("identifier", &identifier);
        w.code(
            "code",
            match code.as_deref() {
                Some("AA" | "CA") => "ok",
                Some("AE" | "CE") => "transient-error",
                _ => "fatal-error",
            },
        );
    });
}

/// Who answers for the message: MSH-22, else MSH-4.
pub(crate) fn responsible<'m>(c: &mut Conversion<'m>) -> Option<Ref> {
    match c.one(c.message.header(), 22, "MessageHeader.responsible") {
        Some(organization) => xon::organization(c, organization),
        None => sending_facility(c),
    }
}

/// The two Provenances every message has: where it is from, and what made resources of it.
pub(crate) fn provenances<'m>(c: &mut Conversion<'m>, targets: &[Ref]) {
    source_provenance(c, targets);
    transformation_provenance(c, targets);
}

fn source_provenance<'m>(c: &mut Conversion<'m>, targets: &[Ref]) {
    let msh = c.message.header();
    let id = c.id_in_message("Provenance", &["source"]);
    let author = responsible(c);
    c.resource("Provenance", id, |c, w| {
        w.array("target", |w| targets.iter().for_each(|target| target.item(w)));
        let sent = c.one(msh, 7, "Provenance.recorded");
        if let Some(sent) = sent {
            dtm::date_time(c, w, "occurredDateTime", sent);
        }
        if !sent.is_some_and(|sent| dtm::instant(c, w, "recorded", sent)) {
            dtm::own_instant(w, "recorded", c.received);
        }
        w.object("activity", |w| {
            w.one("coding", |w| msg::prefixed_display(w, "display", "message - ", msh.field(9).first()));
        });
        w.one("agent", |w| {
            agent_type(w, "author");
            match author {
                Some(author) => author.write(w, "who"),
                None => unknown_agent(w),
            }
        });
        entity(c, w, msh);
    });
}

/// Where nobody is named: `who` is required.
pub(crate) fn unknown_agent(w: &mut Json) {
    w.object("who", |w| w.code("display", "not named in the message"));
}

/// The message itself, by its control id, and the software it came through.
fn entity<'m>(c: &mut Conversion<'m>, w: &mut Json, msh: Segment<'m>) {
    w.array("entity", |w| {
        w.item(|w| source_message(c, w, msh));
        let application = c.one(msh, 3, "MessageHeader.source").filter(|_| c.valued(msh, 24));
        if let Some(device) = application.and_then(|hd| hd::device(c, hd)) {
            w.item(|w| {
                w.code("role", "source");
                device.write(w, "what");
            });
        }
        for device in sft::devices(c) {
            w.item(|w| {
                w.code("role", "derivation");
                device.write(w, "what");
            });
        }
    });
}

/// The message, as what a Provenance rests on.
fn source_message<'m>(c: &mut Conversion<'m>, w: &mut Json, msh: Segment<'m>) {
    w.code("role", "source");
    w.object("what", |w| {
        w.object("identifier", |w| {
            if let Some(control) = c.text(msh, 10, "Bundle.identifier") {
                w.text("value", &control);
            }
        });
        w.code("display", "HL7 v2 message");
    });
}

fn transformation_provenance<'m>(c: &mut Conversion<'m>, targets: &[Ref]) {
    let id = c.id_in_message("Provenance", &["transformation"]);
    let msh = c.message.header();
    c.resource("Provenance", id, |c, w| {
        w.array("target", |w| targets.iter().for_each(|target| target.item(w)));
        dtm::own_instant(w, "recorded", c.received);
        w.object("activity", |w| {
            w.one("coding", |w| {
                w.code(
                    "system",
                    "http://hl7.org/fhir/uv/v2mappings/CodeSystem/provenance-activity-type-v2-to-fhir",
                );
                w.code("code", "v2-fhir-transformation");
            });
        });
        w.one("agent", |w| {
            agent_type(w, "assembler");
            w.object("who", |w| {
                w.code("type", "Device");
                w.code("display", concat!("pms-bridge ", env!("CARGO_PKG_VERSION")));
            });
        });
        w.one("entity", |w| source_message(c, w, msh));
    });
}
