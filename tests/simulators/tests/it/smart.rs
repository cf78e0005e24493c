//! A SMART client: signs its JWT, asks for a token.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa,
    signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA384},
};
use bridge_simulators::{Access, Served};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};

use crate::support::{client, send};

/// `POST` of a form, written by hand: reqwest's own is not among its features here.
pub(crate) async fn post_form(url: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let encode = bridge_simulators::http::encode;
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    send(client().post(url).body(body.join("&"))).await
}

/// Asks the token endpoint; `change` has the last word on header and claims, `sign` on the signed JWT.
pub(crate) async fn ask(
    served: &Served,
    scope: &str,
    jti: &str,
    change: impl Fn(&mut Value, &mut Value),
) -> (u16, Value) {
    let access = served.simulator.connection(&served.base);
    let endpoint = token_endpoint(&access).await;
    let jwt = assertion(&access, &endpoint, served.simulator.clock().now().as_second(), jti, change);
    post_token(&endpoint, scope, &jwt).await
}

pub(crate) async fn post_token(endpoint: &str, scope: &str, jwt: &str) -> (u16, Value) {
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let fields = [
        ("grant_type", "client_credentials"),
        ("scope", scope),
        ("client_assertion_type", kind),
        ("client_assertion", jwt),
    ];
    post_form(endpoint, &fields).await
}

pub(crate) async fn token_endpoint(access: &Access) -> String {
    let url = format!("{}/.well-known/smart-configuration", access.settings["url"]);
    send(client().get(url)).await.1["token_endpoint"].as_str().unwrap().to_owned()
}

pub(crate) fn assertion(
    access: &Access,
    endpoint: &str,
    now: i64,
    jti: &str,
    change: impl Fn(&mut Value, &mut Value),
) -> String {
    let client = &access.settings["client-id"];
    let algorithm = &access.settings["algorithm"];
    let mut header = json!({"alg": algorithm, "kid": access.settings["key-id"], "typ": "JWT"});
    let mut claims = json!({"iss": client, "sub": client, "aud": endpoint, "exp": now + 240, "jti": jti});
    change(&mut header, &mut claims);
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let message = format!("{}.{}", part(&header), part(&claims));
    let signature = sign(algorithm, &access.secrets["private-key"], message.as_bytes());
    format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
}

fn sign(algorithm: &str, pem: &str, message: &[u8]) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64.decode(text.as_bytes()).unwrap();
    let random = SystemRandom::new();
    if algorithm == "ES384" {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &der).unwrap();
        return pair.sign(&random, message).unwrap().as_ref().to_vec();
    }
    let pair = rsa::KeyPair::from_pkcs8(&der).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA384, &random, message, &mut signature).unwrap();
    signature
}

/// A good token.
pub(crate) async fn token(served: &Served, jti: &str) -> String {
    let (status, answer) = ask(served, "", jti, |_, _| {}).await;
    assert_eq!(status, 200, "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

/// What is wrong with an assertion is found, for both algorithms.
#[tokio::test]
async fn assertions_are_really_verified() {
    let epic = crate::support::served(bridge_simulators::epic::Epic::default()).await;
    let oracle = crate::support::served(bridge_simulators::oracle_health::OracleHealth::default()).await;
    for served in [epic, oracle] {
        let (status, good) = ask(&served, "system/Patient.rs system/Nothing.c", "j-1", |_, _| {}).await;
        assert_eq!((status, &good["expires_in"]), (200, &json!(300)), "{good}");
        assert_eq!(good["scope"], "system/Patient.rs", "less than was asked for");
        assert_eq!(good.get("refresh_token"), None);

        type Change = fn(&mut Value, &mut Value);
        let wrong: [(&str, Change); 9] = [
            ("jti", |_, claims| claims["jti"] = json!("j-1")),
            ("exp", |_, claims| claims["exp"] = json!(claims["exp"].as_i64().unwrap() + 120)),
            ("exp", |_, claims| claims["exp"] = json!(1)),
            ("aud", |_, claims| claims["aud"] = json!("https://elsewhere.invalid/token")),
            ("iss", |_, claims| claims["iss"] = json!("another")),
            ("kid", |header, _| header["kid"] = json!("unknown")),
            ("alg", |header, _| header["alg"] = json!("none")),
            ("alg", |header, _| header["alg"] = json!("RS256")),
            ("crit", |header, _| header["crit"] = json!(["x"])),
        ];
        for (count, (about, change)) in wrong.into_iter().enumerate() {
            let (status, answer) = ask(&served, "", &format!("w-{count}"), change).await;
            assert_eq!((status, &answer["error"]), (400, &json!("invalid_client")), "{about}: {answer}");
        }
        // A signature of something else.
        let access = served.simulator.connection(&served.base);
        let endpoint = token_endpoint(&access).await;
        let now = served.simulator.clock().now().as_second();
        let jwt = |jti: &str| assertion(&access, &endpoint, now, jti, |_, _| {});
        let (message, signature) = (jwt("s-1"), jwt("s-2"));
        let forged =
            format!("{}.{}", message.rsplit_once('.').unwrap().0, signature.rsplit_once('.').unwrap().1);
        assert_eq!(post_token(&endpoint, "", &forged).await.1["error"], "invalid_client");
        assert_eq!(
            post_token(&endpoint, "system/Group.cruds", &jwt("s-3")).await.1["error"],
            "invalid_scope"
        );
    }
}

#[tokio::test]
async fn tokens_end_and_open_only_their_scope() {
    let served = crate::support::served(bridge_simulators::oracle_health::OracleHealth::default()).await;
    let url = served.simulator.connection(&served.base).settings["url"].clone();
    let get = |path: &str, token: &str| send(client().get(format!("{url}/{path}")).bearer_auth(token));
    let small = ask(&served, "system/Location.rs", "a", |_, _| {}).await.1["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(get("Location?name=x", &small).await.0, 200);
    let (status, outcome) = get("Patient?family=x", &small).await;
    assert_eq!((status, &outcome["issue"][0]["code"]), (403, &json!("forbidden")));
    served.simulator.clock().advance(std::time::Duration::from_secs(300));
    assert_eq!(get("Location?name=x", &small).await.0, 401);
    let fresh = token(&served, "b").await;
    assert_eq!(get("Location?name=x", &fresh).await.0, 200);
    served.simulator.expire_tokens();
    assert_eq!(get("Location?name=x", &fresh).await.0, 401);
}
