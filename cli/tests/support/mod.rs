//! Running the built `bridge` as a person would: as processes, over HTTP, in a state folder of its own.

#![allow(
    dead_code,
    clippy::print_stdout,
    reason = "each test uses a part of it, and tells what it waits for"
)]

pub(crate) mod chance;
pub(crate) mod chaos;
pub(crate) mod load;

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::Value;

const BRIDGE: &str = env!("CARGO_BIN_EXE_bridge");
/// The first start on a machine downloads the emulator.
const TO_START: Duration = Duration::from_secs(300);

/// A `bridge` that runs until it is stopped; what it prints is kept.
pub(crate) struct Process {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    /// Its `ready` event.
    pub(crate) ready: Value,
}

impl Process {
    /// Starts `bridge` with these arguments and `--json`, and waits until it says that it is ready.
    pub(crate) fn start(state: &Path, args: &[&str]) -> Self {
        let mut child = command(state, args).arg("--json").stdout(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (sender, ready) = mpsc::channel();
        let (stdout, lines) = (child.stdout.take().unwrap(), Arc::clone(&said));
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                if event["event"] == "ready" || !event["error"].is_null() {
                    let _ = sender.send(event);
                }
                lines.lock().unwrap().push(line);
            }
        });
        let ready = ready.recv_timeout(TO_START).expect("bridge did not become ready");
        assert_eq!(ready["event"], "ready", "{ready}");
        Self { child, said, ready }
    }

    /// Where its webhooks are.
    pub(crate) fn gateway(&self) -> String {
        self.ready["system"]["gateway"].as_str().unwrap().to_owned()
    }

    /// Everything that it printed so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    /// Stops it as Ctrl-C and service managers do; it must end well.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.said());
    }

    /// Ends it at once (SIGKILL).
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            let said = self.said();
            let lines: Vec<&str> = said.lines().collect();
            println!("its last words:\n{}", lines[lines.len().saturating_sub(20)..].join("\n"));
        }
        // A test that failed leaves nothing running: the emulator is stopped by its bridge.
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let pid = self.child.id().to_string();
            let _ = Command::new("kill").args(["-TERM", &pid]).status();
            let _ = self.child.wait();
        }
    }
}

fn command(state: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(BRIDGE);
    command.args(args).arg("--state-dir").arg(state);
    // What a developer's shell may have must not reach into a test.
    for name in ["AWS_ENDPOINT_URL", "LEDGER_TABLE", "BRIDGE_STATE", "CARGO"] {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
pub(crate) fn run(state: &Path, args: &[&str]) -> Output {
    command(state, args).output().unwrap()
}

/// Runs a command that must succeed, and reads the JSON documents that it prints.
pub(crate) fn json(state: &Path, args: &[&str]) -> Vec<Value> {
    let output = command(state, args).arg("--json").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Lets time pass.
#[expect(clippy::disallowed_methods, reason = "what is waited for happens in other processes")]
pub(crate) fn rest(time: Duration) {
    thread::sleep(time);
}

/// Looks again and again until there is something; less often the longer it takes, because looking takes from what is
/// looked at.
pub(crate) fn eventually<T>(what: &str, within: Duration, look: impl FnMut() -> Option<T>) -> T {
    eventually_or(within, look, || what.to_owned())
}

/// The same; what has not come in time is said then.
pub(crate) fn eventually_or<T>(
    within: Duration,
    mut look: impl FnMut() -> Option<T>,
    missing: impl Fn() -> String,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < within, "not within {within:?}: {}", missing());
        rest((begun.elapsed() / 20).clamp(Duration::from_millis(100), Duration::from_secs(1)));
    }
}

/// Reads JSON from an address; nothing when nobody answers.
pub(crate) fn get(url: &str) -> Option<Value> {
    call("GET", url, &[], "")
}

/// The same with a header.
pub(crate) fn get_with(url: &str, header: (&str, &str)) -> Option<Value> {
    call("GET", url, &[header], "")
}

/// Posts JSON; nothing when nobody answers with JSON.
pub(crate) fn post_json(url: &str, header: (&str, &str), body: &Value) -> Option<Value> {
    call("POST", url, &[("content-type", "application/json"), header], &body.to_string())
}

/// One HTTP/1.1 exchange on a connection of its own.
fn call(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Option<Value> {
    let (host, path) = url.strip_prefix("http://")?.split_once('/').unwrap_or((url.get(7..)?, ""));
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(15))).ok()?;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

/// Posts JSON to the door at `address`, which is asked for before every try, until it is acknowledged; the answer.
pub(crate) async fn acknowledged(
    client: &Client,
    address: &(dyn Fn() -> String + Send + Sync),
    key: &str,
    body: &Value,
) -> Value {
    for _ in 0..600 {
        let request = client.post(address()).header("content-type", "application/json").header("x-key", key);
        match request.body(body.to_string()).send().await {
            Ok(answer) if answer.status().as_u16() == 202 => {
                if let Ok(text) = answer.text().await {
                    return serde_json::from_str(&text).unwrap();
                }
            }
            Ok(answer) if answer.status().is_client_error() => panic!("{}", answer.text().await.unwrap()),
            Ok(_) | Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("a message was never acknowledged");
}
