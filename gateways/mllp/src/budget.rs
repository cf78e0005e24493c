//! The memory that unfinished frames may take, of all connections together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits are of this many bytes.
const UNIT: usize = 16 * 1024;
/// What every connection may hold without asking: ordinary messages never wait.
const FREE: usize = 64 * 1024;

/// What is left of it.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

/// What one connection has of it.
#[derive(Debug, Default)]
pub(crate) struct Share(Option<OwnedSemaphorePermit>);

impl Budget {
    /// So many bytes; at least one frame of `frame` bytes and a read fit in, or it could never be finished.
    pub(crate) fn new(bytes: usize, frame: usize) -> Self {
        let units = bytes.max(2 * frame).div_ceil(UNIT);
        Self(Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))))
    }

    /// Makes the share fit `bytes`; waits until there is room for more.
    pub(crate) async fn fit(&self, share: &mut Share, bytes: usize) {
        let units = bytes.saturating_sub(FREE).div_ceil(UNIT);
        let held = share.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if units == 0 {
            share.0 = None;
        } else if units > held {
            let more = u32::try_from(units - held).unwrap_or(u32::MAX);
            // The semaphore is never closed.
            if let Ok(more) = Arc::clone(&self.0).acquire_many_owned(more).await {
                match &mut share.0 {
                    Some(held) => held.merge(more),
                    none => *none = Some(more),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn large_frames_wait_for_each_other_and_small_ones_for_nobody() {
        let budget = Budget::new(0, 512 * 1024);
        let (mut first, mut second) = (Share::default(), Share::default());
        budget.fit(&mut first, 900 * 1024).await;
        let mut waits = Box::pin(budget.fit(&mut second, 900 * 1024));
        assert!(timeout(Duration::from_millis(20), &mut waits).await.is_err());
        budget.fit(&mut Share::default(), FREE).await;
        budget.fit(&mut first, 10).await;
        assert!(timeout(Duration::from_secs(5), waits).await.is_ok());
    }
}
