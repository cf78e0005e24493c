//! The emulator's life: it keeps its state over a stop, survives its owner, and shares its folder with nobody.
#![allow(clippy::unwrap_used)]

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use bridge_emulator::{Emulator, EmulatorError, Keep, Progress, Python, install};

fn python() -> Python {
    install(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("../emulator/venv"), |_| {}).unwrap()
}

/// An S3 request, unsigned: the emulator does not mind.
fn s3(emulator: &Emulator, method: &str, path: &str, body: &str) -> String {
    let address = emulator.endpoint().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn state_survives_a_stop_and_the_owner() {
    let (python, home) = (python(), tempfile::tempdir().unwrap());
    let starts = AtomicU32::new(0);
    let start = || {
        Emulator::start(&python, home.path(), Keep::State, |step| {
            assert_eq!(step, Progress::Starting);
            starts.fetch_add(1, Ordering::Relaxed);
        })
        .unwrap()
    };

    let first = start();
    assert!(matches!(
        Emulator::start(&python, home.path(), Keep::State, |_| {}),
        Err(EmulatorError::InUse(_))
    ));
    s3(&first, "PUT", "/shelf", "");
    s3(&first, "PUT", "/shelf/book", "once upon a time");
    first.stop().unwrap();

    let second = start();
    assert!(s3(&second, "GET", "/shelf/book", "").ends_with("once upon a time"));
    let endpoint = second.endpoint();
    second.leave();

    let third = start();
    assert_eq!((third.endpoint(), starts.load(Ordering::Relaxed)), (endpoint, 2));
    s3(&third, "PUT", "/shelf/book", "the end");
    third.stop().unwrap();
    assert!(s3(&start(), "GET", "/shelf/book", "").ends_with("the end"));
}
