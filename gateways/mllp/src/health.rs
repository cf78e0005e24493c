//! `GET /healthz`, for the load balancer: 200 while connections are accepted, 503 once the gateway was told to stop.
//!
//! It does not tell of the queue: every task would be taken out of service at once, and senders would find nobody where
//! now they are told to send again.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode, body::Bytes, header, server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

use crate::Metrics;

/// For a request and its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Checks at a time.
const AT_A_TIME: usize = 32;

/// Answers until it is dropped; `stopping` tells that the gateway was told to stop.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>, stopping: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(AT_A_TIME));
    loop {
        // The semaphore is never closed.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (metrics, stopping) = (Arc::clone(&metrics), stopping.clone());
        tokio::spawn(async move {
            // A check that fails is its client's to notice.
            let _ = timeout(PATIENCE, answer(stream, metrics, stopping)).await;
            drop(slot);
        });
    }
}

async fn answer(
    stream: TcpStream,
    metrics: Arc<Metrics>,
    stopping: watch::Receiver<bool>,
) -> hyper::Result<()> {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let reply = reply(&request, &metrics, *stopping.borrow());
        async move { Ok::<_, Infallible>(reply) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).keep_alive(false);
    http.serve_connection(TokioIo::new(stream), service).await
}

fn reply<B>(request: &Request<B>, metrics: &Metrics, stopping: bool) -> Response<Full<Bytes>> {
    let is_check = request.uri().path() == "/healthz" && request.method() == Method::GET;
    let (status, body) = match (is_check, stopping) {
        (false, _) => (StatusCode::NOT_FOUND, json!({"message": "GET /healthz"})),
        (true, false) => (StatusCode::OK, json!({"state": "ready", "connections": metrics.open()})),
        (true, true) => {
            (StatusCode::SERVICE_UNAVAILABLE, json!({"state": "draining", "connections": metrics.open()}))
        }
    };
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    reply
}
