//! Practice Studio, asking the FHIR interface of a practice.

use std::collections::BTreeMap;

use bridge_core::http::Response;
use bridge_testkit::caller::{self, Asked, BASE};
use serde_json::{Value, json};

use crate::practice::Practice;

/// Who asks.
pub(crate) struct Caller<'a> {
    practice: &'a Practice,
    who: caller::Caller,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl Answered {
    fn of(response: Response) -> Self {
        let body = serde_json::from_str(&response.body).unwrap_or_default();
        Self { status: response.status, headers: response.headers, body }
    }

    /// The resources of a searchset.
    pub(crate) fn found(&self) -> Vec<Value> {
        assert_eq!((self.status, &self.body["type"]), (200, &json!("searchset")), "{}", self.body);
        let entries = self.body["entry"].as_array().into_iter().flatten();
        entries.filter(|entry| entry["search"]["mode"] == "match").map(|e| e["resource"].clone()).collect()
    }

    /// Why it was refused.
    pub(crate) fn diagnostics(&self) -> &str {
        assert_eq!(self.body["resourceType"], "OperationOutcome", "{}", self.body);
        self.body["issue"][0]["diagnostics"].as_str().unwrap()
    }
}

impl<'a> Caller<'a> {
    pub(crate) fn of(practice: &'a Practice) -> Self {
        Self { practice, who: caller::Caller::default() }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let asked = Asked { method, path, headers, body };
        Answered::of(self.who.ask(&self.practice.bridge, asked).await)
    }

    /// Reads or searches. Parameters that a product can't search by are left out, as FHIR says of a lenient search.
    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.send("GET", path, &[("prefer", "handling=lenient")], "").await
    }

    /// Writes, and hears how it ended.
    pub(crate) async fn write(&self, method: &str, path: &str, resource: &Value) -> Answered {
        let prefer = [("prefer", "respond-async")];
        let accepted = self.send(method, path, &prefer, &resource.to_string()).await;
        if accepted.status != 202 {
            return accepted;
        }
        let status = accepted.headers["content-location"].strip_prefix(BASE).unwrap();
        self.practice.settle().await;
        self.send("GET", status.trim_start_matches('/'), &[], "").await
    }
}
