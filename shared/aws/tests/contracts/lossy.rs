//! A network that loses answers: what was asked happens, and the connection breaks before the answer.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::world::World;

/// Stands before the emulator.
pub(crate) struct Lossy {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// The operation whose next answer is lost.
    next: Mutex<Option<String>>,
    lost: AtomicUsize,
}

impl Lossy {
    pub(crate) async fn before(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint = world.aws.settings().endpoint.clone().unwrap();
        let upstream = endpoint.trim_start_matches("http://").to_owned();
        let state = Arc::<State>::default();
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, upstream.clone(), shared.clone()));
            }
        });
        Self { port, state }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn lose_next(&self, operation: &str) {
        *self.state.next.lock().unwrap() = Some(format!("DynamoDB_20120810.{operation}\r\n"));
    }

    pub(crate) fn lost(&self) -> usize {
        self.state.lost.load(Ordering::Relaxed)
    }
}

/// Passes bytes on in both directions. Requests are small: their headers come in one piece.
async fn connection(mut client: TcpStream, upstream: String, state: Arc<State>) {
    let mut server = TcpStream::connect(upstream).await.unwrap();
    let (mut from_client, mut from_server) = (vec![0; 65_536], vec![0; 65_536]);
    let mut losing = false;
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(length @ 1..) = read else { return };
                let text = String::from_utf8_lossy(&from_client[..length]).into_owned();
                let mut next = state.next.lock().unwrap().take();
                if next.as_ref().is_some_and(|operation| text.contains(operation)) {
                    (losing, next) = (true, None);
                }
                *state.next.lock().unwrap() = next;
                server.write_all(&from_client[..length]).await.unwrap();
            }
            read = server.read(&mut from_server) => {
                let Ok(length @ 1..) = read else { return };
                if losing {
                    state.lost.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                client.write_all(&from_server[..length]).await.unwrap();
            }
        }
    }
}
