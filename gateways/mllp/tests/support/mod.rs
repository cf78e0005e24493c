//! A sink in memory that can be slow, fail and panic, and a client that speaks MLLP.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bridge_core::Timestamp;
use bridge_hl7v2::{
    Message, SegmentView as _,
    ack::{Acknowledgment, Code, Problem, ProblemCode},
    mllp::{self, Decoder, Received},
    segments::Msh,
};
use bridge_pipeline::ports::{Entry, PortError};
use mllp_gateway::{
    Gateway, Limits, Metrics, Sink,
    door::Door,
    renewal::Renewal,
    sink::{Origin, Prepared, Route},
    tls::Identity,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Keeps what it is given, in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    stored: Mutex<Vec<Entry>>,
    /// Sizes of the requests that came.
    pub(crate) requests: Mutex<Vec<usize>>,
    pub(crate) prepared: AtomicUsize,
    /// Milliseconds that a request takes.
    pub(crate) takes: AtomicUsize,
    pub(crate) fails: AtomicBool,
    pub(crate) panics: AtomicBool,
    /// Nothing becomes durable while this is set.
    pub(crate) blocked: AtomicBool,
    pub(crate) origins: Mutex<Vec<Origin>>,
}

impl Memory {
    pub(crate) fn stored(&self) -> Vec<String> {
        self.stored.lock().unwrap().iter().map(|entry| entry.dedup.clone()).collect()
    }

    pub(crate) fn keeps(&self) -> HashSet<String> {
        self.stored().into_iter().collect()
    }
}

impl Sink for Memory {
    async fn prepare(&self, origin: &Origin, message: &[u8]) -> Prepared {
        self.prepared.fetch_add(1, SeqCst);
        self.origins.lock().unwrap().push(origin.clone());
        let Ok(message) = Message::parse(message) else {
            return Prepared::Answered(Acknowledgment::to_illegible(Code::AR).build().unwrap());
        };
        let answer = |code: Code| {
            let ack = Acknowledgment::to(&message, code).made("20261122").control_id("A1");
            let problem = Problem::error(ProblemCode::Internal, None, "as the test wants it");
            let ack = if code == Code::AA { ack } else { ack.problem(problem) };
            ack.build().unwrap()
        };
        let control_id = Msh::of(message.header()).unwrap().control_id().text().into_owned();
        let group =
            message.named("PID").next().map(|pid| pid.field(3).text().into_owned()).unwrap_or_default();
        let entry = Entry { body: "{}".to_owned(), group, dedup: control_id };
        Prepared::ToStore { entry, stored: answer(Code::AA), unavailable: answer(Code::AE) }
    }

    async fn store(&self, entries: Vec<Entry>) -> Result<(), PortError> {
        assert!(entries.len() <= 10, "more than a request holds");
        self.requests.lock().unwrap().push(entries.len());
        assert!(!self.panics.load(SeqCst), "as the test wants it");
        while self.blocked.load(SeqCst) {
            sleep(Duration::from_millis(1)).await;
        }
        let takes = self.takes.load(SeqCst);
        if takes > 0 {
            sleep(Duration::from_millis(takes as u64)).await;
        }
        if self.fails.load(SeqCst) {
            return Err(PortError { operation: "memory.send", reason: "as the test wants it".to_owned() });
        }
        self.stored.lock().unwrap().extend(entries);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000)
    }
}

/// A gateway with one door on loopback.
pub(crate) struct Running {
    pub(crate) sink: Arc<Memory>,
    pub(crate) at: SocketAddr,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) renewal: Renewal,
    stop: oneshot::Sender<()>,
    served: JoinHandle<bool>,
}

impl Running {
    pub(crate) async fn start(limits: Limits) -> Self {
        let yaml = "{port: 0, connection: practice.lab}";
        Self::with_door(limits, &serde_norway::from_str(yaml).unwrap(), &Identity::default()).await
    }

    pub(crate) async fn with_door(limits: Limits, door: &Door, identity: &Identity) -> Self {
        let sink = Arc::new(Memory::default());
        let mut gateway = Gateway::new(Arc::clone(&sink), limits);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        gateway.open(door, listener, identity).unwrap();
        let (metrics, renewal) = (gateway.metrics(), gateway.renewal());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(gateway.serve(async move { drop(stopped.await) }));
        Self { sink, at, metrics, renewal, stop, served }
    }

    pub(crate) async fn client(&self) -> Client<TcpStream> {
        Client::new(TcpStream::connect(self.at).await.unwrap())
    }

    /// Tells it to stop, and waits until it has; whether everything was finished.
    pub(crate) async fn stop(self) -> bool {
        drop(self.stop);
        timeout(PATIENCE, self.served).await.expect("the gateway does not stop").unwrap()
    }

    pub(crate) fn origin(&self) -> Route {
        self.sink.origins.lock().unwrap().last().unwrap().route.clone()
    }
}

/// Sends frames and reads answers.
pub(crate) struct Client<T> {
    pub(crate) stream: T,
    decoder: Decoder,
}

/// MSA-1 and MSA-2.
pub(crate) type Answer = (String, String);

impl<T: AsyncRead + AsyncWrite + Unpin> Client<T> {
    pub(crate) fn new(stream: T) -> Self {
        Self { stream, decoder: Decoder::new(1 << 20) }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub(crate) async fn send(&mut self, id: &str, lane: &str) {
        self.write(&frame(id, lane)).await;
    }

    /// The next answer; nothing when the gateway has closed the connection.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        loop {
            if let Some(received) = self.decoder.next_frame() {
                let Received::Message(bytes) = received else { panic!("{received:?}") };
                let message = Message::parse(bytes).unwrap();
                let msa = message.named("MSA").next().unwrap();
                return Some((msa.field(1).text().into_owned(), msa.field(2).text().into_owned()));
            }
            let mut buffer = [0; 4096];
            let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("no answer");
            match read {
                Ok(0) => return None,
                Ok(bytes) => self.decoder.push(&buffer[..bytes]),
                // The gateway must not reset connections: what it answered would be lost.
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub(crate) async fn exchange(&mut self, id: &str, lane: &str) -> Answer {
        self.send(id, lane).await;
        self.answer().await.expect("an answer")
    }

    /// All answers until the gateway closes the connection.
    pub(crate) async fn rest(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Some(answer) = self.answer().await {
            answers.push(answer);
        }
        answers
    }
}

pub(crate) fn message(id: &str, lane: &str) -> String {
    format!("MSH|^~\\&|LAB|NORTH|EHR|SOUTH|20261122||ADT^A08|{id}|P|2.5.1\rPID|1||{lane}||Testperson^Una\r")
}

pub(crate) fn frame(id: &str, lane: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    mllp::encode(message(id, lane).as_bytes(), &mut bytes).unwrap();
    bytes
}

pub(crate) fn accepted(id: &str) -> Answer {
    ("AA".to_owned(), id.to_owned())
}

/// Looks again and again until it is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = timeout(PATIENCE, async {
        while !is_so() {
            sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}
