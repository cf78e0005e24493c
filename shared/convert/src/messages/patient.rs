//! What every family says about a patient: the person, the visits, allergies, diagnoses, procedures, insurance.

use bridge_hl7v2::Segment;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::cx,
    json::Json,
    segments::{
        al1, dg1,
        gt1::{self, Guarantor},
        iam, in1, in3, nk1,
        obx::{self, Around},
        pd1, pid, pr1, prt, pv1, rol,
    },
};

/// A patient of a message.
pub(crate) struct Patient<'m> {
    pub(crate) pid: Segment<'m>,
    pub(crate) resource: Ref,
    /// Known to be in use no longer (A29).
    pub(crate) inactive: bool,
    /// Patient.link: the other patient and the kind of link.
    pub(crate) links: Vec<(Ref, &'static str)>,
    pub(crate) account: Option<Ref>,
}

/// How a visit refers to a diagnosis.
pub(crate) struct Diagnosis {
    pub(crate) condition: Ref,
    /// The member `use`, as JSON.
    pub(crate) role: Option<Vec<u8>>,
    pub(crate) rank: Option<i64>,
}

impl Diagnosis {
    /// The members of Encounter.diagnosis.
    pub(crate) fn members(&self, w: &mut Json) {
        self.condition.write(w, "condition");
        if let Some(role) = &self.role {
            w.raw_member(role);
        }
        if let Some(rank) = self.rank {
            w.literal("rank", &rank.to_string());
        }
    }
}

/// What became of a patient and of what stands around.
pub(crate) struct Made {
    pub(crate) patient: Ref,
    /// The first visit; a message about one patient has one, or none.
    pub(crate) encounter: Option<Ref>,
    /// What the message is about: the patient and the visits.
    pub(crate) focus: Vec<Ref>,
}

impl<'m> Patient<'m> {
    pub(crate) fn of(c: &mut Conversion<'m>, pid: Segment<'m>) -> Self {
        let resource = Ref { kind: "Patient", id: pid::id(c, pid) };
        let account = account_id(c, pid, resource).map(|id| Ref { kind: "Account", id });
        Self { pid, resource, inactive: false, links: Vec::new(), account }
    }

    /// Writes the patient and everything that is the patient's.
    pub(crate) fn write(&self, c: &mut Conversion<'m>) -> Made {
        let pid = self.pid;
        pid::patient(c, self);
        pid::mothers(c, self);
        pid::provenance(c, self);
        pd1::living_will(c, pid, self.resource);
        nk1::related_persons(c, pid, self.resource);
        rol::care_team(c, pid, self.resource);
        prt::care_team(c, pid, self.resource);
        let encounters = self.visits(c);
        let encounter = encounters.first().copied();
        for al1 in c.children(pid, &["AL1"]) {
            al1::allergy(c, al1, self.resource);
        }
        for iam in c.children(pid, &["IAM"]) {
            iam::allergy(c, iam, self.resource);
        }
        for pr1 in c.children(pid, &["PR1"]) {
            pr1::procedure(c, pr1, self.resource, encounter);
        }
        self.write_account(c);
        let around = Around {
            patient: Some(self.resource),
            encounter,
            request: None,
            specimen: None,
            focus: None,
            owner: self.resource.id,
        };
        for obx in c.children(pid, &["OBX"]) {
            obx::observation(c, obx, &around);
        }
        let mut focus = vec![self.resource];
        focus.extend(&encounters);
        Made { patient: self.resource, encounter, focus }
    }

    /// The visits; diagnoses belong to the first one, or, without any, to the patient.
    fn visits(&self, c: &mut Conversion<'m>) -> Vec<Ref> {
        let visits: Vec<_> = c.children(self.pid, &["PV1"]).filter(|pv1| pv1::is_visit(*pv1)).collect();
        for empty in c.children(self.pid, &["PV1"]).filter(|pv1| !pv1::is_visit(*pv1)) {
            // `N` says itself that there is no visit.
            if empty.field(2).component(1).raw() == "N" {
                c.skip(empty, &[1, 2]);
            }
        }
        let refs: Vec<_> =
            visits.iter().map(|pv1| Ref { kind: "Encounter", id: pv1::id(c, *pv1, self.resource) }).collect();
        let segments = c.children(self.pid, &["DG1"]);
        let diagnoses: Vec<_> =
            segments.map(|dg1| dg1::condition(c, dg1, self.resource, refs.first().copied())).collect();
        for (nth, (pv1, encounter)) in visits.iter().zip(&refs).enumerate() {
            let own: &[Diagnosis] = if nth == 0 { &diagnoses } else { &[] };
            pv1::encounter(c, *pv1, *encounter, self, own);
            pv1::coverages(c, *pv1, self.resource);
            pv1::history(c, *pv1, *encounter, self.resource);
        }
        refs
    }

    /// Insurances and guarantors, and the account they are for.
    fn write_account(&self, c: &mut Conversion<'m>) {
        // DFT^P11 sends them behind the charge they are for; the account is the patient's either way.
        let charges: Vec<_> = c.children(self.pid, &["FT1"]).collect();
        let owners = || std::iter::once(self.pid).chain(charges.iter().copied());
        let insurances: Vec<_> = owners().flat_map(|owner| c.children(owner, &["IN1"])).collect();
        let coverages: Vec<_> = insurances
            .into_iter()
            .map(|in1| {
                let coverage = in1::coverage(c, in1, self.resource);
                in3::care_team(c, in1, self.resource, coverage);
                coverage
            })
            .collect();
        let guarantors: Vec<_> = owners().flat_map(|owner| c.children(owner, &["GT1"])).collect();
        let guarantors: Vec<Guarantor<'m>> =
            guarantors.into_iter().filter_map(|gt1| gt1::guarantor(c, gt1, self.resource)).collect();
        let Some(account) = self.account else { return };
        c.resource("Account", account.id, |c, w| {
            if let Some(number) = c.one(self.pid, 18, "Account.identifier") {
                w.one("identifier", |w| cx::identifier(c, w, number, None));
            }
            w.code("status", "active");
            w.array("subject", |w| self.resource.item(w));
            w.array("coverage", |w| {
                for coverage in &coverages {
                    w.item(|w| coverage.write(w, "coverage"));
                }
            });
            w.array("guarantor", |w| {
                for guarantor in &guarantors {
                    w.item(|w| guarantor.members(c, w));
                }
            });
        });
    }
}

/// The account of PID-18; without a number, the patient's only one, where someone answers for it.
fn account_id<'m>(c: &mut Conversion<'m>, pid: Segment<'m>, patient: Ref) -> Option<uuid::Uuid> {
    if let Some(id) = cx::id(c, "Account", pid.field(18).first()) {
        return Some(id);
    }
    let charged = c.child(pid, &["GT1", "FT1"]).is_some();
    charged.then(|| c.id_within("Account", patient.id, &["account"]))
}
