//! A caller.

use std::{sync::Arc, time::Duration};

use bridge_simulators::{Served, Simulator, serve};
use serde_json::Value;

/// Serves a simulator on any port.
pub(crate) async fn served(simulator: impl Simulator) -> Served {
    serve(Arc::new(simulator), None).await.unwrap()
}

/// A client that waits two seconds at most.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(2)).build().unwrap()
}

/// Status and JSON body of a request; `null` where the body is not JSON.
pub(crate) async fn send(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

/// Steers a simulator over HTTP.
pub(crate) async fn control(served: &Served, word: &str, body: Value) -> (u16, Value) {
    let request = client().post(format!("{}/_control/{word}", served.base)).body(body.to_string());
    send(request).await
}
