//! Tokens: by OAuth 2.0 (RFC 6749), by SMART backend services, or by a call of the product's own.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{
    Cause, Phi,
    manifest::{Auth, ClientAuth, Exchange, Grant, OAuth2, scalar},
    remote::{Authenticate, CallError, Token},
};
use reqwest::{
    Method, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::{Map, Value};

use super::{
    assertion, auth, encode,
    request::{Outgoing, set_header},
    send::{Lost, Reply, send},
    site::{Site, configuration},
};
use crate::{Transports, transport::retry_after};

const PLACE: &str = "api.auth";
/// How long a token is used that does not say how long it is good for.
const ASSUMED: u64 = 300;
/// Before its end a token is not used any more: clocks differ, and calls take their time.
const MARGIN: u64 = 60;
/// Error codes of RFC 6749, section 5.2: anything else may be somebody's words.
const ERRORS: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

pub(super) async fn authenticate(ways: &Transports, ask: &Authenticate<'_>) -> Result<Token, CallError> {
    let site = Site::of(ask.party)?;
    match &ask.party.api.auth {
        Auth::Oauth2(oauth) => oauth2(ways, &site, oauth, ask).await,
        Auth::Exchange(exchange) => exchanged(ways, &site, exchange, ask).await,
        _ => Err(configuration("the interface needs no token", PLACE)),
    }
}

async fn oauth2(
    ways: &Transports,
    site: &Site<'_>,
    oauth: &OAuth2,
    ask: &Authenticate<'_>,
) -> Result<Token, CallError> {
    let url = match &oauth.token_url {
        Some(text) => site.address(&site.text(text, PLACE)?, "api.auth.token-url")?,
        None => ways.discovered.token_endpoint(ways, site).await?,
    };
    let (form, headers) = token_request(site, oauth, ask, &url).await?;
    let body = encode::pairs(form.iter().map(|(name, value)| (&**name, value.expose().as_str())));
    let outgoing = Outgoing { method: Method::POST, url, headers, body: Some(body.into_bytes()) };
    let reply = send(site.client(ways)?, outgoing, time(site)).await;
    // A refresh token that an answer replaced is of no more use, and the answer is gone.
    let used_up = oauth.grant == Grant::RefreshToken;
    let answer = answer(&reply.map_err(|lost| unanswered(lost, used_up))?, ask)?;
    let text = |key: &str| answer.get(key).and_then(scalar);
    let access = text("access_token").ok_or_else(|| wrong("the answer has no `access_token`"))?;
    if text("token_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(wrong("the token is of a type that is not sent as `Bearer`"));
    }
    let lifetime = text("expires_in").and_then(|seconds| seconds.parse::<f64>().ok());
    // Negative and absurd numbers become 0 and the largest there is.
    let lifetime = lifetime.map_or(ASSUMED, |seconds| seconds as u64);
    let refresh = text("refresh_token").map(Phi::new);
    Ok(Token { access: Phi::new(access), until: ask.party.now + used_for(lifetime), refresh })
}

type Form = Vec<(String, Phi<String>)>;

async fn token_request(
    site: &Site<'_>,
    oauth: &OAuth2,
    ask: &Authenticate<'_>,
    url: &Url,
) -> Result<(Form, HeaderMap), CallError> {
    let mut form = Form::new();
    let mut add = |name: &str, value: &str| form.push((name.to_owned(), Phi::new(value.to_owned())));
    match oauth.grant {
        Grant::ClientCredentials => add("grant_type", "client_credentials"),
        Grant::RefreshToken => {
            let first = oauth.refresh_token.as_deref().and_then(|name| site.secret(name));
            let refresh = ask.refresh.map(|kept| kept.expose().as_str()).or(first);
            let refresh = refresh.ok_or_else(|| configuration("there is no refresh token", PLACE))?;
            add("grant_type", "refresh_token");
            add("refresh_token", refresh);
        }
    }
    let scope = site.text(&oauth.scope, PLACE)?;
    if !scope.is_empty() {
        add("scope", &scope);
    }
    for (name, text) in &oauth.parameters {
        add(name, &site.secret_text(text, PLACE)?);
    }
    let mut headers = headers(site)?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    match &oauth.client {
        ClientAuth::Basic { id, secret } => {
            // RFC 6749, section 2.3.1: both are encoded first.
            let encoded = |text: &str| site.secret_text(text, PLACE).map(|text| encode::percent(&text));
            let value = auth::basic(&encoded(id)?, &encoded(secret)?);
            set_header(&mut headers, AUTHORIZATION.as_str(), &value, PLACE)?;
        }
        ClientAuth::Body { id, secret } => {
            add("client_id", &site.secret_text(id, PLACE)?);
            add("client_secret", &site.secret_text(secret, PLACE)?);
        }
        ClientAuth::PrivateKeyJwt { id, key_id, key, algorithm } => {
            let claims = assertion::Claims {
                client: &site.secret_text(id, PLACE)?,
                audience: url.as_str(),
                nonce: ask.nonce,
                now: ask.party.now,
            };
            let jwt = match (site.secret_text(key, PLACE), ask.signer) {
                (Ok(key), _) => {
                    let (key_id, algorithm) =
                        (site.secret_text(key_id, PLACE)?, site.text(algorithm, PLACE)?);
                    assertion::signed(&claims, &key_id, &key, &algorithm)?
                }
                (Err(_), Some(signer)) => assertion::signed_by(&claims, signer).await?,
                (Err(_), None) => {
                    let text = "there is no private key, and no key of the bridge signs by this algorithm: make one \
                                with `bridge keys create`";
                    return Err(configuration(text, "api.auth.client"));
                }
            };
            add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            add("client_assertion", &jwt);
        }
    }
    Ok((form, headers))
}

async fn exchanged(
    ways: &Transports,
    site: &Site<'_>,
    exchange: &Exchange,
    ask: &Authenticate<'_>,
) -> Result<Token, CallError> {
    let url = site.address(&site.text(&exchange.path, PLACE)?, "api.auth.path")?;
    let mut headers = headers(site)?;
    for (name, text) in &exchange.headers {
        set_header(&mut headers, name, &site.secret_text(text, PLACE)?, "api.auth.headers")?;
    }
    let mut body = Map::new();
    for (name, text) in &exchange.body {
        body.insert(name.clone(), Value::String(site.secret_text(text, PLACE)?.to_string()));
    }
    let body = if body.is_empty() {
        None
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Some(Value::Object(body).to_string().into_bytes())
    };
    let outgoing = Outgoing { method: Method::POST, url, headers, body };
    let reply = send(site.client(ways)?, outgoing, time(site)).await;
    let answer = answer(&reply.map_err(|lost| unanswered(lost, false))?, ask)?;
    let access = answer.pointer(&exchange.token).and_then(scalar);
    let access = access.ok_or_else(|| wrong("the answer has no token where the adapter says"))?;
    Ok(Token { access: Phi::new(access), until: ask.party.now + used_for(exchange.lifetime), refresh: None })
}

/// The interface's headers: a product that asks for a user agent asks here, too.
fn headers(site: &Site<'_>) -> Result<HeaderMap, CallError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, text) in &site.party.api.headers {
        let value = site.text(text, "api.headers")?;
        if !value.is_empty() && name != ACCEPT.as_str() {
            set_header(&mut headers, name, &value, "api.headers")?;
        }
    }
    Ok(headers)
}

fn time(site: &Site<'_>) -> Duration {
    site.time().unwrap_or_default()
}

fn used_for(lifetime: u64) -> Duration {
    Duration::from_secs(lifetime - MARGIN.min(lifetime / 4))
}

fn answer(reply: &Reply, ask: &Authenticate<'_>) -> Result<Value, CallError> {
    let body: Option<Value> = serde_json::from_slice(&reply.bytes).ok();
    let error = body.as_ref().and_then(|body| body.get("error")?.as_str());
    let error = ERRORS.iter().find(|known| Some(**known) == error);
    let status = reply.status;
    let told =
        error.map_or_else(|| format!("answered {status}"), |error| format!("answered {status}: {error}"));
    let cause = Cause::new("api.token", told).at(PLACE);
    let wait = || retry_after::parse(reply.headers.get("retry-after")?.to_str().ok()?, ask.party.now);
    match (status, error) {
        (200..=299, None) => body.ok_or_else(|| wrong("the answer is not JSON")),
        (_, Some(&("invalid_client" | "invalid_grant" | "unauthorized_client"))) | (401, None) => {
            Err(CallError::Unauthenticated(cause))
        }
        (403, None) => Err(CallError::Forbidden(cause)),
        (429, _) => Err(CallError::Throttled(wait(), cause)),
        (408 | 425 | 500.., _) => Err(CallError::Retry(wait(), cause)),
        _ => Err(CallError::Invalid(cause)),
    }
}

fn wrong(text: &str) -> CallError {
    CallError::Invalid(Cause::new("api.token", text).at(PLACE))
}

fn unanswered(lost: Lost, used_up: bool) -> CallError {
    match lost {
        Lost::Refused(cause) => CallError::Invalid(cause),
        Lost::Unsent(cause) => CallError::Retry(None, cause),
        Lost::Unknown(cause) if used_up => CallError::Unknown(cause),
        Lost::Unknown(cause) => CallError::Retry(None, cause),
        Lost::TooLarge => wrong("the answer is too large"),
    }
}

/// What `.well-known/smart-configuration` said (SMART App Launch 2.2, "Conformance"), by the address that was asked.
#[derive(Debug, Default)]
pub(crate) struct Discovered(std::sync::Mutex<BTreeMap<String, (Url, bridge_core::Timestamp)>>);

impl Discovered {
    /// Servers move seldom.
    const KEPT: Duration = Duration::from_secs(3600);

    async fn token_endpoint(&self, ways: &Transports, site: &Site<'_>) -> Result<Url, CallError> {
        let place = "smart-configuration.token_endpoint";
        let asked = site.address("/.well-known/smart-configuration", "api.base")?;
        let now = site.party.now;
        let known = || self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((url, at)) = known().get(asked.as_str())
            && now.since(*at) < Self::KEPT
        {
            // `hosts` may say something else by now.
            return site.named(url.as_str(), &asked, place);
        }
        let outgoing =
            Outgoing { method: Method::GET, url: asked.clone(), headers: headers(site)?, body: None };
        let reply = send(site.client(ways)?, outgoing, time(site)).await;
        let reply = reply.map_err(|lost| unanswered(lost, false))?;
        if reply.status != 200 {
            let cause =
                Cause::new("api.token", format!("answered {}", reply.status)).at("smart-configuration");
            return Err(match reply.status {
                408 | 425 | 429 | 500.. => CallError::Retry(None, cause),
                _ => CallError::Invalid(cause),
            });
        }
        let body: Option<Value> = serde_json::from_slice(&reply.bytes).ok();
        let endpoint = body.and_then(|body| body.get("token_endpoint").and_then(scalar));
        let url = site.named(
            &endpoint.ok_or_else(|| wrong("the discovery names no token endpoint"))?,
            &asked,
            place,
        )?;
        known().insert(asked.into(), (url.clone(), now));
        Ok(url)
    }
}
