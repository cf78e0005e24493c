//! The memory that large unfinished frames may take, of all connections together.
//!
//! A frame that grows large waits for room for the largest there may be, and then never again. Were it to ask for more
//! piece by piece, many half-read frames could wait for each other.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What every connection may hold without asking: ordinary messages never wait.
const FREE: usize = 256 * 1024;

/// Room for so many of them.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

/// What one connection has of it.
#[derive(Debug, Default)]
pub(crate) struct Share(Option<OwnedSemaphorePermit>);

impl Budget {
    /// So many bytes, for frames of `frame` bytes at most; one always has room.
    pub(crate) fn new(bytes: usize, frame: usize) -> Self {
        let frames = (bytes / frame.max(1)).clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(frames)))
    }

    /// Makes the share fit an unfinished frame of `bytes`; waits until there is room for it.
    pub(crate) async fn fit(&self, share: &mut Share, bytes: usize) {
        if bytes <= FREE {
            share.0 = None;
        } else if share.0.is_none() {
            // The semaphore is never closed.
            share.0 = Arc::clone(&self.0).acquire_owned().await.ok();
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
        let budget = Budget::new(0, 1 << 20);
        let (mut first, mut second) = (Share::default(), Share::default());
        budget.fit(&mut first, FREE + 1).await;
        let mut waits = Box::pin(budget.fit(&mut second, FREE + 1));
        assert!(timeout(Duration::from_millis(20), &mut waits).await.is_err());
        budget.fit(&mut Share::default(), FREE).await;
        // It has what it needs already.
        budget.fit(&mut first, 1 << 20).await;
        budget.fit(&mut first, 10).await;
        assert!(timeout(Duration::from_secs(5), waits).await.is_ok());
    }
}
