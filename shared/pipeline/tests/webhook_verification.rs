//! Every way of verifying a webhook, against vectors that were computed outside this project.
#![allow(clippy::unwrap_used, missing_docs)]

use bridge_core::{Phi, Timestamp, http::Request, manifest::Verify};
use bridge_pipeline::receive::verify::signature;
use bridge_seal::hmac_sha256;
use data_encoding::{BASE64, HEXLOWER};

fn rule(yaml: &str) -> Verify {
    serde_norway::from_str(yaml).unwrap()
}

struct Case<'a> {
    rule: &'a str,
    secrets: &'a [&'a str],
    headers: &'a [(&'a str, &'a str)],
    path: &'a str,
    body: &'a [u8],
    now: &'a str,
}

const NOW: &str = "2025-01-02T03:04:05Z";

impl Case<'_> {
    fn verify(&self) -> Result<(), String> {
        let headers = self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let request = Request {
            method: "POST".to_owned(),
            path: self.path.to_owned(),
            query: String::new(),
            headers: headers.chain([("content-type".to_owned(), "application/json".to_owned())]).collect(),
            source: None,
            body: Phi::new(self.body.to_vec()),
        };
        let secrets: Vec<Phi<String>> = self.secrets.iter().map(|s| Phi::new((*s).to_owned())).collect();
        let now: Timestamp = self.now.parse().unwrap();
        signature(&rule(self.rule), &secrets, &request, now).map_err(|refusal| refusal.cause.code)
    }

    /// Verifies as it is, with a rotated secret beside it, and not with any part of it changed.
    fn holds(&self) {
        assert_eq!(self.verify(), Ok(()), "{}", self.rule);
        let rotating: Vec<&str> = ["another"].into_iter().chain(self.secrets.iter().copied()).collect();
        assert_eq!(Case { secrets: &rotating, ..*self }.verify(), Ok(()), "a rotation: {}", self.rule);
        assert_eq!(Case { secrets: &["d3Jvbmc="], ..*self }.verify(), Err("signature.wrong".to_owned()));
        assert_eq!(Case { secrets: &[], ..*self }.verify(), Err("secret.missing".to_owned()));
        assert_eq!(Case { headers: &[], ..*self }.verify(), Err("signature.missing".to_owned()));
    }

    fn body_counts(&self) {
        let mut body = self.body.to_vec();
        body.push(b' ');
        assert_eq!(
            Case { body: &body, ..*self }.verify(),
            Err("signature.wrong".to_owned()),
            "{}",
            self.rule
        );
    }
}

#[test]
fn a_token_in_a_header() {
    Case {
        rule: "{kind: token, header: authorization, secret: key}",
        secrets: &["customer-key-not-real"],
        headers: &[("authorization", "customer-key-not-real")],
        path: "/",
        body: b"[]",
        now: NOW,
    }
    .holds();
}

#[test]
fn an_hmac_of_the_body_in_hex_with_a_prefix() {
    let case = Case {
        rule: "{kind: hmac, header: x-hub-signature, secret: hub, encoding: hex, prefix: 'sha256='}",
        secrets: &["athena-example-not-real"],
        headers: &[(
            "x-hub-signature",
            "sha256=b4255c2d0df104e49bf8f9ea533e783be4a82ad13f95ca4bb45c92b0c7c09742",
        )],
        path: "/",
        body: br#"{"resourceType":"Bundle"}"#,
        now: NOW,
    };
    case.holds();
    case.body_counts();
    let bare = [("x-hub-signature", "b4255c2d0df104e49bf8f9ea533e783be4a82ad13f95ca4bb45c92b0c7c09742")];
    assert!(Case { headers: &bare, ..case }.verify().is_err(), "without its prefix");
}

#[test]
fn an_hmac_of_the_body_in_base64() {
    let mac = BASE64.encode(&hmac_sha256(b"a secret", &[b"{}"]));
    let case = Case {
        rule: "{kind: hmac, header: x-signature, secret: s, encoding: base64}",
        secrets: &["a secret"],
        headers: &[("x-signature", &mac)],
        path: "/",
        body: b"{}",
        now: NOW,
    };
    case.holds();
    case.body_counts();
    let unpadded = [("x-signature", mac.trim_end_matches('='))];
    assert_eq!(Case { headers: &unpadded, ..case }.verify(), Ok(()));
}

#[test]
fn a_time_stamped_hmac_and_its_tolerance() {
    let case = Case {
        rule: "{kind: timestamped-hmac, header: signature, timestamp-header: timestamp, secret: s, encoding: hex, \
               separator: '.', body-base64: true, tolerance: 300}",
        secrets: &["nex-example-not-real"],
        headers: &[
            ("signature", "d92c59867490b9a65ff7459517e55fa39f3a9b0a71bc030369eb55a918471aed"),
            ("timestamp", NOW),
        ],
        path: "/",
        body: br#"{"event":"appointment_created","data":{"id":1}}"#,
        now: "2025-01-02T03:09:05Z",
    };
    case.holds();
    case.body_counts();
    for far in ["2025-01-02T03:09:06Z", "2025-01-02T02:59:04Z"] {
        assert_eq!(Case { now: far, ..case }.verify(), Err("signature.stale".to_owned()));
    }
}

#[test]
fn a_digest_and_a_structured_signature_with_and_without_padding() {
    let case = |signature| {
        Case {
        rule: "{kind: digest-signature, digest-header: content-digest, header: signature, prefix: 'sig1=', secret: s}",
        secrets: &["whsec_example-not-real"],
        headers: match signature {
            0 => &[
                ("content-digest", "SHA-256=RxEYlBskit2pSQgShyfd7ZGy+GS9cRf2MKV8NnOzFV0="),
                ("signature", "sig1=1a9b3cc18d08a3d12f08cc3a263d3e8b462edc70c766adce2e570640321f0485"),
            ],
            1 => &[
                ("content-digest", "SHA-256=RxEYlBskit2pSQgShyfd7ZGy+GS9cRf2MKV8NnOzFV0="),
                ("signature", "sig1=f7b0e7991dc3cbaf7278a5d7000b8cbf409f698d04c1e0718e358dadb31e218c"),
            ],
            // A true signature over a digest that is not the body's.
            _ => &[
                ("content-digest", "SHA-256=AAAAlBskit2pSQgShyfd7ZGy+GS9cRf2MKV8NnOzFV0="),
                ("signature", "sig1=1a9b3cc18d08a3d12f08cc3a263d3e8b462edc70c766adce2e570640321f0485"),
            ],
        },
        path: "/hooks/healthie/c1",
        body: br#"{"resource_id":"501","resource_id_type":"Appointment","event_type":"appointment.updated","changed_fields":["pm_status"]}"#,
        now: NOW,
    }
    };
    case(0).holds();
    case(1).holds();
    case(0).body_counts();
    assert!(case(2).verify().is_err());
    assert!(Case { path: "/hooks/healthie/c2", ..case(0) }.verify().is_err(), "the path is signed");
}

#[test]
fn ed25519_over_the_body() {
    // RFC 8032, section 7.1, test 2.
    let key = BASE64.encode(
        &HEXLOWER.decode(b"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").unwrap(),
    );
    let signature = BASE64.encode(
        &HEXLOWER
            .decode(
                b"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            )
            .unwrap(),
    );
    let case = Case {
        rule: "{kind: ed25519, header: x-signature, secret: key}",
        secrets: &[&key],
        headers: &[("x-signature", &signature)],
        path: "/",
        body: &[0x72],
        now: NOW,
    };
    case.holds();
    case.body_counts();
}

#[test]
fn standard_webhooks_with_several_signatures() {
    let secret = format!("whsec_{}", BASE64.encode(b"sixteen bytes of"));
    let stamp = NOW.parse::<Timestamp>().unwrap().as_secs().to_string();
    let mac = hmac_sha256(b"sixteen bytes of", &[b"msg_1.", stamp.as_bytes(), b".{}"]);
    let signatures = format!("v1,{} v1a,ignored v1,{}", BASE64.encode(&[0; 32]), BASE64.encode(&mac));
    let case = Case {
        rule: "{kind: standard-webhooks, secret: s}",
        secrets: &[&secret],
        headers: &[
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", &stamp),
            ("webhook-signature", &signatures),
        ],
        path: "/",
        body: b"{}",
        now: NOW,
    };
    case.holds();
    case.body_counts();
    assert_eq!(Case { now: "2025-01-02T04:04:05Z", ..case }.verify(), Err("signature.stale".to_owned()));
}
