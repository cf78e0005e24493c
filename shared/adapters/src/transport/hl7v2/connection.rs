//! One MLLP connection: frames out, frames in, and which failure means what.

use std::{future::Future as _, io, pin::pin, sync::Arc, task, time::Duration};

use bridge_hl7v2::mllp::{self, Decoder, Received};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, lookup_host},
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, Error as TlsError, pki_types::ServerName},
};

use super::{
    super::tls::{Material, TlsFault},
    address::{MllpAddress, is_private},
};

/// Acknowledgments are a few hundred bytes.
const LARGEST_ANSWER: usize = 1 << 20;
/// Time to connect, TLS included.
const CONNECT: Duration = Duration::from_secs(5);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// An open connection to an MLLP receiver.
pub struct MllpConnection {
    stream: Box<dyn Stream>,
    decoder: Decoder,
}

impl std::fmt::Debug for MllpConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MLLP connection, {} bytes waiting", self.decoder.buffered())
    }
}

/// Why there is no connection, or no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MllpError {
    /// No connection. Nothing was sent.
    #[error("no connection: {0}")]
    Connect(io::ErrorKind),
    /// The name belongs to a public address, and there is no TLS. Nothing was sent.
    #[error("without TLS messages go to this machine or a private network alone: use mllps")]
    Public,
    /// TLS did not come about. Nothing was sent.
    #[error("no TLS: {0}")]
    Tls(&'static str),
    /// The message holds the byte that ends a frame. Nothing was sent.
    #[error("the message can't be framed: {0}")]
    Frame(bridge_hl7v2::Error),
    /// The connection broke before the message was out: the receiver cannot have all of it.
    #[error("the connection broke while the message was sent: {0}")]
    Unsent(io::ErrorKind),
    /// The connection broke after the message was out.
    #[error("the connection broke before the answer")]
    Broken,
    /// No answer in time.
    #[error("no answer in time")]
    Silent,
    /// An answer of more than 1 MiB.
    #[error("the answer is too large")]
    TooLarge,
}

impl MllpConnection {
    /// Connects, within five seconds. With TLS the receiver's certificate must come from an authority of `material`, or
    /// from one that the machine trusts when it names none. A receiver that does not take our certificate may say so
    /// only later, to who waits for an answer.
    ///
    /// # Errors
    /// Those before anything is sent.
    pub async fn connect(address: &MllpAddress, material: &Material<'_>) -> Result<Self, MllpError> {
        let config = material.config().map_err(|fault| match fault {
            TlsFault::Platform => MllpError::Tls("the machine's trusted certificates can't be used"),
            TlsFault::Ca => MllpError::Tls("no CA certificate in PEM was given"),
            TlsFault::Identity => {
                MllpError::Tls("our certificate and its key are not PEM that belongs together")
            }
        })?;
        Self::open(address, Arc::new(config)).await
    }

    pub(super) async fn open(address: &MllpAddress, tls: Arc<ClientConfig>) -> Result<Self, MllpError> {
        let opened = timeout(CONNECT, Self::dial(address, tls)).await;
        opened.unwrap_or(Err(MllpError::Connect(io::ErrorKind::TimedOut)))
    }

    async fn dial(address: &MllpAddress, tls: Arc<ClientConfig>) -> Result<Self, MllpError> {
        let no_connection = |error: io::Error| MllpError::Connect(error.kind());
        let found = lookup_host((address.host.as_str(), address.port)).await.map_err(no_connection)?;
        let mut last = MllpError::Connect(io::ErrorKind::NotFound);
        for to in found {
            if !address.tls && !is_private(to.ip()) {
                last = MllpError::Public;
                continue;
            }
            match TcpStream::connect(to).await {
                Ok(tcp) => return Self::over(tcp, address, tls).await,
                Err(error) => last = no_connection(error),
            }
        }
        Err(last)
    }

    async fn over(tcp: TcpStream, address: &MllpAddress, tls: Arc<ClientConfig>) -> Result<Self, MllpError> {
        tcp.set_nodelay(true).map_err(|error| MllpError::Connect(error.kind()))?;
        let stream: Box<dyn Stream> = if address.tls {
            let name = ServerName::try_from(address.host.clone())
                .map_err(|_| MllpError::Tls("the host is not a name that a certificate can have"))?;
            let handshake = TlsConnector::from(tls).connect(name, tcp).await;
            Box::new(handshake.map_err(|error| match tls_error(&error) {
                Some(reason) => MllpError::Tls(reason),
                None => MllpError::Connect(error.kind()),
            })?)
        } else {
            Box::new(tcp)
        };
        Ok(Self { stream, decoder: Decoder::new(LARGEST_ANSWER) })
    }

    /// Sends one message in a frame.
    ///
    /// # Errors
    /// [`MllpError::Unsent`] when the receiver cannot have the whole message, else [`MllpError::Broken`] or
    /// [`MllpError::Silent`].
    pub async fn send(&mut self, message: &[u8], by: Instant) -> Result<(), MllpError> {
        let mut frame = Vec::new();
        mllp::encode(message, &mut frame).map_err(MllpError::Frame)?;
        let mut sent = 0;
        while sent < frame.len() {
            let rest = frame.get(sent..).unwrap_or_default();
            let error = match timeout_at(by, self.stream.write(rest)).await {
                Ok(Ok(0)) => io::ErrorKind::WriteZero,
                Ok(Ok(more)) => {
                    sent += more;
                    continue;
                }
                Ok(Err(error)) => error.kind(),
                Err(_) => io::ErrorKind::TimedOut,
            };
            // With the end byte out the message is whole, whatever became of the carriage return behind it.
            return Err(if sent + 1 < frame.len() { MllpError::Unsent(error) } else { MllpError::Broken });
        }
        match timeout_at(by, self.stream.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(MllpError::Broken),
            Err(_) => Err(MllpError::Silent),
        }
    }

    /// The next frame that comes back; what stands between frames is passed over.
    ///
    /// # Errors
    /// Those after the message was sent.
    pub async fn answer(&mut self, by: Instant) -> Result<Vec<u8>, MllpError> {
        loop {
            if let Some(answer) = framed(&mut self.decoder, false)? {
                return Ok(answer);
            }
            let mut bytes = Vec::with_capacity(4096);
            match timeout_at(by, self.stream.read_buf(&mut bytes)).await {
                Err(_) => return Err(MllpError::Silent),
                Ok(Ok(0)) => return framed(&mut self.decoder, true)?.ok_or(MllpError::Broken),
                Ok(Ok(_)) => self.decoder.push(&bytes),
                Ok(Err(error)) => {
                    // In TLS 1.3 the receiver looks at our certificate after the handshake, and at messages after that.
                    return Err(match alert(&error) {
                        Some(reason) => MllpError::Tls(reason),
                        None => MllpError::Broken,
                    });
                }
            }
        }
    }

    /// Whether the receiver has not closed the connection, as far as is known without asking it.
    pub(super) fn is_open(&mut self) -> bool {
        let mut bytes = Vec::with_capacity(4096);
        let mut context = task::Context::from_waker(task::Waker::noop());
        let polled = pin!(self.stream.read_buf(&mut bytes)).as_mut().poll(&mut context);
        match polled {
            task::Poll::Pending => true,
            task::Poll::Ready(Ok(1..)) => {
                // An answer that comes now is a late one: reading on will pass it over.
                self.decoder.push(&bytes);
                true
            }
            task::Poll::Ready(_) => false,
        }
    }
}

/// The next message of a decoder; the last one, when the connection is closed.
fn framed(decoder: &mut Decoder, closed: bool) -> Result<Option<Vec<u8>>, MllpError> {
    loop {
        match if closed { decoder.finish() } else { decoder.next_frame() } {
            None => return Ok(None),
            Some(Received::Garbage { .. } | Received::Message([])) => {}
            // A receiver that closes instead of ending its frame: MSA says whether it is an answer.
            Some(Received::Message(answer) | Received::Unterminated(answer)) => {
                return Ok(Some(answer.to_vec()));
            }
            Some(Received::TooLarge { .. }) => return Err(MllpError::TooLarge),
        }
    }
}

fn rustls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

/// In words of our own: those of an error may hold names from a certificate.
fn tls_error(error: &io::Error) -> Option<&'static str> {
    Some(match rustls_error(error)? {
        TlsError::InvalidCertificate(_) => "the receiver's certificate is not trusted",
        TlsError::AlertReceived(_) => "the receiver refused it",
        TlsError::PeerIncompatible(_) => "the receiver speaks no TLS 1.2 or 1.3 that is safe",
        TlsError::InvalidMessage(_) => "what the receiver speaks is not TLS",
        _ => "the handshake failed",
    })
}

fn alert(error: &io::Error) -> Option<&'static str> {
    matches!(rustls_error(error)?, TlsError::AlertReceived(_))
        .then_some("the receiver refused our certificate")
}
