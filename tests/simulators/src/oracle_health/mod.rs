//! Oracle Health (Cerner Millennium), FHIR R4: appointments stand on slots, statuses move in allowed steps, slots change
//! only with `If-Match`, and pages overlap.
//!
//! What is not confirmed: the name of the parameter of `ChargeItem/$create` ([`CHARGE`]) and what it answers; a Bundle of the
//! charges here.

mod appointments;
mod charges;
mod rights;

use crate::{
    Access, Answer, Book, Clock, Request, Seed, Simulator,
    parts::fhir::{
        bulk::Bulk,
        capability,
        keys::{Algorithm, ClientKey},
        outcome::{Refusal, fhir},
        pages::Pages,
        seed,
        server::Server,
        smart::{self, Smart},
        store::Store,
    },
};

pub use charges::CHARGE;

/// The simulated tenant.
const TENANT: &str = "2f3c7d1e-0000-4000-8000-51a7ed000001";
const CLIENT: &str = "6d1f0000-51a7-4000-8000-c11e47000001";
const KEY_ID: &str = "simulated-2026";
/// System of the patients' record numbers.
const MRN: &str = "urn:oid:2.999.51.2";
/// The group of patients that the organisation exports.
const GROUP: &str = "7001";

/// A simulated Millennium domain.
#[derive(Debug)]
pub struct OracleHealth {
    server: Server,
    smart: Smart,
    key: Option<ClientKey>,
    clock: Clock,
    bulk: Bulk,
}

impl Default for OracleHealth {
    fn default() -> Self {
        let key = ClientKey::generate(Algorithm::Es384, KEY_ID).ok();
        let store = Store::new(|_, n| (12_700_000 + n).to_string());
        let mut server = Server::new(store, Pages::new(None, 1), rights::ALL, "-pageContext");
        server.sizes = (50, 200);
        Self {
            server,
            smart: Smart::new(CLIENT, rights::SCOPES, key.as_ref().map(|key| key.jwk.clone())),
            key,
            clock: Clock::default(),
            bulk: Bulk::default(),
        }
    }
}

impl Simulator for OracleHealth {
    fn adapter(&self) -> &'static str {
        "oracle-health"
    }

    fn answer(&self, request: &Request) -> Answer {
        let segments = request.segments();
        let base = format!("{}/r4/{TENANT}", request.base());
        match segments.as_slice() {
            ["tenants", tenant, "protocols", "oauth2", "profiles", "smart-v1", "token"]
                if *tenant == TENANT =>
            {
                self.smart.token(request, &token_endpoint(request), self.clock.now())
            }
            ["r4", tenant, ..] if *tenant != TENANT => {
                Refusal::new(403, "forbidden", "This tenant is not open to the client").into()
            }
            ["r4", _, ".well-known", "smart-configuration"] => {
                smart::configuration(&token_endpoint(request), rights::SCOPES)
            }
            ["r4", _, rest @ ..] => {
                if request.header("accept").is_some_and(|accept| accept.contains("xml")) {
                    return Answer::empty(406);
                }
                self.fhir(request, rest, &base).unwrap_or_else(Answer::from)
            }
            _ => Refusal::not_found().into(),
        }
    }

    fn connection(&self, base: &str) -> Access {
        let locations: Vec<String> =
            self.server.store().all("Location").map(|(id, _)| id.to_owned()).collect();
        Access::default()
            .setting("locations", locations.join(","))
            .setting("url", format!("{base}/r4/{TENANT}"))
            .setting("client-id", CLIENT)
            .setting("key-id", KEY_ID)
            .setting("group", GROUP)
            .setting("algorithm", Algorithm::Es384.name())
            .secret("private-key", self.key.as_ref().map(|key| key.pem.clone()).unwrap_or_default())
    }

    fn seed(&self, seed: &Seed) {
        seed::seed(&mut self.server.store(), seed, MRN, self.clock.now());
    }

    fn touch(&self, resource: &str, count: usize) -> Vec<String> {
        self.server.touch(resource, count, self.clock.now())
    }

    fn book(&self) -> Book {
        seed::book(&self.server.store())
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn throttled(&self) -> Answer {
        let refusal = Refusal::new(429, "throttled", "Too many requests");
        Answer::from(refusal).with_header("retry-after", "5")
    }

    fn expire_tokens(&self) {
        self.smart.expire();
    }
}

impl OracleHealth {
    /// Replaces the keys that the client registered.
    pub fn register(&self, keys: Vec<serde_json::Value>) {
        self.smart.register(keys);
    }

    fn fhir(&self, request: &Request, path: &[&str], base: &str) -> Result<Answer, Refusal> {
        let now = self.clock.now();
        let letter = |kind: &str, letter: char| self.smart.let_in(request, kind, letter, now);
        match (request.method.as_str(), path) {
            ("GET", ["metadata"]) => Ok(fhir(
                200,
                &capability::statement("Oracle Health FHIR R4", "2026.08", "2026-08-14", base, rights::ALL),
            )),
            ("GET", ["Group", GROUP, "$export"]) => {
                for kind in request.parameter("_type").unwrap_or_default().split(',') {
                    letter(kind, 'r')?;
                }
                self.bulk.begin(request, &format!("{base}/bulk-export/jobs"), now)
            }
            ("GET", ["bulk-export", "jobs", id]) => {
                letter("Patient", 'r')?;
                self.bulk.status(id, &format!("{base}/bulk-export/jobs"), &self.server)
            }
            ("GET", ["bulk-export", "jobs", id, file]) => {
                letter("Patient", 'r')?;
                self.bulk.file(id, file, request, &self.server)
            }
            ("DELETE", ["bulk-export", "jobs", id]) => self.bulk.forget(id),
            ("GET", [kind, id]) => {
                letter(kind, 'r')?;
                self.server.read(kind, id)
            }
            ("GET", [kind]) => {
                letter(kind, 's')?;
                self.search(kind, request, base)
            }
            ("POST", ["Appointment"]) => {
                letter("Appointment", 'c')?;
                self.book_appointment(request, base)
            }
            ("PATCH", [kind @ ("Appointment" | "Slot"), id]) => {
                letter(kind, 'u')?;
                self.patch(kind, id, request)
            }
            ("POST", ["ChargeItem", "$create"]) => {
                letter("ChargeItem", 'c')?;
                self.charge(request, base)
            }
            ("POST", [kind @ ("Patient" | "Coverage")]) => {
                letter(kind, 'c')?;
                self.server.allowed(kind, "create")?;
                let resource = self.server.incoming(kind, request)?;
                require(kind, &resource)?;
                Ok(self.server.create(kind, resource, base, now))
            }
            (_, []) => Err(Refusal::new(405, "not-supported", "No transactions here")),
            (_, [kind, ..]) => {
                self.server.allowed(kind, "read")?;
                Err(Refusal::new(405, "not-supported", "This interaction is not offered"))
            }
        }
    }

    fn search(&self, kind: &str, request: &Request, base: &str) -> Result<Answer, Refusal> {
        let now = self.clock.now();
        if let Some(link) = request.parameter(self.server.page_parameter) {
            let page = self.server.pages.go_on(link, now).filter(|page| page.kind == kind);
            let page = page.ok_or_else(|| Refusal::new(400, "value", "The page context is not known"))?;
            return Ok(self.server.bundle(&page, base));
        }
        if kind == "Appointment" && request.parameter("_id").is_none() {
            closed_range(request)?;
        }
        if kind == "ChargeItem"
            && request.parameter("_id").is_none()
            && request.parameter("-status") != Some("billable")
        {
            return Err(Refusal::new(400, "value", "-status must be billable"));
        }
        let mut query = request.query.clone();
        // Which practitioner a slot belongs to is said by its schedule.
        let actor = query.iter().position(|(name, _)| name == "schedule.actor").map(|at| query.remove(at).1);
        if let Some(actor) = actor {
            let actor = [("actor".to_owned(), actor)];
            query.push(("schedule".to_owned(), self.server.find("Schedule", &actor)?.join(",")));
        }
        let ids = self.server.find(kind, &query)?;
        self.server.first_page(kind, ids, request, base, now)
    }
}

/// A range of dates must have both its ends: one date without a prefix, or two with.
fn closed_range(request: &Request) -> Result<(), Refusal> {
    let dates: Vec<&str> = request.parameters("date").collect();
    let has =
        |prefixes: [&str; 2]| dates.iter().any(|date| prefixes.iter().any(|prefix| date.starts_with(prefix)));
    let is_plain = matches!(dates.as_slice(), [one] if one.starts_with(|first: char| first.is_ascii_digit()));
    if is_plain || (dates.len() == 2 && has(["ge", "gt"]) && has(["le", "lt"])) {
        return Ok(());
    }
    Err(Refusal::new(400, "value", "date must be a closed range"))
}

fn require(kind: &str, resource: &serde_json::Value) -> Result<(), Refusal> {
    let needed: &[&str] = match kind {
        "Patient" => &["identifier", "name", "birthDate", "gender"],
        _ => &["status", "beneficiary", "payor"],
    };
    match needed.iter().find(|name| resource.get(name).is_none()) {
        Some(name) => Err(Refusal::new(422, "required", format!("{kind}.{name} is missing"))),
        None => Ok(()),
    }
}

fn token_endpoint(request: &Request) -> String {
    format!("{}/tenants/{TENANT}/protocols/oauth2/profiles/smart-v1/token", request.base())
}
