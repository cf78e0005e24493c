//! A practice, its product, and somebody who asks it in FHIR.

use bridge_core::{Timestamp, http::Response};
use bridge_pipeline::{
    Bridge,
    fhir_api::access::{Access, FixedKeys},
    ports::Clock as _,
};
use bridge_testkit::{
    caller::{self, Asked},
    memory::{Hook, MemoryPorts, lock},
    practice::Practice,
};
use futures::executor::block_on;
use serde_json::Value;

pub(crate) use bridge_testkit::caller::{AUDIENCE, BASE, issuer, jwk, sign};

use crate::pms::{Handle, practice};

/// A practice, its product, and somebody who may ask.
pub(crate) struct Caller {
    pub(crate) practice: Practice,
    pub(crate) pms: Handle,
    pub(crate) who: caller::Caller,
}

pub(crate) fn caller() -> Caller {
    let (practice, pms) = practice();
    Caller { practice, pms, who: caller::Caller::default() }
}

impl Caller {
    pub(crate) fn now(&self) -> Timestamp {
        self.practice.bridge.ports().now()
    }

    pub(crate) fn access(&self) -> &Access<FixedKeys> {
        &self.who.access
    }

    pub(crate) fn claims(&self) -> Value {
        self.who.claims(self.now())
    }

    pub(crate) fn token(&self) -> String {
        self.who.token(self.now())
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        self.send_by(&self.practice.bridge, method, path, headers, body)
    }

    /// The same, answered by another process.
    pub(crate) fn send_by<H: Hook>(
        &self,
        bridge: &Bridge<MemoryPorts<H>>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let response = block_on(self.who.ask(bridge, Asked { method, path, headers, body }));
        if response.status >= 400 && method != "HEAD" {
            let outcome: Value = serde_json::from_str(&response.body).unwrap();
            assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
            assert_eq!(response.headers["content-type"], "application/fhir+json; charset=utf-8");
        }
        response
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        let response = self.send("GET", path, &[], "");
        (response.status, serde_json::from_str(&response.body).unwrap())
    }

    /// The id of the patient that the product calls so.
    pub(crate) fn patient(&self, id: &str) -> String {
        let (_, bundle) = self.get("Patient");
        let entries = bundle["entry"].as_array().unwrap();
        let is_it = |entry: &&Value| entry["resource"]["identifier"][0]["value"] == id;
        entries.iter().find(is_it).unwrap()["resource"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        lock(&self.practice.world).now += seconds * 1000;
    }
}

pub(crate) fn code(response: &Response) -> (u16, String) {
    let outcome: Value = serde_json::from_str(&response.body).unwrap();
    (response.status, outcome["issue"][0]["code"].as_str().unwrap().to_owned())
}
