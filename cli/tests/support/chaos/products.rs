//! The products of a run: systems without idempotency keys, each with its own way of saying that it was called too often.

use std::{collections::BTreeMap, sync::Arc};

use bridge_simulators::{Seed, Served, Simulator, by_name, nexhealth::NexHealth, serve};
use serde_json::{Value, json};

use super::studio::Studio;

/// The first appointment of a run, in seconds since 1970: a Monday that no other appointment is near to.
const FIRST_START: i64 = 1_988_582_400;
const QUARTER: i64 = 15 * 60;

/// What is written to a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Visits, to Practice Studio.
    Visits,
    /// People that it does not know.
    People,
    /// Appointments of people that it knows: said yes to, and written later.
    Bookings,
}

/// Products, each with another way of saying that it is called too often: a header with a time, seconds in a text, a code
/// in an answer of status 200, a SOAP fault, a gateway's words. Practice Studio and NexHealth say `Retry-After`.
const PRODUCTS: [&str; 5] = ["cliniko", "drchrono", "healthie", "tebra", "athenahealth"];

/// Somebody who takes deliveries.
pub(crate) struct Party {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) served: Served,
    /// The patients and practitioners that it knows.
    people: (Vec<String>, Vec<String>),
}

impl Party {
    /// Practice Studio, and all products.
    pub(crate) async fn all(studio: &Arc<Studio>, nexhealth: &Arc<NexHealth>) -> Vec<Self> {
        let mut parties = vec![
            Self::of("practice-studio", Kind::Visits, Arc::clone(studio) as _).await,
            Self::of("nexhealth", Kind::Bookings, Arc::clone(nexhealth) as _).await,
        ];
        for name in PRODUCTS {
            parties.push(Self::of(name, Kind::People, by_name(name).expect("a simulator")).await);
        }
        parties
    }

    async fn of(name: &'static str, kind: Kind, simulator: Arc<dyn Simulator>) -> Self {
        simulator.seed(&Seed::default());
        simulator.prepare();
        let book = simulator.book();
        let patients = book.patients.into_iter().map(|patient| patient.id).collect();
        let mut practitioners: Vec<String> =
            book.appointments.into_iter().map(|booking| booking.practitioner).collect();
        practitioners.sort_unstable();
        practitioners.dedup();
        let served = serve(simulator, None).await.unwrap();
        Self { name, kind, served, people: (patients, practitioners) }
    }

    /// The connection to it, and the source whose messages go there.
    pub(crate) fn connections(&self) -> [Value; 2] {
        let mut access = self.served.simulator.connection(&self.served.base);
        if let ("drchrono", Some(doctor)) = (self.name, self.people.1.first()) {
            access = access.setting("default-doctor", doctor);
        }
        let to = json!({
            "connection": format!("chaos.{}", self.name), "adapter": self.name, "zone": access.zone,
            "settings": access.settings, "secrets": access.secrets,
        });
        let (mapping, resource) = match self.kind {
            Kind::Visits => (VISIT, "Appointment"),
            Kind::People => (PERSON, "Patient"),
            Kind::Bookings => (BOOKING, "Appointment"),
        };
        let from = json!({
            "connection": format!("chaos.to-{}", self.name), "adapter": "generic-json", "zone": "America/Chicago",
            "secrets": {"key": super::KEY},
            "webhook": {
                "verify": {"kind": "token", "header": "x-key", "secret": "key"}, "kind": "/event",
                "kinds": {"said": {"mapping": "said", "lane": ["/lane"], "source-id": ["/id"]}},
            },
            "mappings": {"said": mapping},
            "routes": [{"to": format!("chaos.{}", self.name), "resources": [resource]}],
        });
        [to, from]
    }

    /// Message number `number` in a lane, as its source says it.
    pub(crate) fn message(&self, lane: usize, number: usize) -> Value {
        let start = FIRST_START + QUARTER * i64::try_from(number).unwrap();
        let time = |seconds: i64| jiff::Timestamp::from_second(seconds).unwrap().to_string();
        let one_of = |people: &[String]| people.get(lane % people.len().max(1)).cloned();
        json!({
            "event": "said", "id": format!("m-{number}"), "lane": format!("l-{lane}"), "seq": number.to_string(),
            "family": family(number), "email": format!("chaos.{number}@example.invalid"),
            "phone": format!("+1555{number:07}"), "patient": one_of(&self.people.0),
            "practitioner": one_of(&self.people.1), "start": time(start), "end": time(start + QUARTER),
        })
    }

    /// How often it has each of the messages, by number; and the numbers in the order in which it took them.
    pub(crate) fn taken(&self) -> (BTreeMap<usize, usize>, Vec<usize>) {
        let book = self.served.simulator.book();
        let number_of_booking = |start: jiff::Timestamp| {
            let ahead = start.as_second() - FIRST_START;
            (ahead >= 0 && ahead % QUARTER == 0).then(|| usize::try_from(ahead / QUARTER).ok()).flatten()
        };
        let order: Vec<usize> = match self.kind {
            Kind::Visits => Vec::new(),
            Kind::People => book.patients.iter().filter_map(|patient| number_of(&patient.family)).collect(),
            Kind::Bookings => {
                book.appointments.iter().filter_map(|booking| number_of_booking(booking.start)).collect()
            }
        };
        let mut counts = BTreeMap::new();
        order.iter().for_each(|number| *counts.entry(*number).or_default() += 1);
        (counts, order)
    }
}

/// A name of letters alone, as products want it.
fn family(number: usize) -> String {
    let letters = number.to_string().bytes().map(|digit| char::from(b'a' + digit - b'0')).collect::<String>();
    format!("Chaosling{letters}")
}

fn number_of(family: &str) -> Option<usize> {
    let digits: String = family
        .strip_prefix("Chaosling")?
        .bytes()
        .map(|letter| char::from(letter.wrapping_sub(b'a').wrapping_add(b'0')))
        .collect();
    digits.parse().ok()
}

const VISIT: &str = r#"
{
  "resourceType": "Appointment",
  "identifier": [$identifier("urn:chaos:visit", id)],
  "status": "booked",
  "description": seq,
  "start": start,
  "end": end,
  "participant": [{"actor": $reference("Patient", "urn:chaos:patient", lane), "status": "accepted"}]
}
"#;

const PERSON: &str = r#"
{
  "resourceType": "Patient",
  "identifier": [$identifier("urn:chaos:person", id)],
  "name": [{"use": "official", "family": family, "given": ["Quill"]}],
  "gender": "female",
  "birthDate": "1950-01-11",
  "telecom": [
    {"system": "email", "value": email},
    {"system": "phone", "use": "mobile", "value": phone}
  ]
}
"#;

const BOOKING: &str = r#"
{
  "resourceType": "Appointment",
  "identifier": [$identifier("urn:chaos:booking", id)],
  "status": "booked",
  "start": start,
  "end": end,
  "participant": [
    {"actor": {"identifier": $identifier("urn:nexhealth:patient", patient)}, "status": "accepted"},
    {"actor": {"identifier": $identifier("urn:nexhealth:provider", practitioner)}, "status": "accepted"},
    {"actor": {"identifier": $identifier("urn:nexhealth:operatory", "1")}, "status": "accepted"}
  ]
}
"#;
