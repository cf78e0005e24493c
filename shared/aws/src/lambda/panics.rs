//! What a panic leaves in the log: its place. Its message may quote a payload, and the default hook would print it.

use std::panic;

pub(super) fn install() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked");
    }));
}
