//! An order with its results: ORC and OBR, OBX, SPM, TQ1 and PRT around them.

use bridge_hl7v2::Segment;
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::ei,
    report::Reason,
    segments::{obr, obx, prt, spm},
};

/// The segments of an order.
pub(crate) struct Order<'m> {
    pub(crate) orc: Option<Segment<'m>>,
    pub(crate) obr: Option<Segment<'m>>,
    pub(crate) timing: Option<Segment<'m>>,
}

impl<'m> Order<'m> {
    /// Of the segment an order begins with.
    pub(crate) fn of(c: &Conversion<'m>, first: Segment<'m>) -> Self {
        let is_orc = first.name() == "ORC";
        let obr = if is_orc { c.child(first, &["OBR"]) } else { Some(first) };
        let timing = c.child(first, &["TQ1"]).or_else(|| c.child(obr?, &["TQ1"]));
        Self { orc: is_orc.then_some(first), obr, timing }
    }

    fn segments(&self) -> impl Iterator<Item = Segment<'m>> + use<'m> {
        [self.orc, self.obr].into_iter().flatten()
    }

    /// The id of a resource that stands for the whole order: of its numbers, best first, and its code, since one number
    /// may cover several OBR.
    fn id(&self, c: &mut Conversion<'m>, kind: &'static str, numbers: [u32; 2]) -> Uuid {
        let code = self.obr.map_or("", |obr| obr.field(4).component(1).raw());
        for n in numbers {
            for segment in [self.obr, self.orc].into_iter().flatten() {
                if let Some(id) = ei::id(c, kind, segment.field(n).first()) {
                    let id = c.id_within(kind, id, &["OBR-4:", code]);
                    return c.fresh(kind, id);
                }
            }
        }
        let first = self.segments().next();
        if let Some(segment) = first.filter(|_| kind == "DiagnosticReport") {
            c.note_field(segment, 3, Reason::NoIdentifier);
        }
        let position = first.map_or(0, Segment::position).to_string();
        c.id_in_message(kind, &["order-", &position])
    }

    /// Writes the order, its specimens, its results and the report on them, which it gives back.
    pub(crate) fn write(&self, c: &mut Conversion<'m>, patient: Option<Ref>, encounter: Option<Ref>) -> Ref {
        let request_id = self.id(c, "ServiceRequest", [2, 3]);
        let report_id = self.id(c, "DiagnosticReport", [3, 2]);
        let request = obr::service_request(c, self, request_id, [patient, encounter]);
        let mut specimens: Vec<Ref> = Vec::new();
        let samples: Vec<_> = self.segments().flat_map(|owner| c.children(owner, &["SPM"])).collect();
        for sample in &samples {
            specimens.push(spm::specimen(c, *sample, patient, report_id));
        }
        if let Some(obr) = self.obr {
            if samples.is_empty() {
                specimens.extend(obr::specimen(c, obr, patient));
            } else {
                obr::SPECIMEN.iter().for_each(|n| c.superseded(obr, *n, "SPM"));
            }
        }
        let around = obx::Around {
            patient,
            encounter,
            request: Some(request),
            specimen: specimens.first().copied(),
            focus: None,
            owner: report_id,
        };
        let mut results: Vec<Ref> = Vec::new();
        for obx in self.segments().flat_map(|owner| c.children(owner, &["OBX"])).collect::<Vec<_>>() {
            results.push(obx::observation(c, obx, &around));
        }
        // An OBX after SPM is about the specimen in the standard, and a plain result from many senders.
        for (sample, specimen) in samples.iter().zip(specimens.clone()) {
            for obx in c.children(*sample, &["OBX"]) {
                let around = obx::Around { specimen: Some(specimen), focus: Some(specimen), ..around };
                results.push(obx::observation(c, obx, &around));
            }
        }
        let (performers, interpreters) = self.participants(c);
        let around = obr::Around {
            patient,
            encounter,
            request,
            specimens: &specimens,
            results: &results,
            performers: &performers,
            interpreters: &interpreters,
        };
        obr::diagnostic_report(c, self, report_id, &around)
    }

    /// PRT after ORC or OBR: the principal interpreter (`PRI`), and everyone else as a performer.
    fn participants(&self, c: &mut Conversion<'m>) -> (Vec<Ref>, Vec<Ref>) {
        let (mut performers, mut interpreters) = (Vec::new(), Vec::new());
        for segment in self.segments().flat_map(|owner| c.children(owner, &["PRT"])).collect::<Vec<_>>() {
            let Some(role) = prt::practitioner_role(c, segment) else { continue };
            if prt::role(segment) == "PRI" {
                interpreters.push(role);
            } else {
                performers.push(role);
            }
        }
        (performers, interpreters)
    }
}

/// Writes every order under `owner`.
pub(crate) fn write_all<'m>(
    c: &mut Conversion<'m>,
    owner: Segment<'m>,
    patient: Option<Ref>,
    encounter: Option<Ref>,
) -> Vec<Ref> {
    let orders = c.children(owner, &["ORC", "OBR"]);
    orders.map(|first| Order::of(c, first).write(c, patient, encounter)).collect()
}
