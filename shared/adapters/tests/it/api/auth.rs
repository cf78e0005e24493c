//! How calls prove who makes them.

use super::{Product, base, only, serving};

async fn request(auth: &str, token: Option<&str>) -> (String, Option<String>) {
    let server = serving(&["{}"]).await;
    let api = format!("  auth: {auth}\n  operations:\n    get: {{path: /x, query: {{a: b}}}}\n");
    let product = Product::new(&base(&server), &api, &[]);
    product.call_with("get", &[], None, None, token).await.unwrap();
    let request = only(&server);
    (request.line, request.headers.get("authorization").cloned())
}

#[tokio::test]
async fn secrets_stand_where_the_adapter_says() {
    let plain = "GET /x?a=b HTTP/1.1".to_owned();
    let cases = [
        ("{kind: none}", None, None),
        (
            "{kind: header, name: authorization, value: 'ODFHIR {word}/{key}'}",
            None,
            Some("ODFHIR w-Planted/k-Planted"),
        ),
        ("{kind: basic, user: '{key}'}", None, Some("Basic ay1QbGFudGVkOg==")),
        (
            "{kind: basic, user: '{key}', password: '{word}'}",
            None,
            Some("Basic ay1QbGFudGVkOnctUGxhbnRlZA=="),
        ),
        (
            "{kind: oauth2, grant: client-credentials, token-url: /t, client: {kind: body, id: i, secret: '{key}'}}",
            Some("t-1"),
            Some("Bearer t-1"),
        ),
        (
            "{kind: exchange, path: /t, token: /token, lifetime: 60, value: 'Token {token}'}",
            Some("t-2"),
            Some("Token t-2"),
        ),
    ];
    for (auth, token, header) in cases {
        assert_eq!(request(auth, token).await, (plain.clone(), header.map(str::to_owned)), "{auth}");
    }
    let query = request("{kind: query, name: key, value: '{key}'}", None).await;
    assert_eq!(query, ("GET /x?a=b&key=k-Planted HTTP/1.1".to_owned(), None));
}

#[tokio::test]
async fn what_is_missing_is_named_before_anything_is_sent() {
    let server = serving(&["{}"]).await;
    let operations = "  operations:\n    get: {path: /x}\n";
    let without = |auth: &str| Product::new(&base(&server), &format!("  auth: {auth}\n{operations}"), &[]);
    let token = without("{kind: exchange, path: /t, token: /token, lifetime: 60}");
    let error = token.call("get", &[]).await.unwrap_err();
    assert!(matches!(error, bridge_core::remote::CallError::Unauthenticated(_)));

    let mut secret = without("{kind: header, name: x-key, value: '{key}'}");
    secret.connection.secrets.clear();
    assert_eq!(secret.call("get", &[]).await.unwrap_err().cause().code, "api.configuration");
    assert!(server.received().is_empty());
}
