//! The HTTP API of the template on loopback: routes to functions, with API Gateway's events, limits and errors.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bridge_aws::SystemClock;
use bridge_pipeline::ports::Clock as _;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    body::Bytes,
    header::{HeaderName, HeaderValue},
};
use tokio::net::TcpListener;

use super::{
    event::http::{self, Routed},
    functions::{Functions, InvokeError},
    server::{self, Reply, Whole, message},
    stop::Stop,
};
use crate::template::Route;

/// API Gateway takes bodies up to 10 MB.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// The API.
#[derive(Debug)]
pub(crate) struct Gateway {
    routes: Vec<Compiled>,
    functions: Arc<Functions>,
    requests: AtomicU64,
}

#[derive(Debug)]
struct Compiled {
    route: Route,
    method: String,
    segments: Vec<Segment>,
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Parameter(String),
    /// The rest of the path, one segment at least.
    Rest(String),
}

impl Gateway {
    /// An API with these routes.
    pub(crate) fn new(routes: Vec<Route>, functions: Arc<Functions>) -> Self {
        Self {
            routes: routes.into_iter().map(Compiled::new).collect(),
            functions,
            requests: AtomicU64::new(0),
        }
    }

    /// Serves until it is told to stop, and then until every request that was begun is answered.
    pub(crate) async fn serve(self, listener: TcpListener, stop: Stop) {
        let gateway = Arc::new(self);
        server::serve(listener, stop, LARGEST_BODY, move |request, from| {
            let gateway = Arc::clone(&gateway);
            async move { gateway.answer(&request, from).await }
        })
        .await;
    }

    async fn answer(&self, request: &Whole, from: SocketAddr) -> Reply {
        let path = request.uri().path();
        let found = self
            .routes
            .iter()
            .find_map(|known| Some((known, known.matches(request.method().as_str(), path)?)));
        let Some((Compiled { route, .. }, path_parameters)) = found else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let event = http::event(&Routed {
            route_key: &route.key,
            path_parameters,
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            body: request.body(),
            from,
            at: SystemClock.now(),
            request_id: &format!("local-{number}"),
        });
        let invoked =
            tokio::time::timeout(route.timeout, self.functions.invoke(&route.function, event)).await;
        match invoked {
            Ok(Ok(response)) => match http::answer(&response) {
                Some(answer) => relay(answer),
                None => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            },
            Ok(Err(InvokeError::TimedOut)) | Err(_) => {
                message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
            Ok(Err(InvokeError::Failed(_))) => {
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
        }
    }
}

fn relay(answer: http::Answer) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(answer.body)));
    *reply.status_mut() = answer.status;
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            reply.headers_mut().insert(name, value);
        }
    }
    reply
}

impl Compiled {
    fn new(route: Route) -> Self {
        let (method, path) = route.key.split_once(' ').unwrap_or(("ANY", &route.key));
        let segment = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Segment::Rest(name.to_owned()),
                None => Segment::Parameter(name.to_owned()),
            },
            None => Segment::Literal(text.to_owned()),
        };
        let segments = path.split('/').skip(1).map(segment).collect();
        Self { method: method.to_owned(), segments, route }
    }

    /// The path's parameters, if the route is for this request.
    fn matches(&self, method: &str, path: &str) -> Option<BTreeMap<String, String>> {
        let given: Vec<&str> = path.split('/').skip(1).collect();
        let is_greedy = matches!(self.segments.last(), Some(Segment::Rest(_)));
        let is_long_enough = match is_greedy {
            true => given.len() >= self.segments.len(),
            false => given.len() == self.segments.len(),
        };
        if (self.method != "ANY" && self.method != method) || !is_long_enough {
            return None;
        }
        let mut parameters = BTreeMap::new();
        for (place, (segment, one)) in self.segments.iter().zip(&given).enumerate() {
            let given = *one;
            match segment {
                Segment::Rest(name) => {
                    let rest = Self::rest(place, path);
                    parameters.insert(name.clone(), http::decode(rest.filter(|rest| !rest.is_empty())?));
                }
                Segment::Literal(text) if text == given => {}
                Segment::Parameter(name) if !given.is_empty() => {
                    parameters.insert(name.clone(), http::decode(given));
                }
                Segment::Literal(_) | Segment::Parameter(_) => return None,
            }
        }
        Some(parameters)
    }

    /// The path from a segment on.
    fn rest(place: usize, path: &str) -> Option<&str> {
        path.splitn(place + 2, '/').nth(place + 1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_route_matches_its_method_and_its_path_only() {
        let key = "POST /webhooks/{connection}".to_owned();
        let route = Compiled::new(Route { key, function: "F".to_owned(), timeout: Duration::from_secs(1) });
        let found = route.matches("POST", "/webhooks/a.b%20c");
        assert_eq!(found, Some(BTreeMap::from([("connection".to_owned(), "a.b c".to_owned())])));
        for (method, path) in [
            ("GET", "/webhooks/a.b"),
            ("POST", "/webhooks"),
            ("POST", "/webhooks/"),
            ("POST", "/webhooks/a/b"),
            ("POST", "/other/a"),
        ] {
            assert_eq!(route.matches(method, path), None, "{method} {path}");
        }
    }
    #[test]
    fn a_greedy_parameter_takes_the_rest_and_any_method() {
        let key = "ANY /fhir/{connection}/{proxy+}".to_owned();
        let route = Compiled::new(Route { key, function: "F".to_owned(), timeout: Duration::from_secs(1) });
        let found =
            |path| route.matches("PUT", path).map(|mut found| found.remove("proxy").unwrap_or_default());
        assert_eq!(found("/fhir/a.b/Patient/1%20a").as_deref(), Some("Patient/1 a"));
        assert_eq!(found("/fhir/a.b/metadata").as_deref(), Some("metadata"));
        assert_eq!((found("/fhir/a.b/"), found("/fhir/a.b"), found("/other/a.b/c")), (None, None, None));
    }
}
