//! The doors of a connection that takes HL7 v2: a message through each, of an event that nobody has.

use std::time::{Duration, Instant};

use bridge_adapters::{Material, MllpAddress, MllpConnection};
use bridge_aws::SystemClock;
use bridge_certify::sign::{self, Unsigned};
use bridge_core::config::{Hl7v2Party, Hl7v2Site};
use bridge_hl7v2::{
    Message,
    ack::{Answer, Verdict},
    charset::{Charset, Reading},
};
use bridge_pipeline::{configuration::Loaded, ports::Clock as _};

use super::{Finding, PATIENCE};
use crate::hl7::receiver::made;

const MEDIA_TYPE: &str = "x-application/hl7-v2+er7";
/// MSH-10 of what is sent.
const CONTROL_ID: &str = "CONNECTIONTEST";
/// Table 0357: the event is not taken.
const UNSUPPORTED_EVENT: &str = "201";

/// Tries the doors that can be reached from here; says so where there is none.
pub(super) async fn doors(
    client: &reqwest::Client,
    loaded: &Loaded,
    site: &Hl7v2Site,
    base: Option<&str>,
    port: Option<&MllpAddress>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let message = message(site);
    if let (Some(base), Some(_)) = (base, &site.verify) {
        findings.push(over_http(client, loaded, site, base, &message).await);
    }
    if let Some(port) = port {
        findings.push(over_mllp(port, &message).await);
    }
    if findings.is_empty() {
        let text =
            "no door was tried: say where it is with --mllp, or with --url where it has a `verify` rule";
        findings.push(Finding { what: "HL7 v2", well: true, text: text.to_owned() });
    }
    findings
}

/// Of this site's sender, to its receiver, about nothing.
fn message(site: &Hl7v2Site) -> String {
    let name = |party: &Option<Hl7v2Party>, other: &str| {
        let party = party.clone().unwrap_or_default();
        let facility = party.facility.unwrap_or_default();
        format!("{}|{facility}", party.application.unwrap_or_else(|| other.to_owned()))
    };
    let (from, to) = (name(&site.sender, "BRIDGE"), name(&site.receiver, "BRIDGE"));
    let processing = site.processing_ids.as_ref().and_then(|ids| ids.first()).map_or("P", String::as_str);
    let made = made(SystemClock.now());
    format!("MSH|^~\\&|{from}|{to}|{made}||ZZZ^Z99|{CONTROL_ID}|{processing}|2.5.1|||AL|NE\r")
}

/// What an answer says of a door.
fn judged(what: &'static str, answer: &[u8], took: Duration) -> Finding {
    let finding = |well, text: String| Finding { what, well, text };
    let Ok(message) = Message::parse_as(answer, Reading::Always(Charset::Windows1252)) else {
        return finding(false, "the answer is no acknowledgment".to_owned());
    };
    let Ok(answer) = Answer::read(&message) else {
        return finding(false, "the answer is no acknowledgment".to_owned());
    };
    let took = took.as_millis();
    let problem = answer.problems.first();
    match (answer.code.verdict(), problem) {
        (Verdict::Accept, _) => {
            finding(true, format!("{} in {took} ms, and ignored as it should be", answer.code))
        }
        (Verdict::Reject, Some(problem)) if problem.code == UNSUPPORTED_EVENT => finding(
            true,
            format!("{} in {took} ms, as it should be for an event that nobody has", answer.code),
        ),
        (_, problem) => {
            let why = problem.map(|problem| format!(": {}", problem.text)).unwrap_or_default();
            finding(false, format!("{}{why}", answer.code))
        }
    }
}

async fn over_http(
    client: &reqwest::Client,
    loaded: &Loaded,
    site: &Hl7v2Site,
    base: &str,
    message: &str,
) -> Finding {
    let finding = |well, text: String| Finding { what: "HL7 v2 over HTTP", well, text };
    let Some(rule) = &site.verify else { return finding(true, "none".to_owned()) };
    let Some(secret) = loaded.secret(rule.secret()).first() else {
        return finding(false, "the connection has no value for the secret that verifies it".to_owned());
    };
    let path = format!("/hl7/{}", loaded.connection.connection);
    let now = SystemClock.now();
    let unsigned = Unsigned { path: &path, media_type: MEDIA_TYPE, body: message.as_bytes(), now };
    let Some(headers) = sign::headers(rule, secret.expose(), &unsigned) else {
        return finding(
            true,
            "only the sender has the key that signs (Ed25519): let the sender test it".to_owned(),
        );
    };
    let mut request =
        client.post(format!("{base}{path}")).header("content-type", MEDIA_TYPE).body(message.to_owned());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let begun = Instant::now();
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return finding(false, format!("{base} does not answer ({})", error.without_url())),
    };
    let (status, took) = (answer.status().as_u16(), begun.elapsed());
    let body = answer.bytes().await.unwrap_or_default();
    match status {
        200 | 422 => judged("HL7 v2 over HTTP", &body, took),
        status => {
            let said: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            let text = said["error"]["message"].as_str().unwrap_or_default();
            finding(false, format!("HTTP {status}: {text}"))
        }
    }
}

async fn over_mllp(port: &MllpAddress, message: &str) -> Finding {
    let finding = |well, text: String| Finding { what: "HL7 v2 over MLLP", well, text };
    let begun = Instant::now();
    let mut connection = match MllpConnection::connect(port, &Material::default()).await {
        Ok(connection) => connection,
        Err(error) => return finding(false, error.to_string()),
    };
    let by = tokio::time::Instant::now() + PATIENCE;
    if let Err(error) = connection.send(message.as_bytes(), by).await {
        return finding(false, error.to_string());
    }
    match connection.answer(by).await {
        Ok(answer) => judged("HL7 v2 over MLLP", &answer, begun.elapsed()),
        Err(error) => finding(false, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well(segments: &str) -> (bool, String) {
        let answer = format!("MSH|^~\\&|A||B||2026||ACK|1|P|2.5.1\r{segments}\r");
        let finding = judged("door", answer.as_bytes(), Duration::from_millis(7));
        (finding.well, finding.text)
    }

    #[test]
    fn a_door_is_well_that_refuses_the_event_and_nothing_else() {
        assert!(well("MSA|CR|1\rERR||MSH^1^9|201^Unsupported event code^HL70357|E").0);
        assert!(well("MSA|CA|1").0);
        let (unrouted, text) = well("MSA|CR|1\rERR||MSH^1^3|204^x^HL70357|E||||nobody has this sender");
        assert!(!unrouted && text.contains("nobody has this sender"), "{text}");
        assert!(!well("MSA|CE|1").0);
        assert!(!judged("door", b"hello", Duration::ZERO).well);
    }

    #[test]
    fn the_message_is_for_the_site_and_of_no_event_that_is_taken() {
        let site: Hl7v2Site = serde_norway::from_str("{sender: {application: LAB}, processing-ids: [T]}")
            .unwrap_or_else(|error| panic!("{error}"));
        let text = message(&site);
        assert!(
            text.starts_with("MSH|^~\\&|LAB||BRIDGE||") && text.contains("|ZZZ^Z99|CONNECTIONTEST|T|"),
            "{text}"
        );
        assert!(!site.accepts("ZZZ", "Z99"));
    }
}
