//! Reading one resource.

use std::collections::BTreeMap;

use bridge_core::{Phi, Timestamp, http::Request};
use serde_json::Value;

use super::{
    Asked,
    access::May,
    cache::may_be_of_any_age,
    cursor::Cursor,
    page::Question,
    refusal::{Code, Refused},
    reply::{Reply, http_date, mark_stale, versioned},
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
        let query = &asked.query;
        let other = query.parameters.first().map(|(name, _)| &**name);
        if let Some(name) = other.or(query.control.only_of_searches()).filter(|_| !query.lenient) {
            let text = "a read has no parameters but `_elements` and `_summary`: search instead";
            return Err(Refused::new(400, Code::NotSupported, text).at(name));
        }
        let found = self.find(asked, kind, id).await?;
        let (resource, tag) = versioned(found.resource.expose());
        let changed = last_modified(&resource);
        let dated = |reply: Reply| match changed {
            Some(at) => reply.with("last-modified", http_date(at)),
            None => reply,
        };
        if is_known(asked.call.request, &tag, changed) {
            return Ok(dated(Reply::empty(304).with("etag", tag)));
        }
        let mut resource = query.control.cut.apply(resource);
        if found.is_stale {
            mark_stale(&mut resource);
        }
        let reply = dated(Reply::resource(200, resource).with("etag", tag));
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
            fresh: false,
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

/// When the product last changed it, where it says so.
fn last_modified(resource: &Value) -> Option<Timestamp> {
    resource.pointer("/meta/lastUpdated")?.as_str()?.parse().ok()
}

/// Whether the caller has this state already (RFC 9110, section 13.2.2: the entity tag decides, where one is sent).
fn is_known(request: &Request, tag: &str, changed: Option<Timestamp>) -> bool {
    if let Some(known) = request.header("if-none-match") {
        return known.split(',').map(str::trim).any(|one| one == tag || one == "*");
    }
    let since = request.header("if-modified-since").and_then(Timestamp::from_http_date);
    // Whole seconds, as HTTP has them.
    since.zip(changed).is_some_and(|(since, changed)| changed.as_secs() <= since.as_secs())
}

#[cfg(test)]
mod tests {
    use bridge_core::Phi;

    use super::*;

    #[test]
    fn the_tag_decides_before_the_date_and_seconds_are_whole() {
        let request = |headers: &[(&str, &str)]| Request {
            method: "GET".to_owned(),
            path: String::new(),
            query: String::new(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            source: None,
            body: Phi::new(Vec::new()),
        };
        let changed = Some(Timestamp::from_millis(1_772_445_600_900));
        let date = ("if-modified-since", "Mon, 02 Mar 2026 10:00:00 GMT");
        assert!(is_known(&request(&[date]), "W/\"a\"", changed));
        assert!(!is_known(&request(&[date]), "W/\"a\"", None));
        assert!(!is_known(
            &request(&[date]),
            "W/\"a\"",
            changed.map(|at| at + std::time::Duration::from_secs(1))
        ));
        assert!(!is_known(&request(&[date, ("if-none-match", "W/\"b\"")]), "W/\"a\"", changed));
        assert!(is_known(&request(&[("if-none-match", "W/\"b\", W/\"a\"")]), "W/\"a\"", None));
    }
}
