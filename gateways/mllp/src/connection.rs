//! One connection: frames in, answers out, in the order of the frames.
//!
//! Reading and answering run side by side, joined by a bounded queue of answers: a sender may pipeline, and one that
//! gets ahead of the sink is read more slowly. Nothing is answered positively before it is durable.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use bridge_hl7v2::{
    ack::Verdict,
    mllp::{self, Decoder, Received},
};
use futures::FutureExt as _;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    Limits, Sink, answers,
    batch::Batcher,
    budget::{Budget, Share},
    metrics::{Came, Metrics},
    sink::{Broken, Origin, Prepared},
};

/// Bytes of a read.
const READ: usize = 16 * 1024;
/// How long the rest of what a sender has under way is taken, so that a close does not destroy its last answers: TCP
/// resets a connection that is closed with unread bytes.
const LINGER: Duration = Duration::from_secs(1);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) sink: Arc<S>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) batcher: Batcher,
    pub(crate) budget: Budget,
    /// A permit for each frame that is not answered yet.
    pub(crate) in_flight: Arc<Semaphore>,
}

/// Why a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// By its sender, between frames.
    Ended,
    /// By its sender, or by the network, while answers were due.
    Lost,
    /// No frame for too long.
    Idle,
    /// A frame took too long.
    Slow,
    /// Its sender speaks something else.
    Garbage,
    /// Its sender does not take its answers.
    Stuck,
    /// The gateway stops.
    Stopping,
}

impl Closed {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Lost => "lost",
            Self::Idle => "idle",
            Self::Slow => "slow",
            Self::Garbage => "garbage",
            Self::Stuck => "stuck",
            Self::Stopping => "stopping",
        }
    }
}

/// An answer, or who will say which.
struct Due {
    answer: Answer,
    since: Instant,
    permit: OwnedSemaphorePermit,
}

enum Answer {
    Now(Came, Vec<u8>),
    Once { durable: oneshot::Receiver<bool>, stored: Vec<u8>, unavailable: Vec<u8> },
}

/// Serves a connection until one of its ends has enough.
pub(crate) async fn serve<S: Sink, T: AsyncRead + AsyncWrite>(
    stream: T,
    origin: &Origin,
    shared: &Shared<S>,
    stop: watch::Receiver<bool>,
) -> Closed {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (sender, due) = mpsc::channel(shared.limits.in_flight_per_connection.max(1));
    let incoming = Incoming { origin, shared, due: sender };
    let closed = {
        let mut reading = pin!(incoming.read(&mut reader, stop));
        let mut writing = pin!(write(&mut writer, due, &shared.limits, &shared.metrics));
        tokio::select! {
            closed = &mut reading => match writing.await {
                Ok(()) => closed,
                Err(closed) => closed,
            },
            written = &mut writing => written.err().unwrap_or(Closed::Lost),
        }
    };
    if timeout(LINGER, writer.shutdown()).await.is_ok() && closed != Closed::Ended {
        let mut rest = vec![0; READ];
        let emptied = async { while reader.read(&mut rest).await.is_ok_and(|bytes| bytes > 0) {} };
        let _ = timeout(LINGER, emptied).await;
    }
    closed
}

/// The reading side.
struct Incoming<'c, S> {
    origin: &'c Origin,
    shared: &'c Shared<S>,
    due: mpsc::Sender<Due>,
}

impl<S: Sink> Incoming<'_, S> {
    async fn read<R: AsyncRead + Unpin>(self, reader: &mut R, mut stop: watch::Receiver<bool>) -> Closed {
        let limits = self.shared.limits;
        let mut decoder = Decoder::new(limits.frame);
        let mut buffer = vec![0; READ];
        let mut share = Share::default();
        // Since when the connection has been as it is: resting, or in the middle of a frame.
        let (mut since, mut within) = (Instant::now(), false);
        loop {
            if decoder.garbage() > limits.garbage {
                return Closed::Garbage;
            }
            // What is no frame does not make a connection less idle, and is not waited for at length.
            let unfinished = decoder.is_within_frame() || decoder.garbage() > 0;
            if unfinished != within {
                (since, within) = (Instant::now(), unfinished);
            }
            let (patience, late) =
                if within { (limits.frame_time, Closed::Slow) } else { (limits.idle, Closed::Idle) };
            let deadline = since + patience;
            let bytes = tokio::select! {
                biased;
                // A frame that has begun may end: its sender would have to send it again.
                _ = stop.wait_for(|stop| *stop), if !decoder.is_within_frame() => return Closed::Stopping,
                () = sleep_until(deadline) => return late,
                read = async {
                    self.shared.budget.fit(&mut share, decoder.buffered()).await;
                    reader.read(&mut buffer).await
                } => match read {
                    Ok(0) => break,
                    Ok(bytes) => bytes,
                    Err(_) => return Closed::Lost,
                },
            };
            decoder.push(buffer.get(..bytes).unwrap_or_default());
            while let Some(received) = decoder.next_frame() {
                let was_frame = !matches!(received, Received::Garbage { .. });
                if let Err(closed) = self.take(received).await {
                    return closed;
                }
                if was_frame {
                    since = Instant::now();
                    // A sender that never pauses must not keep the gateway: what follows was not taken.
                    if *stop.borrow() {
                        return Closed::Stopping;
                    }
                }
            }
        }
        // Its sender may have closed its own side only: what was cut off is answered, too.
        let cut_off = decoder.is_within_frame();
        while let Some(received) = decoder.finish() {
            if let Err(closed) = self.take(received).await {
                return closed;
            }
        }
        if cut_off { Closed::Lost } else { Closed::Ended }
    }

    /// Decides on one piece of the stream, and puts its answer in its place.
    async fn take(&self, received: Received<'_>) -> Result<(), Closed> {
        if let Received::Garbage { bytes } = received {
            self.shared.metrics.garbage(bytes);
            return Ok(());
        }
        let since = Instant::now();
        // The semaphore is never closed.
        let permit =
            Arc::clone(&self.shared.in_flight).acquire_owned().await.map_err(|_| Closed::Stopping)?;
        let answer = match received {
            // A probe: some senders ask in this way whether somebody is there, and expect no answer.
            Received::Message([]) | Received::Garbage { .. } => return Ok(()),
            Received::Message(message) => self.message(message).await,
            Received::Unterminated(head) => self.broken(head, Broken::Unterminated),
            Received::TooLarge { head } => {
                self.broken(head, Broken::TooLarge { limit: self.shared.limits.frame })
            }
        };
        let due = Due { answer, since, permit };
        self.due.send(due).await.map_err(|_| Closed::Lost)
    }

    async fn message(&self, message: &[u8]) -> Answer {
        let prepared = AssertUnwindSafe(self.shared.sink.prepare(self.origin, message)).catch_unwind().await;
        // A defect costs its message, and not those before and behind it.
        let prepared = prepared.unwrap_or_else(|_| {
            let text = "the message could not be worked: a defect of the receiver";
            Prepared::Unavailable(answers::negative(message, Verdict::Error, text, self.shared.sink.now()))
        });
        match prepared {
            Prepared::Answered(answer) => Answer::Now(Came::Answered, answer),
            Prepared::Unavailable(answer) => Answer::Now(Came::Unavailable, answer),
            Prepared::ToStore { entry, stored, unavailable } => {
                let durable = self.shared.batcher.store(entry).await;
                Answer::Once { durable, stored, unavailable }
            }
        }
    }

    fn broken(&self, head: &[u8], broken: Broken) -> Answer {
        tracing::warn!(peer = %self.origin.peer, ?broken, "a frame is no whole message");
        Answer::Now(Came::Broken, answers::to_broken(head, broken, self.shared.sink.now()))
    }
}

/// The answering side.
async fn write<W: AsyncWrite + Unpin>(
    writer: &mut W,
    mut due: mpsc::Receiver<Due>,
    limits: &Limits,
    metrics: &Metrics,
) -> Result<(), Closed> {
    let (mut bytes, mut answered) = (Vec::new(), Vec::new());
    let mut next = due.recv().await;
    while let Some(first) = next {
        let mut one = first;
        // Answers that are known already share a write.
        loop {
            let (came, answer) = one.answer.settled().await;
            if !answer.is_empty() {
                // An answer that can't be framed is none: its sender must not wait for it on a healthy connection.
                mllp::encode(&answer, &mut bytes).map_err(|_| Closed::Stuck)?;
            }
            answered.push((came, one.since, one.permit));
            match due.try_recv() {
                Ok(mut another) => {
                    if bytes.len() >= READ || !another.answer.is_settled() {
                        next = Some(another);
                        break;
                    }
                    one = another;
                }
                Err(_) => {
                    next = None;
                    break;
                }
            }
        }
        let written = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        match timeout(limits.write, written).await {
            Err(_) => return Err(Closed::Stuck),
            Ok(Err(_)) => return Err(Closed::Lost),
            Ok(Ok(())) => {}
        }
        answered.drain(..).for_each(|(came, since, _)| metrics.came(came, since.elapsed()));
        bytes.clear();
        if next.is_none() {
            next = due.recv().await;
        }
    }
    Ok(())
}

impl Answer {
    /// Whether it is known.
    fn is_settled(&mut self) -> bool {
        if let Self::Once { durable, stored, unavailable } = self {
            let (came, answer) = match durable.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => return false,
                Ok(true) => (Came::Stored, std::mem::take(stored)),
                Ok(false) | Err(oneshot::error::TryRecvError::Closed) => {
                    (Came::Unavailable, std::mem::take(unavailable))
                }
            };
            *self = Self::Now(came, answer);
        }
        true
    }

    /// Waits for it.
    async fn settled(self) -> (Came, Vec<u8>) {
        match self {
            Self::Now(came, answer) => (came, answer),
            Self::Once { durable, stored, unavailable } => match durable.await {
                Ok(true) => (Came::Stored, stored),
                Ok(false) | Err(_) => (Came::Unavailable, unavailable),
            },
        }
    }
}
