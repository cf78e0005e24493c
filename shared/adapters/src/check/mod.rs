//! Refusing what is wrong before anything runs on it: in a manifest, in a webhook section, in a connection, in a feed.

mod anchors;
mod api;
mod connection;
mod endpoints;
mod exports;
mod feeds;
mod hl7v2;
mod manifest;
mod webhook;

pub(crate) use anchors::again as anchors_set_again;
pub(crate) use api::queries;
pub(crate) use connection::connection;
pub(crate) use manifest::manifest;

use bridge_core::manifest::{Limit, Signal};

use crate::{Fault, Problem};

/// Seconds; a function that calls out has less than a minute.
const LONGEST_TIMEOUT: u64 = 30;
/// Of a period. More is no limit.
const MOST_CALLS: u64 = 1_000_000;
/// Seconds: 31 days.
const LONGEST_PERIOD: u64 = 31 * 24 * 3600;
/// All of them stand in one record.
const MOST_SEATS: u64 = 100;

/// How often somebody may be called.
fn limits(limits: &[Limit], place: &Place, problems: &mut Problems) {
    for (number, limit) in limits.iter().enumerate() {
        let place = place.at("limits").at(number);
        let calls = (1..=MOST_CALLS).contains(&u64::from(limit.calls));
        problems.unless(calls, place.at("calls"), || Fault::OutOfRange(1, MOST_CALLS));
        let seconds = (1..=LONGEST_PERIOD).contains(&u64::from(limit.seconds));
        problems.unless(seconds, place.at("seconds"), || Fault::OutOfRange(1, LONGEST_PERIOD));
    }
}

fn concurrency(seats: Option<u32>, place: &Place, problems: &mut Problems) {
    let fits = seats.is_none_or(|seats| (1..=MOST_SEATS).contains(&u64::from(seats)));
    problems.unless(fits, place.at("concurrency"), || Fault::OutOfRange(1, MOST_SEATS));
}

fn signals(signals: &[Signal], place: &Place, problems: &mut Problems) {
    for (number, signal) in signals.iter().enumerate() {
        let place = place.at("signals").at(number);
        let status = u64::from(signal.status);
        problems.unless((200..=599).contains(&status), place.at("status"), || Fault::OutOfRange(200, 599));
        // A 2xx that says nothing else is a success.
        let tells = signal.text.as_ref().is_some_and(|text| !text.is_empty()) || status >= 400;
        problems.unless(tells, place.at("text"), || Fault::SignalWithoutText);
    }
}

/// Keys from the top of the document to what is looked at.
#[derive(Clone, Default)]
struct Place(Vec<String>);

impl Place {
    fn at(&self, key: impl ToString) -> Self {
        let mut keys = self.0.clone();
        keys.push(key.to_string());
        Self(keys)
    }

    fn problem(self, fault: Fault) -> Problem {
        Problem { path: self.0, fault }
    }
}

/// What has been found so far.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, place: Place, fault: Fault) {
        self.0.push(place.problem(fault));
    }

    fn unless(&mut self, holds: bool, place: Place, fault: impl FnOnce() -> Fault) {
        if !holds {
            self.add(place, fault());
        }
    }
}
