//! How a request proves who makes it.

use bridge_core::{
    Cause,
    manifest::{Auth, template},
    remote::CallError,
};
use data_encoding::BASE64;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    request::{Draft, put, set_header},
    site::{Site, configuration},
};

const PLACE: &str = "api.auth";

pub(super) fn apply(site: &Site<'_>, token: Option<&str>, draft: &mut Draft) -> Result<(), CallError> {
    match &site.party.api.auth {
        Auth::None => Ok(()),
        Auth::Header { name, value } => {
            set_header(&mut draft.headers, name, &site.secret_text(value, PLACE)?, PLACE)
        }
        Auth::Query { name, value } => {
            // A next page's address may have it already.
            if !draft.url.query_pairs().any(|(other, _)| other == *name) {
                let value = site.secret_text(value, PLACE)?.to_string();
                draft.query.push((name.clone(), value));
            }
            Ok(())
        }
        Auth::Basic { user, password } => {
            let user = site.secret_text(user, PLACE)?;
            let value = basic(&user, &site.secret_text(password, PLACE)?);
            set_header(&mut draft.headers, AUTHORIZATION.as_str(), &value, PLACE)
        }
        Auth::Body { places } => {
            for (pointer, text) in places {
                let value = Value::String(site.secret_text(text, PLACE)?.to_string());
                put(draft.body.get_or_insert_with(|| json!({})), pointer, value, PLACE)?;
            }
            Ok(())
        }
        Auth::Oauth2(_) => carry(draft, AUTHORIZATION.as_str(), "Bearer {token}", token),
        Auth::Exchange(exchange) => carry(draft, &exchange.header, &exchange.value, token),
    }
}

fn carry(draft: &mut Draft, header: &str, value: &str, token: Option<&str>) -> Result<(), CallError> {
    let token = token.ok_or_else(|| {
        CallError::Unauthenticated(Cause::new("api.token", "a token has to be fetched first").at(PLACE))
    })?;
    let value = template::fill(value, |name| (name == "token").then_some(token)).map(Zeroizing::new);
    let value = value.map_err(|_| configuration("knows `{token}` alone", "api.auth.value"))?;
    set_header(&mut draft.headers, header, &value, PLACE)
}

/// RFC 7617.
pub(super) fn basic(user: &str, password: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    Zeroizing::new(format!("Basic {}", *Zeroizing::new(BASE64.encode(pair.as_bytes()))))
}
