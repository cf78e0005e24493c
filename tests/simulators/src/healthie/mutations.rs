//! The fields of `Mutation`. What is wrong with an input stands in `messages`, beside nothing.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde_json::{Map, Value, json};

use super::{
    State,
    graphql::{Call, Problem},
    hooks::Hooks,
    queries::{flag, text},
    records, takes_time,
};
use crate::parts::{
    clinic::{Clinic, Patient, Payment, Stamps, Visit, cents},
    people::Person,
};

const STATUSES: &[&str] =
    &["Occurred", "No-Show", "Re-Scheduled", "Cancelled", "Late Cancellation", "Checked-In", "Confirmed", ""];

/// What is wrong with a field.
struct Refused(&'static str, String);

type Done = Result<u64, Refused>;
type Input = Map<String, Value>;

/// `None`: it is no mutation.
pub(super) fn work(state: &mut State, call: &Call<'_>, now: Timestamp) -> Option<Result<Value, Problem>> {
    let empty = Map::new();
    let input = call.arguments.get("input").and_then(Value::as_object).unwrap_or(&empty);
    let State { clinic, hooks } = state;
    let (name, done) = match call.field {
        "createAppointment" => ("appointment", create_appointment(clinic, hooks, input, now)),
        "updateAppointment" => ("appointment", update_appointment(clinic, hooks, input, now)),
        "deleteAppointment" => ("appointment", delete_appointment(clinic, hooks, input, now)),
        "createClient" => ("user", create_client(clinic, hooks, input, now)),
        "updateClient" => ("user", update_client(clinic, hooks, input, now)),
        "createBillingItem" => ("billingItem", create_billing_item(clinic, input, now)),
        "createWebhook" => {
            let events = input.get("webhook_events").and_then(Value::as_array).into_iter().flatten();
            let events =
                events.filter_map(|event| event.get("event_type")?.as_str().map(str::to_owned)).collect();
            let url = text(input, "url").unwrap_or_default().to_owned();
            let webhook = json!({"id": "1", "url": url, "is_enabled": true});
            hooks.subscribe(url, events);
            return Some(Ok(json!({"webhook": webhook, "messages": null})));
        }
        _ => return None,
    };
    let mut payload = Map::new();
    match done {
        Ok(id) => {
            let record = match name {
                "appointment" => clinic.visits.get(&id).map(|visit| records::appointment(clinic, visit)),
                "user" => clinic.patients.get(&id).map(|patient| records::patient(clinic, patient)),
                _ => clinic.payments.get(&id).map(|payment| records::billing_item(clinic, payment)),
            };
            payload.insert(name.to_owned(), json!(record));
            payload.insert("messages".to_owned(), Value::Null);
        }
        Err(Refused(field, message)) => {
            payload.insert(name.to_owned(), Value::Null);
            payload.insert("messages".to_owned(), json!([{"field": field, "message": message}]));
        }
    }
    Some(Ok(Value::Object(payload)))
}

fn refused<T>(field: &'static str, message: &str) -> Result<T, Refused> {
    Err(Refused(field, message.to_owned()))
}

fn id(input: &Input, name: &str) -> Option<u64> {
    match input.get(name)? {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

fn create_appointment(clinic: &mut Clinic, hooks: &mut Hooks, input: &Input, now: Timestamp) -> Done {
    let is_blocker = flag(input, "is_blocker");
    let owner = clinic.practitioners.values().next().map(|owner| (owner.id, owner.place)).unwrap_or_default();
    if !is_blocker && text(input, "contact_type").is_none_or(str::is_empty) {
        return refused("contact_type", "Contact type can't be blank");
    }
    if text(input, "contact_type") == Some("In Person") && id(input, "appointment_location_id").is_none() {
        return refused("appointment_location_id", "Location is required for appointments in person");
    }
    for (field, text) in
        [("appointment_type_id", "Appointment type can't be blank"), ("user_id", "Client can't be blank")]
    {
        if !is_blocker && id(input, field).is_none() {
            return refused(field, text);
        }
    }
    if text(input, "datetime").is_none() {
        return refused("datetime", "Date can't be blank");
    }
    let mut visit = Visit {
        id: 0,
        patient: None,
        practitioner: owner.0,
        place: owner.1,
        start: now,
        minutes: 30,
        kind: 2,
        room: 0,
        status: String::new(),
        reason: String::new(),
        note: String::new(),
        is_deleted: false,
        stamps: Stamps::new(now),
    };
    apply(clinic, &mut visit, input)?;
    visit.id = clinic.number();
    let made = visit.id;
    clinic.visits.insert(made, visit);
    tell(hooks, input, "appointment.created", made);
    Ok(made)
}

fn update_appointment(clinic: &mut Clinic, hooks: &mut Hooks, input: &Input, now: Timestamp) -> Done {
    let mut visit = known(clinic, input)?;
    apply(clinic, &mut visit, input)?;
    visit.stamps.updated = now;
    let changed = visit.id;
    clinic.visits.insert(changed, visit);
    tell(hooks, input, "appointment.updated", changed);
    Ok(changed)
}

fn delete_appointment(clinic: &mut Clinic, hooks: &mut Hooks, input: &Input, now: Timestamp) -> Done {
    let mut visit = known(clinic, input)?;
    visit.is_deleted = true;
    visit.stamps.updated = now;
    let gone = visit.id;
    clinic.visits.insert(gone, visit);
    hooks.note("appointment.deleted", gone);
    Ok(gone)
}

fn tell(hooks: &mut Hooks, input: &Input, event: &'static str, id: u64) {
    if !flag(input, "suppress_webhook_notifications") {
        hooks.note(event, id);
    }
}

fn known(clinic: &Clinic, input: &Input) -> Result<Visit, Refused> {
    let visit = id(input, "id").and_then(|id| clinic.visits.get(&id)).filter(|visit| !visit.is_deleted);
    visit.cloned().ok_or_else(|| Refused("id", "Appointment not found".to_owned()))
}

fn apply(clinic: &Clinic, visit: &mut Visit, input: &Input) -> Result<(), Refused> {
    if let Some(user) = id(input, "user_id") {
        if !clinic.patients.contains_key(&user) {
            return refused("user_id", "Client not found");
        }
        visit.patient = Some(user);
    }
    if let Some(provider) = id(input, "other_party_id") {
        if !clinic.practitioners.contains_key(&provider) {
            return refused("other_party_id", "Provider not found");
        }
        visit.practitioner = provider;
    }
    if let Some(place) = id(input, "appointment_location_id") {
        if !clinic.places.contains_key(&place) {
            return refused("appointment_location_id", "Location not found");
        }
        visit.place = place;
    }
    if let Some(contact) = text(input, "contact_type") {
        visit.kind = if contact == "In Person" { 1 } else { 2 };
    }
    if let Some(given) = text(input, "datetime") {
        visit.start =
            moment(clinic, input, given).ok_or_else(|| Refused("datetime", "Date is invalid".to_owned()))?;
    }
    if let Some(status) = text(input, "pm_status") {
        if !STATUSES.contains(&status) {
            return refused("pm_status", "Status is not one of the allowed ones");
        }
        visit.status = status.to_owned();
    }
    if let Some(notes) = text(input, "notes") {
        visit.note = notes.to_owned();
    }
    let except = (visit.id != 0).then_some(visit.id);
    let is_taken = clinic.clash(visit.practitioner, visit.start, visit.minutes, except, takes_time).is_some();
    // Nobody else is kept from a double booking.
    if flag(input, "enforce_availability") && takes_time(visit) && is_taken {
        return refused("datetime", "The provider is not available at this time");
    }
    Ok(())
}

/// `YYYY-MM-DD HH:MM:SS` in the zone that is given, else in that of the key's owner; or with an offset.
fn moment(clinic: &Clinic, input: &Input, given: &str) -> Option<Timestamp> {
    if let Ok(at) = given.parse::<Timestamp>() {
        return Some(at);
    }
    let zone = match text(input, "timezone") {
        Some(name) => TimeZone::get(name).ok()?,
        None => records::zone(clinic),
    };
    given.parse::<DateTime>().ok()?.to_zoned(zone).ok().map(|at| at.timestamp())
}

fn create_client(clinic: &mut Clinic, hooks: &mut Hooks, input: &Input, now: Timestamp) -> Done {
    for (field, message) in
        [("first_name", "First name can't be blank"), ("last_name", "Last name can't be blank")]
    {
        if text(input, field).is_none_or(str::is_empty) {
            return refused(field, message);
        }
    }
    let email = text(input, "email").unwrap_or_default();
    if email.is_empty() && !flag(input, "skipped_email") {
        return refused("email", "Email can't be blank");
    }
    if !email.is_empty() && clinic.patients.values().any(|known| known.person.email == email) {
        return refused("email", "Email has already been taken");
    }
    let nobody = Person {
        family: String::new(),
        given: String::new(),
        birth_date: Date::ZERO,
        gender: "other",
        phone: String::new(),
        email: String::new(),
        street: String::new(),
        city: String::new(),
        postal_code: String::new(),
    };
    let practitioner = clinic.practitioners.keys().next().copied().unwrap_or_default();
    let (person, is_active, stamps) = (nobody, true, Stamps::new(now));
    let mut patient = Patient { id: 0, person, is_active, practitioner, policies: Vec::new(), stamps };
    apply_client(clinic, &mut patient, input)?;
    patient.id = clinic.number();
    let made = patient.id;
    clinic.patients.insert(made, patient);
    hooks.note("patient.created", made);
    Ok(made)
}

fn update_client(clinic: &mut Clinic, hooks: &mut Hooks, input: &Input, now: Timestamp) -> Done {
    let patient = id(input, "id").and_then(|id| clinic.patients.get(&id)).cloned();
    let mut patient = patient.ok_or_else(|| Refused("id", "Client not found".to_owned()))?;
    apply_client(clinic, &mut patient, input)?;
    patient.stamps.updated = now;
    let changed = patient.id;
    clinic.patients.insert(changed, patient);
    hooks.note("patient.updated", changed);
    Ok(changed)
}

fn apply_client(clinic: &Clinic, patient: &mut Patient, input: &Input) -> Result<(), Refused> {
    if let Some(owner) = id(input, "dietitian_id") {
        if !clinic.practitioners.contains_key(&owner) {
            return refused("dietitian_id", "Provider not found");
        }
        patient.practitioner = owner;
    }
    if let Some(day) = text(input, "dob").filter(|day| !day.is_empty()) {
        patient.person.birth_date =
            day.parse().map_err(|_| Refused("dob", "Date of birth is invalid".to_owned()))?;
    }
    if let Some(gender) = text(input, "gender") {
        patient.person.gender = match gender {
            "Male" => "male",
            "Female" => "female",
            _ => "other",
        };
    }
    if let Some(active) = input.get("active").and_then(Value::as_bool) {
        patient.is_active = active;
    }
    let Person { family, given, phone, email, street, city, postal_code, .. } = &mut patient.person;
    for (field, place) in
        [("last_name", family), ("first_name", given), ("phone_number", phone), ("email", email)]
    {
        if let Some(value) = text(input, field) {
            value.clone_into(place);
        }
    }
    if let Some(location) = input.get("location").and_then(Value::as_object) {
        for (field, place) in [("line1", street), ("city", city), ("zip", postal_code)] {
            if let Some(value) = text(location, field) {
                value.clone_into(place);
            }
        }
    }
    Ok(())
}

fn create_billing_item(clinic: &mut Clinic, input: &Input, now: Timestamp) -> Done {
    let sender = id(input, "sender_id").and_then(|id| clinic.patients.get(&id));
    let sender = sender.ok_or_else(|| Refused("sender_id", "Sender can't be blank".to_owned()))?;
    let amount = text(input, "amount_paid").and_then(cents).filter(|amount| *amount > 0);
    let amount =
        amount.ok_or_else(|| Refused("amount_paid", "Amount paid is not a valid amount".to_owned()))?;
    let (patient, practitioner) = (sender.id, id(input, "recipient_id").unwrap_or(sender.practitioner));
    if flag(input, "should_charge") {
        return refused("base", "The client has no payment method");
    }
    let made = clinic.number();
    let payment = Payment {
        id: made,
        patient,
        practitioner,
        visit: None,
        cents: amount,
        method: text(input, "payment_medium").unwrap_or_default().to_owned(),
        day: now.to_zoned(records::zone(clinic)).date(),
        note: text(input, "note").unwrap_or_default().to_owned(),
        stamps: Stamps::new(now),
    };
    clinic.payments.insert(made, payment);
    Ok(made)
}
