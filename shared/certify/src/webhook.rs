//! Webhooks: what is signed right is taken, and nothing else, by the code that the door has.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{
    Phi, Timestamp,
    http::Request,
    manifest::{Verify, Webhook},
};
use bridge_pipeline::receive::verify;
use data_encoding::BASE64;

use crate::{
    report::{Area, Report},
    sign::{self, Unsigned},
    subject::Subject,
};

const PATH: &str = "/webhooks/certify.product";
const BODY: &[u8] = br#"{"event":"certify","id":"synthetic-1"}"#;

pub(crate) async fn run(subject: &Subject, report: &mut Report) {
    let Some(webhook) = subject.webhook() else { return };
    let now = subject.now().await.unwrap_or_default();
    let secret = made("of the product");
    let claim = "what is signed with the secret is taken";
    let Some(signed) = request(webhook, &secret, now) else {
        report.skip(Area::Webhook, "", claim, "only the product can sign");
        return;
    };
    let rule = &webhook.verify;
    let secrets = [Phi::new(secret.clone())];
    let judge = |request: &Request, at: Timestamp| verify::signature(rule, &secrets, request, at);
    let taken = judge(&signed, now).map_err(|refusal| refusal.cause.to_string());
    report.add(Area::Webhook, "", claim, taken);

    let new_secret = [Phi::new(made("that comes")), Phi::new(secret.clone())];
    let rotating = verify::signature(rule, &new_secret, &signed, now);
    let rotating = rotating.map_err(|refusal| refusal.cause.to_string());
    report.add(Area::Webhook, "", "the old secret is taken while it changes", rotating);

    let refused = |request: &Request, at: Timestamp| match judge(request, at) {
        Err(refusal) if refusal.status == 401 => Ok(()),
        Err(refusal) => Err(format!("refused as something else: {}", refusal.cause)),
        Ok(()) => Err("it was taken".to_owned()),
    };
    if let Some(other) = request(webhook, &made("of somebody else"), now) {
        report.add(Area::Webhook, "", "another secret is refused", refused(&other, now));
    }
    let mut unsigned = signed.clone();
    unsigned.headers.retain(|name, _| name == "content-type");
    report.add(Area::Webhook, "", "no signature is refused", refused(&unsigned, now));
    if covers_body(rule) {
        let mut changed = signed.clone();
        changed.body = Phi::new(BODY.to_ascii_uppercase());
        report.add(Area::Webhook, "", "a changed body is refused", refused(&changed, now));
    }
    if let Some(tolerance) = tolerance(rule) {
        let late = now + Duration::from_secs(tolerance + 1);
        report.add(Area::Webhook, "", "an old one is refused", refused(&signed, late));
    }
}

/// A secret in the form of Standard Webhooks, which is a secret of every other form, too.
fn made(whose: &str) -> String {
    format!("whsec_{}", BASE64.encode(format!("synthetic secret {whose}").as_bytes()))
}

fn request(webhook: &Webhook, secret: &str, now: Timestamp) -> Option<Request> {
    let media_type = webhook.content_types.first()?;
    let unsigned = Unsigned { path: PATH, media_type, body: BODY, now };
    let mut headers: BTreeMap<String, String> =
        sign::headers(&webhook.verify, secret, &unsigned)?.into_iter().collect();
    headers.insert("content-type".to_owned(), media_type.clone());
    Some(Request {
        method: "POST".to_owned(),
        path: PATH.to_owned(),
        query: String::new(),
        headers,
        source: None,
        body: Phi::new(BODY.to_vec()),
    })
}

/// Whether the signature is one of the body. A token is not.
const fn covers_body(rule: &Verify) -> bool {
    !matches!(rule, Verify::Token { .. } | Verify::Basic { .. })
}

const fn tolerance(rule: &Verify) -> Option<u64> {
    match rule {
        Verify::TimestampedHmac { tolerance, .. } | Verify::StandardWebhooks { tolerance, .. } => {
            Some(*tolerance)
        }
        _ => None,
    }
}
