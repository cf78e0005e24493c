//! Deliveries to a product's own interface: each resource is written, and what the product then has comes back.
//!
//! What was written is recorded before the next resource is begun, so that no attempt writes it again. An attempt of which
//! nobody knows how it ended makes the next one look first.

use std::{sync::Arc, time::Duration};

use bridge_core::{
    Cause, Phi, Timestamp,
    destination::Outcome,
    manifest::{Confirm, On, ResourceApi},
    remote::{CallError, Written},
};
use serde_json::Value;

use super::{Delivery, ENOUGH, attempt::Came};
use crate::{
    configuration::Loaded,
    ledger::{Claim, Refusal, Settled, WrittenDoc},
    ports::DeliverPorts,
    product::{Origin, Product, misconfigured},
    remote::{Change, Confirmation, RemoteError},
    stage::Failure,
};

/// A resource of the delivery.
struct Entry<'a> {
    place: usize,
    resource: Phi<Value>,
    rules: &'a ResourceApi,
}

impl<P: DeliverPorts> Delivery<'_, P> {
    /// Writes what the product does not have yet, at one of its endpoints: `to`.
    pub(super) async fn write(
        &self,
        claim: &mut Claim,
        to: &Arc<Loaded>,
        body: &Phi<Vec<u8>>,
        deadline: Timestamp,
    ) -> Result<Came, Failure> {
        let Some(product) = Product::of(to) else {
            return Ok(rejected(misconfigured("the adapter has no interface to write to", "adapter")));
        };
        let entries = match entries(&product, body) {
            Ok(entries) => entries,
            Err(cause) => return Ok(rejected(cause)),
        };
        let again = claim.doc.may_have_happened();
        let last = entries.len().saturating_sub(1);
        for entry in &entries {
            let known = claim.doc.written.iter().find(|written| written.entry == entry.place);
            if known.is_some_and(|written| written.unconfirmed.is_none()) {
                continue;
            }
            if entry.place > 0 && deadline.since(self.work.bridge.now()) < ENOUGH {
                return Ok(Came::Partly(Cause::new(
                    "delivery.partly",
                    "the rest is written in the next attempt",
                )));
            }
            let stop = match known.cloned() {
                None => self.write_one(claim, &product, entry, again, deadline).await?,
                Some(known) => self.confirm_one(claim, &product, entry, known, deadline).await?,
            };
            if let Some(came) = stop {
                return Ok(came);
            }
            if entry.place < last && self.work.bridge.ledger().progress(claim).await? == Settled::Fenced {
                return Ok(Came::Fenced);
            }
        }
        Ok(Came::To(Outcome::Delivered))
    }

    /// What it comes to, unless the next resource can follow.
    async fn write_one(
        &self,
        claim: &mut Claim,
        product: &Product,
        entry: &Entry<'_>,
        again: bool,
        deadline: Timestamp,
    ) -> Result<Option<Came>, Failure> {
        let bridge = self.work.bridge;
        let id = product.id_of(entry.resource.expose());
        let change = Change { resource: &entry.resource, id: id.as_ref(), again };
        let written = match bridge.call_remote(&product.loaded, &change, deadline).await {
            Ok(written) => written,
            Err(error) => return failed(error).map(Some),
        };
        let (resource, note) = self.take_in(product, entry, &written).await?;
        let now = bridge.now();
        let unconfirmed = written.unconfirmed.then_some(now);
        claim.doc.written.push(WrittenDoc { entry: entry.place, resource, unconfirmed, note });
        Ok(unconfirmed.and_then(|since| Some(waits(entry.confirm(id.is_some())?, since, now))))
    }

    /// The same of a write that the product said yes to.
    async fn confirm_one(
        &self,
        claim: &mut Claim,
        product: &Product,
        entry: &Entry<'_>,
        known: WrittenDoc,
        deadline: Timestamp,
    ) -> Result<Option<Came>, Failure> {
        let bridge = self.work.bridge;
        let before = product.id_of(entry.resource.expose());
        let tenant = self.to.connection.connection.tenant();
        let id = match &known.resource {
            Some(reference) => {
                bridge.known_resource(&tenant, reference).await?.and_then(|resource| product.id_of(&resource))
            }
            None => before.clone(),
        };
        let change = Change { resource: &entry.resource, id: id.as_ref(), again: true };
        let confirmed = match bridge.call_remote(&product.loaded, &Confirmation(change), deadline).await {
            Ok(confirmed) => confirmed,
            Err(error) => return failed(error).map(Some),
        };
        let Some(written) = confirmed else {
            let since = known.unconfirmed.unwrap_or_default();
            return Ok(entry.confirm(before.is_some()).map(|rule| waits(rule, since, bridge.now())));
        };
        let (resource, note) = self.take_in(product, entry, &written).await?;
        for written in claim.doc.written.iter_mut().filter(|written| written.entry == entry.place) {
            (written.resource, written.unconfirmed) = (resource.clone().or(written.resource.take()), None);
            written.note.clone_from(&note);
        }
        Ok(None)
    }

    /// What the product has now, as `Type/id`, stored; or why it can't be told.
    async fn take_in(
        &self,
        product: &Product,
        entry: &Entry<'_>,
        written: &Written,
    ) -> Result<(Option<String>, Option<Cause>), Failure> {
        let bridge = self.work.bridge;
        let seen = match bridge.see(product, &entry.rules.kind, written.record.expose()).await? {
            Ok(seen) => seen,
            Err(cause) => return Ok((None, Some(cause))),
        };
        let origin = Origin {
            connection: &self.to.connection.connection,
            message: &self.work.task.message,
            wrote: true,
        };
        bridge.keep_seen(origin, &seen, bridge.now()).await?;
        let resource_type = entry.resource.expose().get("resourceType").and_then(Value::as_str);
        Ok((seen.first(resource_type.unwrap_or_default()).map(bridge_fhir::Resource::reference), None))
    }
}

impl Entry<'_> {
    /// How a write of it is confirmed.
    fn confirm(&self, is_known: bool) -> Option<&Confirm> {
        let on = if is_known { On::Update } else { On::Create };
        let status = self.resource.expose().get("status").and_then(Value::as_str).unwrap_or_default();
        let mut rules = self.rules.write.iter().filter(|rule| {
            rule.on == on && (rule.status.is_empty() || rule.status.iter().any(|word| word == status))
        });
        rules.find_map(|rule| rule.confirm.as_ref())
    }
}

/// The resources of a transaction Bundle, each with how its type is written.
fn entries<'a>(product: &'a Product, body: &Phi<Vec<u8>>) -> Result<Vec<Entry<'a>>, Cause> {
    let unreadable = || Cause::new("payload.unreadable", "the payload is not a Bundle of this version");
    let mut bundle: Value = serde_json::from_slice(body.expose()).map_err(|_| unreadable())?;
    let Some(Value::Array(entries)) = bundle.get_mut("entry").map(Value::take) else {
        return Err(unreadable());
    };
    let entry = |(place, mut entry): (usize, Value)| {
        let resource = entry.get_mut("resource").map(Value::take).ok_or_else(unreadable)?;
        let resource_type = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let rules = product.api().resources.get(resource_type).filter(|rules| !rules.write.is_empty());
        let rules = rules.ok_or_else(|| {
            let text = format!("the product takes no {resource_type}: leave it out of the route");
            misconfigured(text, format!("routes.resources.{resource_type}"))
        })?;
        Ok(Entry { place, resource: Phi::new(resource), rules })
    };
    entries.into_iter().enumerate().map(entry).collect()
}

/// Not done yet: when to look again, or that it is too late.
fn waits(rule: &Confirm, since: Timestamp, now: Timestamp) -> Came {
    if now.since(since) >= Duration::from_mins(rule.within) {
        let text =
            format!("the product said yes, and has not done it after {} minutes: look there", rule.within);
        return Came::Unfinished(Cause::new("delivery.unconfirmed", text));
    }
    let cause =
        Cause::new("delivery.unconfirmed", "the product said yes, and is asked again whether it did it");
    Came::Unconfirmed(Duration::from_secs(rule.every), cause)
}

const fn rejected(cause: Cause) -> Came {
    Came::To(Outcome::Rejected(cause))
}

fn failed(error: RemoteError) -> Result<Came, Failure> {
    Ok(match error {
        RemoteError::Failed(failure) => return Err(failure),
        RemoteError::NotBefore(until) => Came::NotBefore(until),
        RemoteError::Unauthorized(cause) => rejected(cause),
        RemoteError::Call(error) => match error {
            CallError::Throttled(after, cause) => Came::To(Outcome::Throttled { after, cause }),
            CallError::Retry(after, cause) => Came::To(Outcome::Retry { after, cause }),
            CallError::Unknown(cause) => Came::To(Outcome::Unknown(cause)),
            CallError::NotFound(cause) => Came::Refused(Refusal::NotFound, cause),
            CallError::Conflict(cause) => Came::Refused(Refusal::Conflict, cause),
            CallError::Invalid(cause) => Came::Refused(Refusal::Invalid, cause),
            CallError::Unauthenticated(cause) | CallError::Forbidden(cause) => rejected(cause),
        },
    })
}
