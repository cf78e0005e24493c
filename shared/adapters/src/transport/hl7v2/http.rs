//! HL7 over HTTP: a POST for each message, its acknowledgment in the body of the reply.
//!
//! | reply | outcome |
//! |---|---|
//! | 2xx with an acknowledgment | as it says |
//! | AE, AR and their like with any status | as they say |
//! | 2xx without an acknowledgment | unknown, or delivered where `bare-status` is set |
//! | another status without one | as for any other delivery over HTTP |

use bridge_core::{Cause, Timestamp, destination::Outcome};
use reqwest::{
    Response, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use tokio::time::Instant;

use super::{
    super::{Transports, configuration, outcome},
    Outgoing, Target,
    answer::{self, Said},
    no_tls, which,
};

/// HAPI's name for the pipe-delimited form, which Mirth and others take.
const ER7: &str = "x-application/hl7-v2+er7";
/// Acknowledgments are a few hundred bytes.
const LARGEST_ANSWER: usize = 1 << 20;

/// `None`: all were accepted.
pub(super) async fn deliver(
    ways: &Transports,
    target: &Target<'_>,
    url: &Url,
    messages: &[Outgoing<'_>],
    by: Instant,
    now: Timestamp,
) -> Option<Outcome> {
    let client = match ways.client_for(&target.material()) {
        Ok(client) => client,
        Err(fault) => return Some(Outcome::Rejected(no_tls(fault))),
    };
    let authorization = match target.authorization.map(|value| HeaderValue::from_str(value.expose())) {
        None => None,
        Some(Ok(mut value)) => {
            value.set_sensitive(true);
            Some(value)
        }
        Some(Err(_)) => {
            let text = "the Authorization secret cannot stand in a header";
            return Some(Outcome::Rejected(configuration(text, "secrets")));
        }
    };
    for (n, message) in (1..).zip(messages) {
        let mut request = client
            .post(url.clone())
            .header(CONTENT_TYPE, ER7)
            .header(ACCEPT, ER7)
            .timeout(by.saturating_duration_since(Instant::now()))
            .body(message.bytes.to_vec());
        if let Some(value) = &authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let outcome = match request.send().await {
            Ok(response) => answered(response, message, target, now).await,
            Err(error) => outcome::of(Err(error), &[], now).await,
        };
        if outcome != Outcome::Delivered {
            return Some(which(outcome, n, messages.len()));
        }
    }
    None
}

async fn answered(
    response: Response,
    message: &Outgoing<'_>,
    target: &Target<'_>,
    now: Timestamp,
) -> Outcome {
    let by_status = outcome::answered(&response, now);
    let Some(body) = body(response).await else {
        // What it says is not known; the status is.
        return match by_status {
            Outcome::Delivered => unknown("the connection broke in the acknowledgment"),
            other => other,
        };
    };
    let said = answer::read(&body, &message.control_id, &target.answers);
    match (by_status, said) {
        (Outcome::Delivered, Said::This(Outcome::Unknown(_))) if target.answers.bare_status => {
            Outcome::Delivered
        }
        (Outcome::Delivered, Said::This(said)) => said,
        (Outcome::Delivered, Said::Another) => {
            unknown("what was answered is another message: MSA-2 is not our MSH-10")
        }
        // An acceptance under a status of failure contradicts itself: the status is the more careful reading.
        (status, Said::Another | Said::This(Outcome::Delivered | Outcome::Unknown(_))) => status,
        (_, Said::This(said)) => said,
    }
}

fn unknown(text: &str) -> Outcome {
    Outcome::Unknown(Cause::new("destination.answer", text))
}

/// The body up to the limit; what is longer is no acknowledgment. `None` when it broke off.
async fn body(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_ANSWER {
            break;
        }
    }
    Some(body)
}
