//! EVN, the event behind the message: when, why, by whom, where.

use bridge_hl7v2::Segment;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, dtm, hd, msg, xcn},
    segments::{msh, pid::agent_type},
    tables::EVENT_REASON,
};

/// The Provenance of the event.
pub(crate) fn provenance<'m>(c: &mut Conversion<'m>, evn: Segment<'m>, targets: &[Ref]) {
    let id = c.id_in_message("Provenance", &["EVN"]);
    c.resource("Provenance", id, |c, w| {
        // EVN-1 is the trigger, which MSH-9 gives since v2.5; EVN-3 is a planned time, which has no place here.
        c.skip(evn, &[1]);
        w.array("target", |w| targets.iter().for_each(|target| target.item(w)));
        if let Some(occurred) = c.one(evn, 6, "Provenance.occurred") {
            dtm::date_time(c, w, "occurredDateTime", occurred);
        }
        let recorded = c.one(evn, 2, "Provenance.recorded");
        if !recorded.is_some_and(|at| dtm::instant(c, w, "recorded", at)) {
            dtm::own_instant(w, "recorded", c.received);
        }
        if let Some(site) = c.one(evn, 7, "Provenance.location")
            && let Some(location) = hd::location(c, site)
        {
            location.write(w, "location");
        }
        if let Some(reason) = c.one(evn, 4, "Provenance.reason") {
            w.one("reason", |w| {
                if reason.part(1).raw() == "U" {
                    w.one_extension("http://hl7.org/fhir/StructureDefinition/data-absent-reason", |w| {
                        w.code("valueCode", "unknown");
                    });
                } else {
                    cwe::codeable_concept(c, w, reason, Some(&EVENT_REASON));
                }
            });
        }
        w.object("activity", |w| {
            w.one("coding", |w| {
                let event = msg::Event::of(c.message.header().field(9).first());
                w.joined("display", &["event - ", event.message, "^", event.trigger]);
            });
        });
        let operators = c.each(evn, 5, "Provenance.agent");
        let operators: Vec<_> = operators.filter_map(|xcn| xcn::practitioner(c, xcn)).collect();
        w.array("agent", |w| {
            for operator in &operators {
                w.item(|w| {
                    agent_type(w, "enterer");
                    operator.write(w, "who");
                });
            }
            if operators.is_empty() {
                w.item(|w| match msh::responsible(c) {
                    Some(facility) => facility.write(w, "who"),
                    None => msh::unknown_agent(w),
                });
            }
        });
    });
}
