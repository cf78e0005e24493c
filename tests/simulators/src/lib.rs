//! The practice systems (PMS) that the bridge speaks to, simulated on loopback.
//!
//! A simulator keeps a small practice in memory and behaves as its product's documentation says: the same paths, shapes
//! and odd types, its sign-in, page sizes, limits, refusals and surprises. Around each of them [`serve`] gives what
//! every test wants: faults that are asked for, a log of the calls, and control over HTTP ([`control`]).
//!
//! Everything is invented here: people, practices, keys. A simulator knows nothing of the bridge.

#![recursion_limit = "256"] // `json!` with the columns of a whole table

mod book;
mod calls;
mod clock;
pub mod control;
mod faults;
pub mod http;
pub mod parts;
mod server;

pub mod athenahealth;
pub mod cliniko;
pub mod drchrono;
pub mod epic;
pub mod healthie;
pub mod nexhealth;
pub mod opendental;
pub mod oracle_health;
pub mod tebra;

use std::sync::Arc;

pub use book::{Access, Amount, Book, Booking, Patient, Seed, Status};
pub use calls::{Call, Calls, Count};
pub use clock::Clock;
pub use faults::{Fault, Faults, Trouble};
pub use http::{Answer, Request};
pub use server::{Served, serve};

/// One practice system.
pub trait Simulator: Send + Sync + 'static {
    /// The adapter's folder: `cliniko`.
    fn adapter(&self) -> &'static str;

    /// The product's own interface: does the work, and answers.
    fn answer(&self, request: &Request) -> Answer;

    /// The settings and secrets, by the names of the adapter's manifest, with which a connection reaches the simulator at
    /// `base` (`http://127.0.0.1:PORT`).
    fn connection(&self, base: &str) -> Access;

    /// Makes people, places and appointments of a seed; adds them to what is there. The same seed on an empty
    /// simulator at the same time makes the same.
    fn seed(&self, seed: &Seed);

    /// Does what a practice has to do before the bridge may ask: subscribes to change queues, for example.
    fn prepare(&self) {}

    /// Has webhooks of every kind that the product has sent to this address. Products without webhooks send none.
    fn subscribe(&self, url: &str) {
        let _ = url;
    }

    /// Changes `count` records of a FHIR resource type by the product's own clock, so that their time stamps move, and
    /// gives the product's ids of them. Fewer when there are fewer; none of a type that the product does not have.
    fn touch(&self, resource: &str, count: usize) -> Vec<String>;

    /// What it holds, in neutral words, to compare with what the bridge has seen.
    fn book(&self) -> Book;

    /// The clock that it stamps with and counts limits by. Tests move it.
    fn clock(&self) -> &Clock;

    /// The product's own way of saying that it was called too often.
    fn throttled(&self) -> Answer;

    /// Forgets every access token, as after their life time. Products with fixed keys have none.
    fn expire_tokens(&self) {}

    /// The webhooks that the product would send now; they are handed out once.
    fn deliveries(&self) -> Vec<Delivery> {
        Vec::new()
    }
}

/// One webhook of a product, to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where to: the address that was subscribed with.
    pub url: String,
    /// With what headers.
    pub headers: Vec<(String, String)>,
    /// What.
    pub body: Vec<u8>,
}

/// Makes a simulator with nothing in it.
pub type Make = fn() -> Arc<dyn Simulator>;

/// Every simulator, by its adapter's name.
const ALL: &[(&str, Make)] = &[
    ("athenahealth", || Arc::new(athenahealth::Athenahealth::default())),
    ("cliniko", || Arc::new(cliniko::Cliniko::default())),
    ("nexhealth", || Arc::new(nexhealth::NexHealth::default())),
    ("opendental", || Arc::new(opendental::OpenDental::default())),
    ("drchrono", || Arc::new(drchrono::DrChrono::default())),
    ("epic", || Arc::new(epic::Epic::default())),
    ("healthie", || Arc::new(healthie::Healthie::default())),
    ("oracle-health", || Arc::new(oracle_health::OracleHealth::default())),
    ("tebra", || Arc::new(tebra::Tebra::default())),
];

/// Every simulator.
#[must_use]
pub fn all() -> Vec<Make> {
    ALL.iter().map(|(_, make)| *make).collect()
}

/// The simulator of an adapter, with nothing in it.
#[must_use]
pub fn by_name(adapter: &str) -> Option<Arc<dyn Simulator>> {
    ALL.iter().find(|(name, _)| *name == adapter).map(|(_, make)| make())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulators_are_listed_by_their_own_names() {
        for (name, make) in ALL {
            assert_eq!(make().adapter(), *name);
        }
        assert!(by_name("no-such-product").is_none());
    }
}
