//! SIU: appointments.

use bridge_hl7v2::Segment;

use crate::{
    conversion::{Conversion, Ref},
    messages::{order, patient::Patient},
    report::ConvertError,
    segments::sch,
    tree::Children,
};

/// An appointment: SCH, what it books, and for whom.
pub(crate) struct Schedule<'m> {
    pub(crate) sch: Segment<'m>,
    pub(crate) resource: Ref,
    pub(crate) patients: Vec<Ref>,
    pub(crate) requests: Vec<Ref>,
    resources: Children<'m>,
}

impl<'m> Schedule<'m> {
    /// AIS, AIG, AIL and AIP in the order they came.
    pub(crate) fn resources(&self) -> Children<'m> {
        self.resources.clone()
    }

    /// SCH, then what it books.
    pub(crate) fn segments(&self) -> impl Iterator<Item = Segment<'m>> + use<'m> {
        std::iter::once(self.sch).chain(self.resources.clone())
    }
}

/// Writes the resources of an SIU message and gives back what it is about.
pub(crate) fn convert(c: &mut Conversion<'_>) -> Result<Vec<Ref>, ConvertError> {
    let root = c.message.header();
    let schedules: Vec<_> = c.children(root, &["SCH"]).collect();
    if schedules.is_empty() {
        return Err(super::missing(c, "SCH"));
    }
    let mut focus = Vec::new();
    let mut patients = Vec::new();
    for pid in c.children(root, &["PID"]) {
        let made = Patient::of(c, pid).write(c);
        patients.push(made.patient);
        focus.extend(made.focus);
        order::write_all(c, pid, Some(made.patient), made.encounter);
    }
    for segment in schedules {
        let resource = Ref { kind: "Appointment", id: sch::id(c, segment) };
        let requests = sch::requests(c, segment, patients.first().copied());
        let resources = c.children(segment, &["AIS", "AIG", "AIL", "AIP"]);
        for group in c.children(segment, &["RGS"]) {
            // RGS only brackets the resources after it.
            c.skip(group, &[1, 2]);
        }
        let schedule = Schedule { sch: segment, resource, patients: patients.clone(), requests, resources };
        sch::appointment(c, &schedule);
        sch::provenance(c, &schedule);
        focus.insert(0, schedule.resource);
    }
    Ok(focus)
}
