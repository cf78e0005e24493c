//! Steering a simulator over its `/_control/`.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};

/// A simulator that can be steered.
#[derive(Debug, Clone)]
pub struct Control {
    base: String,
    client: Client,
}

/// The simulator did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No answer.
    #[error("the simulator does not answer")]
    Unreachable(#[source] reqwest::Error),
    /// An answer that says no, or says nothing that can be read.
    #[error("the simulator answered {word} with {status}")]
    Refused {
        /// What was asked.
        word: &'static str,
        /// HTTP status.
        status: u16,
    },
}

/// What a simulator is reached with.
#[derive(Debug, Clone, Default)]
pub struct Reached {
    /// The adapter it is a product of.
    pub adapter: String,
    /// The practice's zone, by its IANA name.
    pub zone: String,
    /// Settings by name.
    pub settings: BTreeMap<String, String>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, String>,
}

impl Control {
    /// Of the simulator at `base`, `http://127.0.0.1:PORT`.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(base: &str) -> Result<Self, ControlError> {
        let client = Client::builder().timeout(Duration::from_secs(60)).build();
        let client = client.map_err(ControlError::Unreachable)?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), client })
    }

    /// How a connection reaches it.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn connection(&self) -> Result<Reached, ControlError> {
        let said = self.get("connection").await?;
        let texts = |name: &str| {
            let entries = said.get(name).and_then(Value::as_object).into_iter().flatten();
            entries.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned()))).collect()
        };
        let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Reached {
            adapter: text("adapter"),
            zone: text("zone"),
            settings: texts("settings"),
            secrets: texts("secrets"),
        })
    }

    pub(crate) async fn now(&self) -> Result<Timestamp, ControlError> {
        let said = self.get("clock").await?;
        said.get("now")
            .and_then(Value::as_str)
            .and_then(|text| text.parse().ok())
            .ok_or(ControlError::Refused { word: "clock", status: 200 })
    }

    /// Moves its clock on.
    pub(crate) async fn advance(&self, by: Duration) -> Result<(), ControlError> {
        let seconds = by.as_secs() + u64::from(by.subsec_nanos() > 0);
        self.post("clock", &json!({"advance-seconds": seconds})).await.map(drop)
    }

    /// Adds records.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn seed(&self, patients: usize, appointments: usize) -> Result<(), ControlError> {
        let asked = json!({"patients": patients, "practitioners": 3, "appointments": appointments});
        self.post("seed", &asked).await.map(drop)
    }

    /// Does what a practice does before the bridge may ask: subscriptions that a product wants.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn prepare(&self) -> Result<(), ControlError> {
        self.post("prepare", &json!({})).await.map(drop)
    }

    /// Changes records; gives the ids of those that changed.
    pub(crate) async fn touch(&self, resource: &str, count: usize) -> Result<Vec<String>, ControlError> {
        let said = self.post("touch", &json!({"resource": resource, "count": count})).await?;
        let ids = said.get("ids").and_then(Value::as_array).into_iter().flatten();
        Ok(ids.filter_map(|id| id.as_str().map(str::to_owned)).collect())
    }

    /// The next call that fits fares so.
    pub(crate) async fn fault(&self, fault: Value) -> Result<(), ControlError> {
        self.post("faults", &fault).await.map(drop)
    }

    /// Takes back the troubles that nobody ran into; how many those were.
    pub(crate) async fn calm(&self) -> Result<u64, ControlError> {
        let request = self.client.delete(format!("{}/_control/faults", self.base));
        let said = answered("faults", request.send().await).await?;
        Ok(said.get("cleared").and_then(Value::as_u64).unwrap_or_default())
    }

    /// What it holds.
    pub(crate) async fn book(&self) -> Result<Value, ControlError> {
        self.get("book").await
    }

    async fn get(&self, word: &'static str) -> Result<Value, ControlError> {
        answered(word, self.client.get(format!("{}/_control/{word}", self.base)).send().await).await
    }

    async fn post(&self, word: &'static str, body: &Value) -> Result<Value, ControlError> {
        let request = self.client.post(format!("{}/_control/{word}", self.base)).body(body.to_string());
        answered(word, request.send().await).await
    }
}

async fn answered(
    word: &'static str,
    answer: Result<reqwest::Response, reqwest::Error>,
) -> Result<Value, ControlError> {
    let answer = answer.map_err(ControlError::Unreachable)?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(ControlError::Unreachable)?;
    match serde_json::from_slice(&body) {
        Ok(value) if status == 200 => Ok(value),
        _ => Err(ControlError::Refused { word, status }),
    }
}
