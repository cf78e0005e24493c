//! HTTP/1 on loopback, for the gateway and for the demo's receiver.

use std::{
    convert::Infallible,
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

use super::stop::Stop;
use crate::failure::Failure;

/// A request with its whole body.
pub(crate) type Whole = Request<Bytes>;
/// A reply with its whole body.
pub(crate) type Reply = Response<Full<Bytes>>;

/// Ports that are tried after the preferred one.
const MORE_PORTS: u16 = 100;

/// Listens on loopback: on `port` when it is given, else on the first free port from `preferred` on.
///
/// # Errors
/// When the port that was asked for is taken.
pub(crate) async fn listen(port: Option<u16>, preferred: u16) -> Result<TcpListener, Failure> {
    listen_as("--port", port, preferred).await
}

/// The same, where another argument gives the port.
///
/// # Errors
/// When the port that was asked for is taken.
pub(crate) async fn listen_as(
    argument: &str,
    port: Option<u16>,
    preferred: u16,
) -> Result<TcpListener, Failure> {
    let bind = |port: u16| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    if let Some(port) = port {
        let taken = |error| {
            Failure::Wrong(format!("port {port} can't be used ({error}): choose another with {argument}"))
        };
        return bind(port).await.map_err(taken);
    }
    for port in preferred..=preferred.saturating_add(MORE_PORTS) {
        if let Ok(listener) = bind(port).await {
            return Ok(listener);
        }
    }
    Ok(bind(0).await?)
}

/// Serves until it is told to stop, and then until every request that was begun is answered.
///
/// A body above `limit` bytes is answered by 413, as API Gateway does.
pub(crate) async fn serve<H, F>(listener: TcpListener, mut stop: Stop, limit: usize, handler: H)
where
    H: Fn(Whole, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Reply> + Send,
{
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.said() => break,
            Some(_) = connections.join_next() => continue,
        };
        // Out of file descriptors, for example: those that are open go on.
        let Ok((stream, from)) = accepted else { continue };
        let handler = handler.clone();
        let mut stop = stop.clone();
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let handler = handler.clone();
                async move { Ok::<_, Infallible>(whole(request, from, limit, handler).await) }
            });
            let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            // What goes wrong on a connection is its client's to notice.
            tokio::select! {
                _ = connection.as_mut() => {}
                () = stop.said() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn whole<H, F>(request: Request<Incoming>, from: SocketAddr, limit: usize, handler: H) -> Reply
where
    H: Fn(Whole, SocketAddr) -> F,
    F: Future<Output = Reply>,
{
    let (head, body) = request.into_parts();
    match Limited::new(body, limit).collect().await {
        Ok(body) => handler(Request::from_parts(head, body.to_bytes()), from).await,
        Err(error) if error.is::<LengthLimitError>() => {
            message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
        }
        Err(_) => message(StatusCode::BAD_REQUEST, "Bad Request"),
    }
}

/// A reply in the form of API Gateway's own: `{"message": "…"}`.
pub(crate) fn message(status: StatusCode, text: &str) -> Reply {
    json(status, &serde_json::json!({"message": text}))
}

/// A JSON reply.
pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Reply {
    reply(status, "application/json", body.to_string())
}

/// A reply of a media type.
pub(crate) fn reply(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    let value = hyper::header::HeaderValue::from_static(media_type);
    reply.headers_mut().insert(hyper::header::CONTENT_TYPE, value);
    reply
}
