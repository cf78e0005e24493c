//! Reading one resource.

use std::collections::BTreeMap;

use bridge_core::Phi;
use serde_json::Value;

use super::{
    Asked,
    access::May,
    cache::may_be_of_any_age,
    cursor::Cursor,
    page::Question,
    refusal::{Code, Refused},
    reply::{Reply, mark_stale, versioned},
};
use crate::{bridge::Bridge, ports::RemotePorts};

/// A resource as the product has it.
pub(super) struct Found {
    pub(super) resource: Phi<Value>,
    /// The product could not be asked.
    pub(super) is_stale: bool,
}

impl<P: RemotePorts> Bridge<P> {
    pub(super) async fn fhir_read(&self, asked: &Asked<'_>, kind: &str, id: &str) -> Result<Reply, Refused> {
        asked.rules(kind, May::Read)?;
        if let Some((name, _)) = asked.query.parameters.first().filter(|_| !asked.query.lenient) {
            let text = "a read has no parameters: search instead";
            return Err(Refused::new(400, Code::NotSupported, text).at(name));
        }
        let found = self.find(asked, kind, id).await?;
        let (mut resource, tag) = versioned(found.resource.expose());
        if asked
            .call
            .request
            .header("if-none-match")
            .is_some_and(|known| known.split(',').any(|one| one.trim() == tag))
        {
            return Ok(Reply::empty(304).with("etag", tag));
        }
        if found.is_stale {
            mark_stale(&mut resource);
        }
        let reply = Reply::resource(200, resource).with("etag", tag);
        Ok(if found.is_stale { reply.stale() } else { reply })
    }

    /// A resource by its id.
    pub(super) async fn find(&self, asked: &Asked<'_>, kind: &str, id: &str) -> Result<Found, Refused> {
        let unknown = || Refused::new(404, Code::NotFound, "this connection knows no such resource");
        let rules = asked.rules(kind, May::Read)?;
        let read = rules.read.as_ref().ok_or_else(|| Refused::interaction(asked.allowed(kind, false)))?;
        let reference = format!("{kind}/{id}");
        let known =
            self.known_resource(&asked.connection().tenant(), &reference).await?.ok_or_else(unknown)?;
        let own = asked.product.id_of(&known).ok_or_else(unknown)?;
        let question = Question {
            kind,
            rules,
            operation: &read.operation,
            arguments: own.map(|own| BTreeMap::from([("id".to_owned(), own)])),
        };
        match self.answered_page(asked, &question, &Cursor::default()).await {
            Ok(answered) => {
                let is_it = |resource: &&Value| resource.get("id").and_then(Value::as_str) == Some(id);
                let found = answered.page.matches.expose().iter().find(is_it).cloned();
                if let (None, Some(cause)) = (&found, answered.page.unmapped.first()) {
                    return Err(Refused::because(502, Code::Processing, cause.clone()));
                }
                Ok(Found { resource: Phi::new(found.ok_or_else(unknown)?), is_stale: answered.is_stale })
            }
            // What was known last is better than nothing.
            Err(refused) if refused.is_passing() && may_be_of_any_age(&asked.product) => {
                Ok(Found { resource: Phi::new(known), is_stale: true })
            }
            Err(refused) => Err(refused),
        }
    }
}
