//! A connection that can be reached in several places, and what becomes of its work while none of them answers.

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Connection;
use crate::{
    id::{ConnectionId, EndpointName, InvalidId},
    manifest::{Manifest, Transport, template},
};

/// One place where a connection can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Endpoint {
    /// Unique in its connection; stands in the record of each attempt.
    pub name: EndpointName,
    /// Stands in for the setting that the adapter's address begins with.
    pub url: String,
    /// Its share of the calls among the healthy endpoints of its role: one of weight 3 gets three times as many as one of
    /// weight 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// When it is called.
    #[serde(default, skip_serializing_if = "Role::is_primary")]
    pub role: Role,
    /// What of the connection is there, where its adapter has both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serves: Option<Serves>,
    /// Settings that are others here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_one(weight: &u32) -> bool {
    *weight == 1
}

/// When an endpoint is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// While it is healthy.
    #[default]
    Primary,
    /// While no primary one is healthy.
    Standby,
}

impl Role {
    const fn is_primary(&self) -> bool {
        matches!(self, Self::Primary)
    }
}

/// One of the two sides of a connection that are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Serves {
    /// What takes deliveries: a webhook, or HL7 v2.
    Deliveries,
    /// The product's own interface.
    Interface,
}

/// How several endpoints are used. An adapter says what holds for its product, a connection what is agreed with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Failover {
    /// What stays with one endpoint as long as that is healthy. Default: `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// A repeat at one endpoint is known at all of them. Without it what may have happened at one endpoint is never sent
    /// to another. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_book: Option<bool>,
}

impl Failover {
    /// What is left out, as `defaults` say.
    #[must_use]
    pub fn over(self, defaults: Self) -> Self {
        Self { sticky: self.sticky.or(defaults.sticky), one_book: self.one_book.or(defaults.one_book) }
    }
}

/// What stays with one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sticky {
    /// Nothing: each call is shared out by weight.
    #[default]
    None,
    /// The work of a lane.
    Lane,
    /// The whole connection: its session is at one endpoint.
    Token,
}

/// What becomes of a connection's work while it can't be reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Fallback {
    /// Who gets deliveries instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<Alternative>,
    /// Answers from before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<OldAnswers>,
}

/// Who gets deliveries that their destination does not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Alternative {
    /// Once every endpoint has failed for so many minutes.
    pub after: u32,
    /// Who.
    pub to: Instead,
}

/// The other way of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// A file in the outbox.
    Outbox,
    /// Another connection of the tenant.
    Connection(ConnectionId),
}

/// The word for the outbox. No connection has this name: theirs have a dot.
const OUTBOX: &str = "outbox";

impl FromStr for Instead {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text == OUTBOX { Ok(Self::Outbox) } else { text.parse().map(Self::Connection) }
    }
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outbox => f.write_str(OUTBOX),
            Self::Connection(id) => id.fmt(f),
        }
    }
}

impl Serialize for Instead {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| de::Error::custom(format!("`{OUTBOX}`, or: {error}")))
    }
}

/// How old an answer may be that stands in for a product that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OldAnswers {
    /// In minutes; 0: no old answer is given out.
    pub stale_for: u32,
}

impl Default for OldAnswers {
    fn default() -> Self {
        Self { stale_for: 24 * 60 }
    }
}

impl Connection {
    /// The connection as it is at one of its endpoints: with the settings of that place.
    #[must_use]
    pub fn at(&self, endpoint: &Endpoint, manifest: &Manifest) -> Self {
        let mut there = self.clone();
        let serves = endpoint.serves(manifest);
        if let Some(setting) = serves.and_then(|serves| manifest.address_setting(serves)) {
            there.settings.insert(setting.to_owned(), endpoint.url.clone());
        }
        there.settings.extend(endpoint.settings.clone());
        there
    }

    /// The connection with all settings that it needs: those that it leaves to its endpoints are the first one's.
    pub fn whole(&self, manifest: &Manifest) -> Cow<'_, Self> {
        let mut whole = Cow::Borrowed(self);
        for endpoint in &self.endpoints {
            let there = self.at(endpoint, manifest).settings;
            for (name, value) in there {
                if !whole.settings.contains_key(&name) {
                    whole.to_mut().settings.insert(name, value);
                }
            }
        }
        whole
    }

    /// How the endpoints of one side are used.
    pub fn failover(&self, manifest: &Manifest, serves: Serves) -> Failover {
        let adapters = match serves {
            Serves::Deliveries => manifest.deliver.as_ref().and_then(|deliver| deliver.failover),
            Serves::Interface => manifest.api.as_ref().and_then(|api| api.failover),
        };
        self.failover.unwrap_or_default().over(adapters.unwrap_or_default())
    }
}

impl Endpoint {
    /// What is there; `None` where the adapter has both sides and the endpoint does not say, or has neither.
    pub fn serves(&self, manifest: &Manifest) -> Option<Serves> {
        let sides = [Serves::Deliveries, Serves::Interface];
        let mut sides = sides.into_iter().filter(|side| manifest.address(*side).is_some());
        match (self.serves, sides.next(), sides.next()) {
            (Some(said), _, _) => Some(said),
            (None, Some(only), None) => Some(only),
            (None, _, _) => None,
        }
    }
}

impl Manifest {
    /// The address of one side, with settings in it. Deliveries that the interface writes have none of their own.
    pub fn address(&self, serves: Serves) -> Option<&str> {
        match serves {
            Serves::Interface => self.api.as_ref().map(|api| api.base.as_str()),
            Serves::Deliveries => match &self.deliver.as_ref()?.transport {
                Transport::StandardWebhook { url, .. } | Transport::Hl7v2 { url, .. } => Some(url),
                Transport::Api => None,
            },
        }
    }

    /// The setting that the address begins with: where the connection says where it is.
    pub fn address_setting(&self, serves: Serves) -> Option<&str> {
        let address = self.address(serves)?;
        let names = template::names(address).ok()?;
        names.first().copied().filter(|_| address.starts_with('{'))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn manifest() -> Manifest {
        let text = json!({
            "adapter": "twice", "version": 1, "title": "With both sides",
            "settings": {"url": {"about": "where"}, "site": {"about": "which"}},
            "api": {"base": "{url}/v1/{site}", "operations": {}},
            "deliver": {"transport": {"kind": "hl7v2", "url": "{send-to}"}, "failover": {"sticky": "lane"}},
        });
        serde_json::from_str(&text.to_string()).unwrap()
    }

    fn connection(more: Value) -> Connection {
        let mut text =
            json!({"connection": "a.b", "adapter": "twice", "zone": "UTC", "settings": {"site": "7"}});
        text.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_str(&text.to_string()).unwrap()
    }

    #[test]
    fn an_endpoint_replaces_the_setting_that_its_side_begins_with() {
        let manifest = manifest();
        let connection = connection(json!({"endpoints": [
            {"name": "west", "url": "https://west.example", "serves": "interface", "settings": {"site": "8"}},
            {"name": "lab", "url": "mllps://lab.example:2575", "serves": "deliveries", "role": "standby", "weight": 2},
        ]}));
        let [west, lab] = connection.endpoints.as_slice() else { panic!("two endpoints") };
        let there = connection.at(west, &manifest);
        assert_eq!((&*there.settings["url"], &*there.settings["site"]), ("https://west.example", "8"));
        assert_eq!(connection.at(lab, &manifest).settings["send-to"], "mllps://lab.example:2575");
        let whole = connection.whole(&manifest);
        assert_eq!((&*whole.settings["url"], &*whole.settings["site"]), ("https://west.example", "7"));
        // With both sides an endpoint has to say which it is.
        let silent = Endpoint { serves: None, ..lab.clone() };
        assert_eq!(silent.serves(&manifest), None);
    }

    #[test]
    fn a_connection_has_the_last_word_about_its_endpoints() {
        let manifest = manifest();
        let own = connection(json!({"failover": {"one-book": true}})).failover(&manifest, Serves::Deliveries);
        assert_eq!(own, Failover { sticky: Some(Sticky::Lane), one_book: Some(true) });
        let own = connection(json!({"failover": {"sticky": "none"}})).failover(&manifest, Serves::Deliveries);
        assert_eq!(own.sticky, Some(Sticky::None));
        assert_eq!(connection(json!({})).failover(&manifest, Serves::Interface), Failover::default());
    }

    #[test]
    fn the_other_way_is_the_outbox_or_a_connection() {
        let connection = connection(json!({
            "fallback": {"deliveries": {"after": 30, "to": "outbox"}, "reads": {"stale-for": 60}},
            "routes": [{"to": "a.c", "resources": [], "fallback": {"after": 5, "to": "a.d"}}],
        }));
        let fallback = connection.fallback.as_ref().unwrap();
        assert_eq!(fallback.deliveries.as_ref().unwrap().to, Instead::Outbox);
        assert_eq!(connection.routes[0].fallback.as_ref().unwrap().to.to_string(), "a.d");
        let text = serde_json::to_string(fallback).unwrap();
        assert_eq!(serde_json::from_str::<Fallback>(&text).unwrap(), *fallback);
        let wrong: Result<Alternative, _> = serde_json::from_value(json!({"after": 1, "to": "nowhere"}));
        assert!(wrong.unwrap_err().to_string().contains("`outbox`, or"));
    }
}
