//! An SQS that refuses every entry when it first sees it, and takes what comes with it: the partial failures that no
//! emulator has. Repeats are dropped, as a FIFO queue drops them.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

#[derive(Default)]
struct State {
    seen: HashSet<String>,
    /// Group and body, in the order in which they were taken.
    taken: Vec<(String, String)>,
}

pub(crate) struct Refusing {
    pub(crate) endpoint: String,
    state: Arc<Mutex<State>>,
}

impl Refusing {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, shared.clone()));
            }
        });
        Self { endpoint, state }
    }

    /// What was taken of a group, in order.
    pub(crate) fn taken(&self, group: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.taken.iter().filter(|(of, _)| of == group).map(|(_, body)| body.clone()).collect()
    }
}

async fn serve(client: TcpStream, state: Arc<Mutex<State>>) {
    let mut client = BufReader::new(client);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if client.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        client.read_exact(&mut body).await.unwrap();
        let answer = answer(&serde_json::from_slice(&body).unwrap(), &mut state.lock().unwrap()).to_string();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length:";
        client.write_all(format!("{head} {}\r\n\r\n{answer}", answer.len()).as_bytes()).await.unwrap();
    }
}

fn answer(request: &Value, state: &mut State) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (position, entry) in request["Entries"].as_array().unwrap().iter().enumerate() {
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        let (id, dedup) = (text("Id"), text("MessageDeduplicationId"));
        // The first of each request fails once.
        if position == 0 && state.seen.insert(format!("refused {dedup}")) {
            failed.push(json!({"Id": id, "SenderFault": false, "Code": "InternalError"}));
            continue;
        }
        if state.seen.insert(dedup) {
            state.taken.push((text("MessageGroupId"), text("MessageBody")));
        }
        successful.push(json!({"Id": id, "MessageId": id, "MD5OfMessageBody": ""}));
    }
    json!({"Successful": successful, "Failed": failed})
}
