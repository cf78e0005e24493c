//! Calling products' interfaces over a real socket.

mod addresses;
mod answers;
mod auth;
mod exports;
mod pages;
mod requests;
mod tokens;
mod writes;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bridge_adapters::Transports;
use bridge_core::{
    Phi, Timestamp,
    config::Connection,
    manifest::{Adapters, Api, Manifest},
    remote::{Answer, ApiCall, CallError, Party, Remote as _},
};
use serde_json::Value;

use crate::receiver::{Received, Receiver, Then};

/// An adapter that is one text: its `api` section.
pub(crate) struct Product {
    pub(crate) manifest: Manifest,
    pub(crate) connection: Connection,
    texts: BTreeMap<&'static str, Arc<str>>,
    ways: Transports,
    pub(crate) time_left: Duration,
}

impl Adapters for Product {
    fn manifest(&self, _: &str) -> Option<Arc<Manifest>> {
        None
    }

    fn mapping(&self, _: &str, mapping: &str) -> Option<Arc<str>> {
        self.texts.get(mapping).map(Arc::clone)
    }

    fn query(&self, _: &str, name: &str) -> Option<Arc<str>> {
        self.texts.get(name).map(Arc::clone)
    }
}

impl Product {
    /// `base` is the setting that the base is made of; `api` is indented as it stands in a manifest.
    pub(crate) fn new(base: &str, api: &str, texts: &[(&'static str, &str)]) -> Self {
        let manifest = format!(
            "adapter: demo\nversion: 1\ntitle: Demo\nsettings:\n  base: {{about: b}}\n  shard: {{about: s, default: s1}}\n  \
             none: {{about: n, default: ''}}\nsecrets: {{key: k, word: w}}\napi:\n  base: '{{base}}'\n{api}"
        );
        let connection = format!(
            "connection: north.pms\nadapter: demo\nzone: America/Denver\nsettings: {{base: '{base}'}}\n\
             secrets: {{key: k-Planted, word: w-Planted}}\n"
        );
        Self {
            manifest: serde_norway::from_str(&manifest).unwrap(),
            connection: serde_norway::from_str(&connection).unwrap(),
            texts: texts.iter().map(|(name, text)| (*name, Arc::from(*text))).collect(),
            ways: Transports::new().unwrap(),
            time_left: Duration::from_secs(20),
        }
    }

    pub(crate) fn api(&self) -> &Api {
        self.manifest.api.as_ref().unwrap()
    }

    pub(crate) fn ways(&self) -> &Transports {
        &self.ways
    }

    pub(crate) fn party(&self) -> Party<'_> {
        Party {
            connection: &self.connection,
            manifest: &self.manifest,
            api: self.api(),
            adapters: self,
            now: now(),
            time_left: self.time_left,
        }
    }

    pub(crate) async fn call(
        &self,
        operation: &str,
        arguments: &[(&str, &str)],
    ) -> Result<Answer, CallError> {
        self.call_with(operation, arguments, None, None, None).await
    }

    pub(crate) async fn next(&self, operation: &str, page: &Phi<String>) -> Result<Answer, CallError> {
        self.call_with(operation, &[], None, Some(page), None).await
    }

    pub(crate) async fn call_with(
        &self,
        operation: &str,
        arguments: &[(&str, &str)],
        input: Option<Value>,
        page: Option<&Phi<String>>,
        token: Option<&str>,
    ) -> Result<Answer, CallError> {
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let (arguments, input) = (Phi::new(arguments.collect()), input.map(Phi::new));
        let token = token.map(|token| Phi::new(token.to_owned()));
        let call = ApiCall {
            party: self.party(),
            operation,
            arguments: &arguments,
            input: input.as_ref(),
            page,
            token: token.as_ref(),
        };
        self.ways.call(&call).await
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-03-05T17:00:00Z".parse().unwrap()
}

/// A server that gives these bodies, one after the other, with status 200.
pub(crate) async fn serving(bodies: &[&str]) -> Receiver {
    Receiver::script(bodies.iter().map(|body| Then::status(200, "", body)).collect()).await
}

/// Where the server's interface begins.
pub(crate) fn base(receiver: &Receiver) -> String {
    receiver.url.trim_end_matches("/hook").to_owned()
}

/// The only request that arrived.
pub(crate) fn only(receiver: &Receiver) -> Received {
    let mut received = receiver.received();
    assert_eq!(received.len(), 1);
    received.remove(0)
}

pub(crate) fn lines(receiver: &Receiver) -> Vec<String> {
    receiver.received().into_iter().map(|request| request.line.replace(" HTTP/1.1", "")).collect()
}

pub(crate) fn text(request: &Received) -> String {
    String::from_utf8(request.body.clone()).unwrap()
}
