//! Writing what is no appointment: patients and claims.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Form, State, error, feeds::Event, form, records, require};
use crate::{
    Answer, Request,
    parts::{
        clinic::{Charge, Patient, Stamps, cents},
        people::Person,
    },
};

/// The longest texts: a longer one is refused.
const LONGEST: &[(&str, usize)] =
    &[("firstname", 20), ("lastname", 30), ("email", 50), ("address1", 100), ("city", 20)];

pub(super) fn answer(state: &mut State, request: &Request, path: &[&str], now: Timestamp) -> Answer {
    let form = form(request);
    let done = match (request.method.as_str(), path) {
        ("POST", ["patients"]) => new_patient(state, &form, now),
        ("PUT", ["patients", id]) => change_patient(state, id.parse().unwrap_or_default(), &form, now),
        ("POST", ["claims"]) => new_claim(state, &form, now),
        _ => Err(error(405, "The method is not supported.")),
    };
    done.unwrap_or_else(|answer| answer)
}

fn new_patient(state: &mut State, form: &Form, now: Timestamp) -> Result<Answer, Answer> {
    require(form, &["firstname", "lastname", "dob", "departmentid"])?;
    let department = form.number("departmentid").filter(|id| state.clinic.places.contains_key(id));
    let department = department.ok_or_else(|| error(400, "DEPARTMENTID is not valid."))?;
    let provider = state.clinic.practitioners.values().find(|provider| provider.place == department);
    let mut patient = Patient {
        id: 0,
        person: Person {
            family: String::new(),
            given: String::new(),
            birth_date: jiff::civil::Date::ZERO,
            gender: "other",
            phone: String::new(),
            email: String::new(),
            street: String::new(),
            city: String::new(),
            postal_code: String::new(),
        },
        is_active: true,
        practitioner: provider.map(|provider| provider.id).unwrap_or_default(),
        policies: Vec::new(),
        stamps: Stamps::new(now),
    };
    apply(&mut patient, form)?;
    // The product answers with the patient it has, where all of this is the same.
    let same = state.clinic.patients.values().find(|known| {
        let (a, b) = (&known.person, &patient.person);
        (&a.family, &a.given, a.birth_date, &a.postal_code)
            == (&b.family, &b.given, b.birth_date, &b.postal_code)
    });
    let id = match same {
        Some(known) => known.id,
        None => {
            patient.id = state.clinic.number();
            let id = patient.id;
            state.clinic.patients.insert(id, patient);
            state.note(Event::AddPatient, id, now);
            id
        }
    };
    Ok(Answer::json(200, &json!([{"patientid": id.to_string(), "errormessage": ""}])))
}

fn change_patient(state: &mut State, id: u64, form: &Form, now: Timestamp) -> Result<Answer, Answer> {
    let known =
        state.clinic.patients.get_mut(&id).ok_or_else(|| error(404, "The patient does not exist."))?;
    let mut patient = known.clone();
    apply(&mut patient, form)?;
    patient.stamps.updated = now;
    *known = patient;
    state.note(Event::UpdatePatient, id, now);
    Ok(Answer::json(200, &json!([{"patientid": id.to_string()}])))
}

fn apply(patient: &mut Patient, form: &Form) -> Result<(), Answer> {
    for (field, most) in LONGEST {
        if form.get(field).is_some_and(|text| text.chars().count() > *most) {
            let text = format!("{} is longer than {most} characters.", field.to_uppercase());
            return Err(Answer::json(
                400,
                &json!({"error": "The data provided is invalid.", "detailedmessage": text}),
            ));
        }
    }
    if let Some(day) = form.get("dob") {
        patient.person.birth_date = records::read_day(day).ok_or_else(|| error(400, "DOB is not valid."))?;
    }
    if let Some(sex) = form.get("sex") {
        patient.person.gender = match sex {
            "M" => "male",
            "F" => "female",
            _ => return Err(error(400, "SEX is not valid.")),
        };
    }
    if let Some(status) = form.get("status") {
        patient.is_active = status == "active";
    }
    let Person { family, given, phone, email, street, city, postal_code, .. } = &mut patient.person;
    let fields = [
        ("lastname", family),
        ("firstname", given),
        ("mobilephone", phone),
        ("email", email),
        ("address1", street),
        ("city", city),
        ("zip", postal_code),
    ];
    for (field, place) in fields {
        if let Some(value) = form.get(field) {
            value.clone_into(place);
        }
    }
    Ok(())
}

/// `claimcharges` is JSON within a field of the form.
fn new_claim(state: &mut State, form: &Form, now: Timestamp) -> Result<Answer, Answer> {
    require(form, &["departmentid", "patientid", "supervisingproviderid", "servicedate", "claimcharges"])?;
    let failed =
        |text: &str| Ok(Answer::json(200, &json!({"success": false, "errormessage": text, "claimids": []})));
    let patient = form.number("patientid").filter(|id| state.clinic.patients.contains_key(id));
    let Some(patient) = patient else { return failed("The patient does not exist.") };
    let Some(day) = form.get("servicedate").and_then(records::read_day) else {
        return failed("SERVICEDATE is not valid.");
    };
    let charges = form.get("claimcharges").and_then(|json| serde_json::from_str::<Vec<Value>>(json).ok());
    let Some(charges) = charges.filter(|charges| !charges.is_empty()) else {
        return failed("CLAIMCHARGES must be a list of charges.");
    };
    let visit = form.number("appointmentid").unwrap_or_default();
    let mut made = Vec::new();
    for charge in charges {
        let text = |name: &str| match charge.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let Some(amount) = cents(&text("unitamount")) else { return failed("UNITAMOUNT is not valid.") };
        let id = state.clinic.number();
        let charge = Charge {
            id,
            visit,
            patient,
            practitioner: form.number("supervisingproviderid").unwrap_or_default(),
            code: text("procedurecode"),
            text: "",
            quantity: text("units").parse().unwrap_or(1),
            cents: amount,
            day,
            stamps: Stamps::new(now),
        };
        state.clinic.charges.insert(id, charge);
        made.push(id.to_string());
    }
    Ok(Answer::json(200, &json!({"success": true, "errormessage": "", "claimids": made})))
}
