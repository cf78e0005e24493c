//! A patient is found, booked, moved and called off in every product by the same requests in FHIR; and each change comes back
//! by poll or webhook as the resource that the caller was given.

use std::collections::BTreeSet;

use bridge_simulators::{Booking, Status};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde_json::{Value, json};

use crate::{
    caller::{Answered, Caller},
    practice::{By, Kept, Practice},
};

/// One appointment of one patient, from the search for it to its end.
struct Journey<'a> {
    practice: &'a Practice,
    caller: Caller<'a>,
}

/// Who is to be booked with whom.
struct Wanted {
    /// The participants, as references.
    people: Vec<Value>,
    practitioner: String,
    location: Option<String>,
    /// An appointment of the same kind.
    like: Value,
}

/// A time that is free.
#[derive(Debug, Clone)]
struct Time {
    start: String,
    end: String,
    slot: Option<Value>,
}

/// What a product can't do with an appointment that it has: its interface has no way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cannot {
    /// It can do all.
    Nothing,
    /// Neither move nor call off.
    Change,
    /// Move.
    Move,
}

async fn goes(adapter: &str, by: By, cannot: Cannot) {
    let practice = Practice::open(adapter, by).await;
    if by == By::Poll {
        practice.hear().await;
    }
    let journey = Journey { caller: Caller::of(&practice), practice: &practice };
    let wanted = journey.search().await;
    let times = journey.times(&wanted).await;
    let before = practice.kept("Appointment").len();

    let booked = journey.book(&wanted, &times[0]).await;
    journey.comes_back(&booked, "booked").await;
    assert_eq!(practice.kept("Appointment").len(), before + 1, "one appointment more");

    let mut moved = journey.read(&booked).await;
    put_at(&mut moved, &times[1]);
    let moved = match cannot {
        Cannot::Nothing => {
            let moved = journey.change(&moved).await;
            journey.comes_back(&moved, "booked").await;
            assert_eq!(instant(&moved["start"]), instant(&json!(times[1].start)));
            moved
        }
        Cannot::Change | Cannot::Move => {
            journey.is_refused(&moved).await;
            booked.clone()
        }
    };

    let mut cancelled = journey.read(&moved).await;
    cancelled["status"] = json!("cancelled");
    if cannot == Cannot::Change {
        journey.is_refused(&cancelled).await;
    } else {
        let cancelled = journey.change(&cancelled).await;
        assert_eq!(cancelled["id"], moved["id"]);
        journey.comes_back(&cancelled, "cancelled").await;
    }
    practice.check_nothing_is_parked();
}

impl Journey<'_> {
    /// Finds a patient who has an appointment, with whom it is and where.
    async fn search(&self) -> Wanted {
        let book = self.practice.served.simulator.book();
        let now = self.practice.served.simulator.clock().now();
        let is_ahead = |booking: &&Booking| booking.status == Status::Booked && booking.start > now;
        let mut bookings = book.appointments.iter();
        let booking = bookings.clone().find(is_ahead).or_else(|| bookings.next()).expect("an appointment");
        let person = book.patients.iter().find(|patient| patient.id == booking.patient).unwrap();
        let (family, given, born) = (&person.family, &person.given, &person.birth_date);
        let found =
            self.search_for("Patient", &[("family", family), ("given", given), ("birthdate", born)]).await;
        let patient = reference(&identified(found, &person.id));
        let (from, to) = (format!("ge{}", day(now, -14)), format!("lt{}", day(now, 90)));
        let dated = [("patient", &*patient), ("date", &from), ("date", &to)];
        let like = identified(self.search_for("Appointment", &dated).await, &booking.id);
        let mut people = vec![actor(&patient)];
        let practitioner = self.one("Practitioner", &like, Some(&booking.practitioner)).await.unwrap();
        people.push(actor(&practitioner));
        let location = self.one("Location", &like, None).await;
        people.extend(location.as_deref().map(actor));
        Wanted { people, practitioner, location, like }
    }

    /// Whom or which place an appointment names: by the product's id, by name, or any where it names none.
    async fn one(&self, kind: &str, like: &Value, id: Option<&str>) -> Option<String> {
        let participants = like["participant"].as_array().into_iter().flatten();
        let mut actors = participants.map(|one| &one["actor"]);
        let is_it = |actor: &&Value| {
            actor["type"] == kind
                || actor["reference"].as_str().is_some_and(|r| r.starts_with(&format!("{kind}/")))
        };
        let actor = actors.find(is_it).cloned().unwrap_or_default();
        // `Family, Given`, or the first word of a place.
        let name = actor["display"].as_str().unwrap_or_default();
        let name = name.split([' ', ',']).next().unwrap_or_default();
        let found = self.search_for(kind, &[("name", name)]).await;
        let by_id = |one: &&Value| id.is_some_and(|id| has_id(one, id));
        let by_reference = |one: &&Value| Some(&*reference(one)) == actor["reference"].as_str();
        let one =
            found.iter().find(by_id).or_else(|| found.iter().find(by_reference)).or_else(|| found.first());
        one.map(reference)
    }

    async fn search_for(&self, kind: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
        let some = parameters.iter().filter(|(_, value)| !value.is_empty());
        let query: Vec<String> =
            some.map(|(name, value)| format!("{name}={}", value.replace(' ', "%20"))).collect();
        let answered = self.caller.get(&format!("{kind}?{}", query.join("&"))).await;
        answered.found()
    }

    /// Two free times with the practitioner: slots, or mornings far ahead where the product has none.
    async fn times(&self, wanted: &Wanted) -> [Time; 2] {
        let now = self.practice.served.simulator.clock().now();
        let mut kind = String::new();
        for (parameter, place) in
            [("appointment-type", "/appointmentType"), ("service-type", "/serviceType/0")]
        {
            let code = wanted.like.pointer(&format!("{place}/coding/0/code")).and_then(Value::as_str);
            kind.extend(code.map(|code| format!("&{parameter}={code}")));
        }
        let here = wanted.location.as_ref().map(|place| format!("&schedule.actor:Location={place}"));
        // Where nothing of this kind is open, or the practitioner works elsewhere, another kind and any place will do.
        let here = here.unwrap_or_default();
        let narrowings = [format!("{kind}{here}"), here, kind, String::new()];
        for (narrowing, week) in narrowings.iter().flat_map(|some| (0..6).map(move |week| (some, week))) {
            let (from, to) = (day(now, 1 + 7 * week), day(now, 7 + 7 * week));
            let who = &wanted.practitioner;
            let query = format!("schedule.actor:Practitioner={who}&start=ge{from}&start=lt{to}{narrowing}");
            let answered = self.caller.get(&format!("Slot?{query}")).await;
            if answered.status == 404 {
                assert_eq!(answered.body["issue"][0]["code"], "not-supported");
                return [30, 31].map(|days| {
                    let at = format!("{}T15:00:00Z", day(now, days));
                    Time { end: at.replace("15:00", "15:30"), start: at, slot: None }
                });
            }
            let found = answered.found();
            let free: Vec<&Value> = found.iter().filter(|slot| slot["status"] == "free").collect();
            if free.len() > 4 {
                // Slots overlap where a product gives every possible beginning.
                return [0, free.len() / 2].map(|at| {
                    let text = |name: &str| free[at][name].as_str().unwrap().to_owned();
                    Time { start: text("start"), end: text("end"), slot: Some(free[at].clone()) }
                });
            }
        }
        panic!("no slot is free");
    }

    async fn book(&self, wanted: &Wanted, time: &Time) -> Value {
        let mut appointment = json!({
            "resourceType": "Appointment", "status": "booked", "participant": wanted.people,
        });
        for word in ["appointmentType", "serviceType"] {
            let of_slot = time.slot.as_ref().and_then(|slot| slot.get(word));
            if let Some(kind) = of_slot.or_else(|| wanted.like.get(word)) {
                appointment[word] = kind.clone();
            }
        }
        put_at(&mut appointment, time);
        let answered = self.caller.write("POST", "Appointment", &appointment).await;
        assert_eq!(answered.status, 201, "{}", answered.body);
        self.is_as_told(&answered).await
    }

    async fn change(&self, appointment: &Value) -> Value {
        let answered = self.caller.write("PUT", &reference(appointment), appointment).await;
        assert_eq!(answered.status, 200, "{}", answered.body);
        self.is_as_told(&answered).await
    }

    /// The resource of an answer, which stands where the answer says.
    async fn is_as_told(&self, answered: &Answered) -> Value {
        let reference = reference(&answered.body);
        assert!(answered.headers["location"].ends_with(&reference));
        answered.body.clone()
    }

    /// It is refused, and says that it is the product's interface that can't.
    async fn is_refused(&self, appointment: &Value) {
        let refused = self.caller.write("PUT", &reference(appointment), appointment).await;
        assert!(matches!(refused.status, 405 | 422), "{} {}", refused.status, refused.body);
        assert!(
            refused.diagnostics().contains("the product's interface has no way"),
            "{}",
            refused.diagnostics()
        );
    }

    async fn read(&self, appointment: &Value) -> Value {
        let answered = self.caller.get(&reference(appointment)).await;
        assert_eq!(answered.status, 200, "{}", answered.body);
        answered.body
    }

    /// The appointment reaches Practice Studio as this resource, with a newer version than it had, and no other stands beside it.
    async fn comes_back(&self, appointment: &Value, status: &str) {
        let (id, practice) = (&appointment["id"], self.practice);
        let version = || {
            let of_it = |kept: &Kept| kept.reference == reference(appointment);
            practice.kept("Appointment").into_iter().find(of_it).map(|kept| kept.version)
        };
        let (before, sent) = (version(), practice.studio("Appointment").len());
        practice.hear().await;
        assert!(version() > before, "{before:?} and then {:?}", version());
        let seen = practice.studio("Appointment").split_off(sent);
        let last = seen.iter().rfind(|one| one["id"] == *id).expect("it comes back");
        assert_eq!(
            (&last["status"], instant(&last["start"])),
            (&json!(status), instant(&appointment["start"]))
        );
        let twins: BTreeSet<String> =
            seen.iter().filter(|one| one["identifier"][0] == last["identifier"][0]).map(reference).collect();
        assert_eq!(twins.len(), 1, "{twins:?}");
    }
}

fn put_at(appointment: &mut Value, time: &Time) {
    (appointment["start"], appointment["end"]) = (json!(time.start), json!(time.end));
    if let Some(slot) = &time.slot {
        appointment["slot"] = json!([{"reference": reference(slot)}]);
    }
    appointment.as_object_mut().unwrap().shift_remove("minutesDuration");
}

fn reference(resource: &Value) -> String {
    format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap())
}

fn actor(reference: &str) -> Value {
    json!({"actor": {"reference": reference}, "status": "accepted"})
}

fn has_id(resource: &Value, id: &str) -> bool {
    resource["identifier"].as_array().into_iter().flatten().any(|identifier| identifier["value"] == id)
}

fn identified(found: Vec<Value>, id: &str) -> Value {
    let count = found.len();
    found.into_iter().find(|one| has_id(one, id)).unwrap_or_else(|| panic!("not among the {count} found"))
}

fn instant(text: &Value) -> Timestamp {
    text.as_str().unwrap().parse().unwrap()
}

/// So many days from now, `2026-03-05`.
fn day(now: Timestamp, days: i64) -> String {
    now.to_zoned(TimeZone::UTC).checked_add(days.days()).unwrap().date().to_string()
}

macro_rules! products {
    ($($test:ident: $adapter:literal $cannot:ident),* $(,)?) => {
        $(#[tokio::test]
        async fn $test() {
            goes($adapter, By::Poll, Cannot::$cannot).await;
        })*

        #[test]
        fn none_is_left_out() {
            let all: BTreeSet<_> = bridge_simulators::all().iter().map(|make| make().adapter()).collect();
            assert_eq!(all, BTreeSet::from([$($adapter),*]));
        }
    };
}

products! {
    athenahealth: "athenahealth" Nothing,
    cliniko: "cliniko" Nothing,
    drchrono: "drchrono" Nothing,
    epic: "epic" Change,
    healthie: "healthie" Nothing,
    nexhealth: "nexhealth" Nothing,
    opendental: "opendental" Nothing,
    oracle_health: "oracle-health" Move,
    tebra: "tebra" Nothing,
}

/// The same, seen back by webhook alone, in the products that have webhooks.
mod told {
    use super::*;

    macro_rules! products {
        ($($test:ident: $adapter:literal),* $(,)?) => {
            $(#[tokio::test]
            async fn $test() {
                goes($adapter, By::Webhook, Cannot::Nothing).await;
            })*

            #[test]
            fn none_is_left_out() {
                let catalog = bridge_adapters::Catalog::builtin();
                let adapters = bridge_simulators::all().into_iter().map(|make| make().adapter());
                let tells = |name: &&str| catalog.get(name).unwrap().manifest().webhook.is_some();
                let all: BTreeSet<_> = adapters.filter(tells).collect();
                assert_eq!(all, BTreeSet::from([$($adapter),*]));
            }
        };
    }

    products! {
        athenahealth: "athenahealth",
        drchrono: "drchrono",
        healthie: "healthie",
        nexhealth: "nexhealth",
        opendental: "opendental",
    }
}
