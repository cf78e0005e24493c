//! Which segment belongs to which: a lenient reading of the message structures.
//!
//! The standard's groups order segments strictly, and senders do not. So each segment is given the nearest segment
//! before it that it can belong to, wherever it stands. Nothing is dropped: what belongs to nothing belongs to MSH.

use bridge_hl7v2::{Message, Segment, location::SegmentName};

/// The children of every segment, in the order they came.
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

struct Node {
    name: SegmentName,
    first: u32,
    last: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

/// The segments that others may belong to, as last seen.
#[derive(Clone, Copy)]
struct Open {
    patient: u32,
    visit: u32,
    order: u32,
    request: u32,
    result: u32,
    specimen: u32,
    insurance: u32,
    charge: u32,
    procedure: u32,
    schedule: u32,
    /// What NTE and people (ROL, PRT) speak about: the segment before them.
    subject: u32,
}

impl Open {
    const NOTHING: Self = Self {
        patient: NONE,
        visit: NONE,
        order: NONE,
        request: NONE,
        result: NONE,
        specimen: NONE,
        insurance: NONE,
        charge: NONE,
        procedure: NONE,
        schedule: NONE,
        subject: NONE,
    };
}

impl Tree {
    /// `charges_own_diagnoses` is DFT^P11's way: DG1, GT1 and IN1 after FT1 belong to the charge.
    pub(crate) fn of(message: &Message<'_>, charges_own_diagnoses: bool) -> Self {
        let mut tree = Self { nodes: Vec::with_capacity(message.segment_count()) };
        let mut open = Open::NOTHING;
        for (at, segment) in (0_u32..).zip(message.segments()) {
            let name = segment.name();
            tree.nodes.push(Node { name, first: NONE, last: NONE, next: NONE });
            if at == 0 {
                continue;
            }
            let parent = tree.parent(&mut open, name, at, charges_own_diagnoses);
            tree.append(if parent == NONE { 0 } else { parent }, at);
        }
        tree
    }

    fn parent(&self, open: &mut Open, name: SegmentName, at: u32, charges_own_diagnoses: bool) -> u32 {
        let nearest = |places: &[u32]| places.iter().copied().find(|p| *p != NONE).unwrap_or(NONE);
        let charge = if charges_own_diagnoses { open.charge } else { NONE };
        let patient = open.patient;
        let parent = match name.as_str() {
            "PID" => {
                *open = Open { patient: at, schedule: open.schedule, subject: at, ..Open::NOTHING };
                NONE
            }
            "SCH" => {
                open.schedule = at;
                NONE
            }
            "RGS" | "AIS" | "AIG" | "AIL" | "AIP" => open.schedule,
            "PV1" => {
                open.visit = at;
                patient
            }
            "PV2" => return nearest(&[open.visit, patient]),
            "ORC" => {
                (open.order, open.request, open.result, open.specimen) = (at, NONE, NONE, NONE);
                nearest(&[patient])
            }
            "OBR" => {
                // An ORC is followed by its OBR; a further OBR is an order of its own.
                let common = if open.request == NONE { open.order } else { NONE };
                (open.request, open.result, open.specimen) = (at, NONE, NONE);
                if common == NONE {
                    open.order = at;
                    patient
                } else {
                    common
                }
            }
            "TQ1" | "TQ2" | "CTD" | "CTI" => nearest(&[open.order, patient]),
            "SPM" => {
                open.specimen = at;
                nearest(&[open.request, open.order, patient])
            }
            "SAC" => nearest(&[open.specimen, open.request]),
            "OBX" => {
                open.result = at;
                // PR1 and IN1 carry no observations, so an OBX after them is the patient's.
                nearest(&[open.specimen, open.request, open.order, patient])
            }
            "IN1" => {
                open.insurance = at;
                nearest(&[charge, patient])
            }
            "IN2" | "IN3" => nearest(&[open.insurance, patient]),
            "FT1" => {
                (open.charge, open.procedure) = (at, NONE);
                patient
            }
            "PR1" => {
                open.procedure = at;
                nearest(&[open.charge, patient])
            }
            "DG1" | "DRG" | "GT1" => nearest(&[charge, patient]),
            "NTE" | "ROL" | "PRT" => {
                return if open.subject == NONE { 0 } else { open.subject };
            }
            // People and notes after PD1 are the patient's.
            "PD1" => return patient,
            "NK1" | "MRG" | "AL1" | "IAM" | "ACC" | "DB1" | "UB1" | "UB2" | "PDA" => patient,
            _ => return NONE,
        };
        open.subject = at;
        parent
    }

    fn append(&mut self, parent: u32, child: u32) {
        let last = std::mem::replace(&mut self.nodes[parent as usize].last, child);
        if last == NONE {
            self.nodes[parent as usize].first = child;
        } else {
            self.nodes[last as usize].next = child;
        }
    }

    /// The children of `segment` that are called one of `names`.
    pub(crate) fn children<'m>(
        &'m self,
        segment: Segment<'m>,
        names: &'static [&'static str],
    ) -> Children<'m> {
        let next = self.nodes[segment.position()].first;
        Children { tree: self, message: segment.message(), names, next }
    }
}

/// Segments of some names that belong to one segment.
#[derive(Clone)]
pub(crate) struct Children<'m> {
    tree: &'m Tree,
    message: &'m Message<'m>,
    names: &'static [&'static str],
    next: u32,
}

impl<'m> Iterator for Children<'m> {
    type Item = Segment<'m>;

    fn next(&mut self) -> Option<Segment<'m>> {
        while self.next != NONE {
            let at = self.next as usize;
            self.next = self.tree.nodes[at].next;
            let name = self.tree.nodes[at].name;
            if self.names.iter().any(|wanted| name == *wanted) {
                return self.message.segment(at);
            }
        }
        None
    }
}
