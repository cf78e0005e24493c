//! Consent, and tokens that rotate. Any new pair ends the access tokens before it.

use std::time::Duration;

use serde_json::json;

use super::{CLIENT, DrChrono};
use crate::{Answer, Request, http::encode};

/// Two days.
const LIFE: Duration = Duration::from_secs(172_800);
const CODE: &str = "drchrono-code-";
const SCOPES: &str = "user:read calendar:read calendar:write patients:read patients:write billing:read \
                      billing:write billing:patient-payment:read billing:patient-payment:write";

impl DrChrono {
    /// The page on which a person agrees: here everybody does, unless `decline=true` is asked for.
    pub(super) fn authorize(&self, request: &Request) -> Answer {
        let (Some(to), Some(client)) = (request.parameter("redirect_uri"), request.parameter("client_id"))
        else {
            return Answer::text(400, "redirect_uri and client_id are needed");
        };
        if client != CLIENT.0 || request.parameter("response_type") != Some("code") {
            return Answer::text(400, "no such application, or not response_type=code");
        }
        let result = if request.parameter("decline") == Some("true") {
            "error=access_denied".to_owned()
        } else {
            let code = format!("{CODE}{}", self.clock.now().as_nanosecond());
            // A code is a grant that is good for one use, as a refresh token is.
            self.tokens.grant(&code, client);
            format!("code={}", encode(&code))
        };
        let state =
            request.parameter("state").map(|state| format!("&state={}", encode(state))).unwrap_or_default();
        let joint = if to.contains('?') { '&' } else { '?' };
        Answer::empty(302).with_header("location", format!("{to}{joint}{result}{state}"))
    }

    pub(super) fn token(&self, request: &Request) -> Answer {
        let form = request.form();
        let field =
            |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        // HTTP Basic is not looked at.
        if (field("client_id"), field("client_secret")) != (Some(CLIENT.0), Some(CLIENT.1)) {
            return error(401, "invalid_client");
        }
        let grant = match field("grant_type") {
            Some("refresh_token") => field("refresh_token").filter(|token| !token.starts_with(CODE)),
            Some("authorization_code") => field("code").filter(|code| code.starts_with(CODE)),
            _ => return error(400, "unsupported_grant_type"),
        };
        let now = self.clock.now();
        let Some(pair) = grant.and_then(|grant| {
            // Looked up before anything ends: a wrong grant must not throw anybody out.
            let pair = self.tokens.rotate(grant, now, LIFE)?;
            self.tokens.expire();
            self.tokens.rotate(&pair.refresh, now, LIFE)
        }) else {
            return error(400, "invalid_grant");
        };
        Answer::json(
            200,
            &json!({
                "access_token": pair.access, "token_type": "Bearer", "expires_in": LIFE.as_secs(),
                "refresh_token": pair.refresh, "scope": SCOPES,
            }),
        )
    }
}

fn error(status: u16, code: &str) -> Answer {
    Answer::json(status, &json!({"error": code}))
}
