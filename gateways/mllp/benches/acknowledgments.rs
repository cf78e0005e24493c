//! MLLP acknowledgments per second over loopback, beside an echo of the same frames: what is left is the gateway.
//!
//! Each sample exchanges as many messages over 1 or 50 connections, one outstanding on each, as most senders do. Compare
//! the rows of one run:
//!
//! | row | answers |
//! |---|---|
//! | `echo` | the same bytes, and does nothing else |
//! | `sockets` | the gateway over a sink that takes no time: frames, lanes, batches, answers |
//! | `memory` | the gateway over the whole pipeline, which seals each message and puts it on a queue in memory |
//! | `emulator` | the same over the AWS emulator of a running `bridge up`, given `eval "$(bridge env)"`; else left out |
//! | `simple_hl7` | another engine's server at the port in `SIMPLE_HL7`, which parses and keeps nothing; else left out |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{net::SocketAddr, sync::Arc};

use bridge_adapters::Catalog;
use bridge_aws::{Aws, AwsPorts};
use bridge_core::{manifest::Adapters as _, task::Actor};
use bridge_pipeline::{Bridge, ports::Ports};
use bridge_testkit::memory::{Calm, MemoryAdapters, MemoryPorts, Shared, World, lock};
use divan::{Bencher, counter::ItemsCount};
use mllp_gateway::{Gateway, Limits, Sink, pipeline::Pipeline, tls::Identity};
use support::Running;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};

/// Messages of a sample.
const MESSAGES: usize = 10_000;
/// Of a sample over the emulator, which takes milliseconds for each request.
const FEW: usize = 500;
const CONNECTIONS: [usize; 2] = [1, 50];
/// Size of a typical ADT.
const SIZE: usize = 1500;
/// Where MSH-10 stands in a frame.
const CONTROL_ID: std::ops::Range<usize> = 62..71;

fn main() {
    divan::main();
}

/// A frame of [`SIZE`] bytes: a message of the example practice's registration.
fn frame() -> Vec<u8> {
    let mut text = "MSH|^~\\&|SUNREG|SUNRISE|BRIDGE|CLOUD|20261122101500||ADT^A08|000000000|P|2.5.1\r\
                    EVN|A08|20261122101500\rPID|1||4711^^^SUNRISE^MR||Testperson^Una||19700101|F\rNTE|1||"
        .to_owned();
    while text.len() < SIZE {
        text.push_str("synthetic ");
    }
    [b"\x0b", text.as_bytes(), b"\r\x1c\r"].concat()
}

/// Sends a frame on each stream, waits for its answer, and again. No message is like another.
async fn exchange(streams: Vec<TcpStream>, messages: usize) -> Vec<TcpStream> {
    let each = messages / streams.len();
    let senders: Vec<_> = (0..)
        .zip(streams)
        .map(|(sender, mut stream)| {
            tokio::spawn(async move {
                let mut frame = frame();
                let patient = frame.windows(4).position(|bytes| bytes == b"4711").unwrap();
                frame[patient..patient + 4].copy_from_slice(format!("{sender:04}").as_bytes());
                let mut answer = vec![0; 4096];
                for number in 0..each {
                    let control_id = format!("{sender:03}{number:06}");
                    frame[CONTROL_ID].copy_from_slice(control_id.as_bytes());
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

fn measure(
    bencher: Bencher<'_, '_>,
    runtime: &Runtime,
    at: SocketAddr,
    connections: usize,
    messages: usize,
    mut after: impl FnMut(),
) {
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
    bencher.counter(ItemsCount::new(messages)).bench_local(|| {
        streams = Some(runtime.block_on(exchange(streams.take().unwrap(), messages)));
        after();
    });
}

/// A gateway whose one door is shared by the tenant's connections; serves until the runtime ends.
async fn serve<S: Sink>(sink: S, tenant: &str) -> SocketAddr {
    let mut gateway = Gateway::new(Arc::new(sink), Limits::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let door = serde_norway::from_str(&format!("{{port: 0, tenants: [{tenant}]}}")).unwrap();
    gateway.open(&door, listener, &Identity::default()).unwrap();
    tokio::spawn(gateway.serve(std::future::pending()));
    at
}

#[divan::bench(args = CONNECTIONS, sample_count = 10, sample_size = 1)]
fn sockets(bencher: Bencher<'_, '_>, connections: usize) {
    let runtime = Runtime::new().unwrap();
    let gateway = runtime.block_on(Running::start(Limits::default()));
    measure(bencher, &runtime, gateway.at, connections, MESSAGES, || {});
    assert!(runtime.block_on(gateway.stop()));
}

#[divan::bench(args = CONNECTIONS, sample_count = 10, sample_size = 1)]
fn memory(bencher: Bencher<'_, '_>, connections: usize) {
    let runtime = Runtime::new().unwrap();
    let world: Shared = Arc::default();
    *lock(&world) = World { now: 1_790_000_000_000, ..World::default() };
    let mut adapters = MemoryAdapters::default();
    adapters.manifests.insert("hl7v2".to_owned(), Catalog::builtin().manifest("hl7v2").unwrap());
    let ports = || MemoryPorts::new(world.clone(), Calm, adapters.clone(), 0, 1);
    let at = runtime.block_on(async {
        configure(&Bridge::new(ports())).await;
        serve(Pipeline::new(ports()), "practice").await
    });
    // What was queued is of no use to anybody.
    measure(bencher, &runtime, at, connections, MESSAGES, || lock(&world).queues.clear());
}

async fn configure<P: Ports>(bridge: &Bridge<P>) {
    bridge.apply_tenant(&serde_norway::from_str("{tenant: practice, name: Test}").unwrap()).await.unwrap();
    let yaml = "{connection: practice.registration, adapter: hl7v2, zone: America/Chicago}";
    let actor = Actor { name: "bench".to_owned(), reason: "bench".to_owned() };
    bridge.apply_connection(serde_norway::from_str(yaml).unwrap(), actor).await.unwrap();
}

#[divan::bench(args = CONNECTIONS, sample_count = 5, sample_size = 1)]
fn emulator(bencher: Bencher<'_, '_>, connections: usize) {
    let runtime = Runtime::new().unwrap();
    let Ok(aws) = runtime.block_on(Aws::from_env()) else {
        return eprintln!("emulator: left out, the environment names no bridge");
    };
    let sink = Pipeline::new(AwsPorts::new(aws, Catalog::builtin()));
    let at = runtime.block_on(serve(sink, "sunrise"));
    measure(bencher, &runtime, at, connections, FEW, || {});
}

#[divan::bench(args = CONNECTIONS, sample_count = 10, sample_size = 1)]
fn simple_hl7(bencher: Bencher<'_, '_>, connections: usize) {
    #[expect(clippy::disallowed_methods, reason = "a benchmark has nobody else to be told by")]
    let port = std::env::var("SIMPLE_HL7");
    let Some(port) = port.ok().and_then(|port| port.parse::<u16>().ok()) else {
        return eprintln!("simple_hl7: left out, SIMPLE_HL7 names no port");
    };
    let runtime = Runtime::new().unwrap();
    measure(bencher, &runtime, ([127, 0, 0, 1], port).into(), connections, MESSAGES / 5, || {});
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
    measure(bencher, &runtime, at, connections, MESSAGES, || {});
}
