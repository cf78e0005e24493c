//! A product's own interface as the stages see it: whose it is, what the product calls a resource, and what its records
//! become.

mod identity;
mod seen;

use std::sync::Arc;

use bridge_core::{Cause, manifest::Api};

pub(crate) use seen::{Origin, Seen};

use crate::configuration::Loaded;

/// A connection whose adapter has an interface.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) loaded: Arc<Loaded>,
}

impl Product {
    /// The connection's interface, if its adapter has one.
    pub(crate) fn of(loaded: &Arc<Loaded>) -> Option<Self> {
        loaded.manifest.api.is_some().then(|| Self { loaded: Arc::clone(loaded) })
    }

    /// The adapter's interface.
    pub(crate) fn api(&self) -> &Api {
        self.loaded.manifest.api.as_deref().unwrap_or_else(|| unreachable!("looked at when it was made"))
    }
}

/// The connection can't be used as it is configured.
pub(crate) fn misconfigured(text: impl Into<String>, place: impl Into<String>) -> Cause {
    Cause::new("destination.configuration", text).at(place)
}
