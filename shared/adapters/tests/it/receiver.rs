//! A receiver on loopback that speaks just enough HTTP/1.1, and can misbehave in ways a real server library won't.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the receiver does once it has read a request.
#[derive(Clone)]
pub(crate) enum Then {
    /// Answers with these bytes and waits for the next request.
    Answer(String),
    /// Never answers.
    Hang,
    /// Breaks the connection with a reset.
    Reset,
    /// Closes the connection in the middle of the status line.
    BreakOff,
}

impl Then {
    /// A whole answer: status line, more header lines, body.
    pub(crate) fn status(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Answer(format!("HTTP/1.1 {status} \r\ncontent-length: {length}\r\n{headers}\r\n{body}"))
    }
}

/// A request as it came over the wire.
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    pub(crate) connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    pub(crate) async fn start(then: Then) -> Self {
        Self::script(vec![then]).await
    }

    /// Does one thing after the other; the last one from then on.
    pub(crate) async fn script(thens: Vec<Then>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self { url, connections: Arc::default(), received: Arc::default() };
        let (connections, received) = (Arc::clone(&receiver.connections), Arc::clone(&receiver.received));
        let thens = Arc::new(Mutex::new(VecDeque::from(thens)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&thens), Arc::clone(&received)));
            }
        });
        receiver
    }

    /// What has arrived so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

async fn serve(
    mut stream: TcpStream,
    thens: Arc<Mutex<VecDeque<Then>>>,
    received: Arc<Mutex<Vec<Received>>>,
) {
    while let Some(request) = read(&mut stream).await {
        received.lock().unwrap().push(request);
        let then = {
            let mut thens = thens.lock().unwrap();
            if thens.len() > 1 { thens.pop_front() } else { thens.front().cloned() }
        };
        match then.unwrap() {
            Then::Answer(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap(),
            Then::Hang => std::future::pending().await,
            Then::Reset => return stream.set_zero_linger().unwrap(),
            Then::BreakOff => return stream.write_all(b"HTTP/1.1 2").await.unwrap(),
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head + 4 + length {
        stream.read_buf(&mut bytes).await.ok()?;
    }
    Some(Received { line, headers, body: bytes.split_off(head + 4) })
}
