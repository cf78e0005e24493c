//! A token endpoint for SMART backend services (SMART App Launch 2.2, "Backend Services" and "Asymmetric client
//! authentication"): the client's JWT is verified, and good for one token.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    keys::{self, Algorithm},
    outcome::Refusal,
};
use crate::{Answer, Request};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Access tokens live so long; the specification recommends no more.
const LIFE: Duration = Duration::from_secs(300);
/// A JWT must end within five minutes.
const LONGEST: i64 = 300;

/// One registered client, and the tokens it was given.
#[derive(Debug)]
pub struct Smart {
    client: String,
    scopes: &'static [&'static str],
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The client's registered public keys.
    keys: Vec<Value>,
    /// `jti` that were used, until their JWT would have ended.
    used: HashMap<String, i64>,
    tokens: HashMap<String, (Vec<String>, Timestamp)>,
    given: u64,
}

impl Smart {
    /// A server that knows one client, which may be given these scopes (`system/Patient.rs`).
    #[must_use]
    pub fn new(client: &str, scopes: &'static [&'static str], key: Option<Value>) -> Self {
        let state = State { keys: key.into_iter().collect(), ..State::default() };
        Self { client: client.to_owned(), scopes, state: Mutex::new(state) }
    }

    /// Replaces the client's keys, as when its JWKS URL gives others after a rotation.
    pub fn register(&self, keys: Vec<Value>) {
        self.state().keys = keys;
    }

    /// `POST` to the token endpoint at `address`.
    pub fn token(&self, request: &Request, address: &str, now: Timestamp) -> Answer {
        match self.exchange(request, address, now) {
            Ok(answer) => Answer::json(200, &answer).with_header("cache-control", "no-store"),
            Err((error, why)) => Answer::json(400, &json!({"error": error, "error_description": why})),
        }
    }

    fn exchange(
        &self,
        request: &Request,
        address: &str,
        now: Timestamp,
    ) -> Result<Value, (&'static str, String)> {
        let form: HashMap<String, String> = request.form().into_iter().collect();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if field("grant_type") != "client_credentials" {
            return Err(("unsupported_grant_type", "only client_credentials".to_owned()));
        }
        if field("client_assertion_type") != ASSERTION || request.header("authorization").is_some() {
            return Err((
                "invalid_request",
                "a client_assertion of type jwt-bearer, and nothing else".to_owned(),
            ));
        }
        let mut state = self.state();
        let client_error = |why: &str| ("invalid_client", why.to_owned());
        self.check(&mut state, field("client_assertion"), address, now).map_err(client_error)?;

        let scopes: Vec<String> = match field("scope") {
            "" => self.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            asked => asked.split(' ').filter(|scope| self.may_have(scope)).map(str::to_owned).collect(),
        };
        if scopes.is_empty() {
            return Err(("invalid_scope", "none of the scopes is registered for the client".to_owned()));
        }
        state.given += 1;
        let token = format!("sim-smart-{}", state.given);
        let scope = scopes.join(" ");
        state.tokens.insert(token.clone(), (scopes, now.saturating_add(LIFE).unwrap_or(Timestamp::MAX)));
        Ok(
            json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFE.as_secs(), "scope": scope}),
        )
    }

    /// The JWT's header, claims and signature (RFC 7523, section 3).
    fn check(&self, state: &mut State, jwt: &str, address: &str, now: Timestamp) -> Result<(), &'static str> {
        let mut parts = jwt.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("the assertion is no JWT");
        };
        let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).ok();
        let object = |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).ok();
        let (Some(head), Some(body), Some(signed)) = (object(header), object(claims), decoded(signature))
        else {
            return Err("the assertion is no JWT");
        };
        let text =
            |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();

        let algorithm = Algorithm::of(&text(&head, "alg")).ok_or("alg must be RS384 or ES384")?;
        let kid = text(&head, "kid");
        if kid.is_empty() || text(&head, "typ") != "JWT" || head.get("crit").is_some() {
            return Err("the header must have kid and typ JWT, and no crit");
        }
        let fitting: Vec<&Value> = state.keys.iter().filter(|key| text(key, "kid") == kid).collect();
        let [key] = fitting.as_slice() else { return Err("no registered key has this kid") };
        let message = format!("{header}.{claims}");
        if !keys::verify(algorithm, key, message.as_bytes(), &signed) {
            return Err("the signature is wrong");
        }
        if text(&body, "iss") != self.client || text(&body, "sub") != self.client {
            return Err("iss and sub must be the client's id");
        }
        let is_for_us = match body.get("aud") {
            Some(Value::Array(all)) => all.iter().any(|one| one == address),
            Some(one) => one == address,
            None => false,
        };
        if !is_for_us {
            return Err("aud must be the token endpoint");
        }
        let now = now.as_second();
        let end = body.get("exp").and_then(Value::as_i64).ok_or("exp is missing")?;
        if end <= now || end > now + LONGEST {
            return Err("exp must lie ahead, by five minutes at most");
        }
        if body.get("nbf").and_then(Value::as_i64).is_some_and(|begin| begin > now) {
            return Err("nbf lies ahead");
        }
        let jti = text(&body, "jti");
        state.used.retain(|_, until| *until > now);
        if jti.is_empty() || state.used.insert(jti, end).is_some() {
            return Err("jti must be there, and new");
        }
        Ok(())
    }

    /// Whether a call may do `letter` (of `cruds`) with a resource type.
    ///
    /// # Errors
    /// 401 without a token that is good now, 403 when it is not for this.
    pub fn let_in(
        &self,
        request: &Request,
        resource: &str,
        letter: char,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let state = self.state();
        let token = request.credentials("Bearer").and_then(|token| state.tokens.get(token));
        let Some((scopes, _)) = token.filter(|(_, until)| now < *until) else {
            return Err(Refusal::new(401, "login", "The access token is missing or no longer good"));
        };
        if scopes.iter().any(|scope| grants(scope, resource, letter)) {
            return Ok(());
        }
        Err(Refusal::new(403, "forbidden", "The token's scope does not cover this"))
    }

    /// Forgets every token.
    pub fn expire(&self) {
        self.state().tokens.clear();
    }

    /// A scope that was asked for is granted when the registered ones cover all of it.
    fn may_have(&self, asked: &str) -> bool {
        let Some((resource, letters)) = parse(asked) else { return false };
        letters.chars().all(|letter| self.scopes.iter().any(|scope| grants(scope, resource, letter)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `GET {base}/.well-known/smart-configuration` says.
#[must_use]
pub fn configuration(token_endpoint: &str, scopes: &[&str]) -> Answer {
    Answer::json(
        200,
        &json!({
            "token_endpoint": token_endpoint,
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "scopes_supported": scopes,
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
        }),
    )
}

/// Resource type and letters of a scope; version 1 (`.read`, `.write`, `.*`) in the letters of version 2.
fn parse(scope: &str) -> Option<(&str, &str)> {
    let (resource, letters) = scope.strip_prefix("system/")?.split_once('.')?;
    let letters = match letters {
        "read" => "rs",
        "write" => "cud",
        "*" => "cruds",
        letters => letters,
    };
    let mut rest = "cruds".chars();
    let in_order = letters.chars().all(|letter| rest.any(|known| known == letter));
    (in_order && !letters.is_empty()).then_some((resource, letters))
}

fn grants(scope: &str, resource: &str, letter: char) -> bool {
    parse(scope)
        .is_some_and(|(known, letters)| (known == "*" || known == resource) && letters.contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_in_both_versions_and_never_widened() {
        assert!(grants("system/Patient.rs", "Patient", 's') && grants("system/*.read", "Slot", 'r'));
        assert!(!grants("system/Patient.rs", "Patient", 'c') && !grants("system/Patient.rs", "Slot", 'r'));
        assert!(!grants("system/Patient.sr", "Patient", 'r') && !grants("patient/*.rs", "Patient", 'r'));
    }
}
