//! One connection's interface: its addresses, its settings, its secrets.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{
    Cause,
    config::Secret,
    manifest::{Form, Operation, template},
    remote::{CallError, Party},
};
use reqwest::{Client, Url};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::guard::Guard;
use crate::{Transports, adapter, transport::endpoint};

/// One connection's interface.
pub(super) struct Site<'a> {
    pub(super) party: Party<'a>,
    pub(super) settings: BTreeMap<String, String>,
    base: Url,
    hosts: Vec<String>,
    until: Instant,
}

impl<'a> Site<'a> {
    /// # Errors
    /// [`CallError::Invalid`] when the base is not an address that may be called.
    pub(super) fn of(party: Party<'a>) -> Result<Self, CallError> {
        let settings = today(&party, adapter::settings(party.connection, party.manifest));
        let filled = |text: &str| template::fill(text, |name| settings.get(name)).ok();
        let base = filled(&party.api.base).and_then(|text| base(&text));
        let base =
            base.ok_or_else(|| configuration("the base is not an address that may be called", "api.base"))?;
        let hosts = party.api.hosts.iter().filter_map(|text| filled(text)).collect();
        let until = Instant::now() + party.time_left;
        let site = Self { party, settings, base, hosts, until };
        site.allowed(site.base.clone(), "api.base")?;
        Ok(site)
    }

    /// An operation of the adapter.
    pub(super) fn operation(&self, name: &str) -> Result<&'a Operation, CallError> {
        let operation = self.party.api.operations.get(name);
        operation
            .ok_or_else(|| configuration("the adapter has no such operation", &format!("operations.{name}")))
    }

    /// The client that calls go out by.
    pub(super) fn client<'w>(&self, ways: &'w Transports) -> Result<&'w Client, CallError> {
        ways.api_client(self.guard())
            .map_err(|_| configuration("the machine has no certificates for HTTPS", "api.base"))
    }

    /// How long a call may take that begins now; `None` when no time is left.
    pub(super) fn time(&self) -> Option<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        Some(left.min(Duration::from_secs(self.party.api.timeout))).filter(|time| !time.is_zero())
    }

    /// Whether this is a product under development, or a simulator.
    pub(super) fn guard(&self) -> Guard {
        Guard { local: self.base.scheme() == "http" || is_loopback(&self.base) }
    }

    /// What stands behind the base's slash, or an absolute address. `place` is where the manifest says it.
    pub(super) fn address(&self, path: &str, place: &str) -> Result<Url, CallError> {
        let absolute = path.contains("://");
        if !(absolute || path.is_empty() || path.starts_with('/')) {
            return Err(configuration("a path begins with a slash", place));
        }
        let text = match absolute {
            true => path.to_owned(),
            false => format!("{}{path}", self.base.as_str().trim_end_matches('/')),
        };
        let url = endpoint(&text).ok_or_else(|| configuration("not an address that may be called", place))?;
        self.allowed(url, place)
    }

    /// An address that an answer names, absolute or relative to what was asked.
    pub(super) fn named(&self, text: &str, asked: &Url, place: &str) -> Result<Url, CallError> {
        let url =
            asked.join(text).ok().and_then(|url| endpoint(url.as_str())).ok_or_else(|| refused(place))?;
        match self.begun_elsewhere(&url) {
            Some(here) => self.allowed(here, place),
            None => self.allowed(url, place),
        }
    }

    /// An address below the base of another endpoint, below this one's: where a list goes on that was begun there.
    fn begun_elsewhere(&self, url: &Url) -> Option<Url> {
        let Party { connection, manifest, .. } = self.party;
        let bases = connection.endpoints.iter().filter_map(|endpoint| {
            let settings =
                today(&self.party, adapter::settings(&connection.at(endpoint, manifest), manifest));
            template::fill(&self.party.api.base, |name| settings.get(name)).ok().and_then(|text| base(&text))
        });
        let below =
            |base: &Url| Some(url.as_str().strip_prefix(base.as_str().trim_end_matches('/'))?.to_owned());
        let here = self.base.as_str().trim_end_matches('/');
        let rest = bases.filter(|base| *base != self.base).find_map(|base| below(&base))?;
        let is_below = rest.is_empty() || rest.starts_with(['/', '?']);
        endpoint(&format!("{here}{rest}")).filter(|_| is_below)
    }

    /// Whether a call may go there: to the base's host, or to one in `hosts`.
    fn allowed(&self, url: Url, place: &str) -> Result<Url, CallError> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default();
        let at_home = self.base.host_str() == Some(host) && self.base.port_or_known_default() == port;
        let known = at_home || self.hosts.iter().any(|pattern| fits(pattern, host, port));
        let plain = url.scheme() == "https" || self.guard().local;
        let ip = host.trim_matches(['[', ']']).parse();
        let routed = ip.map_or(true, |ip| self.guard().allows(ip));
        if known && plain && routed { Ok(url) } else { Err(refused(place)) }
    }

    /// A text in which `{name}` is a setting.
    pub(super) fn text(&self, text: &str, place: &str) -> Result<String, CallError> {
        template::fill(text, |name| self.settings.get(name)).map_err(|_| unfilled(place))
    }

    /// A text in which `{name}` is a secret or a setting.
    pub(super) fn secret_text(&self, text: &str, place: &str) -> Result<Zeroizing<String>, CallError> {
        let known = |name: &str| self.secret(name).or_else(|| self.settings.get(name).map(String::as_str));
        template::fill(text, known).map(Zeroizing::new).map_err(|_| unfilled(place))
    }

    /// A secret's current value.
    pub(super) fn secret(&self, name: &str) -> Option<&'a str> {
        let values = self.party.connection.secrets.get(name).map(Secret::values)?;
        values.first().map(|value| value.expose().as_str())
    }
}

/// Settings that count days from today, as the days that they are now.
fn today(party: &Party<'_>, mut settings: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let zone = &party.connection.zone;
    let counts =
        |name: &str| party.manifest.settings.get(name).is_some_and(|setting| setting.form == Form::Days);
    for (_, value) in settings.iter_mut().filter(|(name, _)| counts(name)) {
        // What is no number was refused when the connection was applied.
        if let Some(day) = value.parse().ok().and_then(|days| zone.day(party.now, days)) {
            *value = day;
        }
    }
    settings
}

/// Whether calls may go to a base, as far as its text says.
pub(crate) fn is_base(text: &str) -> bool {
    let ip = |url: &Url| url.host_str().unwrap_or_default().trim_matches(['[', ']']).parse().ok();
    base(text).is_some_and(|url| ip(&url).is_none_or(|ip| Guard { local: is_loopback(&url) }.allows(ip)))
}

/// A base that may be called, with who may answer there.
pub(crate) fn callable(text: &str) -> Option<(Url, Guard)> {
    let url = base(text).filter(|_| is_base(text))?;
    let guard = Guard { local: is_loopback(&url) };
    Some((url, guard))
}

/// A base that calls may go to: paths are put behind it, so it has no query.
fn base(text: &str) -> Option<Url> {
    endpoint(text).filter(|url| url.query().is_none())
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Whether a host is what `hosts` says: `auth.example`, `auth.example:8443`, `*.example`.
fn fits(pattern: &str, host: &str, port: Option<u16>) -> bool {
    let (name, only) = match pattern.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => (name, port.parse().ok()),
        _ => (pattern, None),
    };
    if name.is_empty() || only.is_some() && only != port {
        return false;
    }
    match name.strip_prefix('*') {
        Some(suffix) => suffix.starts_with('.') && host.len() > suffix.len() && host.ends_with(suffix),
        None => host.eq_ignore_ascii_case(name),
    }
}

/// The adapter or the connection cannot be used as it is.
pub(super) fn configuration(text: &str, place: &str) -> CallError {
    CallError::Invalid(Cause::new("api.configuration", text).at(place))
}

fn unfilled(place: &str) -> CallError {
    configuration("a setting or secret that this needs is missing", place)
}

fn refused(place: &str) -> CallError {
    let text = "leads to an address that may not be called: add its host to `hosts` if it should";
    CallError::Invalid(Cause::new("api.address", text).at(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_with_or_without_port_or_their_subdomains() {
        for (pattern, host, fit) in [
            ("auth.example", "auth.example", true),
            ("auth.example", "auth.example.evil", false),
            ("auth.example", "x.auth.example", false),
            ("*.example", "a.example", true),
            ("*.example", "a.b.example", true),
            ("*.example", "example", false),
            ("*.example", "badexample", false),
            ("*example", "badexample", false),
            ("*", "anything", false),
            ("", "", false),
            ("auth.example:443", "auth.example", true),
            ("auth.example:8443", "auth.example", false),
        ] {
            assert_eq!(fits(pattern, host, Some(443)), fit, "{pattern} {host}");
        }
    }
}
