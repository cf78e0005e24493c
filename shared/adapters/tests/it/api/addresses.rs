//! Where calls may go, and where never.

use super::{Product, base, serving};

const API: &str = "  hosts: ['*.files.example', 'localhost']\n  operations:\n    \
                   list: {path: /x, rows: /r, pages: {kind: next, next: /next}}\n";

#[tokio::test]
async fn a_base_must_be_public_and_encrypted() {
    for base in [
        "http://pms.example",
        "ftp://pms.example",
        "https://user:word@pms.example",
        "https://pms.example?x=1",
        "https://pms.example#x",
        "https://10.0.0.1",
        "https://169.254.169.254/latest",
        "https://[fd00:ec2::254]",
        "https://[::ffff:10.0.0.1]",
        "https://0x7f.1.example:99999",
        "pms.example",
        "",
    ] {
        let error = Product::new(base, API, &[]).call("list", &[]).await.unwrap_err();
        let code = &error.cause().code;
        assert!(code == "api.configuration" || code == "api.address", "{base}: {error}");
    }
}

/// `localhost` stands for any name that leads to an address of this machine: the base is public, so its guard is up.
#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_called() {
    let mut product = Product::new("https://pms.example", API, &[]);
    let api = product.manifest.api.as_mut().unwrap();
    api.operations.get_mut("list").unwrap().path = "https://localhost:1/x".to_owned();
    let error = product.call("list", &[]).await.unwrap_err();
    assert_eq!(error.cause().code, "api.address", "{error}");
    assert_eq!(error.cause().text, "the name of the host leads to no public address");
}

#[tokio::test]
async fn a_next_link_stays_at_home() {
    for next in [
        "https://evil.example/steal",
        "//evil.example/steal",
        "http://a.files.example/x",
        "https://files.example/x",
        "https://user@a.files.example/x",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/other-port",
        "http://[::1]:1/",
        "file:///etc/hosts",
        "https://",
    ] {
        let body = format!(r#"{{"r": [], "next": "{next}"}}"#);
        let server = serving(&[&body]).await;
        let product = Product::new(&base(&server), API, &[]);
        let first = product.call("list", &[]).await.unwrap();
        let error = product.next("list", first.next.as_ref().unwrap()).await.unwrap_err();
        assert_eq!(error.cause().code, "api.address", "{next}");
        assert_eq!(error.cause().place, "operations.list.pages");
        assert!(!error.to_string().contains("example"), "{error}");
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test]
async fn a_next_link_to_an_allowed_host_is_followed() {
    let second = serving(&[r#"{"r": [{"id": 1}]}"#]).await;
    let port = base(&second).rsplit(':').next().unwrap().to_owned();
    let body = format!(r#"{{"r": [], "next": "http://localhost:{port}/y"}}"#);
    let first = serving(&[&body]).await;
    let product = Product::new(&base(&first), API, &[]);
    let page = product.call("list", &[]).await.unwrap();
    let page = product.next("list", page.next.as_ref().unwrap()).await.unwrap();
    assert_eq!(page.records.expose().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    use crate::receiver::{Receiver, Then};
    let other = serving(&["{}"]).await;
    let header = format!("location: {}\r\n", other.url);
    let server = Receiver::start(Then::status(302, &header, "")).await;
    let error = Product::new(&base(&server), API, &[]).call("list", &[]).await.unwrap_err();
    assert_eq!(error.cause().text, "answered 302");
    assert!(other.received().is_empty());
}

/// A list that was begun at another endpoint of the connection goes on at the one that is called now.
#[tokio::test]
async fn a_next_link_of_another_endpoint_leads_to_this_one() {
    let body = r#"{"r": [], "next": "https://west.example/v1/x?page=2"}"#;
    let server = serving(&[body, r#"{"r": []}"#]).await;
    let mut product = Product::new(&base(&server), API, &[]);
    for (name, url) in [("here", base(&server)), ("west", "https://west.example/v1".to_owned())] {
        let endpoint = format!("{{name: {name}, url: '{url}'}}");
        product.connection.endpoints.push(serde_norway::from_str(&endpoint).unwrap());
    }
    let first = product.call("list", &[]).await.unwrap();
    product.next("list", first.next.as_ref().unwrap()).await.unwrap();
    let lines: Vec<String> = server.received().into_iter().map(|received| received.line).collect();
    assert_eq!(lines.last().map(String::as_str), Some("GET /x?page=2 HTTP/1.1"), "{lines:?}");
}
