//! Stopping a process at any of its calls.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use super::{Fault, Hook};

/// A hook under which every call to the world is a step of its own.
#[derive(Debug, Default, Clone, Copy)]
pub struct Stepping;

/// Gives up the turn once.
pub(crate) struct Turn(pub(crate) bool);

impl Future for Turn {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Hook for Stepping {
    fn pause(&self) -> impl Future<Output = ()> + Send {
        Turn(false)
    }
    fn fault(&self, _: &'static str) -> Option<Fault> {
        None
    }
    fn chance(&self) -> f64 {
        0.5
    }
    fn passes_time(&self) -> bool {
        true
    }
}

/// What a process comes to that is killed after so many steps, if it is over by then.
pub fn killed_after<T>(steps: usize, process: impl Future<Output = T>) -> Option<T> {
    let mut process = pin!(process);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..steps {
        if let Poll::Ready(done) = process.as_mut().poll(&mut context) {
            return Some(done);
        }
    }
    None
}
