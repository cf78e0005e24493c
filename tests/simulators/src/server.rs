//! HTTP/1 on loopback around a simulator.

use std::{fmt, io, net::Ipv4Addr, pin::Pin, sync::Arc};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{Response, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::{
    Answer, Call, Calls, Faults, Request, Simulator, Trouble, control,
    http::{decode, pairs},
};

/// No product takes more in one call.
const LARGEST_BODY: usize = 20 * 1024 * 1024;

/// A simulator that is being served. Dropping it stops it.
pub struct Served {
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    /// The product.
    pub simulator: Arc<dyn Simulator>,
    around: Arc<Around>,
    task: JoinHandle<()>,
}

/// What is put around every simulator.
#[derive(Debug, Default)]
pub(crate) struct Around {
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
}

impl Served {
    /// The troubles that wait for their calls.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.around.faults
    }

    /// What was called.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.around.calls
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, simulator, .. } = self;
        f.debug_struct("Served").field("base", base).field("adapter", &simulator.adapter()).finish()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a simulator on loopback: on `port`, or any free one.
///
/// # Errors
/// When the port can't be listened on.
pub async fn serve(simulator: Arc<dyn Simulator>, port: Option<u16>) -> io::Result<Served> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let around = Arc::new(Around::default());
    let desk = Desk { base: base.clone(), simulator: Arc::clone(&simulator), around: Arc::clone(&around) };
    let task = tokio::spawn(accept(listener, Arc::new(desk)));
    Ok(Served { base, simulator, around, task })
}

/// Takes the calls.
pub(crate) struct Desk {
    pub(crate) base: String,
    pub(crate) simulator: Arc<dyn Simulator>,
    pub(crate) around: Arc<Around>,
}

/// What a caller gets.
enum Outcome {
    Answer(Answer),
    /// The connection is reset.
    Reset,
}

/// The connection ends without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is reset on purpose")
    }
}

impl std::error::Error for Cut {}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // Out of file descriptors, for example: those that are open go on.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, Arc::clone(&desk)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Cut>> + Send>>;

async fn connection(stream: TcpStream, desk: Arc<Desk>) {
    let service = service_fn(move |request: hyper::Request<Incoming>| -> Answering {
        let desk = Arc::clone(&desk);
        Box::pin(async move { desk.call(request).await })
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if (&mut connection).await.is_err() {
        // A reset, not an end: the caller must not take what it has for an answer.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

impl Desk {
    async fn call(&self, request: hyper::Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        let request = match whole(request).await {
            Ok(request) => request,
            Err(answer) => return Ok(reply(answer)),
        };
        if request.path.starts_with(control::PREFIX) {
            return Ok(reply(control::answer(self, &request)));
        }
        let outcome = self.outcome(&request).await;
        let status = match &outcome {
            Outcome::Answer(answer) => answer.status,
            Outcome::Reset => 0,
        };
        let at = self.simulator.clock().now();
        self.around.calls.enter(Call { at, method: request.method, path: request.path, status });
        match outcome {
            // A product dates its answers by the clock it stamps with.
            Outcome::Answer(answer) => Ok(reply(answer.with_header("date", http_date(at)))),
            Outcome::Reset => Err(Cut),
        }
    }

    async fn outcome(&self, request: &Request) -> Outcome {
        let work = || self.simulator.answer(request);
        let Some(trouble) = self.around.faults.take(&request.method, &request.path) else {
            return Outcome::Answer(work());
        };
        Outcome::Answer(match trouble {
            Trouble::Status { status, body } if body.starts_with(['{', '[']) => {
                Answer::of(status, "application/json", body)
            }
            Trouble::Status { status, body } => Answer::text(status, &body),
            Trouble::Throttle => self.simulator.throttled(),
            Trouble::Hang => std::future::pending().await,
            Trouble::Reset => return Outcome::Reset,
            Trouble::Late(after) => {
                let answer = work();
                tokio::time::sleep(after).await;
                answer
            }
            Trouble::Lost => {
                work();
                return Outcome::Reset;
            }
            Trouble::ExpireTokens => {
                self.simulator.expire_tokens();
                work()
            }
            Trouble::Malformed => {
                let mut answer = work();
                answer.body.truncate(answer.body.len() / 2);
                answer
            }
        })
    }
}

async fn whole(request: hyper::Request<Incoming>) -> Result<Request, Answer> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Answer::text(413, "too large")),
        Err(_) => return Err(Answer::text(400, "the body ends too early")),
    };
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(Request {
        method: head.method.as_str().to_owned(),
        path: decode(head.uri.path(), false),
        query: pairs(head.uri.query().unwrap_or_default()),
        headers: head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body,
    })
}

/// As RFC 9110 (section 5.6.7) writes it.
fn http_date(at: jiff::Timestamp) -> String {
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}

fn reply(answer: Answer) -> Response<Full<Bytes>> {
    let mut reply = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        reply = reply.header(name, value);
    }
    // A simulator that wrote a header or status that HTTP does not have.
    reply.body(Full::from(answer.body)).unwrap_or_else(|_| {
        let mut broken = Response::new(Full::from("the simulator's answer is not HTTP"));
        *broken.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}
