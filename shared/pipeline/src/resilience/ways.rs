//! By which of its endpoints a connection is called: the healthy ones by weight, primary ones before standbys.
//!
//! An endpoint's breaker says whether it is healthy. One that asked not to be called keeps the whole connection quiet: what
//! a product allows is allowed to a practice, not to an address.

use std::sync::Arc;

use bridge_core::{
    Timestamp,
    config::{Role, Serves},
    id::{ConnectionId, EndpointName},
};
use bridge_seal::sha256;
use serde::Serialize;

use super::endpoint::Standing;
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    ports::{Clock, Ports},
    stage::Failure,
};

/// One place where one side of a connection is called. Each has a breaker of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId {
    /// Whose.
    pub connection: ConnectionId,
    /// Which side.
    pub serves: Serves,
    /// `None` where the side has one address, and so no name for it.
    pub name: Option<EndpointName>,
}

impl EndpointId {
    /// What takes the deliveries of a connection with one address.
    pub const fn deliveries(connection: ConnectionId) -> Self {
        Self { connection, serves: Serves::Deliveries, name: None }
    }

    /// The name, or nothing.
    pub fn word(&self) -> &str {
        self.name.as_ref().map_or("", EndpointName::as_str)
    }

    pub(super) fn in_key(&self) -> String {
        let side = match self.serves {
            Serves::Deliveries => "",
            Serves::Interface => "#interface",
        };
        let at = if self.name.is_some() { "@" } else { "" };
        format!("{}{side}{at}{}", self.connection, self.word())
    }
}

/// One way to call a connection.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) id: EndpointId,
    /// The connection as it is there.
    pub(crate) to: Arc<Loaded>,
    pub(crate) role: Role,
    pub(crate) weight: u32,
}

/// How the ways of a connection stand.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    healthy: Vec<usize>,
    /// Those whose probe is due.
    due: Vec<usize>,
    /// When the first of the others may be called.
    until: Option<Timestamp>,
    quiet: Option<Timestamp>,
    /// Since when none of them is healthy.
    pub(crate) down_since: Option<Timestamp>,
}

impl Survey {
    /// Until when nobody is called.
    pub(crate) fn waits(&self) -> Option<Timestamp> {
        let none = self.healthy.is_empty() && self.due.is_empty();
        self.quiet.or_else(|| self.until.filter(|_| none))
    }

    /// Whether the connection only asked for quiet.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet.is_some()
    }

    /// Whether one of them is called as ever.
    pub(crate) const fn has_healthy(&self) -> bool {
        !self.healthy.is_empty()
    }
}

/// What a caller wants.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Want<'a> {
    /// What has the same key goes to the same endpoint, as long as that is healthy.
    pub(crate) key: Option<&'a str>,
    /// It has just failed: another healthy one is better.
    pub(crate) avoid: Option<&'a str>,
}

/// What is chosen.
#[derive(Debug)]
pub(crate) struct Pick {
    pub(crate) way: Way,
    /// A better one that failed, and whose probe is due.
    pub(crate) probe: Option<Way>,
}

/// An endpoint, for who looks after it.
#[derive(Debug, Clone, Serialize)]
pub struct EndpointState {
    /// Its name; empty where there is one alone.
    pub endpoint: String,
    /// Which side of the connection.
    pub serves: Serves,
    /// When it is called.
    pub role: Role,
    /// Its share among those of its role.
    pub weight: u32,
    /// `healthy`, `failing` or `quiet`.
    pub state: &'static str,
    /// Since when it fails, or until when it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl<P: Ports> Bridge<P> {
    /// How the endpoints of a connection stand, of both sides.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn endpoint_states(&self, loaded: &Arc<Loaded>) -> Result<Vec<EndpointState>, Failure> {
        let mut states = Vec::new();
        let sides = [Serves::Deliveries, Serves::Interface];
        for serves in sides.into_iter().filter(|side| loaded.manifest.address(*side).is_some()) {
            for way in loaded.ways(serves) {
                let (state, at) = match self.standing(&way.id).await? {
                    Standing::Healthy => ("healthy", None),
                    Standing::Due { since } | Standing::Waits { since, .. } => ("failing", Some(since)),
                    Standing::Quiet(until) => ("quiet", Some(until)),
                };
                let endpoint = way.id.word().to_owned();
                states.push(EndpointState {
                    endpoint,
                    serves,
                    role: way.role,
                    weight: way.weight,
                    state,
                    at,
                });
            }
        }
        Ok(states)
    }

    /// How these ways stand.
    pub(crate) async fn survey(&self, ways: &[Way]) -> Result<Survey, Failure> {
        let mut survey = Survey::default();
        let mut failing = Vec::new();
        for (at, way) in ways.iter().enumerate() {
            match self.standing(&way.id).await? {
                Standing::Healthy => survey.healthy.push(at),
                Standing::Due { since } => {
                    survey.due.push(at);
                    failing.push(since);
                }
                Standing::Waits { until, since } => {
                    survey.until = Some(survey.until.map_or(until, |other| other.min(until)));
                    failing.push(since);
                }
                Standing::Quiet(until) => survey.quiet = survey.quiet.max(Some(until)),
            }
        }
        survey.down_since = failing.iter().max().copied().filter(|_| failing.len() == ways.len());
        Ok(survey)
    }

    /// Chooses one of `ways`, or says until when to wait.
    pub(crate) fn pick(&self, ways: &[Way], survey: &Survey, want: Want<'_>) -> Result<Pick, Timestamp> {
        if let Some(until) = survey.waits() {
            return Err(until);
        }
        let of = |places: &[usize]| -> Vec<&Way> { places.iter().filter_map(|at| ways.get(*at)).collect() };
        let (mut healthy, due) = (of(&survey.healthy), of(&survey.due));
        if healthy.iter().any(|way| Some(way.id.word()) != want.avoid) {
            healthy.retain(|way| Some(way.id.word()) != want.avoid);
        }
        let best = healthy.iter().map(|way| way.role).min();
        healthy.retain(|way| Some(way.role) == best);
        let chosen = match (healthy.as_slice(), want.key) {
            ([], _) => due.iter().min_by_key(|way| way.role).copied(),
            ([only], _) => Some(*only),
            (several, Some(key)) => by_key(several, key),
            (several, None) => by_chance(several, self.ports.clock().chance()),
        };
        // The first way is as good as any where there is none: whoever asks has at least one.
        let way = chosen.or(ways.first()).cloned().ok_or_else(|| self.now())?;
        let probe = due.into_iter().find(|due| best.is_some_and(|best| due.role <= best)).cloned();
        Ok(Pick { way, probe })
    }
}

/// The same endpoint for the same key; when one fails, what it had is shared out, and nothing else moves (weighted
/// rendezvous hashing).
fn by_key<'w>(ways: &[&'w Way], key: &str) -> Option<&'w Way> {
    let draw = |way: &Way| {
        let hash = sha256(&[key.as_bytes(), b"\0", way.id.word().as_bytes()]);
        let number = hash.iter().take(6).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // Uniform in 0..1 without its ends: 48 bits are exact.
        let uniform = (number as f64 + 0.5) / (1_u64 << 48) as f64;
        -uniform.ln() / f64::from(way.weight.max(1))
    };
    ways.iter().copied().min_by(|a, b| draw(a).total_cmp(&draw(b)))
}

fn by_chance<'w>(ways: &[&'w Way], chance: f64) -> Option<&'w Way> {
    let total: f64 = ways.iter().map(|way| f64::from(way.weight)).sum();
    let mut left = chance * total;
    let found = ways.iter().find(|way| {
        left -= f64::from(way.weight);
        left < 0.0
    });
    found.or(ways.last()).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn loaded() -> Arc<Loaded> {
        let manifest: bridge_core::manifest::Manifest = serde_norway::from_str(
            "{adapter: a, version: 1, title: A, settings: {url: {about: where}},
              deliver: {transport: {kind: hl7v2, url: '{url}'}}}",
        )
        .unwrap();
        let connection = serde_norway::from_str("{connection: a.b, adapter: a, zone: UTC}").unwrap();
        Arc::new(Loaded::new(connection, Arc::new(manifest)))
    }

    fn ways() -> Vec<Way> {
        let to = loaded();
        let way = |(name, weight): (&str, u32)| {
            let name = Some(name.parse().unwrap());
            let id = EndpointId { name, ..EndpointId::deliveries("a.b".parse().unwrap()) };
            Way { id, to: Arc::clone(&to), role: Role::Primary, weight }
        };
        [("east", 3), ("north", 1), ("west", 1)].map(way).to_vec()
    }

    #[test]
    fn calls_and_keys_are_shared_out_by_weight() {
        let ways = ways();
        let all: Vec<&Way> = ways.iter().collect();
        let count = |name: &str, picked: &[&str]| picked.iter().filter(|other| **other == name).count();
        let draws: Vec<&str> =
            (0..1000).map(|n| by_chance(&all, f64::from(n) / 1000.0).unwrap().id.word()).collect();
        assert_eq!((count("east", &draws), count("north", &draws), count("west", &draws)), (600, 200, 200));
        let keys: Vec<&str> =
            (0..5000).map(|n| by_key(&all, &format!("lane-{n}")).unwrap().id.word()).collect();
        let east = count("east", &keys);
        assert!((2850..3150).contains(&east), "{east} of 5000 lanes at three fifths of the weight");
    }

    #[test]
    fn a_key_moves_only_when_its_endpoint_fails() {
        let ways = ways();
        let all: Vec<&Way> = ways.iter().collect();
        let rest: Vec<&Way> = ways.iter().filter(|way| way.id.word() != "north").collect();
        let mut moved = 0;
        for n in 0..2000 {
            let key = format!("lane-{n}");
            let (before, after) = (by_key(&all, &key).unwrap(), by_key(&rest, &key).unwrap());
            if before.id.word() == "north" {
                moved += 1;
            } else {
                assert_eq!(before.id, after.id, "{key}");
            }
        }
        assert!((300..500).contains(&moved), "{moved}");
    }

    #[test]
    fn each_side_and_each_endpoint_has_a_state_of_its_own() {
        let one = EndpointId::deliveries("a.b".parse().unwrap());
        let other = EndpointId { serves: Serves::Interface, ..one.clone() };
        let named = EndpointId { name: Some("interface".parse().unwrap()), ..one.clone() };
        let keys = [one.in_key(), other.in_key(), named.in_key()];
        assert_eq!(keys, ["a.b", "a.b#interface", "a.b@interface"]);
    }
}
