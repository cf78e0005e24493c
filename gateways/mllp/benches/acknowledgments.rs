//! MLLP acknowledgments per second over loopback, beside an echo of the same frames: what is left is the gateway.
//!
//! Each sample exchanges as many messages over 1 or 50 connections, one outstanding on each, as most senders do. The
//! echo answers a read with the same bytes, and does nothing else. The sink is in memory and takes no time, so neither
//! sealing nor the queue is in it. Compare the rows of one run.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::net::SocketAddr;

use divan::{Bencher, counter::ItemsCount};
use mllp_gateway::Limits;
use support::{Running, message};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};

/// Messages of a sample.
const MESSAGES: usize = 10_000;
const CONNECTIONS: [usize; 2] = [1, 50];
/// Size of a typical ADT.
const SIZE: usize = 1500;

fn main() {
    divan::main();
}

/// A frame of [`SIZE`] bytes.
fn frame() -> Vec<u8> {
    let mut text = message("1", "4711");
    text.push_str("NTE|1||");
    while text.len() < SIZE {
        text.push_str("synthetic ");
    }
    [b"\x0b", text.as_bytes(), b"\r\x1c\r"].concat()
}

/// Sends a frame on each stream, waits for its answer, and again.
async fn exchange(streams: Vec<TcpStream>) -> Vec<TcpStream> {
    let each = MESSAGES / streams.len();
    let senders: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            tokio::spawn(async move {
                let frame = frame();
                let mut answer = vec![0; 4096];
                for _ in 0..each {
                    stream.write_all(&frame).await.unwrap();
                    let mut last = 0;
                    while last != b'\r' {
                        let bytes = stream.read(&mut answer).await.unwrap();
                        assert!(bytes > 0, "closed");
                        // The answer ends with the end byte and a carriage return.
                        last = if bytes > 1 && answer[bytes - 2] == 0x1c { answer[bytes - 1] } else { 0 };
                    }
                }
                stream
            })
        })
        .collect();
    let mut streams = Vec::new();
    for sender in senders {
        streams.push(sender.await.unwrap());
    }
    streams
}

fn measure(bencher: Bencher<'_, '_>, runtime: &Runtime, at: SocketAddr, connections: usize) {
    let streams = runtime.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(at).await.unwrap();
            stream.set_nodelay(true).unwrap();
            streams.push(stream);
        }
        streams
    });
    let mut streams = Some(streams);
    bencher.counter(ItemsCount::new(MESSAGES)).bench_local(|| {
        streams = Some(runtime.block_on(exchange(streams.take().unwrap())));
    });
}

#[divan::bench(args = CONNECTIONS, sample_count = 10, sample_size = 1)]
fn gateway(bencher: Bencher<'_, '_>, connections: usize) {
    let runtime = Runtime::new().unwrap();
    let gateway = runtime.block_on(Running::start(Limits::default()));
    measure(bencher, &runtime, gateway.at, connections);
    assert!(runtime.block_on(gateway.stop()));
}

#[divan::bench(args = CONNECTIONS, sample_count = 10, sample_size = 1)]
fn echo(bencher: Bencher<'_, '_>, connections: usize) {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let at = listener.local_addr().unwrap();
    runtime.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let mut buffer = vec![0; 16 * 1024];
                while let Ok(bytes) = stream.read(&mut buffer).await {
                    if bytes == 0 || stream.write_all(&buffer[..bytes]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    measure(bencher, &runtime, at, connections);
}
