//! Counting AWS calls, for `bridge bench cost`: what was called how often, and what it is billed as.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_sdk_dynamodb::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef},
    error::BoxError,
};
use aws_smithy_runtime_api::client::{interceptors::dyn_dispatch_hint, orchestrator::Metadata};

/// Counts calls while it is on. Off it costs one atomic load per call. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    on: AtomicBool,
    tallies: Mutex<BTreeMap<String, Tally>>,
}

/// One kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Requests that were sent, with the SDK's own retries.
    pub calls: u64,
    /// What they are billed as, by size: DynamoDB read or write units (indexes included), SQS chunks of 64 KiB.
    /// Zero for services that bill calls.
    pub units: f64,
}

impl Meter {
    /// Forgets what was counted, and counts from now on.
    pub fn start(&self) {
        self.tallies().clear();
        self.0.on.store(true, Ordering::Relaxed);
    }

    /// Stops, and says what was counted: by `service.Operation`, for example `dynamodb.PutItem`.
    pub fn stop(&self) -> BTreeMap<String, Tally> {
        self.0.on.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.tallies())
    }

    /// Adds billed units to an operation.
    pub(crate) fn used(&self, operation: &'static str, units: impl FnOnce() -> f64) {
        if self.0.on.load(Ordering::Relaxed) {
            self.tallies().entry(operation.to_owned()).or_default().units += units();
        }
    }

    fn tallies(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Tally>> {
        self.0.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.0.on.load(Ordering::Relaxed)
            && let Some(call) = config.load::<Metadata>()
        {
            let kind = format!("{}.{}", call.service().to_lowercase(), call.name());
            self.tallies().entry(kind).or_default().calls += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_count_only_while_it_is_on() {
        let meter = Meter::default();
        meter.used("dynamodb.PutItem", || 1.0);
        meter.start();
        meter.clone().used("dynamodb.PutItem", || 2.5);
        let counted = meter.stop();
        meter.used("dynamodb.PutItem", || 4.0);
        assert_eq!(counted["dynamodb.PutItem"].units, 2.5);
        assert!(meter.stop().is_empty());
    }
}
