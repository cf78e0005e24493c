//! Telling everything that runs to come to an end.

use tokio::sync::watch;

/// Says when to stop.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<bool>);

/// Hears it.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// A pair of both.
pub(crate) fn pair() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// From now on everybody stops.
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }

    /// For one more that hears it.
    pub(crate) fn listen(&self) -> Stop {
        Stop(self.0.subscribe())
    }
}

impl Stop {
    /// Whether it was said.
    pub(crate) fn is_said(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is said. A stopper that is gone has said it.
    pub(crate) async fn said(&mut self) {
        // An error means that the sender is gone.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}
