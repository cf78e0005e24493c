//! A simulated product in a process of its own, steered over its `/_control/`.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use bridge_core::config::Connection;
use serde_json::{Value, json};

/// Which product the process is to serve.
const WHICH: &str = "BRIDGE_BURST_PRODUCT";
const READY: &str = "serving at ";
/// In milliseconds since 1970.
pub(crate) const BEGIN: i64 = 1_790_000_000_000;

/// The product. It ends with this.
pub(crate) struct Product {
    process: Child,
    /// Its input and output: it ends with the one, and must be able to write to the other.
    _pipes: (ChildStdin, BufReader<ChildStdout>),
    pub(crate) base: String,
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves until the input ends.
pub(crate) async fn serve() {
    #[expect(clippy::disallowed_methods, reason = "the test tells its second process what to be")]
    let Ok(which) = std::env::var(WHICH) else { return };
    let served = bridge_simulators::serve(bridge_simulators::by_name(&which).unwrap(), None).await.unwrap();
    println!("\n{READY}{}", served.base);
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = ended.await;
}

impl Product {
    pub(crate) fn start(adapter: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "serves_a_product", "--ignored", "--nocapture"])
            .env(WHICH, adapter)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let lines = output.by_ref().lines().map_while(Result::ok);
        let base = lines.filter_map(|line| line.strip_prefix(READY).map(str::to_owned)).next().unwrap();
        Self { process, _pipes: (input, output), base }
    }

    /// What was made before anything is asked: a clock that was set back later would leave all of it in the future.
    pub(crate) fn seed(&self, appointments: usize) {
        hold(&self.base, BEGIN);
        let seed = json!({"patients": 200, "practitioners": 5, "appointments": appointments});
        control(&self.base, "POST", "seed", &seed);
        control(&self.base, "POST", "prepare", &json!({}));
    }

    /// Changes so many appointments at once; gives the product's ids of them.
    pub(crate) fn touch(&self, count: usize) -> Vec<String> {
        let touched =
            control(&self.base, "POST", "touch", &json!({"resource": "Appointment", "count": count}));
        let ids = touched["ids"].as_array().unwrap().iter();
        ids.map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// The next call of a list is answered, and nobody hears the answer.
    pub(crate) fn lose_an_answer(&self) {
        control(&self.base, "POST", "faults", &json!({"fault": "lost"}));
    }

    /// Calls that were made, and those that the product refused.
    pub(crate) fn calls(&self) -> (u64, u64) {
        let said = control(&self.base, "GET", "calls", &json!({}));
        let of = |what: &str| {
            said["counts"].as_object().unwrap().values().map(|one| one[what].as_u64().unwrap()).sum()
        };
        let lost =
            said["latest"].as_array().unwrap().iter().filter(|call| call["status"] == 0).count() as u64;
        let refusals: u64 = of("refusals");
        (of("calls"), refusals.saturating_sub(lost))
    }

    /// A connection to it.
    pub(crate) fn connection(&self, id: &str) -> Connection {
        let reached = control(&self.base, "GET", "connection", &json!({}));
        serde_json::from_value(json!({
            "connection": id, "adapter": reached["adapter"], "zone": reached["zone"], "poll": true,
            "settings": reached["settings"], "secrets": reached["secrets"],
        }))
        .unwrap()
    }
}

/// Sets the product's clock.
pub(crate) fn hold(base: &str, millis: i64) {
    let at = jiff::Timestamp::from_millisecond(millis).unwrap();
    control(base, "POST", "clock", &json!({"hold": at.to_string()}));
}

/// One request on a connection of its own.
fn control(base: &str, method: &str, word: &str, body: &Value) -> Value {
    let host = base.strip_prefix("http://").unwrap();
    let body = body.to_string();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} /_control/{word} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{word}: {}", answer.lines().next().unwrap_or_default());
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}
