//! Resources to write: made of what the product has, so that they refer to people and places that are there.

use bridge_core::{
    Phi, Timestamp,
    manifest::{ResourceApi, SearchParameter},
};
use serde_json::{Map, Value, json};

use crate::{
    reads,
    subject::{Mapped, Subject},
};

/// Days ahead, where the product has no list of free times: nothing is in the way there.
const AHEAD: i64 = 30;

/// A resource of the type that the product does not have yet; another one for each number.
pub(super) async fn of(
    subject: &Subject,
    name: &str,
    resource: &ResourceApi,
    known: &[Mapped],
    number: u32,
) -> Result<Value, String> {
    let system = subject.filled(&resource.identifier);
    let booked = |json: &Value| name != "Appointment" || json.get("status") == Some(&json!("booked"));
    let of_type = known.iter().filter_map(|mapped| Some(mapped.of_type(name, &system)?.0));
    let template = of_type.map(|resource| &resource.json).rfind(|json| booked(json));
    let mut fresh: Map<String, Value> = match (template.and_then(Value::as_object), name) {
        (Some(template), _) => template.clone(),
        // A person needs nothing that is there already.
        (None, "Patient") => Map::from_iter([("resourceType".to_owned(), json!("Patient"))]),
        (None, _) => return Err("there is none to make another one of".to_owned()),
    };
    for own in ["id", "meta", "identifier", "created", "text", "cancelationReason"] {
        fresh.remove(own);
    }
    match name {
        "Appointment" => {
            appointment(subject, &mut fresh, number).await?;
        }
        "Patient" => {
            let family = ["Zzcertify", "Zzproven"].get(number as usize).copied().unwrap_or("Zzagain");
            fresh.insert(
                "name".to_owned(),
                json!([{"use": "official", "family": family, "given": ["Quill"]}]),
            );
            fresh.insert("birthDate".to_owned(), json!(format!("1950-01-{:02}", 11 + number)));
            fresh.insert("gender".to_owned(), json!("female"));
            let email = format!("quill.{number}@certify.example");
            let phone = json!({"system": "phone", "use": "mobile", "value": format!("+1555555010{number}")});
            fresh.insert("telecom".to_owned(), json!([{"system": "email", "value": email}, phone]));
        }
        "PaymentNotice" => {
            fresh.insert("amount".to_owned(), json!({"value": 7 + number, "currency": "USD"}));
            let now = subject.now().await.map_err(|error| error.to_string())?.to_string();
            fresh.insert("paymentDate".to_owned(), json!(now.get(..10)));
            fresh.insert("created".to_owned(), json!(now));
        }
        "ChargeItem" => {
            fresh.insert("priceOverride".to_owned(), json!({"value": 7 + number, "currency": "USD"}));
            fresh.insert("quantity".to_owned(), json!({"value": 1}));
        }
        _ => {}
    }
    // The sender's own number, by which some tell a repeat.
    let own = json!([{"system": "urn:certify", "value": format!("{name}-{number}")}]);
    fresh.insert("identifier".to_owned(), own);
    Ok(Value::Object(fresh))
}

/// The same, at another time or under another name, as the product's record `id`.
pub(super) async fn changed(
    subject: &Subject,
    name: &str,
    resource: &ResourceApi,
    sample: &Value,
    id: &Phi<String>,
) -> Result<Value, String> {
    let mut changed = sample.clone();
    let fields = changed.as_object_mut().ok_or("not a resource")?;
    match name {
        "Appointment" => appointment(subject, fields, 2).await?,
        "Patient" => {
            fields["name"] = json!([{"use": "official", "family": "Zzmarried", "given": ["Quill"]}]);
        }
        _ => {}
    }
    Ok(known_as(changed, &subject.filled(&resource.identifier), id.expose()))
}

/// The same, called off.
pub(super) fn cancelled(sample: &Value, system: &str, id: &str) -> Value {
    let mut cancelled = sample.clone();
    cancelled["status"] = json!("cancelled");
    known_as(cancelled, system, id)
}

/// The same as the product's record `id`.
fn known_as(mut resource: Value, system: &str, id: &str) -> Value {
    resource["identifier"] = json!([{"system": system, "value": id}]);
    resource
}

/// Whether what came back says what was sent, by what every product keeps.
pub(super) fn same(name: &str, sent: &Value, got: &Value) -> Result<(), String> {
    let text =
        |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    match name {
        "Appointment" => {
            let start = |value: &Value| text(value, "/start")?.parse::<Timestamp>().ok();
            if start(sent).is_none() || start(sent) != start(got) {
                return Err("it starts at another time".to_owned());
            }
        }
        "Patient" if text(sent, "/name/0/family") != text(got, "/name/0/family") => {
            return Err("it has another family name".to_owned());
        }
        _ => {}
    }
    Ok(())
}

/// Puts an appointment where there is room: into a free slot, or far ahead.
async fn appointment(subject: &Subject, fields: &mut Map<String, Value>, number: u32) -> Result<(), String> {
    people(subject, fields).await?;
    let slots = subject.api().and_then(|api| api.resources.get("Slot"));
    if let Some(slots) = slots.filter(|slots| !slots.search.is_empty()) {
        let slot = free(subject, slots, fields, number as usize).await?;
        for time in ["start", "end"] {
            let at = slot.get(time).cloned().ok_or_else(|| format!("a slot has no {time}"))?;
            fields.insert(time.to_owned(), at);
        }
        if let Some(identifier) = slot.pointer("/identifier/0") {
            fields.insert("slot".to_owned(), json!([{"type": "Slot", "identifier": identifier}]));
        }
        if let Some(kind) = slot.get("appointmentType") {
            fields.insert("appointmentType".to_owned(), kind.clone());
        }
        fields.remove("minutesDuration");
        return Ok(());
    }
    let time = |name: &str| {
        let text = fields.get(name).and_then(Value::as_str)?;
        text.parse::<jiff::Timestamp>().ok()
    };
    let (start, end) = time("start").zip(time("end")).ok_or("the appointment to copy has no times")?;
    let length = end.duration_since(start);
    let zone = subject.connection().zone.rules().ok_or("the connection's zone has no rules")?;
    let now = subject.now().await.map_err(|error| error.to_string())?;
    let today = jiff::Timestamp::from_millisecond(now.as_millis()).map_err(|error| error.to_string())?;
    let today = today.to_zoned(zone);
    // In the morning, when everybody is open.
    let hour = 10 + i8::try_from(number).unwrap_or_default();
    let moved = today
        .checked_add(jiff::Span::new().days(AHEAD))
        .and_then(|at| at.with().hour(hour).minute(0).second(0).subsec_nanosecond(0).build());
    let start = moved.map_err(|error| error.to_string())?.timestamp();
    let end = start.checked_add(length).map_err(|error| error.to_string())?;
    fields.insert("start".to_owned(), json!(start.to_string()));
    fields.insert("end".to_owned(), json!(end.to_string()));
    Ok(())
}

/// Adds a practitioner and a place where the product's record does not say them by their ids: some name them only.
async fn people(subject: &Subject, fields: &mut Map<String, Value>) -> Result<(), String> {
    for name in ["Practitioner", "Location"] {
        let Some(resource) = subject.api().and_then(|api| api.resources.get(name)) else { continue };
        let system = subject.filled(&resource.identifier);
        let whole = Value::Object(fields.clone());
        if reads::referred(&whole, name, &system).is_some() || resource.poll.is_none() {
            continue;
        }
        let known = reads::listed(subject, name, resource).await?;
        let id = known.iter().find_map(|mapped| Some(mapped.of_type(name, &system)?.1));
        let participants = fields.get_mut("participant").and_then(Value::as_array_mut);
        if let Some((id, participants)) = id.zip(participants) {
            // What was named without an id is this one from now on.
            participants.retain(|one| one.pointer("/actor/type").and_then(Value::as_str) != Some(name));
            participants.push(json!({
                "actor": {"type": name, "identifier": {"system": system, "value": id}}, "status": "accepted",
            }));
        }
    }
    Ok(())
}

/// A free slot of the product, not the same for every number.
async fn free(
    subject: &Subject,
    slots: &ResourceApi,
    fields: &Map<String, Value>,
    number: usize,
) -> Result<Value, String> {
    let found = searched(subject, "Slot", slots, &Value::Object(fields.clone())).await?.unwrap_or_default();
    let free: Vec<Value> =
        found.into_iter().filter(|slot| slot.get("status") == Some(&json!("free"))).collect();
    // Slots overlap where a product gives every possible beginning.
    let step = (free.len() / 4).max(1);
    free.into_iter().nth(number * step).ok_or_else(|| "there is no free slot".to_owned())
}

/// The resources that the first way to search finds in one of the next six weeks, for the people and places that `like`
/// refers to; `None` where it is searched by something else.
pub(crate) async fn searched(
    subject: &Subject,
    name: &str,
    resource: &ResourceApi,
    like: &Value,
) -> Result<Option<Vec<Value>>, String> {
    for week in 0..6 {
        match searched_in(subject, name, resource, like, week).await? {
            Some(found) if found.is_empty() => {}
            found => return Ok(found),
        }
    }
    Ok(Some(Vec::new()))
}

async fn searched_in(
    subject: &Subject,
    name: &str,
    resource: &ResourceApi,
    like: &Value,
    week: u32,
) -> Result<Option<Vec<Value>>, String> {
    let search = resource.search.first().ok_or("it can't be searched")?;
    let now = subject.now().await.map_err(|error| error.to_string())?;
    let now = now + std::time::Duration::from_hours(24 * 7) * week;
    let zone = &subject.connection().zone;
    let mut arguments = search.arguments.clone();
    let (mut asked, mut missing) = (search.parameters.is_empty(), false);
    for (parameter, rule) in &search.parameters {
        match rule {
            SearchParameter::Date { from, to, time, .. } => {
                let day = std::time::Duration::from_hours(24);
                let written = time.write(now + day, zone).zip(time.write(now + day * 7, zone));
                let (first, last) = written.ok_or("a time can't be written in the manifest's form")?;
                arguments.insert(from.clone(), first);
                arguments.insert(to.clone(), last);
                asked = true;
            }
            SearchParameter::Reference { argument, to } => {
                let system = subject.api().and_then(|api| api.resources.get(to));
                let system = system.map(|resource| subject.filled(&resource.identifier));
                if let Some(id) = system.and_then(|system| reads::referred(like, to, &system)) {
                    arguments.insert(argument.clone(), id);
                    asked = true;
                } else {
                    missing |= search.required.contains(parameter);
                }
            }
            SearchParameter::Token { argument, .. } if search.required.contains(parameter) => {
                let places = ["/appointmentType/coding/0/code", "/serviceType/0/coding/0/code"];
                let code = places.iter().find_map(|place| like.pointer(place)?.as_str());
                match code {
                    Some(code) => drop(arguments.insert(argument.clone(), code.to_owned())),
                    None => missing = true,
                }
            }
            _ => missing |= search.required.contains(parameter),
        }
    }
    if missing || !asked {
        return Ok(None);
    }
    let listed = subject.all(&search.operation, &Phi::new(arguments)).await;
    let mut found = Vec::new();
    for record in listed.map_err(|error| error.to_string())? {
        let resources = subject.mapped(&resource.kind, &record)?.resources;
        found.extend(resources.into_iter().filter(|one| one.resource_type == name).map(|one| one.json));
    }
    Ok(Some(found))
}
