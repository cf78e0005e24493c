//! Epic: FHIR R4 to read, STU3 to find and book appointments, and links to next pages that expire with their session.
//!
//! What is not confirmed: the names of the parameters of `$find` and `$book` ([`scheduling::FIND`], [`scheduling::BOOK`]), and
//! that appointments may be searched by date alone.

mod rights;
pub mod scheduling;

use std::time::Duration;

use data_encoding::BASE32_NOPAD;

use crate::{
    Access, Answer, Book, Clock, Request, Seed, Simulator,
    parts::fhir::{
        bulk::Bulk,
        capability,
        keys::{Algorithm, ClientKey},
        outcome::{Refusal, fhir, outcome},
        pages::Pages,
        seed,
        server::Server,
        smart::{self, Smart},
        store::Store,
    },
};

const CLIENT: &str = "51a7ed00-0000-4000-8000-e91c00000001";
const KEY_ID: &str = "simulated-2026";
/// System of the patients' record numbers.
const MRN: &str = "urn:oid:2.999.51.3";
/// System of Epic's own codes in OperationOutcomes.
const CODES: &str = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369";
/// The group of patients that the organisation exports.
const GROUP: &str = "eSIMGROUP1";
/// A search session lives so long.
const SESSION: Duration = Duration::from_secs(600);
/// A search for patients that finds more is refused.
const MOST_PATIENTS: usize = 100;

/// A simulated Epic organisation.
#[derive(Debug)]
pub struct Epic {
    server: Server,
    smart: Smart,
    key: Option<ClientKey>,
    clock: Clock,
    bulk: Bulk,
}

impl Default for Epic {
    fn default() -> Self {
        let key = ClientKey::generate(Algorithm::Rs384, KEY_ID).ok();
        let store =
            Store::new(|kind, n| format!("e{}", BASE32_NOPAD.encode(format!("{kind}{n:07}").as_bytes())));
        let mut server = Server::new(store, Pages::new(Some(SESSION), 0), rights::R4, "sessionID");
        server.when_empty = Some(outcome("warning", "not-found", Some((CODES, "4101")), "No results"));
        Self {
            server,
            smart: Smart::new(CLIENT, rights::SCOPES, key.as_ref().map(|key| key.jwk.clone())),
            key,
            clock: Clock::default(),
            bulk: Bulk::default(),
        }
    }
}

impl Simulator for Epic {
    fn adapter(&self) -> &'static str {
        "epic"
    }

    fn answer(&self, request: &Request) -> Answer {
        let segments = request.segments();
        match segments.as_slice() {
            ["interconnect", "oauth2", "token"] => {
                self.smart.token(request, &token_endpoint(request), self.clock.now())
            }
            ["interconnect", "api", "FHIR", "R4", ".well-known", "smart-configuration"] => {
                smart::configuration(&token_endpoint(request), rights::SCOPES)
            }
            ["interconnect", "api", "FHIR", "R4", rest @ ..] => {
                let base = format!("{}/interconnect/api/FHIR/R4", request.base());
                self.r4(request, rest, &base).unwrap_or_else(Answer::from)
            }
            ["interconnect", "api", "FHIR", "STU3", rest @ ..] => {
                let base = format!("{}/interconnect/api/FHIR/STU3", request.base());
                self.stu3(request, rest, &base).unwrap_or_else(Answer::from)
            }
            _ => Refusal::not_found().into(),
        }
    }

    fn connection(&self, base: &str) -> Access {
        Access::default()
            .setting("url", format!("{base}/interconnect/api/FHIR/R4"))
            .setting("client-id", CLIENT)
            .setting("key-id", KEY_ID)
            .setting("group", GROUP)
            .setting("algorithm", Algorithm::Rs384.name())
            .secret("private-key", self.key.as_ref().map(|key| key.pem.clone()).unwrap_or_default())
    }

    fn seed(&self, seed: &Seed) {
        seed::seed(&mut self.server.store(), seed, MRN, self.clock.now());
    }

    fn touch(&self, resource: &str, count: usize) -> Vec<String> {
        self.server.touch(resource, count, self.clock.now())
    }

    fn book(&self) -> Book {
        // Charges are no part of this interface.
        Book { procedures: Vec::new(), ..seed::book(&self.server.store()) }
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Nothing of the kind is documented; what stands in front of it says 429, as everywhere.
    fn throttled(&self) -> Answer {
        Refusal::new(429, "throttled", "Too many requests").into()
    }

    fn expire_tokens(&self) {
        self.smart.expire();
    }
}

impl Epic {
    /// Replaces the keys that the client's JWKS URL gives.
    pub fn register(&self, keys: Vec<serde_json::Value>) {
        self.smart.register(keys);
    }

    /// Removes a resource, as a merge of two patients does; whether there was one.
    pub fn remove(&self, kind: &str, id: &str) -> bool {
        self.server.store().remove(kind, id, self.clock.now())
    }

    /// How many exports nobody has called off or forgotten.
    #[must_use]
    pub fn exports(&self) -> usize {
        self.bulk.kept()
    }

    fn r4(&self, request: &Request, path: &[&str], base: &str) -> Result<Answer, Refusal> {
        let now = self.clock.now();
        let letter = |kind: &str, letter: char| self.smart.let_in(request, kind, letter, now);
        match (request.method.as_str(), path) {
            ("GET", ["metadata"]) => {
                Ok(fhir(200, &capability::statement("Epic", "May 2026", "2026-05-01", base, rights::R4)))
            }
            ("GET", ["Group", GROUP, "$export"]) => {
                for kind in request.parameter("_type").unwrap_or_default().split(',') {
                    letter(kind, 'r')?;
                }
                self.bulk.begin(request, &format!("{base}/BulkRequest"), now)
            }
            ("GET", ["BulkRequest", id]) => {
                letter("Patient", 'r')?;
                self.bulk.status(id, &format!("{base}/BulkRequest"), &self.server)
            }
            ("GET", ["BulkRequest", id, file]) => {
                letter("Patient", 'r')?;
                self.bulk.file(id, file, request, &self.server)
            }
            ("DELETE", ["BulkRequest", id]) => self.bulk.forget(id),
            ("GET", [kind, id]) => {
                letter(kind, 'r')?;
                self.server.read(kind, id)
            }
            ("GET", [kind]) => {
                self.server.allowed(kind, "search-type")?;
                letter(kind, 's')?;
                self.search(kind, &request.query, request, base)
            }
            // What stands in the address does not count here.
            ("POST", [kind, "_search"]) => {
                letter(kind, 's')?;
                self.search(kind, &request.form(), request, base)
            }
            ("POST", ["Patient"]) => {
                letter("Patient", 'c')?;
                let patient = self.server.incoming("Patient", request)?;
                let missing = ["identifier", "name", "birthDate", "gender"]
                    .iter()
                    .find(|name| patient.get(name).is_none());
                if let Some(name) = missing {
                    let refusal = Refusal::new(400, "required", format!("Patient.{name} is missing"));
                    return Err(refusal.with_detail(CODES, "59133"));
                }
                Ok(self.server.create("Patient", patient, base, now))
            }
            (_, [kind, ..]) => {
                self.server.allowed(kind, "read")?;
                Err(Refusal::new(405, "not-supported", "This interaction is not offered"))
            }
            _ => Err(Refusal::new(405, "not-supported", "No transactions here")),
        }
    }

    fn search(
        &self,
        kind: &str,
        query: &[(String, String)],
        request: &Request,
        base: &str,
    ) -> Result<Answer, Refusal> {
        let now = self.clock.now();
        if let Some((_, link)) = query.iter().find(|(name, _)| name == self.server.page_parameter) {
            let page = self.server.pages.go_on(link, now).filter(|page| page.kind == kind);
            let expired = || {
                Refusal::new(400, "processing", "The search session has expired").with_detail(CODES, "4113")
            };
            return Ok(self.server.bundle(&page.ok_or_else(expired)?, base));
        }
        let ids = self.server.find(kind, query).map_err(|refusal| match refusal.code {
            "value" => refusal.with_detail(CODES, "4111"),
            "required" | "not-supported" if refusal.status == 400 => refusal.with_detail(CODES, "4110"),
            _ => refusal,
        })?;
        if kind == "Patient" && ids.len() > MOST_PATIENTS {
            let refusal =
                Refusal::new(400, "too-costly", "Too many patients fit; more demographics are needed");
            return Err(refusal.with_detail(CODES, "4127"));
        }
        self.server.first_page(kind, ids, request, base, now)
    }
}

fn token_endpoint(request: &Request) -> String {
    format!("{}/interconnect/oauth2/token", request.base())
}
