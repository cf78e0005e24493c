//! Tokens, asked for over a real socket.

use bridge_core::{
    Phi,
    remote::{Authenticate, CallError, Remote as _, Token},
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::{Product, base, now, only, serving, text};
use crate::receiver::{Receiver, Then};

const OPERATIONS: &str = "  operations:\n    get: {path: /x}\n";

fn product(server: &Receiver, auth: &str) -> Product {
    Product::new(
        &base(server),
        &format!("  headers: {{user-agent: demo}}\n  auth: {auth}\n{OPERATIONS}"),
        &[],
    )
}

async fn ask(product: &Product, refresh: Option<&str>) -> Result<Token, CallError> {
    let refresh = refresh.map(|text| Phi::new(text.to_owned()));
    let ask = Authenticate { party: product.party(), refresh: refresh.as_ref(), nonce: "n-1", signer: None };
    product.ways().authenticate(&ask).await
}

const BASIC: &str = "{kind: oauth2, grant: client-credentials, token-url: /oauth2/token, scope: 'a b', \
                     parameters: {practice: '{shard}'}, client: {kind: basic, id: '{shard}', secret: '{key}'}}";

#[tokio::test]
async fn client_credentials_by_basic() {
    let server = serving(&[r#"{"access_token": "t-1", "token_type": "bearer", "expires_in": 3600}"#]).await;
    let token = ask(&product(&server, BASIC), None).await.unwrap();
    assert_eq!(token.access.expose(), "t-1");
    assert_eq!(token.until.since(now()).as_secs(), 3540, "a minute before its end");
    assert_eq!(token.refresh, None);
    let request = only(&server);
    assert_eq!(request.line, "POST /oauth2/token HTTP/1.1");
    assert_eq!(request.headers.get("authorization").map(String::as_str), Some("Basic czE6ay1QbGFudGVk"));
    assert_eq!(request.headers.get("user-agent").map(String::as_str), Some("demo"));
    assert_eq!(text(&request), "grant_type=client_credentials&scope=a%20b&practice=s1");
}

#[tokio::test]
async fn a_refresh_token_is_replaced_by_the_next_one() {
    let server = serving(&[r#"{"access_token": "t-1", "expires_in": "40", "refresh_token": "r-2"}"#]).await;
    let product = product(
        &server,
        "{kind: oauth2, grant: refresh-token, refresh-token: word, token-url: /t, \
         client: {kind: body, id: '{shard}', secret: '{key}'}}",
    );
    let token = ask(&product, None).await.unwrap();
    assert_eq!(token.until.since(now()).as_secs(), 30, "of a short life a quarter is left");
    assert_eq!(token.refresh.as_ref().map(Phi::expose).map(String::as_str), Some("r-2"));
    assert!(!format!("{token:?}").contains("t-1"));
    let first = "grant_type=refresh_token&refresh_token=w-Planted&client_id=s1&client_secret=k-Planted";
    assert_eq!(text(&only(&server)), first);

    ask(&product, Some("r-2")).await.unwrap();
    assert!(
        text(&only(&server)).contains("refresh_token=r-2&"),
        "the one that was kept comes before the secret"
    );
}

#[tokio::test]
async fn smart_backend_services_by_a_signed_assertion() {
    let server = serving(&[r#"{"access_token": "t-1"}"#]).await;
    let smart = json!({"token_endpoint": format!("{}/token", base(&server))}).to_string();
    let home = Receiver::script(vec![
        Then::status(200, "", &smart),
        Then::status(200, "", r#"{"access_token": "unreached"}"#),
    ])
    .await;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let host = base(&server).replace("http://", "");
    let api = format!(
        "  hosts: ['{host}']\n  auth: {{kind: oauth2, grant: client-credentials, scope: system/*.rs, client: {{kind: \
         private-key-jwt, id: '{{shard}}', key-id: k1, key: '{{key}}', algorithm: ES384}}}}\n{OPERATIONS}"
    );
    let mut product = Product::new(&base(&home), &api, &[]);
    let secrets = format!("{{key: {}}}", json!(key.serialize_pem()));
    product.connection.secrets = serde_norway::from_str(&secrets).unwrap();
    for _ in 0..2 {
        assert_eq!(ask(&product, None).await.unwrap().access.expose(), "t-1");
    }
    let discovery = only(&home);
    assert_eq!(discovery.line, "GET /.well-known/smart-configuration HTTP/1.1", "asked once, and kept");
    assert!(!discovery.headers.contains_key("authorization"));

    let request = server.received().remove(0);
    assert!(!request.headers.contains_key("authorization"));
    let body = text(&request);
    let (form, assertion) = body.split_once("&client_assertion=").unwrap();
    assert_eq!(
        form,
        "grant_type=client_credentials&scope=system%2F%2A.rs&client_assertion_type=\
         urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    let parts: Vec<&str> = assertion.split('.').collect();
    let decoded = |part: &str| -> Value {
        serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
    };
    assert_eq!(decoded(parts[0]), json!({"alg": "ES384", "kid": "k1", "typ": "JWT"}));
    let at = now().as_secs();
    let audience = format!("{}/token", base(&server));
    assert_eq!(
        decoded(parts[1]),
        json!({"iss": "s1", "sub": "s1", "aud": audience, "jti": "n-1", "iat": at, "exp": at + 240})
    );
    assert_eq!(BASE64URL_NOPAD.decode(parts[2].as_bytes()).unwrap().len(), 96);
}

#[tokio::test]
async fn a_key_that_cannot_sign_is_named() {
    let server = serving(&["{}"]).await;
    let client = |algorithm: &str| {
        format!(
            "{{kind: oauth2, grant: client-credentials, token-url: /t, client: {{kind: private-key-jwt, id: i, key-id: k, \
             key: '{{key}}', algorithm: {algorithm}}}}}"
        )
    };
    for (algorithm, secret, text) in [
        ("HS256", "x", "the algorithm is RS384 or ES384"),
        ("RS384", "Planted", "the key is no PEM of a private key (PKCS #8) that fits the algorithm"),
    ] {
        let mut product = product(&server, &client(algorithm));
        product.connection.secrets = serde_norway::from_str(&format!("{{key: '{secret}'}}")).unwrap();
        let error = ask(&product, None).await.unwrap_err();
        assert_eq!(error.cause().text, text);
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_discovered_endpoint_stays_at_home() {
    let auth = "{kind: oauth2, grant: client-credentials, client: {kind: body, id: i, secret: '{key}'}}";
    for endpoint in ["https://evil.example/token", "http://169.254.169.254/token", "file:///token", ""] {
        let server = serving(&[&json!({"token_endpoint": endpoint}).to_string()]).await;
        let error = ask(&product(&server, auth), None).await.unwrap_err();
        assert!(matches!(error, CallError::Invalid(_)), "{endpoint}: {error}");
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test]
async fn a_token_by_a_call_of_the_products_own() {
    let server = serving(&[r#"{"data": {"token": "j-1"}}"#]).await;
    let auth = "{kind: exchange, path: /authenticates, headers: {authorization: '{key}'}, body: {who: '{word}'}, \
                token: /data/token, lifetime: 3600}";
    let token = ask(&product(&server, auth), None).await.unwrap();
    assert_eq!(token.access.expose(), "j-1");
    assert_eq!(token.until.since(now()).as_secs(), 3540);
    let request = only(&server);
    assert_eq!(request.line, "POST /authenticates HTTP/1.1");
    assert_eq!(request.headers.get("authorization").map(String::as_str), Some("k-Planted"));
    assert_eq!(text(&request), r#"{"who":"w-Planted"}"#);
}

#[tokio::test]
async fn what_a_token_endpoint_refuses_is_told_apart() {
    let kind = |error: &CallError| {
        let text = format!("{error:?}");
        assert!(!text.contains("Planted"), "{text}");
        text.split_once('(').map(|(kind, _)| kind.to_owned()).unwrap()
    };
    for (status, body, expected) in [
        (400, r#"{"error": "invalid_client", "error_description": "Planted"}"#, "Unauthenticated"),
        (400, r#"{"error": "invalid_grant"}"#, "Unauthenticated"),
        (400, r#"{"error": "invalid_scope"}"#, "Invalid"),
        (400, r#"{"error": "Planted"}"#, "Invalid"),
        (401, "", "Unauthenticated"),
        (403, "", "Forbidden"),
        (429, "", "Throttled"),
        (503, "<html>", "Retry"),
        (302, "", "Invalid"),
        (200, r#"{"error": "invalid_grant"}"#, "Unauthenticated"),
        (200, "Planted", "Invalid"),
        (200, "{}", "Invalid"),
        (200, r#"{"access_token": "t", "token_type": "mac"}"#, "Invalid"),
    ] {
        let server = Receiver::start(Then::status(status, "", body)).await;
        let error = ask(&product(&server, BASIC), None).await.unwrap_err();
        assert_eq!(kind(&error), expected, "{status} {body}");
    }
    let refresh = BASIC.replace("grant: client-credentials", "grant: refresh-token, refresh-token: word");
    for (auth, expected) in [(BASIC, "Retry"), (&*refresh, "Unknown")] {
        let server = Receiver::start(Then::Reset).await;
        assert_eq!(kind(&ask(&product(&server, auth), None).await.unwrap_err()), expected);
    }
}
