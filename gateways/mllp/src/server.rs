//! Doors open, connections served, and in the end everything that was begun finished.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use crate::{
    Limits, Sink,
    batch::Batcher,
    budget::Budget,
    connection::{self, Shared},
    door::{Door, Guests, WrongDoor},
    metrics::Metrics,
    renewal::{Renewal, Shown},
    sink::Origin,
    tls::{Identity, TlsError},
};

/// How often a silent peer is asked whether it is still there: more often than anything on the way forgets the
/// connection (a Network Load Balancer does after 350 s).
const KEEPALIVE: Duration = Duration::from_mins(1);
/// Before accepting again after accepting failed: out of file descriptors, for example.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Why a door can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It contradicts itself.
    #[error(transparent)]
    Door(#[from] WrongDoor),
    /// It can't speak TLS.
    #[error("the door at port {port} can't speak TLS: {error}")]
    Tls {
        /// Which.
        port: u16,
        /// Why.
        error: TlsError,
    },
}

/// A gateway with its doors.
#[derive(Debug)]
pub struct Gateway<S> {
    shared: Arc<Shared<S>>,
    batches: JoinHandle<()>,
    open: Vec<(TcpListener, Entrance)>,
    renewal: Renewal,
}

/// What a door does with who comes.
#[derive(Clone)]
struct Entrance {
    guests: Guests,
    tls: Option<Shown>,
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entrance").field("guests", &self.guests).field("tls", &self.tls.is_some()).finish()
    }
}

impl<S: Sink> Gateway<S> {
    /// A gateway without doors. Call it within a Tokio runtime.
    pub fn new(sink: Arc<S>, limits: Limits) -> Self {
        let metrics = Arc::new(Metrics::default());
        let (batcher, batches) = Batcher::start(Arc::clone(&sink), limits, Arc::clone(&metrics));
        let budget = Budget::new(limits.memory, limits.frame);
        let in_flight = Arc::new(Semaphore::new(limits.in_flight.max(1)));
        let shared = Arc::new(Shared { sink, limits, metrics, batcher, budget, in_flight });
        Self { shared, batches, open: Vec::new(), renewal: Renewal::default() }
    }

    /// What it counts.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.shared.metrics)
    }

    /// Adds a door, at a socket that listens already.
    ///
    /// # Errors
    /// When the door contradicts itself or can't speak TLS as it should.
    pub fn open(&mut self, door: &Door, listener: TcpListener, identity: &Identity) -> Result<(), OpenError> {
        let guests = door.guests()?;
        let tls = identity.acceptor(door.tls).map_err(|error| OpenError::Tls { port: door.port, error })?;
        let tls = tls.map(|acceptor| self.renewal.of(door.tls, acceptor));
        self.open.push((listener, Entrance { guests, tls }));
        Ok(())
    }

    /// What the doors show, to be renewed while they are open.
    pub fn renewal(&self) -> Renewal {
        self.renewal.clone()
    }

    /// Serves until `stop` comes; then accepts nobody, finishes what was begun, for [`Limits::drain`] at most, and
    /// returns. Whether everything was finished.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send) -> bool {
        let Self { shared, batches, open, renewal: _ } = self;
        let (stopper, stopped) = watch::channel(false);
        let slots = Arc::new(Semaphore::new(shared.limits.connections));
        let drain = shared.limits.drain;
        let mut accepting = JoinSet::new();
        for (listener, entrance) in open {
            let (shared, slots, stopped) = (Arc::clone(&shared), Arc::clone(&slots), stopped.clone());
            accepting.spawn(accept(listener, entrance, shared, slots, stopped));
        }
        // Only the connections keep the batches going.
        drop(shared);
        stop.await;
        stopper.send_replace(true);
        let finished = timeout(drain, async {
            while accepting.join_next().await.is_some() {}
            // An error is a panic, which has been logged.
            let _ = batches.await;
        });
        let finished = finished.await.is_ok();
        if !finished {
            tracing::warn!("not everything was finished in time: senders without an answer send again");
        }
        finished
    }
}

async fn accept<S: Sink>(
    listener: TcpListener,
    entrance: Entrance,
    shared: Arc<Shared<S>>,
    slots: Arc<Semaphore>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            shared.metrics.turned_away();
            tracing::warn!(%peer, "turned away: as many connections are open as may be");
            continue;
        };
        let (entrance, shared, stopped) = (entrance.clone(), Arc::clone(&shared), stopped.clone());
        connections.spawn(welcome(stream, peer, entrance, shared, slot, stopped));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn welcome<S: Sink>(
    stream: TcpStream,
    peer: SocketAddr,
    entrance: Entrance,
    shared: Arc<Shared<S>>,
    _slot: OwnedSemaphorePermit,
    stopped: watch::Receiver<bool>,
) {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 4);
    // Answers are small and waited for; a peer that is gone must be noticed. Without either it is slower, not wrong.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    let Some(tls) = entrance.tls else {
        return serve(stream, peer, &entrance.guests, None, &shared, stopped).await;
    };
    match timeout(shared.limits.handshake, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => {
            let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
            let certificate = certificate.map(|certificate| certificate.clone().into_owned());
            serve(stream, peer, &entrance.guests, certificate.as_ref(), &shared, stopped).await;
        }
        Ok(Err(error)) => {
            shared.metrics.turned_away();
            tracing::warn!(%peer, %error, "turned away: no TLS");
        }
        Err(_) => {
            shared.metrics.turned_away();
            tracing::warn!(%peer, "turned away: its TLS handshake took too long");
        }
    }
}

async fn serve<S: Sink, T: tokio::io::AsyncRead + tokio::io::AsyncWrite>(
    stream: T,
    peer: SocketAddr,
    guests: &Guests,
    certificate: Option<&rustls::pki_types::CertificateDer<'_>>,
    shared: &Shared<S>,
    stopped: watch::Receiver<bool>,
) {
    let Some(route) = guests.route(certificate) else {
        shared.metrics.turned_away();
        tracing::warn!(%peer, "turned away: its certificate is no connection's");
        return;
    };
    shared.metrics.connected();
    // Also when a panic ends the connection.
    let _open = Open(&shared.metrics);
    // A socket for both protocols shows an address of IPv4 in its form for IPv6; lists of addresses do not.
    let origin = Origin { route, peer: peer.ip().to_canonical() };
    let closed = connection::serve(stream, &origin, shared, stopped).await;
    tracing::info!(%peer, closed = closed.word(), "a connection closed");
}

/// Counts a connection as open while it lives.
struct Open<'m>(&'m Metrics);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.closed();
    }
}
