//! A receiver of HL7 v2 over MLLP on loopback: accepts everything it can read, and tells repeats by MSH-10.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use bridge_aws::SystemClock;
use bridge_hl7v2::{
    Message,
    ack::{Acknowledgment, Mode, Problem, ProblemCode, Verdict, Wanted, refuse},
    mllp::{self, Decoder, Received},
};
use bridge_pipeline::ports::Clock as _;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{local::stop::Stop, output::Out};

/// As large as the bridge's own door takes.
const LARGEST: usize = 16 << 20;

/// What it knows.
pub(crate) struct Receiver {
    /// The share of messages that are answered AE, in `0.0..=1.0`.
    fail: f64,
    out: Out,
    known: Mutex<HashSet<String>>,
}

impl Receiver {
    /// A receiver that fails this share of the messages, and tells `out` of each.
    pub(crate) fn new(fail: f64, out: Out) -> Self {
        Self { fail, out, known: Mutex::default() }
    }

    /// Serves until it is told to stop.
    pub(crate) async fn serve(self, listener: TcpListener, mut stop: Stop) {
        let receiver = Arc::new(self);
        loop {
            tokio::select! {
                () = stop.said() => return,
                accepted = listener.accept() => {
                    let Ok((stream, _)) = accepted else { continue };
                    let receiver = Arc::clone(&receiver);
                    tokio::spawn(async move { receiver.talk(stream).await });
                }
            }
        }
    }

    async fn talk(&self, mut stream: TcpStream) {
        let mut decoder = Decoder::new(LARGEST);
        loop {
            let mut answers = Vec::new();
            while let Some(received) = decoder.next_frame() {
                if let Received::Message(frame) = received
                    && !frame.is_empty()
                    && let Some(answer) = self.answer(frame)
                    // An acknowledgment holds no byte that ends a frame.
                    && mllp::encode(&answer, &mut answers).is_err()
                {
                    return;
                }
            }
            if !answers.is_empty() && stream.write_all(&answers).await.is_err() {
                return;
            }
            let mut bytes = Vec::with_capacity(8192);
            match stream.read_buf(&mut bytes).await {
                Ok(1..) => decoder.push(&bytes),
                _ => return,
            }
        }
    }

    /// The acknowledgment of a frame; `None` when none is wanted.
    fn answer(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let now = SystemClock.now();
        let made = made(now);
        let own = format!("{:X}", now.as_millis());
        let message = match Message::parse(frame) {
            Ok(message) => message,
            Err(error) => {
                self.tell("?", "?", "AR", false);
                return refuse(frame, &error, Mode::AsAsked, &made, &own).ok()?;
            }
        };
        let control_id = message.header().field(10).text().into_owned();
        let event = message.header().field(9);
        let event = format!("{}^{}", event.component(1).text(), event.component(2).text());
        let fails = SystemClock.chance() < self.fail;
        let repeat = !fails && !self.known().insert(control_id.clone());
        let verdict = if fails { Verdict::Error } else { Verdict::Accept };
        let wanted = Wanted::by(&message, Mode::AsAsked);
        let code = wanted.commit(verdict).or_else(|| wanted.application(verdict))?;
        self.tell(&control_id, &event, code.as_str(), repeat);
        let mut ack = Acknowledgment::to(&message, code).made(&made).control_id(&own);
        if fails {
            ack = ack.problem(Problem::error(ProblemCode::Internal, None, "told to fail"));
        }
        ack.build().ok()
    }

    fn tell(&self, control_id: &str, event: &str, code: &str, repeat: bool) {
        let mark = if repeat { " (repeat)" } else { "" };
        self.out.text(format_args!("{code}  {event}  {control_id}{mark}"));
        self.out.json(&json!({"event": event, "control_id": control_id, "answer": code, "repeat": repeat}));
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time as MSH-7 has it.
pub(crate) fn made(at: bridge_core::Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime("%Y%m%d%H%M%S+0000").to_string()
}
