//! What payloads of a connection usually look like, and what of today's is different. Pure.
//!
//! Of each kind of message the places are kept with how often they were there. While a kind is learned everything is
//! taken as it comes. From then on a place that was never there is *new* once it was seen with several patients, a type that a
//! place never had is *retyped*, and a place that has not come for so long that it can't be chance is *missing*.

use std::collections::{BTreeMap, BTreeSet};

use bridge_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::shape::{OTHER, Places, Types};

/// Kinds of messages of a connection.
const KINDS: usize = 40;
/// Places of all kinds together.
const PLACES: usize = 3_000;
/// An object with more names than this that few messages have is a map, and its names are data.
const RARE: usize = 60;
/// And one with more names than this in any case.
const MEMBERS: usize = 400;
/// Nothing is told of a place that fewer messages had, and of fewer lanes (patients): a name that one of them alone has may
/// be theirs.
const WITNESSES: usize = 3;
/// A kind is learned after so many messages and days, or after fewer messages in more days.
const LEARNED: [(u32, u64); 2] = [(100, 3), (20, 14)];
/// A place is missing when its absence has this surprise (a millionth, see [`super::profile`]), and lasts a day.
const MISSING: f64 = 13.8;
/// And in no fewer messages than this.
const ABSENCES: u32 = 20;
/// Counts are halved here, so that what is usual is what was usual lately.
const OLD: u32 = 10_000;

const DAY_SECS: u64 = 86_400;

/// How a payload differs from what is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Differs {
    /// The place was never there before.
    New,
    /// The place does not come any more.
    Missing,
    /// The place has a type that it never had before.
    Retyped,
}

impl Differs {
    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Missing => "missing",
            Self::Retyped => "retyped",
        }
    }
}

/// A difference that nobody has accepted yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Of which kind of message.
    pub kind: String,
    /// Where: `patient.phones[].number`, or `PID-3`. A name that may be data is `*`.
    pub place: String,
    /// How.
    pub differs: Differs,
    /// The types that it had.
    pub was: String,
    /// The types that it has.
    pub is: String,
    /// When it was noticed.
    pub since: Timestamp,
}

/// How far a kind of message is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The kind.
    pub kind: String,
    /// Messages that were looked at.
    pub messages: u32,
    /// Places that they have.
    pub places: usize,
    /// Differences are told.
    pub learned: bool,
}

/// What is known of the payloads of a connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sketch {
    kinds: BTreeMap<String, Kind>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kind {
    #[serde(rename = "s")]
    since: Timestamp,
    #[serde(rename = "n")]
    messages: u32,
    #[serde(rename = "l", default)]
    learned: bool,
    /// Hashes of the first lanes that were seen.
    #[serde(rename = "w")]
    lanes: Vec<u16>,
    /// Its places are those of HL7 v2.
    #[serde(rename = "v", default)]
    hl7v2: bool,
    #[serde(rename = "p")]
    places: BTreeMap<String, Place>,
    /// Objects whose names are data.
    #[serde(rename = "m", default)]
    maps: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Place {
    /// The types that it had when it was learned; none while it is new.
    #[serde(rename = "k", default)]
    known: Types,
    #[serde(rename = "t")]
    types: Types,
    /// Messages that had it.
    #[serde(rename = "n")]
    count: u32,
    /// Messages in a row that had it not.
    #[serde(rename = "a", default)]
    absent: u32,
    /// When it was there last, in seconds since the epoch.
    #[serde(rename = "l")]
    last: i64,
    /// Hashes of the first lanes that had it.
    #[serde(rename = "w", default, skip_serializing_if = "Vec::is_empty")]
    witnesses: Vec<u16>,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    told: Option<(Differs, Timestamp)>,
}

/// One payload.
pub(super) struct Sample<'a> {
    pub(super) kind: &'a str,
    pub(super) hl7v2: bool,
    pub(super) places: Places,
    /// A hash of its lane.
    pub(super) lane: u16,
}

impl Sketch {
    /// Takes a payload into account.
    pub(super) fn take(&mut self, sample: Sample<'_>, now: Timestamp) {
        let room = PLACES.saturating_sub(self.kinds.values().map(|kind| kind.places.len()).sum());
        if !self.kinds.contains_key(sample.kind) && self.kinds.len() >= KINDS {
            return;
        }
        let kind = self.kinds.entry(sample.kind.to_owned()).or_insert_with(|| Kind {
            since: now,
            messages: 0,
            learned: false,
            lanes: Vec::new(),
            hl7v2: sample.hl7v2,
            places: BTreeMap::new(),
            maps: BTreeSet::new(),
        });
        kind.take(&sample, room, now);
    }

    /// What has changed since the last time, and is to be told.
    pub(super) fn notice(&mut self, now: Timestamp) -> Vec<Drift> {
        let mut found = Vec::new();
        for (name, kind) in &mut self.kinds {
            let places = kind.notice(now);
            found.extend(places.iter().filter_map(|place| kind.drift(name, place)));
        }
        found
    }

    /// Everything that was told and still differs.
    pub(super) fn drifts(&self) -> Vec<Drift> {
        let of = |(name, kind): (&String, &Kind)| {
            kind.places.keys().filter_map(|place| kind.drift(name, place)).collect::<Vec<_>>()
        };
        self.kinds.iter().flat_map(of).collect()
    }

    /// How far each kind is known.
    pub(super) fn known(&self) -> Vec<Known> {
        let known = |(name, kind): (&String, &Kind)| Known {
            kind: name.clone(),
            messages: kind.messages,
            places: kind.places.len(),
            learned: kind.learned,
        };
        self.kinds.iter().map(known).collect()
    }

    /// What differs is as it should be from now on.
    pub(super) fn accept(&mut self) {
        for kind in self.kinds.values_mut() {
            let is_missing = |place: &Place| matches!(place.told, Some((Differs::Missing, _)));
            let gone: Vec<String> =
                kind.places.iter().filter(|(_, place)| is_missing(place)).map(|(at, _)| at.clone()).collect();
            // With what was within it, which was not told apart.
            kind.places.retain(|at, _| !gone.iter().any(|gone| at == gone || is_within(at, gone)));
            if kind.learned {
                kind.settle();
            }
        }
    }
}

impl Kind {
    fn take(&mut self, sample: &Sample<'_>, mut room: usize, now: Timestamp) {
        self.messages += 1;
        witness(&mut self.lanes, sample.lane);
        let mut seen = BTreeSet::new();
        for (at, types) in &sample.places {
            let at = self.folded(at);
            if !self.places.contains_key(&at) {
                if room == 0 {
                    continue;
                }
                room -= 1;
            }
            let place = self.places.entry(at.clone()).or_default();
            place.types = place.types.with(*types);
            place.last = now.as_secs();
            if seen.insert(at) {
                place.count += 1;
                place.absent = 0;
            }
            witness(&mut place.witnesses, sample.lane);
        }
        for (at, place) in &mut self.places {
            if !seen.contains(at) {
                place.absent += 1;
            }
        }
        self.fold_maps();
        if self.messages >= OLD {
            self.messages /= 2;
            self.places.values_mut().for_each(|place| place.count /= 2);
        }
    }

    /// A place as it is called here: names within a map are data.
    fn folded(&self, at: &str) -> String {
        if self.maps.is_empty() {
            return at.to_owned();
        }
        let mut path = String::with_capacity(at.len());
        for name in at.split('.') {
            let lists = name.find("[]").map_or("", |from| &name[from..]);
            let is_data = self.maps.contains(&path) && !name.starts_with("[]");
            if !path.is_empty() {
                path.push('.');
            }
            match is_data {
                true => path.extend([OTHER, lists]),
                false => path.push_str(name),
            }
        }
        path
    }

    /// Finds objects with so many names that these must be data, and forgets the names.
    fn fold_maps(&mut self) {
        loop {
            // All names of an object, and those that fewer than a fourth of the messages have.
            let mut members: BTreeMap<&str, [BTreeSet<&str>; 2]> = BTreeMap::new();
            for (at, place) in &self.places {
                let (parent, name) = at.rsplit_once('.').unwrap_or(("", at));
                let [all, rare] = members.entry(parent).or_default();
                let name = name.trim_end_matches("[]");
                all.insert(name);
                if place.count.saturating_mul(4) < self.messages {
                    rare.insert(name);
                }
            }
            let is_map = |[all, rare]: &[BTreeSet<&str>; 2]| all.len() > MEMBERS || rare.len() > RARE;
            let map = members.into_iter().find(|(_, names)| is_map(names));
            let Some(map) = map.map(|(parent, _)| parent.to_owned()) else { return };
            if !self.maps.insert(map) {
                return;
            }
            for (at, place) in std::mem::take(&mut self.places) {
                let at = self.folded(&at);
                self.places.entry(at).or_default().merge(place);
            }
        }
    }

    /// Ends the learning, or finds what differs; the places that are to be told.
    fn notice(&mut self, now: Timestamp) -> Vec<String> {
        if !self.learned {
            let days = now.since(self.since).as_secs() / DAY_SECS;
            if LEARNED.iter().any(|(messages, least)| self.messages >= *messages && days >= *least) {
                self.settle();
                self.learned = true;
            }
            return Vec::new();
        }
        let differs: BTreeMap<String, Differs> = self
            .places
            .iter()
            .filter_map(|(at, place)| Some((at.clone(), place.differs(self, now)?)))
            .collect();
        let mut told = Vec::new();
        for (at, place) in &mut self.places {
            let how = differs.get(at).copied();
            // What is new or missing within something that is itself is said with that.
            let is_said = how.is_some_and(|how| {
                how != Differs::Retyped
                    && differs.iter().any(|(other, theirs)| *theirs == how && is_within(at, other))
            });
            let how = how.filter(|_| !is_said);
            if how.is_some() && place.told.map(|(told, _)| told) != how {
                told.push(at.clone());
            }
            place.told = how.map(|how| match place.told {
                Some((told, since)) if told == how => (how, since),
                _ => (how, now),
            });
        }
        told
    }

    /// Everything is as it should be.
    fn settle(&mut self) {
        for place in self.places.values_mut() {
            place.known = place.types;
            place.told = None;
        }
    }

    fn drift(&self, kind: &str, at: &str) -> Option<Drift> {
        let place = self.places.get(at)?;
        let (differs, since) = place.told?;
        let is = if differs == Differs::Missing { Types::default() } else { place.types };
        Some(Drift {
            kind: kind.to_owned(),
            place: if self.hl7v2 { at.replacen('.', "-", 1) } else { at.to_owned() },
            differs,
            was: place.known.words(),
            is: is.words(),
            since,
        })
    }
}

impl Place {
    fn differs(&self, kind: &Kind, now: Timestamp) -> Option<Differs> {
        // Where all messages have one lane, that is not a patient's.
        if (self.count as usize) < WITNESSES || self.witnesses.len() < kind.lanes.len() {
            return None;
        }
        if self.known.is_empty() {
            return Some(Differs::New);
        }
        let before = f64::from(kind.messages.saturating_sub(self.absent).max(self.count)) + 1.0;
        let surprise = -(1.0 - f64::from(self.count) / before).ln() * f64::from(self.absent);
        let is_long = now.as_secs() - self.last >= DAY_SECS.cast_signed();
        if is_long && self.absent >= ABSENCES && surprise >= MISSING {
            return Some(Differs::Missing);
        }
        (!self.types.beyond(self.known).is_empty()).then_some(Differs::Retyped)
    }

    /// Two names were data: what is known of both.
    fn merge(&mut self, other: Self) {
        let is_first = self.last == 0;
        self.known = self.known.with(other.known);
        self.types = self.types.with(other.types);
        // One message may have had both.
        self.count = self.count.max(other.count);
        self.absent = if is_first { other.absent } else { self.absent.min(other.absent) };
        self.last = self.last.max(other.last);
        self.told = if is_first { other.told } else { None };
        other.witnesses.into_iter().for_each(|lane| witness(&mut self.witnesses, lane));
    }
}

fn witness(witnesses: &mut Vec<u16>, lane: u16) {
    if witnesses.len() < WITNESSES && !witnesses.contains(&lane) {
        witnesses.push(lane);
    }
}

/// Whether `at` lies within `outer`: below it, or in its list.
fn is_within(at: &str, outer: &str) -> bool {
    at.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.') || rest.starts_with("[]"))
}

#[cfg(test)]
#[path = "sketch_tests.rs"]
mod tests;
