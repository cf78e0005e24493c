//! HL7 v2 to FHIR, as the connection's site profile says: convert, let the hook have its word, name what it is found by.

mod acknowledge;
mod events;
mod hook;
mod profile;
mod send;

use bridge_convert::{ConvertError, Converted, Converter, Diagnostic, Reason};
use bridge_core::{
    Cause, Phi, Timestamp,
    config::{Hl7v2Site, NewestBy, ParkOn},
    id::BlindToken,
    task::NormalizeTask,
};
use bridge_fhir::Resource;
use bridge_hl7v2::{Message, Value as Piece, time::Precision};
use bridge_seal::IndexKey;
use jiff::tz::TimeZone;
use uuid::Uuid;

pub use self::events::{Told, tell};
pub(crate) use self::send::Parcel;
use super::{merge::Asides, translate::Translated};
use crate::{bridge::Bridge, configuration::Loaded, ports::Ports};

/// A message's record has room for the notes that matter, not for the whole of a message that nobody understands.
const NOTES: usize = 50;

impl<P: Ports> Bridge<P> {
    /// Converts a message.
    ///
    /// # Errors
    /// The cause names segment and field.
    pub(super) fn translate_hl7(
        &self,
        task: &NormalizeTask,
        source: &Loaded,
        received: &Phi<Vec<u8>>,
        index: &IndexKey,
    ) -> Result<Translated, Cause> {
        let site = source.hl7v2.as_ref().ok_or_else(|| {
            Cause::new(
                "hl7v2.none",
                "the connection does not speak HL7 v2 any more: restore its `hl7v2` section",
            )
        })?;
        let message = Message::parse_as(received.expose(), site.charset.unwrap_or_default())
            .map_err(|error| Cause::new("hl7v2.unreadable", error.to_string()))?;
        let namespace = Uuid::from_bytes(index.fhir_namespace());
        let zone = source.connection.zone.rules().unwrap_or(TimeZone::UTC);
        let converter =
            source.converter.get_or_init(|| Converter::new(profile::profile(site, namespace, zone.clone())));
        let at = jiff::Timestamp::from_millisecond(task.received_at.as_millis()).unwrap_or_default();
        let converted = converter.convert(&message, at).map_err(|error| not_converted(&error))?;
        let stop = |diagnostic: &&Diagnostic| {
            site.park_on.iter().flatten().any(|on| is_about(*on, diagnostic.reason))
        };
        if let Some(diagnostic) = converted.diagnostics.iter().find(stop) {
            let text = format!("{}: see `park-on`", diagnostic.reason);
            return Err(Cause::new("hl7v2.incomplete", text).at(diagnostic.location.to_string()));
        }
        let adapter = &source.manifest;
        let mut mapped_by = format!("{}@{}/v2-to-fhir", adapter.adapter, adapter.version);
        let mut resources = resources(&converted);
        if let Some(name) = &site.hook {
            let (hook, mapping) = self.mapping(source, name)?;
            resources = hook::apply(&mapping, &hook, &message, resources, namespace, task, source)?;
            mapped_by = format!("{mapped_by} {hook}");
        }
        Ok(Translated {
            version: version(site, &message, &zone, task.received_at),
            find: find(&message, task, index),
            notes: notes(&converted.diagnostics),
            asides: Some(asides(&converted, converter)),
            ..Translated::of(resources, mapped_by)
        })
    }
}

fn resources(converted: &Converted) -> Vec<Resource> {
    let resource = |resource: &bridge_convert::Resource| Resource {
        resource_type: resource.kind.to_owned(),
        id: resource.id.to_string(),
        json: serde_json::from_slice(converted.json(resource))
            .unwrap_or_else(|error| unreachable!("a conversion gives JSON: {error}")),
    };
    converted.resources.iter().map(resource).collect()
}

fn not_converted(error: &ConvertError) -> Cause {
    Cause::new("hl7v2.not_converted", error.to_string()).at(error.location().to_string())
}

fn is_about(on: ParkOn, reason: Reason) -> bool {
    match on {
        ParkOn::UnknownAuthority => reason == Reason::UnknownAuthority,
        ParkOn::UnknownCodeSystem => reason == Reason::UnknownCodeSystem,
        ParkOn::UnknownCode => reason == Reason::NoCode,
        ParkOn::NoIdentifier => reason == Reason::NoIdentifier,
        ParkOn::WrongTime => matches!(reason, Reason::Time(_)),
    }
}

fn notes(diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut notes: Vec<String> = diagnostics.iter().take(NOTES).map(ToString::to_string).collect();
    if let Some(more) = diagnostics.len().checked_sub(NOTES).filter(|more| *more > 0) {
        notes.push(format!("and {more} more"));
    }
    notes
}

fn asides(converted: &Converted, converter: &Converter) -> Asides {
    let removals = converted.removals.iter();
    let defaults = converted.diagnostics.iter().filter_map(|diagnostic| match diagnostic.reason {
        Reason::Default(path) => Some((path, profile::default_of(converter.profile(), path)?.to_owned())),
        _ => None,
    });
    Asides {
        removals: removals.map(|one| (format!("{}/{}", one.kind, one.id), one.path)).collect(),
        defaults: defaults.collect(),
    }
}

/// Which of two messages says the newer thing, as text that sorts; empty where the order decides in which they came
/// (ADR 9).
fn version(site: &Hl7v2Site, message: &Message<'_>, zone: &TimeZone, received: Timestamp) -> String {
    let header = message.header().field(7).first();
    let recorded = || message.named("EVN").next().map(|evn| evn.field(2).first());
    let said = match site.newest_by.unwrap_or_default() {
        NewestBy::MessageTime => moment(header, zone),
        NewestBy::EventTime => recorded().and_then(|at| moment(at, zone)).or_else(|| moment(header, zone)),
        NewestBy::Arrival => None,
    };
    // What was made after it came is of a clock that is ahead: until that is set right, it must not be believed.
    said.filter(|said| *said <= received).map(|said| said.to_string()).unwrap_or_default()
}

/// A time that is precise enough to tell messages apart. An hour that the clocks repeat is the second one: had it been
/// the first, then the message came before it was made, and the order of arrival decides.
fn moment(value: Piece<'_>, zone: &TimeZone) -> Option<Timestamp> {
    let dtm = value.part(1).dtm().ok().flatten().filter(|dtm| dtm.precision() >= Precision::Minute)?;
    let at = match dtm.offset_minutes() {
        Some(_) => dtm.timestamp(zone)?,
        None => zone.to_ambiguous_timestamp(dtm.datetime()).later().ok()?,
    };
    Some(Timestamp::from_millis(at.as_millisecond()))
}

/// What an operator finds it by: its control id, its patients' numbers, its appointment's.
fn find(message: &Message<'_>, task: &NormalizeTask, index: &IndexKey) -> Vec<BlindToken> {
    const PLACES: [(&str, &str, u32); 6] = [
        ("control-id", "MSH", 10),
        ("patient", "PID", 2),
        ("patient", "PID", 3),
        ("patient", "MRG", 1),
        ("appointment", "SCH", 1),
        ("appointment", "SCH", 2),
    ];
    let mut tokens = Vec::new();
    for (name, segment, field) in PLACES {
        for value in message.named(segment).flat_map(|segment| segment.field(field).filled()) {
            let Some(text) = value.part(1).content() else { continue };
            let token = index.token(&task.connection, name, text.trim());
            if !tokens.contains(&token) {
                tokens.push(token);
            }
        }
    }
    tokens
}
