//! Sample traffic: a few webhooks of invented people, as the products send them.

use bridge_aws::SystemClock;
use bridge_certify::sign::{self, Unsigned};
use bridge_core::id::ConnectionId;
use bridge_pipeline::ports::Clock as _;
use serde_json::json;

use crate::{failure::Failure, system::Pipeline};

/// A message of one product.
struct Sample {
    /// `webhooks` or `hl7`.
    door: &'static str,
    connection: &'static str,
    headers: &'static [(&'static str, &'static str)],
    media_type: &'static str,
    body: String,
}

/// The command that a newcomer is shown: it works as it is printed.
pub(crate) fn curl(gateway: &str) -> String {
    let body = json!({
        "event": "patient.saved", "id": "try-1", "at": "2026-03-02T09:30:00Z",
        "patient": {"id": "4711", "given": "Pia", "family": "Probst", "born": "1987-06-05", "sex": "female"},
    });
    format!(
        "curl -i {gateway}/webhooks/sunrise.front-desk -H 'content-type: application/json' \
         -H 'x-desk-key: synthetic-front-desk-key' -d '{body}'"
    )
}

fn samples() -> Vec<Sample> {
    vec![
        Sample {
            door: "webhooks",
            connection: "sunrise.opendental",
            headers: &[("event-type", "WatchTable: Patient")],
            media_type: "application/json",
            body: json!([{
                "PatNum": 101, "LName": "Muster", "FName": "Mara", "Birthdate": "1990-02-14", "Gender": "Female",
                "PatStatus": "Patient", "WirelessPhone": "(555) 010-0101", "DateTStamp": "2026-03-02 09:00:00",
            }])
            .to_string(),
        },
        Sample {
            door: "webhooks",
            connection: "sunrise.opendental",
            headers: &[("event-type", "WatchTable: Appointment")],
            media_type: "application/json",
            body: json!([{
                "AptNum": 9001, "PatNum": 101, "AptStatus": "Scheduled", "Pattern": "//XXXX//",
                "AptDateTime": "2026-03-09 10:30:00", "ProvNum": 1, "Op": 2, "DateTStamp": "2026-03-02 09:01:00",
            }])
            .to_string(),
        },
        Sample {
            door: "webhooks",
            connection: "sunrise.drchrono",
            headers: &[("x-drchrono-event", "PATIENT_CREATE"), ("x-drchrono-delivery", "sample-1")],
            media_type: "application/json",
            body: json!({"receiver": {"id": 1}, "object": {
                "id": 202, "chart_id": "EXTO000001", "first_name": "Otto", "last_name": "Example",
                "gender": "Male", "date_of_birth": "1975-11-30", "updated_at": "2026-03-02T09:02:00",
            }})
            .to_string(),
        },
        Sample {
            door: "webhooks",
            connection: "sunrise.front-desk",
            headers: &[],
            media_type: "application/json",
            body: json!({
                "event": "visit.saved", "id": "sample-2", "at": "2026-03-02T15:00:00Z",
                "visit": {"id": "v-1", "patient": "4711", "reason": "Check-up", "at": "2026-03-10 08:15:00", "minutes": 20},
            })
            .to_string(),
        },
        Sample {
            door: "hl7",
            connection: "sunrise.registration",
            headers: &[],
            media_type: "x-application/hl7-v2+er7",
            body: "MSH|^~\\&|SUNREG|SUNRISE|BRIDGE|SUNRISE|20260302090300-0600||SIU^S12^SIU_S12|sample-3|P|2.5.1\r\
                   SCH||R-77^SUNRISE|||||CHECKUP^Check-up||30|min|^^30^20260311093000-0500\r\
                   PID|1||303^^^SUNRISE^MR||Beispiel^Bea||19690720|F\r"
                .to_owned(),
        },
    ]
}

/// Posts the samples to a bridge's own door, signed. Returns how many were accepted.
pub(crate) async fn send(
    pipeline: &Pipeline,
    client: &reqwest::Client,
    gateway: &str,
) -> Result<usize, Failure> {
    let mut accepted = 0;
    for sample in samples() {
        let id: ConnectionId =
            sample.connection.parse().map_err(|error| Failure::World(format!("{error}")))?;
        let Some(loaded) = pipeline.connection(&id).await? else { continue };
        let over_hl7 = loaded.hl7v2.as_ref().and_then(|site| site.verify.as_ref());
        let Some(rule) = loaded.webhook().map(|webhook| &webhook.verify).or(over_hl7) else { continue };
        let Some(secret) = loaded.secret(rule.secret()).first() else { continue };
        let path = format!("/{}/{id}", sample.door);
        let body = sample.body;
        let unsigned = Unsigned {
            path: &path,
            media_type: sample.media_type,
            body: body.as_bytes(),
            now: SystemClock.now(),
        };
        let Some(signature) = sign::headers(rule, secret.expose(), &unsigned) else { continue };
        let mut request =
            client.post(format!("{gateway}{path}")).header("content-type", sample.media_type).body(body);
        for (name, value) in sample.headers {
            request = request.header(*name, *value);
        }
        for (name, value) in signature {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(|error| Failure::World(error.without_url().to_string()))?;
        accepted += usize::from(answer.status().is_success());
    }
    Ok(accepted)
}
