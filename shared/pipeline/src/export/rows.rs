//! From a resource to records of a file: which are wanted, without what is dropped, mapped, and written.

use std::sync::Arc;

use bridge_core::{
    Cause, Phi, Timestamp,
    config::Route,
    export::Export,
    feed::Format,
    id::{BlindToken, ConnectionId, RunId, TenantId},
};
use bridge_fhir::Resource;
use bridge_formats::{Envelope, Writer};
use bridge_mapping::Mapping;
use bridge_seal::IndexKey;
use serde_json::Value;

use super::Stopped;
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    normalize::{Change, Changes, NotSent, Parcel, apply, resources::ResourceDoc},
    ports::Ports,
    stage::Failure,
};

/// A mapping with the name that errors call it by.
type Named = (String, Arc<Mapping>);

/// What came of a resource.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Its records are written; their names, where the receiver is to answer for them.
    Written(Vec<BlindToken>),
    /// It is not for the file.
    LeftOut,
    /// The file can't say it.
    Held(Cause),
}

/// Makes records of resources.
pub(super) struct Rows {
    name: String,
    source: Arc<Loaded>,
    export: Export,
    filter: Option<Named>,
    mapping: Option<Named>,
    index: Arc<IndexKey>,
    run: RunId,
    made: Timestamp,
    pub(super) writer: Writer,
}

/// Why nothing of the export can be written.
pub(super) fn blocked(cause: Cause) -> Stopped {
    Stopped::Blocked(cause)
}

impl<P: Ports> Bridge<P> {
    /// For a run whose period ends at `made`.
    pub(super) async fn rows(
        &self,
        source: &Arc<Loaded>,
        name: &str,
        run: &RunId,
        made: Timestamp,
    ) -> Result<Rows, Stopped> {
        let gone = || Cause::new("export.gone", "the connection has this export no longer");
        let export = source.connection.exports.get(name).cloned().ok_or_else(|| blocked(gone()))?;
        let mapping = match export.mapping.as_str() {
            "" => None,
            mapping => Some(self.mapping(source, mapping).map_err(blocked)?),
        };
        let filter = match &export.filter {
            Some(text) => Some(self.filter(source, name, text).map_err(blocked)?),
            None => None,
        };
        let index = self.index_key(&source.connection.connection.tenant()).await?;
        let writer = Writer::new(&export.file, &export.columns, envelope(source, run, made));
        let (name, source, run) = (name.to_owned(), Arc::clone(source), run.clone());
        Ok(Rows { name, source, export, filter, mapping, index, run, made, writer })
    }

    fn filter(&self, source: &Loaded, name: &str, text: &str) -> Result<Named, Cause> {
        let called = format!("{}@{}/exports.{name}.where", source.connection.connection, source.version);
        if let Some(known) = self.cached_mapping(&called) {
            return Ok((called, known));
        }
        let compiled = Mapping::compile(&called, text).map_err(|error| {
            let place = error.place().map(|place| place.to_string()).unwrap_or_default();
            Cause::new("mapping.broken", error.text()).at(format!("{called} {place}").trim_end())
        })?;
        let compiled = Arc::new(compiled);
        self.cache_mapping(&called, &compiled);
        Ok((called, compiled))
    }

    /// Writes what a resource says; nothing of it when it is not written whole.
    pub(super) async fn write_rows(
        &self,
        rows: &mut Rows,
        reference: &str,
        doc: &ResourceDoc,
        json: &Phi<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Stopped> {
        let Some((kind, id)) = reference.split_once('/') else { return Ok(Outcome::LeftOut) };
        if !rows.export.resources.iter().any(|taken| taken == kind) {
            return Ok(Outcome::LeftOut);
        }
        let json: Value = serde_json::from_slice(json.expose()).unwrap_or_default();
        let mut resource = Resource { resource_type: kind.to_owned(), id: id.to_owned(), json };
        if let Some((named, filter)) = &rows.filter {
            match apply(filter, named, &resource.json, &rows.kind(), &rows.source) {
                Ok(said) if said == [Value::Bool(true)] => {}
                Ok(_) => return Ok(Outcome::LeftOut),
                Err(cause) => return Ok(Outcome::Held(cause)),
            }
        }
        bridge_fhir::minimise(&mut resource, &rows.export.drop);
        if rows.export.file.format == Format::Hl7Batch {
            return self.write_messages(rows, resource, doc, out).await;
        }
        let records = match &rows.mapping {
            None => vec![resource.json],
            Some((named, mapping)) => match apply(mapping, named, &resource.json, &rows.kind(), &rows.source)
            {
                Ok(records) => records,
                Err(cause) => return Ok(Outcome::Held(cause)),
            },
        };
        Ok(rows.write(&records, out))
    }

    /// As a delivery to this connection would be written.
    async fn write_messages(
        &self,
        rows: &mut Rows,
        resource: Resource,
        doc: &ResourceDoc,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Stopped> {
        let reference = resource.reference();
        let connection = &rows.source.connection.connection;
        let changes = Changes::from([(reference.clone(), doc.change.unwrap_or(Change::Changed))]);
        let control = rows.index.token(connection, "control", &format!("{}#{reference}", rows.run));
        let route = Route {
            to: connection.clone(),
            resources: rows.export.resources.clone(),
            drop: rows.export.drop.clone(),
            fallback: Default::default(),
        };
        let (source, tenant) = (Arc::clone(&rows.source), connection.tenant());
        let parcel = Parcel {
            tenant: &tenant,
            sent_at: rows.made,
            route: &route,
            destination: &source,
            control: control.as_str(),
            resources: vec![resource],
            changes: &changes,
        };
        let messages = match self.hl7v2_messages(parcel).await {
            Ok(messages) => messages.list,
            Err(NotSent::Unwritable(cause)) => return Ok(Outcome::Held(cause)),
            Err(NotSent::Failed(failure)) => return Err(Stopped::Failed(failure)),
        };
        if messages.is_empty() {
            return Ok(Outcome::LeftOut);
        }
        Ok(rows.all_or_none(out, |writer, out| {
            messages.iter().try_for_each(|message| writer.message(message, out)).map(|()| Vec::new())
        }))
    }

    /// The resource `reference` as it is now.
    pub(super) async fn tagged(
        &self,
        tenant: &TenantId,
        reference: &str,
    ) -> Result<Option<(String, ResourceDoc, Phi<Vec<u8>>)>, Failure> {
        use crate::ports::Store;
        let key = crate::normalize::resources::resource_key(tenant, reference);
        let Some(record) = self.ports.store().get(&key).await? else { return Ok(None) };
        let tag = super::marks::tag_of(&record);
        let (doc, json) = self.open_resource(record, reference).await?;
        Ok(Some((tag, doc, json)))
    }
}

impl Rows {
    fn kind(&self) -> String {
        format!("export/{}", self.name)
    }

    fn write(&mut self, records: &[Value], out: &mut Vec<u8>) -> Outcome {
        if records.is_empty() {
            return Outcome::LeftOut;
        }
        let mut names = Vec::new();
        if let Some(result) = &self.export.result {
            for record in records {
                let Some(name) = named(record, &result.key) else {
                    let text = "the record has no name that the receiver could answer with: see `result.key`";
                    return Outcome::Held(Cause::new("export.no_key", text).at(&result.key));
                };
                names.push(token(&self.index, &self.source.connection.connection, &self.name, &name));
            }
        }
        self.all_or_none(out, |writer, out| {
            records.iter().try_for_each(|record| writer.record(record, out)).map(|()| names)
        })
    }

    fn all_or_none(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Writer, &mut Vec<u8>) -> Result<Vec<BlindToken>, bridge_formats::Unwritable>,
    ) -> Outcome {
        let (length, records) = (out.len(), self.writer.records());
        match write(&mut self.writer, out) {
            Ok(names) => Outcome::Written(names),
            Err(error) => {
                out.truncate(length);
                self.writer.go_back(records);
                Outcome::Held(Cause::new("export.unwritable", error.fault.to_string()).at(error.place))
            }
        }
    }
}

/// The name of a record: text or a number, as text.
pub(crate) fn named(record: &Value, member: &str) -> Option<String> {
    match record.get(member)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// By which a record is known again in the receiver's answer.
pub(crate) fn token(index: &IndexKey, connection: &ConnectionId, export: &str, name: &str) -> BlindToken {
    index.token(connection, "record", &format!("{export}#{name}"))
}

fn envelope(source: &Loaded, run: &RunId, made: Timestamp) -> Envelope {
    let send = source.hl7v2.as_ref().and_then(|site| site.send.clone()).unwrap_or_default();
    let made = jiff::Timestamp::from_millisecond(made.as_millis()).unwrap_or_default();
    Envelope {
        parties: [
            send.sending_application.clone(),
            send.sending_facility.clone(),
            send.receiving_application.clone(),
            send.receiving_facility.clone(),
        ],
        made: made.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y%m%d%H%M%S+0000").to_string(),
        control_id: run
            .as_str()
            .trim_start_matches("run_")
            .chars()
            .take(20)
            .collect::<String>()
            .to_ascii_uppercase(),
    }
}
