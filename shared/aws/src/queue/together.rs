//! Sends that share requests. SQS bills a request whether it holds one entry or ten, and what sends one entry at a time
//! (each message of a batch its delivery, each connection of a gateway its message) does so side by side.
//!
//! Who finds nobody sending sends at once. Who comes meanwhile waits, and the next request takes all who wait: nothing is
//! held back for company that may not come.

use std::sync::{Mutex, PoisonError};

use bridge_pipeline::ports::{Entry, PortError};
use tokio::sync::oneshot::{self, Receiver, Sender};

use super::SEND;

/// What one sender has to send, and where it waits for the result.
type Waiting = (Vec<Entry>, Sender<Result<(), PortError>>);

/// The sends to one queue.
#[derive(Debug, Default)]
pub(super) struct Together {
    /// Held by who sends.
    turn: tokio::sync::Mutex<()>,
    waiting: Mutex<Vec<Waiting>>,
}

impl Together {
    /// Has `entries` sent by `send`, alone or with others'. `send` is given each sender's entries, and gives each's result.
    pub(super) async fn send(
        &self,
        entries: Vec<Entry>,
        send: impl AsyncFnOnce(Vec<Vec<Entry>>) -> Vec<Result<(), PortError>>,
    ) -> Result<(), PortError> {
        let mut sent = self.wait(entries);
        let _turn = tokio::select! {
            biased;
            sent = &mut sent => return sent.unwrap_or_else(|_| Err(given_up())),
            turn = self.turn.lock() => turn,
        };
        let (entries, senders): (Vec<_>, Vec<_>) = self.take_all().into_iter().unzip();
        if !entries.is_empty() {
            for (sender, result) in senders.into_iter().zip(send(entries).await) {
                // Who was given up meanwhile needs no answer.
                let _ = sender.send(result);
            }
        }
        sent.await.unwrap_or_else(|_| Err(given_up()))
    }

    fn wait(&self, entries: Vec<Entry>) -> Receiver<Result<(), PortError>> {
        let (sender, sent) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((entries, sender));
        sent
    }

    fn take_all(&self) -> Vec<Waiting> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The request was another's, who did not see it through. It may have been made: sending again is safe.
fn given_up() -> PortError {
    PortError { operation: SEND, reason: "the request that it was part of was given up".to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use super::*;

    fn entry(name: &str) -> Vec<Entry> {
        vec![Entry { body: name.to_owned(), group: name.to_owned(), dedup: name.to_owned() }]
    }

    /// Takes a while, and refuses `bad`.
    async fn take(
        parts: Vec<Vec<Entry>>,
        requests: &AtomicUsize,
        most: &AtomicUsize,
    ) -> Vec<Result<(), PortError>> {
        requests.fetch_add(1, Ordering::Relaxed);
        most.fetch_max(parts.len(), Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let refused = || PortError { operation: SEND, reason: "refused".to_owned() };
        parts.iter().map(|part| if part[0].body == "bad" { Err(refused()) } else { Ok(()) }).collect()
    }

    #[tokio::test]
    async fn who_comes_while_another_sends_goes_with_the_next_and_hears_of_its_own() {
        let (together, requests, most) = (Together::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        let names = ["first", "a", "bad", "b", "c"];
        let sends =
            names.map(|name| together.send(entry(name), async |all| take(all, &requests, &most).await));
        let results = futures::future::join_all(sends).await;
        assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, true, true]);
        assert!(requests.load(Ordering::Relaxed) <= 2, "{requests:?}");
        assert!(most.load(Ordering::Relaxed) >= 4, "{most:?}");
    }

    #[tokio::test]
    async fn whose_request_is_given_up_hears_of_it_and_the_next_goes_on() {
        let together = Arc::new(Together::default());
        let never = {
            let together = Arc::clone(&together);
            tokio::spawn(
                async move { together.send(entry("a"), async |_| std::future::pending().await).await },
            )
        };
        tokio::task::yield_now().await;
        let follower = {
            let together = Arc::clone(&together);
            tokio::spawn(async move {
                let (requests, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
                together.send(entry("b"), async |all| take(all, &requests, &most).await).await
            })
        };
        tokio::task::yield_now().await;
        never.abort();
        assert_eq!(follower.await.unwrap(), Ok(()));
        // What was taken along by who is given up comes to nothing, and says so.
        let leader = together.turn.lock().await;
        let sends = together.send(entry("c"), async |_| Vec::new());
        let lost = async {
            drop(together.take_all());
            drop(leader);
        };
        let (sent, ()) = futures::future::join(sends, lost).await;
        assert_eq!(sent, Err(given_up()));
    }
}
