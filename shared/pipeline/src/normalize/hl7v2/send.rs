//! What goes out to a destination that speaks HL7 v2: the messages of one delivery, written once (ADR 10).

use std::collections::BTreeSet;

use bridge_convert::to_v2::{Event, Header, Outgoing, V2Writer};
use bridge_core::{
    Cause, Timestamp,
    config::{Hl7v2Send, Route},
    id::TenantId,
};
use bridge_fhir::Resource;
use bridge_hl7v2::{Delimiters, charset::Charset};
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::{events, profile::profile};
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    keys::KeyError,
    normalize::{change::Changes, deliveries::NotSent},
    ports::Ports,
    stage::Failure,
};

/// How far references are followed into the store: appointment, patient, their practitioner, the practice.
const DEEPEST: usize = 3;
/// For each resource that is told of, one delivery takes so many from the store at most.
const MOST: usize = 50;
/// Notes of one destination that a message's record keeps.
const NOTES: usize = 20;

/// What is sent to a destination.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    /// In order; none when nothing is to be told.
    pub(crate) list: Vec<Vec<u8>>,
    /// What has no field: by path.
    pub(crate) notes: Vec<String>,
}

/// Resources on their way to a destination.
pub(crate) struct Parcel<'a> {
    pub(crate) tenant: &'a TenantId,
    /// MSH-7.
    pub(crate) sent_at: Timestamp,
    pub(crate) route: &'a Route,
    pub(crate) destination: &'a Loaded,
    /// What MSH-10 is made of: the text of an id.
    pub(crate) control: &'a str,
    /// Those the route takes, without what it drops.
    pub(crate) resources: Vec<Resource>,
    pub(crate) changes: &'a Changes,
}

impl<P: Ports> Bridge<P> {
    /// Writes the messages of a delivery. The same delivery has the same MSH-10s and MSH-7, however often it is written.
    pub(crate) async fn hl7v2_messages(&self, parcel: Parcel<'_>) -> Result<Messages, NotSent> {
        let Parcel { tenant, sent_at, route, destination, control, mut resources, changes } = parcel;
        let site = destination.hl7v2.clone().unwrap_or_default();
        let send = site.send.clone().unwrap_or_default();
        let mut planned = events::plan(&resources, changes);
        planned.retain(|planned| send.sends(&name(planned.event)));
        let mut messages = Messages::default();
        if planned.is_empty() {
            messages.notes.push(format!("{}: no event that is sent there", route.to));
            return Ok(messages);
        }
        self.add_known(tenant, route, &mut resources).await?;
        let index = self.index_key(tenant).await.map_err(Failure::from)?;
        let zone = destination.connection.zone.rules().unwrap_or(TimeZone::UTC);
        let namespace = Uuid::from_bytes(index.fhir_namespace());
        let writer = V2Writer::new(profile(&site, namespace, zone), header(&send, route)?);
        let sent = jiff::Timestamp::from_millisecond(sent_at.as_millis()).unwrap_or_default();
        let mut left_out = BTreeSet::new();
        for (n, planned) in (1_usize..).zip(&planned) {
            let context = events::context(planned, &resources);
            let control_id = control_id(control, n);
            let outgoing =
                Outgoing { event: planned.event, resources: &context, control_id: &control_id, sent };
            let written = writer.write(outgoing).map_err(|error| {
                let text = format!("no {} can be written for this destination: {error}", name(planned.event));
                NotSent::Unwritable(Cause::new("hl7v2.not_written", text).at(route.to.to_string()))
            })?;
            left_out.extend(written.left_out);
            messages.list.push(written.message);
        }
        let note = |path: &String| format!("{}: {path} has no field", route.to);
        messages.notes.extend(left_out.iter().take(NOTES).map(note));
        Ok(messages)
    }

    /// Adds what is known of what the resources refer to, as far as the route takes it: a message of a webhook names
    /// its patient, and SIU and DFT tell who that is.
    async fn add_known(
        &self,
        tenant: &TenantId,
        route: &Route,
        resources: &mut Vec<Resource>,
    ) -> Result<(), NotSent> {
        let mut looked: BTreeSet<String> = resources.iter().map(Resource::reference).collect();
        let most = resources.len().saturating_mul(MOST);
        for _ in 0..DEEPEST {
            let named: BTreeSet<String> = resources
                .iter()
                .flat_map(|resource| events::references(&resource.json, true))
                .filter(|name| !looked.contains(*name))
                .map(str::to_owned)
                .collect();
            for name in named {
                looked.insert(name.clone());
                let Some((kind, id)) = name.split_once('/') else { continue };
                if resources.len() >= most || !route.resources.iter().any(|taken| taken == kind) {
                    continue;
                }
                let known = match self.resource(tenant, &name).await {
                    Ok(Some((_, json))) => json,
                    Ok(None) => continue,
                    Err(KeyError::Port(error)) => return Err(Failure::Port(error).into()),
                    Err(error) => return Err(Failure::Key(error).into()),
                };
                let Ok(json) = serde_json::from_slice(known.expose()) else { continue };
                let mut known = Resource { resource_type: kind.to_owned(), id: id.to_owned(), json };
                bridge_fhir::minimise(&mut known, &route.drop);
                resources.push(known);
            }
        }
        Ok(())
    }
}

/// `ADT^A28`.
fn name(event: Event) -> String {
    let [message, trigger, _] = event.message_type();
    format!("{message}^{trigger}")
}

/// MSH-10 of the n-th message of a delivery or a file: 80 bits of its id and the number, in the 20 characters that
/// v2.5.1 allows.
pub(super) fn control_id(id: &str, n: usize) -> String {
    let id = id.split_once('_').map_or(id, |(_, digest)| digest);
    format!("{}{n:04}", id.get(..16).unwrap_or(id).to_ascii_uppercase())
}

fn header(send: &Hl7v2Send, route: &Route) -> Result<Header, NotSent> {
    let wrong = |word: &str| {
        let text = format!(
            "`hl7v2.send.{word}` of the destination can't be used: correct it, then release the lane"
        );
        NotSent::Unwritable(Cause::new("hl7v2.configuration", text).at(route.to.to_string()))
    };
    let mut delimiters = send.delimiters.chars();
    let field = delimiters.next().and_then(|field| u8::try_from(field).ok());
    let delimiters = field.and_then(|field| Delimiters::new(field, delimiters.as_str()).ok());
    Ok(Header {
        sending_application: send.sending_application.clone(),
        sending_facility: send.sending_facility.clone(),
        receiving_application: send.receiving_application.clone(),
        receiving_facility: send.receiving_facility.clone(),
        processing_id: send.processing_id.clone(),
        version: send.version.clone(),
        delimiters: delimiters.ok_or_else(|| wrong("delimiters"))?,
        charset: Charset::from_msh18(&send.charset).ok_or_else(|| wrong("charset"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_ids_are_short_enough_for_every_version_and_tell_messages_apart() {
        let delivery = "dlv_abcdefghijklmnopqrstuvwxyz";
        assert_eq!(control_id(delivery, 1), "ABCDEFGHIJKLMNOP0001");
        assert_eq!(control_id(delivery, 9999).len(), 20);
        assert_ne!(control_id(delivery, 1), control_id(delivery, 2));
    }
}
