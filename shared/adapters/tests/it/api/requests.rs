//! What goes out, by style.

use serde_json::{Value, json};

use super::{Product, base, only, serving, text};

const JSON: &str = r#"  headers: {x-shard: "{shard}", x-none: "{none}", user-agent: "demo ({shard})"}
  operations:
    list:
      path: "/{shard}/things/{id}"
      query: {"q[]": ["a:>{since}", "b:*", "c:{gone}"], p: "{patient}", none: "{none}", fixed: "1"}
      headers: {x-given: "{given}"}
      rows: /things
    make: {method: POST, path: /things, body: make}
    bare: {method: DELETE, path: "/things/{id}"}
"#;

#[tokio::test]
async fn templates_take_arguments_and_settings_and_leave_out_what_is_missing() {
    let server = serving(&[r#"{"things": [{"id": 1}, {"id": 2}]}"#]).await;
    let product = Product::new(&base(&server), JSON, &[]);
    let arguments =
        [("id", "a/b?c"), ("since", "2026-01-01T00:00:00Z"), ("patient", "x&y=z"), ("shard", "s 2")];
    let answer = product.call("list", &arguments).await.unwrap();
    assert_eq!(answer.records.expose(), &[json!({"id": 1}), json!({"id": 2})]);
    assert!(answer.next.is_none());

    let request = only(&server);
    assert_eq!(
        request.line,
        "GET /s%202/things/a%2Fb%3Fc?fixed=1&p=x%26y%3Dz&q%5B%5D=a%3A%3E2026-01-01T00%3A00%3A00Z&q%5B%5D=b%3A%2A HTTP/1.1"
    );
    assert_eq!(
        request.headers.get("x-shard").map(String::as_str),
        Some("s 2"),
        "an argument comes before a setting"
    );
    assert_eq!(request.headers.get("user-agent").map(String::as_str), Some("demo (s 2)"));
    assert_eq!(request.headers.get("accept").map(String::as_str), Some("application/json"));
    assert!(!request.headers.contains_key("x-none") && !request.headers.contains_key("x-given"));
}

#[tokio::test]
async fn a_path_never_leads_elsewhere() {
    let server = serving(&["{}"]).await;
    let product = Product::new(&base(&server), JSON, &[]);
    for id in [None, Some(""), Some("."), Some("..")] {
        let arguments: Vec<_> = id.map(|id| ("id", id)).into_iter().collect();
        let error = product.call("list", &arguments).await.unwrap_err();
        assert_eq!(error.cause().code, "api.argument", "{id:?}");
        assert_eq!(error.cause().place, "operations.list.path");
    }
    assert!(product.call("nothing", &[]).await.is_err());
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_body_is_made_by_a_mapping() {
    let server = serving(&[r#"{"id": 9}"#]).await;
    let make = r#"{"name": resource.name, "was": known.name, "by": arguments.by, "shard": $settings.shard, "price": 1.50}"#;
    let product = Product::new(&base(&server), JSON, &[("make", make)]);
    let input = json!({"resource": {"name": "Planted"}, "known": {"name": "Before"}});
    let answer = product.call_with("make", &[("by", "me")], Some(input), None, None).await.unwrap();
    assert_eq!(answer.records.expose(), &[json!({"id": 9})]);

    let request = only(&server);
    assert_eq!(request.line, "POST /things HTTP/1.1");
    assert_eq!(request.headers.get("content-type").map(String::as_str), Some("application/json"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({"name": "Planted", "was": "Before", "by": "me", "shard": "s1", "price": 1.5}));

    let error = Product::new(&base(&server), JSON, &[("make", "resource.name + 1")])
        .call_with("make", &[], Some(json!({"resource": {"name": "Planted"}})), None, None)
        .await
        .unwrap_err();
    assert_eq!(error.cause().code, "api.mapping");
    assert!(!format!("{error:?}").contains("Planted"));
}

#[tokio::test]
async fn a_request_without_a_body_has_none() {
    let server = serving(&[""]).await;
    let answer = Product::new(&base(&server), JSON, &[]).call("bare", &[("id", "7")]).await.unwrap();
    assert!(answer.records.expose().is_empty());
    let request = only(&server);
    assert_eq!(request.line, "DELETE /things/7 HTTP/1.1");
    assert!(request.body.is_empty() && !request.headers.contains_key("content-type"));
}

#[tokio::test]
async fn a_form_is_written_and_json_is_read() {
    let server = serving(&[r#"[{"id": 9}]"#]).await;
    let api = "  style: form\n  operations:\n    make: {method: PUT, path: /x, body: make, rows: ''}\n";
    let make = r#"{"a": "1 & 2", "gone": null, "list": [1, {"b": true}], "yes": true, "n": 2.5}"#;
    let answer = Product::new(&base(&server), api, &[("make", make)]).call("make", &[]).await.unwrap();
    assert_eq!(answer.records.expose(), &[json!({"id": 9})]);
    let request = only(&server);
    assert_eq!(
        request.headers.get("content-type").map(String::as_str),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(text(&request), "a=1%20%26%202&list=%5B1%2C%7B%22b%22%3Atrue%7D%5D&yes=true&n=2.5");
}

#[tokio::test]
async fn graphql_sends_a_document_with_variables() {
    let server = serving(&[r#"{"data": {"users": [{"id": "1"}]}}"#, r#"{"data": {"users": null}}"#]).await;
    let api = "  style: graphql\n  operations:\n    users: {path: /graphql, call: users, body: vars, rows: /data/users}\n    \
               none: {path: /graphql, call: users, rows: /data/users/nodes}\n";
    let document = "query users($name: String) { users(name: $name) { id } }";
    let product =
        Product::new(&base(&server), api, &[("users", document), ("vars", r#"{"name": arguments.name}"#)]);
    let answer = product.call("users", &[("name", "Planted")]).await.unwrap();
    assert_eq!(answer.records.expose(), &[json!({"id": "1"})]);
    let request = only(&server);
    assert_eq!(request.line, "POST /graphql HTTP/1.1");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({"query": document, "variables": {"name": "Planted"}}));

    let answer = product.call("none", &[]).await.unwrap();
    assert!(answer.records.expose().is_empty(), "a list below null is empty");
    let body: Value = serde_json::from_slice(&only(&server).body).unwrap();
    assert_eq!(body["variables"], json!({}));
}

const SOAP: &str = r#"  style: soap
  soap: {namespace: "urn:demo:schemas", action: "urn:demo/Service/{operation}", sorted: true}
  auth: {kind: body, places: {/request/RequestHeader/Password: "{word}", /request/RequestHeader/User: "{shard}"}}
  operations:
    rows: {path: /svc, call: GetRows, body: get, rows: /GetRowsResult/Rows/Row}
"#;

#[tokio::test]
async fn soap_goes_out_and_comes_back() {
    let envelope = |content: &str| {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
             <GetRowsResponse xmlns=\"urn:demo:schemas\"><GetRowsResult>{content}</GetRowsResult></GetRowsResponse>\
             </s:Body></s:Envelope>"
        )
    };
    let two = envelope("<Rows><Row><Id>1</Id></Row><Row><Id>2</Id></Row></Rows>");
    let one = envelope("<Rows><Row><Id>1</Id></Row></Rows>");
    let none = envelope("<Rows/>");
    let server = serving(&[&two, &one, &none, &envelope("")]).await;
    let get = r#"{"request": {"Filter": {"Name": "A & <B>", "Gone": null, "Yes": true}, "Fields": [1, 2], "Any": ""}}"#;
    let product = Product::new(&base(&server), SOAP, &[("get", get)]);
    let mut found = Vec::new();
    for _ in 0..4 {
        found.push(product.call("rows", &[]).await.unwrap().records.expose().len());
    }
    assert_eq!(found, [2, 1, 0, 0], "one record is a list of one, and nothing an empty one");

    let request = server.received().remove(0);
    assert_eq!(request.line, "POST /svc HTTP/1.1");
    assert_eq!(request.headers.get("soapaction").map(String::as_str), Some("\"urn:demo/Service/GetRows\""));
    assert_eq!(request.headers.get("content-type").map(String::as_str), Some("text/xml; charset=utf-8"));
    assert_eq!(
        text(&request),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
         <GetRows xmlns=\"urn:demo:schemas\"><request><Any></Any><Fields>1</Fields><Fields>2</Fields>\
         <Filter><Name>A &amp; &lt;B&gt;</Name><Yes>true</Yes></Filter>\
         <RequestHeader><Password>w-Planted</Password><User>s1</User></RequestHeader></request></GetRows>\
         </soap:Body></soap:Envelope>"
    );
}

#[tokio::test]
async fn what_has_no_form_in_xml_is_refused() {
    let server = serving(&[""]).await;
    for get in
        [r#"{"request": {"a b": 1}}"#, r#"{"request": {"a": [[1]]}}"#, r#"{"request": {"a": "x\u0001"}}"#]
    {
        let error = Product::new(&base(&server), SOAP, &[("get", get)]).call("rows", &[]).await.unwrap_err();
        assert_eq!(error.cause().code, "api.body", "{get}");
    }
    assert!(server.received().is_empty());
}

const FHIR: &str = r#"  style: fhir
  operations:
    find: {path: /Patient, query: {name: "{name}"}, pages: {kind: bundle, size: 50}}
    read: {path: "/Patient/{id}"}
    update: {method: PUT, path: "/Patient/{id}", body: resource}
    patch: {method: PATCH, path: "/Patient/{id}", body: patch}
"#;

#[tokio::test]
async fn fhir_is_searched_read_and_changed() {
    let bundle = r#"{"resourceType": "Bundle", "link": [{"relation": "self", "url": "x"}], "entry": [
        {"resource": {"resourceType": "Patient", "id": "1"}, "search": {"mode": "match"}},
        {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}}]}"#;
    let patient = r#"{"resourceType": "Patient", "id": "1", "meta": {"versionId": "3"}}"#;
    let server = serving(&[bundle, patient, patient]).await;
    let texts =
        [("resource", "resource"), ("patch", r#"[{"op": "replace", "path": "/active", "value": true}]"#)];
    let product = Product::new(&base(&server), FHIR, &texts);

    let found = product.call("find", &[("name", "Planted")]).await.unwrap();
    assert_eq!(found.records.expose(), &[json!({"resourceType": "Patient", "id": "1"})]);
    assert!(found.next.is_none());
    let request = only(&server);
    assert_eq!(request.line, "GET /Patient?name=Planted&_count=50 HTTP/1.1");
    assert_eq!(request.headers.get("accept").map(String::as_str), Some("application/fhir+json"));

    let known: Value = serde_json::from_str(patient).unwrap();
    let input = json!({"resource": known, "known": known});
    product.call_with("update", &[("id", "1")], Some(input), None, None).await.unwrap();
    let request = only(&server);
    assert_eq!(request.line, "PUT /Patient/1 HTTP/1.1");
    assert_eq!(request.headers.get("if-match").map(String::as_str), Some("W/\"3\""));
    assert_eq!(request.headers.get("prefer").map(String::as_str), Some("return=representation"));
    assert_eq!(request.headers.get("content-type").map(String::as_str), Some("application/fhir+json"));

    product.call("patch", &[("id", "1"), ("version", "9")]).await.unwrap();
    let request = only(&server);
    assert_eq!(request.headers.get("if-match").map(String::as_str), Some("W/\"9\""));
    assert_eq!(request.headers.get("content-type").map(String::as_str), Some("application/json-patch+json"));
    assert_eq!(text(&request), r#"[{"op":"replace","path":"/active","value":true}]"#);
}
