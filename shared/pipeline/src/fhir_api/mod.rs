//! `fhir-api`: a connection's product, asked in FHIR R4.
//!
//! who asks → what for → reads and searches: the product's answer, mapped, given ids, checked and stored; writes: a delivery,
//! durable before anything is answered, and then watched.
//!
//! docs/fhir-api.md says what a caller sees.

pub mod access;
pub(crate) mod cache;
mod capability;
mod cursor;
mod page;
mod query;
mod read;
mod refusal;
mod reply;
mod search;
mod watch;
mod write;

use std::sync::{Mutex, PoisonError};

use bridge_core::{
    Timestamp,
    http::{Request, Response},
    id::ConnectionId,
};

use self::{
    access::{Access, KeySource, May},
    query::Query,
    refusal::{Code, Refused},
    reply::Reply,
};
use crate::{bridge::Bridge, ports::RemotePorts, product::Product};

/// A request to `/fhir/{connection}/{path}`.
#[derive(Debug, Clone, Copy)]
pub struct FhirCall<'a> {
    /// What stands in the path for the connection.
    pub connection: &'a str,
    /// What follows it, without a leading slash.
    pub path: &'a str,
    /// The request.
    pub request: &'a Request,
    /// The address of `/fhir/{connection}` as callers know it, without a trailing slash.
    pub base: &'a str,
    /// The answer must be there by then.
    pub deadline: Timestamp,
}

/// A request whose connection is known and whose caller is of its tenant.
struct Asked<'a> {
    call: FhirCall<'a>,
    product: Product,
    query: Query,
    caller: access::Caller,
    /// When the oldest answer was given that stands in for the product.
    stood_in: Mutex<Option<Timestamp>>,
}

impl<P: RemotePorts> Bridge<P> {
    /// Answers a request.
    pub async fn fhir(&self, call: FhirCall<'_>, access: &Access<impl KeySource>) -> Response {
        let answered = self.fhir_answer(call, access).await;
        let reply = answered.unwrap_or_else(Refused::reply);
        say(&call, reply.status(), reply.cause());
        reply.response(call.request)
    }

    async fn fhir_answer(
        &self,
        call: FhirCall<'_>,
        access: &Access<impl KeySource>,
    ) -> Result<Reply, Refused> {
        let query = Query::of(call.request)?;
        let method = match call.request.method.as_str() {
            "HEAD" => "GET",
            method => method,
        };
        let unknown = || Refused::new(404, Code::NotFound, "there is no such connection");
        let id: ConnectionId = call.connection.parse().map_err(|_| unknown())?;
        let is_open = (method, call.path) == ("GET", "metadata");
        let caller = match is_open {
            // What a server can do is told to everybody (FHIR R4, section 3.1.0.9).
            true => access::Caller::default(),
            false => access.caller(call.request, &id.tenant(), self.now()).await?,
        };
        let loaded = self.connection(&id).await?.ok_or_else(unknown)?;
        let no_interface = "the product of this connection has no interface that could be asked";
        let product =
            Product::of(&loaded).ok_or_else(|| Refused::new(404, Code::NotSupported, no_interface))?;
        if is_open {
            return Ok(Reply::resource(200, capability::statement(&product, call.base, self.now())));
        }
        let asked = Asked { call, product, query, caller, stood_in: Mutex::default() };
        let segments: Vec<&str> = call.path.split('/').collect();
        let reply = match (method, segments.as_slice()) {
            ("GET", ["_status", delivery]) => self.fhir_status(&asked, delivery).await,
            ("GET", [kind]) => self.fhir_search(&asked, kind).await,
            ("POST", [kind, "_search"]) => self.fhir_search(&asked, kind).await,
            ("POST", [kind]) => self.fhir_create(&asked, kind).await,
            ("GET", [kind, id]) => self.fhir_read(&asked, kind, id).await,
            ("PUT", [kind, id]) => self.fhir_update(&asked, kind, id).await,
            (_, [kind] | [kind, _]) if asked.product.api().resources.contains_key(*kind) => {
                Err(Refused::interaction(asked.allowed(kind, segments.len() == 1)))
            }
            _ => Err(Refused::new(404, Code::NotFound, "there is nothing at this address")),
        };
        reply.map(|reply| self.aged(&asked, reply))
    }

    /// Says how old an answer is that stands in for the product (RFC 9111, section 5.1).
    fn aged(&self, asked: &Asked<'_>, reply: Reply) -> Reply {
        let oldest = *asked.stood_in.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = oldest else { return reply };
        let age = self.now().since(at).as_secs();
        let connection = asked.connection();
        tracing::info!(target: "bridge::event", event = "stale-answer", %connection, age);
        reply.with("age", age.to_string())
    }
}

impl Asked<'_> {
    /// An answer of `at` stands in for the product.
    fn stands_in(&self, at: Timestamp) {
        let mut oldest = self.stood_in.lock().unwrap_or_else(PoisonError::into_inner);
        *oldest = Some(oldest.map_or(at, |other| other.min(at)));
    }

    /// What can be done with a type, once the caller may.
    fn rules(&self, kind: &str, may: May) -> Result<&bridge_core::manifest::ResourceApi, Refused> {
        let rules = self.product.api().resources.get(kind).ok_or_else(|| {
            Refused::new(404, Code::NotSupported, "this connection knows no resources of this type")
        })?;
        self.caller.must(kind, may)?;
        Ok(rules)
    }

    /// The methods for a type, or for one of its resources.
    fn allowed(&self, kind: &str, is_type: bool) -> String {
        let Some(rules) = self.product.api().resources.get(kind) else { return String::new() };
        let writes = |on| rules.write.iter().any(|write| write.on == on);
        let methods = if is_type {
            [
                ("GET", !rules.search.is_empty()),
                ("HEAD", !rules.search.is_empty()),
                ("POST", writes(bridge_core::manifest::On::Create)),
            ]
        } else {
            [
                ("GET", rules.read.is_some()),
                ("HEAD", rules.read.is_some()),
                ("PUT", writes(bridge_core::manifest::On::Update)),
            ]
        };
        let methods: Vec<&str> = methods.iter().filter(|(_, can)| *can).map(|(name, _)| *name).collect();
        methods.join(", ")
    }

    fn connection(&self) -> &ConnectionId {
        &self.product.loaded.connection.connection
    }
}

/// The line of a request. Paths hold ids of ours alone, and queries are left out.
fn say(call: &FhirCall<'_>, status: u16, cause: Option<&bridge_core::Cause>) {
    let (code, why) = cause.map_or(("", ""), |cause| (&*cause.code, &*cause.text));
    let known = call.path.split('/').next().filter(|kind| kind.bytes().all(|b| b.is_ascii_alphabetic()));
    let (method, connection, kind) = (&*call.request.method, call.connection, known.unwrap_or_default());
    tracing::info!(target: "bridge::line", step = "fhir", method, connection, kind, status, code, why);
}
