//! Insurances: carriers, their plans, who subscribes to one, and who is covered by that.

use serde_json::{Value, json};

use super::sql::{Columns, Table};

const CARRIERS: [&str; 2] = ["Imaginary Dental", "Mirage Dental"];
/// What a relation is called, in the order of the database's numbers.
const RELATIONS: [&str; 3] = ["Self", "Spouse", "Child"];

/// The four tables.
#[derive(Debug, Default)]
pub(super) struct Insurances {
    carriers: Vec<Columns>,
    plans: Vec<Columns>,
    subscriptions: Vec<Columns>,
    covered: Vec<Columns>,
}

impl Insurances {
    /// Of four patients one has none, one has two, and one is insured with the patient before.
    pub(super) fn seed(&mut self, patients: &[u64], stamp: &str) {
        if self.carriers.is_empty() {
            for (number, name) in (1..).zip(CARRIERS) {
                self.carriers.push(Columns::from([
                    ("CarrierNum", json!(number)),
                    ("CarrierName", json!(name)),
                    ("SecDateTEdit", json!(stamp)),
                ]));
                self.plans.push(Columns::from([
                    ("PlanNum", json!(number + 10)),
                    ("CarrierNum", json!(number)),
                    ("GroupName", json!("Fable Works")),
                    ("GroupNum", json!(format!("G-{number}00"))),
                    ("SecDateTEdit", json!(stamp)),
                ]));
            }
        }
        let mut before = None;
        for (count, patient) in patients.iter().enumerate() {
            match (count % 4, before) {
                (3, _) => {}
                (2, Some(subscription)) => self.cover(*patient, subscription, (1, 2), stamp),
                (kind, _) => {
                    let first = self.subscribe(*patient, 11, stamp);
                    self.cover(*patient, first, (1, 0), stamp);
                    if kind == 1 {
                        let second = self.subscribe(*patient, 12, stamp);
                        self.cover(*patient, second, (2, 0), stamp);
                    }
                    before = Some(first);
                }
            }
        }
    }

    fn subscribe(&mut self, patient: u64, plan: u64, stamp: &str) -> usize {
        let number = self.subscriptions.len() + 1;
        self.subscriptions.push(Columns::from([
            ("InsSubNum", json!(number)),
            ("PlanNum", json!(plan)),
            ("Subscriber", json!(patient)),
            ("SubscriberID", json!(format!("Z-{patient}"))),
            ("SecDateTEdit", json!(stamp)),
        ]));
        number
    }

    /// Ordinal and relation are the database's numbers.
    fn cover(&mut self, patient: u64, subscription: usize, (ordinal, relation): (u64, u64), stamp: &str) {
        let number = self.covered.len() + 1;
        self.covered.push(Columns::from([
            ("PatPlanNum", json!(number)),
            ("PatNum", json!(patient)),
            ("InsSubNum", json!(subscription)),
            ("Ordinal", json!(ordinal)),
            ("IsPending", json!(0)),
            ("Relationship", json!(relation)),
            ("PatID", json!("")),
            ("SecDateTEdit", json!(stamp)),
        ]));
    }

    /// Somebody corrects subscribers' numbers at the desk: the rows of those who are covered stay as they are. Gives the
    /// keys of the latter.
    pub(super) fn touch(&mut self, count: usize, now: &str) -> Vec<String> {
        let mut touched = Vec::new();
        for row in self.subscriptions.iter_mut().take(count) {
            row.insert("SecDateTEdit", json!(now));
            let of = |covered: &&Columns| covered.get("InsSubNum") == row.get("InsSubNum");
            let keys = self.covered.iter().filter(of).filter_map(|covered| covered.get("PatPlanNum"));
            touched.extend(keys.map(Value::to_string));
        }
        touched
    }

    /// A table by its name in the database.
    pub(super) fn table(&self, name: &str) -> Option<Table<'_>> {
        let (columns, rows): (&'static [&'static str], _) = match name {
            "patplan" => (
                &[
                    "PatPlanNum",
                    "PatNum",
                    "InsSubNum",
                    "Ordinal",
                    "IsPending",
                    "Relationship",
                    "PatID",
                    "SecDateTEdit",
                ],
                &self.covered,
            ),
            "inssub" => {
                (&["InsSubNum", "PlanNum", "Subscriber", "SubscriberID", "SecDateTEdit"], &self.subscriptions)
            }
            "insplan" => (&["PlanNum", "CarrierNum", "GroupName", "GroupNum", "SecDateTEdit"], &self.plans),
            "carrier" => (&["CarrierNum", "CarrierName", "SecDateTEdit"], &self.carriers),
            _ => return None,
        };
        Some(Table { columns, rows })
    }

    /// A patient's insurances as `familymodules` shows them, the first payer first.
    pub(super) fn of_patient(&self, patient: u64) -> Vec<Value> {
        let find = |rows: &[Columns], key: &'static str, of: &Columns| -> Columns {
            rows.iter().find(|row| row.get(key) == of.get(key)).cloned().unwrap_or_default()
        };
        let whole = |covered: &Columns| {
            let subscription = find(&self.subscriptions, "InsSubNum", covered);
            let plan = find(&self.plans, "PlanNum", &subscription);
            let carrier = find(&self.carriers, "CarrierNum", &plan);
            let relation = covered.get("Relationship").and_then(Value::as_u64).unwrap_or_default();
            let relation = RELATIONS.get(usize::try_from(relation).unwrap_or_default());
            let first = covered.get("Ordinal") == Some(&json!(1));
            json!({
                "PatNum": covered.get("PatNum"), "InsSubNum": covered.get("InsSubNum"),
                "Subscriber": subscription.get("Subscriber"), "subscriber": "",
                "SubscriberID": subscription.get("SubscriberID"), "SubscNote": "",
                "PatPlanNum": covered.get("PatPlanNum"), "Ordinal": covered.get("Ordinal"),
                "ordinal": if first { "Primary" } else { "Secondary" }, "IsPending": "false",
                "Relationship": relation, "PatID": "", "CarrierNum": carrier.get("CarrierNum"),
                "CarrierName": carrier.get("CarrierName"), "PlanNum": plan.get("PlanNum"),
                "GroupName": plan.get("GroupName"), "GroupNum": plan.get("GroupNum"), "PlanNote": "",
                "FeeSched": 53, "feeSchedule": "Standard", "PlanType": "", "planType": "Category Percentage",
                "CopayFeeSched": 0, "EmployerNum": 0, "employer": "", "IsMedical": "false",
            })
        };
        self.covered.iter().filter(|row| row.get("PatNum") == Some(&json!(patient))).map(whole).collect()
    }
}
