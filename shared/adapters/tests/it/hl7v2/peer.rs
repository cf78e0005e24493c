//! An MLLP receiver on loopback that does what the test tells it, message by message.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bridge_hl7v2::{
    Message,
    mllp::{self, Decoder, Received},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// What the peer does with a message. `{id}` is its MSH-10.
#[derive(Clone)]
pub(crate) enum Then {
    /// Answers with this frame's content after the MSH: `MSA|AA|{id}`.
    Ack(&'static str),
    /// Answers with these bytes.
    Raw(&'static str),
    /// Answers `AA` after so many milliseconds.
    Late(u64),
    /// Answers `AA`, and closes the connection.
    AckAndClose,
    /// Never answers.
    Hang,
    /// Closes the connection.
    Close,
    /// Breaks the connection with a reset.
    Reset,
}

pub(crate) struct Peer {
    pub(crate) port: u16,
    pub(crate) connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<String>>>,
}

/// What all connections of a peer share.
#[derive(Clone)]
struct Script {
    /// For the first message, the second, … ; the last one for all that follow.
    steps: Arc<Vec<Then>>,
    received: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    pub(crate) async fn start(steps: &[Then]) -> Self {
        Self::start_with(steps, None).await
    }

    pub(crate) async fn start_with(steps: &[Then], tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let peer = Self { port, connections: Arc::default(), received: Arc::default() };
        let script = Script { steps: Arc::new(steps.to_vec()), received: Arc::clone(&peer.received) };
        let connections = Arc::clone(&peer.connections);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (script, tls) = (script.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => script.plain(tcp).await,
                        Some(tls) => {
                            if let Ok(mut stream) = tls.accept(tcp).await {
                                script.serve(&mut stream).await;
                            }
                        }
                    }
                });
            }
        });
        peer
    }

    pub(crate) fn url(&self) -> String {
        format!("mllp://127.0.0.1:{}", self.port)
    }

    /// The control ids of the messages that arrived, in order.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.received.lock().unwrap().iter().map(|message| id_of(message.as_bytes())).collect()
    }

    /// The messages that arrived, in order.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

impl Script {
    async fn plain(self, mut tcp: TcpStream) {
        if self.serve(&mut tcp).await {
            tcp.set_zero_linger().unwrap();
        }
    }

    /// Whether the connection is to be reset.
    async fn serve(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> bool {
        let mut decoder = Decoder::new(64 << 20);
        loop {
            let message = loop {
                if let Some(Received::Message(message)) = decoder.next_frame() {
                    break message.to_vec();
                }
                let mut bytes = Vec::new();
                match stream.read_buf(&mut bytes).await {
                    Ok(1..) => decoder.push(&bytes),
                    _ => return false,
                }
            };
            let id = id_of(&message);
            let n = {
                let mut received = self.received.lock().unwrap();
                received.push(String::from_utf8(message).unwrap());
                received.len() - 1
            };
            let fill = |text: &str| text.replace("{id}", &id).into_bytes();
            let frame = |segments: &str| {
                let mut frame = Vec::new();
                let ack = format!("MSH|^~\\&|PEER||BRIDGE||20260302||ACK|1|P|2.5.1\r{segments}\r");
                mllp::encode(&fill(&ack), &mut frame).unwrap();
                frame
            };
            let (bytes, go_on) = match self.steps.get(n).or(self.steps.last()).unwrap() {
                Then::Ack(segments) => (frame(segments), true),
                Then::Raw(bytes) => (fill(bytes), true),
                Then::Late(millis) => {
                    tokio::time::sleep(Duration::from_millis(*millis)).await;
                    (frame("MSA|AA|{id}"), true)
                }
                Then::AckAndClose => (frame("MSA|AA|{id}"), false),
                Then::Hang => std::future::pending().await,
                Then::Close => return false,
                Then::Reset => return true,
            };
            // Whoever gave up does not listen any more.
            let _ = stream.write_all(&bytes).await;
            if !go_on {
                return false;
            }
        }
    }
}

fn id_of(message: &[u8]) -> String {
    Message::parse(message).unwrap().header().field(10).text().into_owned()
}
