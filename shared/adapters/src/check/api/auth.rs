//! How calls prove who makes them.

use std::collections::BTreeMap;

use bridge_core::manifest::{Auth, ClientAuth, Grant, OAuth2};

use super::{Around, Place, Problems, headers, is_header, limits, pointer};
use crate::{Fault, template};

/// The texts in which secrets may stand, each with its keys.
fn texts(auth: &Auth) -> Vec<(Vec<&str>, &str)> {
    match auth {
        Auth::None => Vec::new(),
        Auth::Header { value, .. } | Auth::Query { value, .. } => vec![(vec!["value"], value)],
        Auth::Basic { user, password } => vec![(vec!["user"], user), (vec!["password"], password)],
        Auth::Body { places } => entries("places", places),
        Auth::Oauth2(OAuth2 { client, parameters, token_url, scope, .. }) => {
            let mut texts = match client {
                ClientAuth::Basic { id, secret } | ClientAuth::Body { id, secret } => {
                    vec![(vec!["client", "id"], id.as_str()), (vec!["client", "secret"], secret.as_str())]
                }
                ClientAuth::PrivateKeyJwt { id, key_id, key, algorithm } => vec![
                    (vec!["client", "id"], id.as_str()),
                    (vec!["client", "key-id"], key_id.as_str()),
                    (vec!["client", "key"], key.as_str()),
                    (vec!["client", "algorithm"], algorithm.as_str()),
                ],
            };
            texts.extend(entries("parameters", parameters));
            texts.push((vec!["scope"], scope));
            texts.extend(token_url.iter().map(|url| (vec!["token-url"], url.as_str())));
            texts
        }
        Auth::Exchange(exchange) => {
            let mut texts = entries("headers", &exchange.headers);
            texts.extend(entries("body", &exchange.body));
            texts.push((vec!["path"], &exchange.path));
            texts
        }
    }
}

fn entries<'a>(key: &'a str, texts: &'a BTreeMap<String, String>) -> Vec<(Vec<&'a str>, &'a str)> {
    texts.iter().map(|(name, text)| (vec![key, name.as_str()], text.as_str())).collect()
}

/// The names of the secrets and settings that it uses.
pub(in super::super) fn secrets(auth: &Auth) -> impl Iterator<Item = &str> {
    let refresh = match auth {
        Auth::Oauth2(oauth) => oauth.refresh_token.as_deref(),
        _ => None,
    };
    texts(auth).into_iter().flat_map(|(_, text)| template::names(text).unwrap_or_default()).chain(refresh)
}

pub(super) fn auth(auth: &Auth, around: &Around<'_>, place: &Place, problems: &mut Problems) {
    let manifest = around.manifest;
    let secret =
        |name: &str| manifest.secrets.contains_key(name) || manifest.optional_secrets.contains_key(name);
    // These are no place for a secret: addresses are logged by everybody on the way.
    let open = ["token-url", "path", "scope"];
    for (keys, text) in texts(auth) {
        let may_be_secret = keys.first().is_none_or(|key| !open.contains(key));
        let place = keys.iter().fold(place.clone(), |place, key| place.at(key));
        around.names(text, place, problems, |name| {
            manifest.settings.contains_key(name) || may_be_secret && secret(name)
        });
    }
    match auth {
        Auth::Header { name, .. } => problems.unless(is_header(name), place.at("name"), || Fault::Header),
        Auth::Body { places } => {
            for text in places.keys() {
                pointer(text, place.at("places").at(text), problems);
            }
        }
        Auth::Oauth2(oauth) => {
            limits(&oauth.limits, place, problems);
            let refresh = oauth.grant == Grant::RefreshToken;
            problems.unless(!refresh || oauth.refresh_token.is_some(), place.at("refresh-token"), || {
                Fault::Needs("grant: refresh-token", "refresh-token")
            });
            if let Some(name) = &oauth.refresh_token {
                problems
                    .unless(secret(name), place.at("refresh-token"), || Fault::NoSuchSecret(name.clone()));
            }
        }
        Auth::Exchange(exchange) => {
            headers(&exchange.headers, place, problems);
            pointer(&exchange.token, place.at("token"), problems);
            problems.unless(is_header(&exchange.header), place.at("header"), || Fault::Header);
            let only_token = template::names(&exchange.value).is_ok_and(|names| names == ["token"]);
            problems.unless(only_token, place.at("value"), || Fault::TokenTemplate);
            problems.unless(exchange.lifetime > 0, place.at("lifetime"), || {
                Fault::OutOfRange(1, u64::from(u32::MAX))
            });
        }
        Auth::None | Auth::Query { .. } | Auth::Basic { .. } => {}
    }
}
