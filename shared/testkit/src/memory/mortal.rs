//! A process that may die before any of its calls.

use std::{
    future::pending,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Fault, Hook, Shared, lock};
use crate::sim::Rng;

/// A process that dies before one of its calls, and for which each call takes some time.
#[derive(Debug)]
pub struct Mortal {
    world: Shared,
    left: AtomicU64,
    millis: i64,
    fails: f64,
    rng: Mutex<Rng>,
}

impl Mortal {
    /// It makes `lives` calls, each of which takes `millis`; this share of them `fails`, as `seed` has it.
    pub fn new(world: &Shared, lives: u64, millis: i64, fails: f64, seed: u64) -> Self {
        let rng = Mutex::new(Rng::new(seed));
        Self { world: world.clone(), left: AtomicU64::new(lives), millis, fails, rng }
    }
}

impl Hook for Mortal {
    async fn pause(&self) {
        lock(&self.world).now += self.millis;
        let one_less = |left: u64| left.checked_sub(1);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err() {
            pending::<()>().await;
        }
    }
    fn fault(&self, _: &'static str) -> Option<Fault> {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let which = if rng.chance(0.5) { Fault::Before } else { Fault::After };
        rng.chance(self.fails).then_some(which)
    }
    fn chance(&self) -> f64 {
        0.5
    }
}
