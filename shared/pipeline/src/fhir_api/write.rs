//! Creating and changing: a delivery to the product, durable before anything is answered.

use bridge_core::{
    Phi,
    manifest::{On, ResourceApi},
};
use bridge_fhir::Resource;
use serde_json::Value;

use super::{
    Asked,
    access::May,
    conditional::Condition,
    cut::is_part,
    query::has_json,
    references::{known_references, name, relative},
    refusal::{Code, Refused},
    reply::{Reply, version_of},
    want::Which,
    watch::Watched,
};
use crate::{bridge::Bridge, ports::RemotePorts};

impl<P: RemotePorts> Bridge<P> {
    pub(super) async fn fhir_create(&self, asked: &Asked<'_>, kind: &str) -> Result<Reply, Refused> {
        let rules = writable(asked, kind, On::Create)?;
        let mut resource = body(asked, kind)?;
        // Ids and versions are given by who keeps the resource (FHIR R4, section 3.1.0.8).
        if let Some(fields) = resource.as_object_mut() {
            fields.shift_remove("id");
        }
        check(&resource)?;
        let criteria = match asked.call.request.header("if-none-exist") {
            Some(criteria) => match self.condition(asked, kind, rules, criteria).await? {
                Condition::Met(there) => return Ok(there),
                Condition::Open(criteria) => Some(criteria),
            },
            None => None,
        };
        self.write_and_watch(asked, rules, Which::New(criteria.as_ref()), resource).await
    }

    pub(super) async fn fhir_update(
        &self,
        asked: &Asked<'_>,
        kind: &str,
        id: &str,
    ) -> Result<Reply, Refused> {
        let rules = writable(asked, kind, On::Update)?;
        let mut resource = body(asked, kind)?;
        if resource.get("id").and_then(Value::as_str) != Some(id) {
            let text = "the resource's id must be the one of the address";
            return Err(Refused::new(400, Code::Invalid, text).at(format!("{kind}.id")));
        }
        check(&resource)?;
        let reference = format!("{kind}/{id}");
        let unknown = "this connection knows no such resource: it is created by POST";
        let unknown = || Refused::new(404, Code::NotFound, unknown);
        let known =
            self.known_resource(&asked.connection().tenant(), &reference).await?.ok_or_else(unknown)?;
        let own = asked.product.id_of(&known).ok_or_else(unknown)?;
        if let Some(expected) = asked.call.request.header("if-match") {
            let current = match rules.read {
                Some(_) if asked.caller.may(kind, May::Read) => self.find(asked, kind, id).await?.resource,
                _ => Phi::new(known),
            };
            if expected != format!("W/\"{}\"", version_of(current.expose())) {
                let text = "the resource has been changed: read it again";
                return Err(Refused::new(412, Code::Conflict, text));
            }
        }
        // The product is told which of its records is meant, whatever of its identifiers came along.
        let system = asked.product.system(kind).unwrap_or_default();
        name(&mut resource, &system, own.expose());
        self.write_and_watch(asked, rules, Which::Known(id), resource).await
    }

    async fn write_and_watch(
        &self,
        asked: &Asked<'_>,
        rules: &ResourceApi,
        which: Which<'_>,
        json: Value,
    ) -> Result<Reply, Refused> {
        let said = json.to_string();
        let kind = json.get("resourceType").and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = if let Which::Known(id) = which { id.to_owned() } else { String::new() };
        let mut resources = [Resource { resource_type: kind.clone(), id, json }];
        relative(&mut resources[0].json, asked.call.base);
        self.identify(&asked.product, &mut resources).await?;
        let [resource] = resources;
        known_references(asked, &resource.json, &mut kind.clone())?;
        let wanted = self.want(asked, &resource, which, said.as_bytes()).await?;
        tracing::debug!(delivery = %wanted.delivery, new = wanted.is_new, kind = %rules.kind, "asked for");
        let watched = Watched {
            message: &wanted.message,
            delivery: &wanted.delivery,
            is_update: matches!(which, Which::Known(_)),
        };
        self.watch(asked, &watched, asked.query.asynchronous).await
    }
}

fn writable<'a>(asked: &'a Asked<'_>, kind: &str, on: On) -> Result<&'a ResourceApi, Refused> {
    let may = if on == On::Create { May::Create } else { May::Update };
    let rules = asked.rules(kind, may)?;
    let can = rules.write.iter().any(|write| write.on == on);
    can.then_some(rules).ok_or_else(|| Refused::interaction(asked.allowed(kind, on == On::Create)))
}

/// The resource in the body.
fn body(asked: &Asked<'_>, kind: &str) -> Result<Value, Refused> {
    let request = asked.call.request;
    if !has_json(request) {
        return Err(Refused::new(415, Code::NotSupported, "bodies are application/fhir+json, of FHIR 4.0"));
    }
    let json: Value = serde_json::from_slice(request.body.expose()).map_err(|error| {
        let text = format!("the body is not JSON: line {}, column {}", error.line(), error.column());
        Refused::new(400, Code::Structure, text)
    })?;
    if is_part(&json) {
        let text =
            "a part of a resource (its tag says SUBSETTED) can't take the place of the whole: read it whole";
        return Err(Refused::new(422, Code::BusinessRule, text).at(format!("{kind}.meta.tag")));
    }
    if json.get("resourceType").and_then(Value::as_str) != Some(kind) {
        let text = "the body must be a resource of the address's type";
        return Err(Refused::new(400, Code::Invalid, text).at("resourceType"));
    }
    Ok(json)
}

fn check(resource: &Value) -> Result<(), Refused> {
    bridge_fhir::check(resource).map_err(|issues| Refused::not_fhir(&issues))
}
