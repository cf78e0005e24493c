//! A receiver with an idempotency key: what Practice Studio does with deliveries, and a book of all of it.

use std::collections::{BTreeMap, BTreeSet};

use bridge_core::{Cause, destination::Outcome, id::DeliveryId};

/// The first time that a delivery had an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Its key.
    pub delivery: DeliveryId,
    /// What was delivered.
    pub body: String,
}

/// The receiver, and its book.
#[derive(Debug, Default)]
pub struct Receiver {
    /// Effects in order: one per key.
    pub effects: Vec<Effect>,
    /// Calls, repeats included.
    pub calls: u64,
    /// Share of calls that fail without effect.
    pub fail: f64,
    /// Share of calls that have their effect and are not answered.
    pub mute: f64,
    /// Deliveries whose body holds this are rejected, as long as it is set.
    pub rejects: Option<String>,
    /// Every body that reached it, repeats included, where a test wants to hear them.
    pub heard: Option<Vec<String>>,
    /// What went wrong: two attempts at one delivery at the same time, by two living processes.
    pub overlaps: Vec<DeliveryId>,
    keys: BTreeSet<DeliveryId>,
    under_way: BTreeMap<DeliveryId, (u64, i64)>,
}

impl Receiver {
    /// A call that its process gives up at `deadline`.
    pub(super) fn begin(&mut self, process: u64, delivery: &DeliveryId, now: i64, deadline: i64) {
        self.calls += 1;
        if let Some((other, until)) = self.under_way.insert(delivery.clone(), (process, deadline))
            && other != process
            && now < until
        {
            self.overlaps.push(delivery.clone());
        }
    }

    pub(super) fn end(&mut self, process: u64, delivery: &DeliveryId) {
        if self.under_way.get(delivery).is_some_and(|(owner, _)| *owner == process) {
            self.under_way.remove(delivery);
        }
    }

    /// A process is gone, and its calls with it.
    pub fn forget(&mut self, process: u64) {
        self.under_way.retain(|_, (owner, _)| *owner != process);
    }

    pub(super) fn answer(&mut self, delivery: &DeliveryId, body: &[u8], roll: f64) -> Outcome {
        let text = String::from_utf8_lossy(body).into_owned();
        if let Some(heard) = &mut self.heard {
            heard.push(text.clone());
        }
        if self.rejects.as_ref().is_some_and(|mark| text.contains(mark.as_str())) {
            return Outcome::Rejected(Cause::new("http.422", "the receiver rejects it"));
        }
        if roll < self.fail {
            return Outcome::Retry { after: None, cause: Cause::new("http.500", "the receiver failed") };
        }
        if self.keys.insert(delivery.clone()) {
            self.effects.push(Effect { delivery: delivery.clone(), body: text });
        }
        if roll < self.fail + self.mute {
            return Outcome::Unknown(Cause::new("timeout", "no answer in time"));
        }
        Outcome::Delivered
    }
}
