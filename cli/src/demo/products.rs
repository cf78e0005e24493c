//! The practice of `bridge up --demo`: every product that there is a simulator of, connected, polled and changing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bridge_aws::SystemClock;
use bridge_core::{
    Timestamp,
    config::{Connection, Tenant},
    id::{ConnectionId, TenantId},
};
use bridge_pipeline::ports::Clock as _;
use bridge_simulators::{Seed, Served, Simulator, serve};
use reqwest::{Client, RequestBuilder, header};
use serde_json::{Value, json};

use crate::{
    commands::connections::apply::{apply_connection, apply_tenant},
    failure::Failure,
    local::stop::Stop,
    system::Pipeline,
};

/// The practice.
pub(crate) const TENANT: &str = "lakeside";
const REASON: &str = "the simulated products of bridge up --demo";
/// The product that the printed commands are about.
const SHOWN: &str = "cliniko";
/// So often somebody at a practice changes something.
const CHANGE: Duration = Duration::from_secs(20);
/// What is booked lies so far from what it is a copy of.
const AHEAD: Duration = Duration::from_hours(24 * 35);

/// The products, while they are served. Dropped, they are gone.
#[derive(Debug)]
pub(crate) struct Products(Vec<Served>);

impl Products {
    /// Starts all of them, connects them, and asks each for what it has. A start after the first finds the practice, and
    /// brings the products' addresses up to date.
    pub(crate) async fn start(pipeline: &Pipeline, studio: Connection) -> Result<Self, Failure> {
        let tenant: Tenant =
            made(json!({"tenant": TENANT, "name": "Lakeside Practice (simulated products)"}))?;
        apply_tenant(pipeline, &tenant, false).await?;
        let studio = Connection { connection: connection_of("practice-studio")?, ..studio };
        let to = studio.connection.clone();
        Box::pin(apply_connection(pipeline, studio, REASON, false)).await?;
        let mut served = Vec::new();
        for make in bridge_simulators::all() {
            let simulator = make();
            simulator.seed(&Seed { patients: 8, appointments: 12, ..Seed::default() });
            simulator.prepare();
            let one = serve(simulator, None).await?;
            let access = one.simulator.connection(&one.base);
            let id = connection_of(one.simulator.adapter())?;
            let connection = made(json!({
                "connection": id, "adapter": one.simulator.adapter(), "zone": access.zone, "poll": true,
                "settings": access.settings, "secrets": access.secrets,
                "routes": [{"to": to, "resources": ["Patient", "Appointment"]}],
            }))?;
            Box::pin(apply_connection(pipeline, connection, REASON, false)).await?;
            pipeline.poll_now(&id, &SystemClock.now().to_string()).await?;
            served.push(one);
        }
        Ok(Self(served))
    }

    /// Their connections and where each is served.
    pub(crate) fn addresses(&self) -> BTreeMap<String, String> {
        let address = |one: &Served| (format!("{TENANT}.{}", one.simulator.adapter()), one.base.clone());
        self.0.iter().map(address).collect()
    }

    /// Changes an appointment or a patient of one product after the other, until it is told to stop.
    pub(crate) async fn live(self, mut stop: Stop) {
        let simulators: Vec<&Arc<dyn Simulator>> = self.0.iter().map(|one| &one.simulator).collect();
        for (turn, simulator) in simulators.iter().cycle().enumerate() {
            tokio::select! {
                () = stop.said() => return,
                () = tokio::time::sleep(CHANGE) => {}
            }
            let round = turn / simulators.len();
            simulator.touch(if round.is_multiple_of(2) { "Appointment" } else { "Patient" }, 1);
        }
    }
}

fn connection_of(name: &str) -> Result<ConnectionId, Failure> {
    format!("{TENANT}.{name}").parse().map_err(|error| Failure::World(format!("{error}")))
}

/// The practice's id.
pub(crate) fn tenant() -> Result<TenantId, Failure> {
    TENANT.parse().map_err(|error| Failure::World(format!("{error}")))
}

fn made<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| Failure::World(error.to_string()))
}

/// Two commands that work as they are printed: look into a product, and book what it has once more, five weeks later.
///
/// # Errors
/// When the FHIR interface does not answer as it should.
pub(crate) async fn to_try(gateway: &str, token: &str, bridge: &str) -> Result<Vec<String>, Failure> {
    let client = Client::builder().timeout(Duration::from_secs(30)).build();
    let client = client.map_err(|error| Failure::World(error.to_string()))?;
    let base = format!("{gateway}/fhir/{TENANT}.{SHOWN}");
    let ask = |kind: &str| {
        let request = client.get(format!("{base}/{kind}?_count=200"));
        request.header(header::AUTHORIZATION, format!("Bearer {token}"))
    };
    // What an appointment refers to has to be known before another one may refer to it.
    for kind in ["Patient", "Practitioner", "Location"] {
        answer(ask(kind)).await?;
    }
    let found = answer(ask("Appointment")).await?;
    let entries = found.get("entry").and_then(Value::as_array).into_iter().flatten();
    let booked = entries
        .filter_map(|entry| entry.get("resource"))
        .find(|appointment| appointment.get("status") == Some(&json!("booked")))
        .ok_or_else(|| Failure::World(format!("{TENANT}.{SHOWN} has no booked appointment")))?;
    let body = another(booked)?;
    let authorization = format!("-H \"authorization: Bearer $({bridge} token --tenant {TENANT})\"");
    Ok(vec![
        format!("curl -s {base}/Appointment {authorization}"),
        format!(
            "curl -i {base}/Appointment {authorization} -H 'content-type: application/fhir+json' -d '{body}'"
        ),
    ])
}

async fn answer(request: RequestBuilder) -> Result<Value, Failure> {
    let failed = |error: reqwest::Error| Failure::World(error.without_url().to_string());
    let answer = request.send().await.map_err(failed)?.error_for_status().map_err(failed)?;
    let bytes = answer.bytes().await.map_err(failed)?;
    serde_json::from_slice(&bytes).map_err(|error| Failure::World(error.to_string()))
}

/// A new appointment of the same people at the same place.
fn another(appointment: &Value) -> Result<Value, Failure> {
    let mut body = json!({"resourceType": "Appointment", "status": "booked"});
    for name in ["appointmentType", "serviceType"] {
        if let Some(value) = appointment.get(name) {
            body[name] = value.clone();
        }
    }
    for name in ["start", "end"] {
        let at =
            appointment.get(name).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
        let at = at.ok_or_else(|| Failure::World("an appointment has no time".to_owned()))?;
        body[name] = json!(at + AHEAD);
    }
    let people = appointment.get("participant").and_then(Value::as_array).into_iter().flatten();
    let person =
        |one: &Value| json!({"actor": {"reference": one.pointer("/actor/reference")}, "status": "accepted"});
    body["participant"] =
        people.filter(|one| one.pointer("/actor/reference").is_some()).map(person).collect();
    Ok(body)
}
