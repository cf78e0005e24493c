//! Processes that die at any call to a port, and calls that fail or only seem to.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
};

use bridge_testkit::{
    memory::{Fault, Hook},
    sim::Rng,
};

/// The weather of all processes.
#[derive(Clone)]
pub(crate) struct Storm(Arc<Mutex<State>>);

struct State {
    rng: Rng,
    /// How likely a call is to be its process's last.
    kill: f64,
    /// How likely it is to fail.
    fault: f64,
    /// The process dies after so many calls, whatever the dice say.
    left: Option<u32>,
    died: bool,
}

impl Storm {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            rng: Rng::new(seed),
            kill: 0.0,
            fault: 0.0,
            left: None,
            died: false,
        })))
    }

    pub(crate) fn set(&self, kill: f64, fault: f64) {
        let mut state = self.0.lock().unwrap();
        (state.kill, state.fault) = (kill, fault);
    }

    pub(crate) fn dies_after(&self, calls: u32) {
        self.0.lock().unwrap().left = Some(calls);
    }

    pub(crate) fn dice(&self, chance: f64) -> bool {
        self.0.lock().unwrap().rng.chance(chance)
    }

    /// What a process comes to, unless it dies.
    pub(crate) async fn unless_it_dies<T>(&self, process: impl Future<Output = T>) -> Option<T> {
        self.0.lock().unwrap().died = false;
        let mut process = pin!(process);
        poll_fn(|context| match process.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if self.0.lock().unwrap().died => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}

impl Hook for Storm {
    async fn pause(&self) {
        let dies = {
            let mut state = self.0.lock().unwrap();
            let kill = state.kill;
            state.died = state.rng.chance(kill) || state.left == Some(0);
            state.left = state.left.filter(|_| !state.died).map(|left| left - 1);
            state.died
        };
        if dies {
            std::future::pending::<()>().await;
        }
    }
    fn fault(&self, _: &'static str) -> Option<Fault> {
        let mut state = self.0.lock().unwrap();
        let (fault, after) = (state.fault, state.rng.chance(0.5));
        state.rng.chance(fault).then_some(if after { Fault::After } else { Fault::Before })
    }
    fn chance(&self) -> f64 {
        self.0.lock().unwrap().rng.unit()
    }
}
