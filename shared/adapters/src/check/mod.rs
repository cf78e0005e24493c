//! Refusing what is wrong before anything runs on it: in a manifest, in a webhook section, in a connection, in a feed.

mod connection;
mod feeds;
mod hl7v2;
mod manifest;
mod webhook;

pub(crate) use connection::connection;
pub(crate) use manifest::manifest;

use crate::{Fault, Problem};

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
