//! Charges, which come of encounters, and payments.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    No, is_same, is_within, rows,
    state::{Row, State},
    times,
    xml::{Node, element},
};

pub(super) fn list(all: &BTreeMap<u64, Row>, name: &str, item: &str, request: &Node) -> Result<String, No> {
    let mut found = Vec::new();
    for row in all.values() {
        if is_within(request, "LastModifiedDate", Some(row.modified))?
            && is_within(request, "CreatedDate", Some(row.created))?
            && is_same(request, "PatientID", row, "PatientID")
        {
            found.push(row);
        }
    }
    Ok(rows(name, item, request, found.into_iter()))
}

/// An encounter, whose lines become charges.
pub(super) fn encounter(state: &mut State, request: &Node, now: Timestamp) -> Result<String, No> {
    let encounter = request.child("Encounter").ok_or_else(|| No::new("Encounter is missing"))?;
    let patient = known_patient(state, encounter)?;
    let lines = encounter.child("ServiceLines").map(|lines| lines.children.as_slice()).unwrap_or_default();
    if lines.is_empty() {
        return Err(No::new("At least one service line is required"));
    }
    let mut charges = Vec::new();
    for line in lines {
        let text = |name: &str| line.text(name).map(str::to_owned);
        let number = |name: &str| text(name).filter(|text| text.parse::<f64>().is_ok());
        let code = text("ProcedureCode").ok_or_else(|| No::new("ProcedureCode is required"))?;
        let unit = number("UnitCharge").ok_or_else(|| No::new("UnitCharge is not valid"))?;
        charges.push((code, number("Units").unwrap_or_else(|| "1".to_owned()), unit));
    }
    let at = encounter.text("ServiceStartDate").and_then(times::read).unwrap_or(now);
    let id = state.id();
    for (code, units, unit) in charges {
        let charge = state.charge(&patient, &code, &units, &unit, now);
        if let Some(row) = state.charges.get_mut(&charge) {
            row.set("EncounterID", id.to_string());
            row.set("ServiceStartDate", times::written(at));
        }
    }
    Ok(element("EncounterID", &id.to_string()))
}

/// A patient's payment.
pub(super) fn pay(state: &mut State, request: &Node, now: Timestamp) -> Result<String, No> {
    let payment = request.child("Payment").ok_or_else(|| No::new("Payment is missing"))?;
    let patient = known_patient(state, payment)?;
    let amount =
        payment.text("AmountPaid").filter(|text| text.parse::<f64>().is_ok_and(|amount| amount > 0.0));
    let amount = amount.ok_or_else(|| No::new("AmountPaid is not valid"))?.to_owned();
    let id = paid(state, &patient, &amount, now);
    if let Some(row) = state.payments.get_mut(&id) {
        row.set("PaymentMethod", payment.text("PaymentMethod").unwrap_or("Cash"));
        row.set("ReferenceNumber", payment.text("ReferenceNumber").unwrap_or_default());
    }
    Ok(element("PaymentID", &id.to_string()))
}

/// Money that a patient left at the desk.
pub(super) fn paid(state: &mut State, patient: &str, amount: &str, now: Timestamp) -> u64 {
    let (id, mut row) = state.row(now);
    row.set("PatientID", patient);
    row.set("Amount", amount);
    row.set("PayerType", "Patient");
    row.set("PaymentMethod", "Cash");
    row.set("PostDate", times::written(now));
    state.payments.insert(id, row);
    id
}

fn known_patient(state: &State, of: &Node) -> Result<String, No> {
    let id = of.text("Patient/PatientID").and_then(|id| id.parse::<u64>().ok());
    let known = id.filter(|id| state.patients.contains_key(id));
    known.map(|id| id.to_string()).ok_or_else(|| No::new("Patient not found"))
}
