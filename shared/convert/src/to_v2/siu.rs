//! Appointment to SCH and what it books.

use bridge_hl7v2::write::SegmentBuilder;

use super::{
    WriteError, Writing,
    datatypes::{cwe, dtm, ei, of_type, pl, xcn},
    node::Node,
    patient, segment, visit,
};
use crate::tables::{APPOINTMENT_REASON, APPOINTMENT_STATUS, APPOINTMENT_TYPE};

const USED: &[&str] = &[
    "identifier",
    "status",
    "cancelationReason",
    "serviceType",
    "appointmentType",
    "reasonCode",
    "start",
    "end",
    "minutesDuration",
    "participant",
    "basedOn",
    "extension",
];

/// SIU of one appointment.
pub(super) fn write(writing: &mut Writing<'_>) -> Result<(), WriteError> {
    let appointment =
        *writing.all("Appointment").first().ok_or(WriteError::MissingResource("Appointment"))?;
    if !appointment.first("identifier").is_there() {
        return Err(WriteError::MissingElement("Appointment.identifier"));
    }
    schedule(writing, appointment);
    notes(writing, appointment);
    let participants: Vec<_> =
        appointment.each("participant").map(|one| (one, writing.follow(one.get("actor")))).collect();
    let mut seen: Vec<&str> = Vec::new();
    for (_, actor) in participants.iter().filter(|(_, actor)| actor.text("resourceType") == "Patient") {
        if !seen.contains(&actor.text("id")) {
            seen.push(actor.text("id"));
            patient::person(writing, *actor);
        }
    }
    if let Some(encounter) = writing.all("Encounter").first() {
        visit::pv1(writing, *encounter);
    }
    let mut rgs = segment("RGS");
    rgs.set(1, "1").set(2, "A");
    writing.add(rgs);
    services(writing, appointment);
    for (participant, actor) in participants {
        resource(writing, appointment, participant, actor);
    }
    writing.note_unused(appointment, USED);
    Ok(())
}

fn schedule<'a>(writing: &mut Writing<'a>, appointment: Node<'a>) {
    let mut sch = segment("SCH");
    let (placer, filler) = (of_type(appointment, "PLAC"), of_type(appointment, "FILL"));
    let untyped = appointment.first("identifier");
    sch.set(1, ei(writing, placer));
    let filler = if filler.is_there() || placer.is_there() { filler } else { untyped };
    sch.set(2, ei(writing, filler));
    sch.set(6, cwe(writing, appointment.get("cancelationReason"), None));
    sch.set(7, cwe(writing, appointment.first("reasonCode"), Some(&APPOINTMENT_REASON)));
    sch.set(8, cwe(writing, appointment.get("appointmentType"), Some(&APPOINTMENT_TYPE)));
    let minutes = appointment.number("minutesDuration");
    if !minutes.is_empty() {
        sch.set(9, minutes.clone()).set(10, "min");
    }
    let (start, end) = (dtm(appointment.text("start")), dtm(appointment.text("end")));
    if !start.is_empty() {
        let minutes = if minutes.is_empty() { String::new() } else { format!("M{minutes}") };
        sch.set(11, [String::new(), String::new(), minutes, start, end]);
    }
    for participant in appointment.each("participant") {
        let kind = participant.first("type");
        let n = match kind.text("text") {
            "placer contact" => 12,
            "filler contact" => 16,
            _ if kind.first("coding").text("code") == "enterer" => 20,
            _ => continue,
        };
        let person = writing.follow(participant.get("actor"));
        sch.push(n, xcn(writing, person));
    }
    sch.set(25, APPOINTMENT_STATUS.v2(appointment.text("status")).unwrap_or_default());
    for request in appointment.each("basedOn") {
        let request = writing.follow(request);
        for (n, kind) in [(26, "PLAC"), (27, "FILL")] {
            let number = of_type(request, kind);
            if number.is_there() {
                sch.push(n, ei(writing, number));
            }
        }
    }
    writing.add(sch);
}

fn notes<'a>(writing: &mut Writing<'a>, appointment: Node<'a>) {
    let url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.note";
    for (number, note) in (1_u32..).zip(appointment.extensions(url)) {
        let mut nte = segment("NTE");
        nte.set(1, number.to_string());
        for line in note.get("valueAnnotation").text("text").lines() {
            nte.push(3, line);
        }
        writing.add(nte);
    }
}

/// AIS: each service, at the appointment's time.
fn services<'a>(writing: &mut Writing<'a>, appointment: Node<'a>) {
    for (number, service) in (1_u32..).zip(appointment.each("serviceType")) {
        let mut ais = segment("AIS");
        ais.set(1, number.to_string()).set(2, "A").set(3, cwe(writing, service, None));
        let minutes = appointment.number("minutesDuration");
        ais.set(4, dtm(appointment.text("start")));
        if !minutes.is_empty() {
            ais.set(7, minutes).set(8, "min");
        }
        writing.add(ais);
    }
}

/// AIP, AIL or AIG of a participant; the patients and the people SCH names are none.
fn resource<'a>(writing: &mut Writing<'a>, appointment: Node<'a>, participant: Node<'a>, actor: Node<'a>) {
    let kind = participant.first("type");
    let contact = ["placer contact", "filler contact"].contains(&kind.text("text"))
        || kind.first("coding").text("code") == "enterer";
    let (mut built, start) = match actor.text("resourceType") {
        "Practitioner" | "PractitionerRole" if !contact => {
            let mut aip: SegmentBuilder<'a> = segment("AIP");
            aip.set(3, xcn(writing, actor));
            (aip, 6)
        }
        "Location" => {
            let mut ail = segment("AIL");
            ail.set(3, pl(writing, actor));
            (ail, 6)
        }
        "Device" => {
            let mut aig = segment("AIG");
            let identifier = actor.first("identifier");
            let name = actor.first("deviceName").text("name");
            let system = super::datatypes::system_name(writing, identifier.text("system"));
            aig.set(3, [identifier.text("value").to_owned(), name.to_owned(), system]);
            (aig, 8)
        }
        _ => return,
    };
    built.set(1, "1").set(2, "A").set(4, cwe(writing, kind, None));
    let period = participant.get("period");
    let from = if period.is_there() { period.text("start") } else { appointment.text("start") };
    built.set(start, dtm(from));
    let minutes = appointment.number("minutesDuration");
    if !minutes.is_empty() {
        built.set(start + 3, minutes).set(start + 4, "min");
    }
    writing.add(built);
}
