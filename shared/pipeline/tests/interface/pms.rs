//! An invented product that keeps patients and appointments, and a practice that has it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use bridge_core::{
    Cause, Phi,
    config::Connection,
    remote::{Answer, CallError, Written},
};
pub(crate) use bridge_testkit::caller::PMS;
use bridge_testkit::{
    memory::{Called, MemoryAdapters, Product, lock},
    practice::{Practice, actor},
};
use futures::executor::block_on;
use serde_json::{Value, json};

pub(crate) const MANIFEST: &str = "
adapter: pms
version: 1
title: An invented product
settings:
  appointment-system: {about: system, default: 'urn:pms:appointment'}
deliver: {transport: {kind: api}, max-attempts: 4}
api:
  base: https://pms.example
  operations:
    list-patients: {path: /patients, rows: /patients}
    read-patient: {path: '/patients/{id}'}
    put-patient: {method: PUT, path: '/patients/{id}'}
    list-appointments: {path: /appointments, rows: /appointments}
    read-appointment: {path: '/appointments/{id}'}
    book: {method: POST, path: /appointments}
    change: {method: PUT, path: '/appointments/{id}'}
  kinds:
    patient: {mapping: patient, lane: [/id], version: /updated}
    appointment: {mapping: appointment, lane: [/patient]}
  resources:
    Patient:
      kind: patient
      identifier: urn:pms:patient
      read: {operation: read-patient}
      search:
        - operation: list-patients
          parameters: {family: {kind: string, argument: name}}
      write: [{on: update, operation: put-patient}]
    Appointment:
      kind: appointment
      identifier: '{appointment-system}'
      cache: 30
      read: {operation: read-appointment}
      search:
        - operation: list-appointments
          parameters:
            patient: {kind: reference, argument: patient, to: Patient}
            status: {kind: token, argument: status, values: {booked: Scheduled, cancelled: Broken}}
            date: {kind: date, from: from, to: to}
      write:
        - {on: create, operation: book, confirm: {operation: read-appointment, done: patient, every: 30, within: 10}}
        - {on: update, operation: change}
    Slot:
      kind: appointment
      identifier: urn:pms:slot
      search: [{operation: list-appointments, required: [start], parameters: {start: {kind: date, from: from, to: to}}}]
";

const PATIENT: &str = r#"{"resourceType": "Patient",
    "identifier": [{"system": "urn:pms:patient", "value": id}], "name": [{"family": name}]}"#;

const APPOINTMENT: &str = r#"{"resourceType": "Appointment",
    "identifier": [{"system": "urn:pms:appointment", "value": id}],
    "status": status, "start": start, "end": end,
    "participant": [{"actor": {"reference": "Patient?identifier=urn:pms:patient|" & patient}, "status": "accepted"}]}"#;

/// How the next call goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It doesn't.
    None,
    /// It is answered so, and nothing is done.
    Answer(CallError),
    /// It is done, and nobody hears of it.
    Mute,
}

/// What the product keeps, and how it behaves.
#[derive(Debug, Default)]
pub(crate) struct Pms {
    pub(crate) patients: BTreeMap<String, Value>,
    pub(crate) appointments: BTreeMap<String, Value>,
    /// Calls, as `operation` with what was asked.
    pub(crate) calls: Vec<String>,
    pub(crate) faults: VecDeque<Fault>,
    /// It says yes before it does it, until this is `Some`.
    pub(crate) says_yes_first: bool,
    pub(crate) confirms: Option<bool>,
    /// Records on a page.
    pub(crate) page: usize,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Handle(Arc<Mutex<Pms>>);

impl Handle {
    pub(crate) fn get(&self) -> MutexGuard<'_, Pms> {
        self.0.lock().unwrap()
    }
}

pub(crate) fn conflict() -> CallError {
    CallError::Conflict(Cause::new("api.conflict", "the chair is taken"))
}

pub(crate) fn down() -> CallError {
    CallError::Retry(None, Cause::new("http.503", "the product is down"))
}

impl Product for Handle {
    fn call(&mut self, call: &Called, _: i64) -> Result<Answer, CallError> {
        let mut pms = self.get();
        let asked: Vec<String> =
            call.arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let page = call.page.clone().unwrap_or_default();
        pms.calls.push(format!("{} {}{page}", call.operation, asked.join("&")));
        if let Some(Fault::Answer(error)) = pms.faults.pop_front() {
            return Err(error);
        }
        let records = if call.operation.ends_with("patients") || call.operation.ends_with("patient") {
            &pms.patients
        } else {
            &pms.appointments
        };
        if let Some(id) = call.arguments.get("id") {
            let unknown = || CallError::NotFound(Cause::new("http.404", "no such record"));
            let record = records.get(id).cloned().ok_or_else(unknown)?;
            return Ok(Answer { records: Phi::new(vec![record]), ..Answer::default() });
        }
        let matches = |record: &&Value| {
            ["patient", "status"]
                .iter()
                .all(|name| call.arguments.get(*name).is_none_or(|asked| record[*name] == **asked))
        };
        let found: Vec<Value> = records.values().filter(matches).cloned().collect();
        let from: usize = call.page.as_ref().map_or(0, |page| page.parse().unwrap());
        let size = if pms.page == 0 { usize::MAX } else { pms.page };
        let next = (from + size.min(found.len()) < found.len()).then(|| Phi::new((from + size).to_string()));
        let records = found.into_iter().skip(from).take(size).collect();
        Ok(Answer { records: Phi::new(records), next, ..Answer::default() })
    }

    fn write(&mut self, resource: &Value, id: Option<&str>, _: i64) -> Result<Written, CallError> {
        let mut pms = self.get();
        let kind = resource["resourceType"].as_str().unwrap();
        pms.calls.push(format!("write {kind} {}", id.unwrap_or("new")));
        let fault = pms.faults.pop_front();
        if let Some(Fault::Answer(error)) = fault {
            return Err(error);
        }
        let (id, record) = if kind == "Patient" {
            let id = id.unwrap().to_owned();
            (id.clone(), json!({"id": id, "name": resource["name"][0]["family"], "updated": "2"}))
        } else {
            let id = id.map_or_else(|| format!("A{}", pms.appointments.len() + 1), str::to_owned);
            let patient = &resource["participant"][0]["actor"]["identifier"]["value"];
            let record = json!({
                "id": id, "patient": patient, "status": resource["status"],
                "start": resource["start"], "end": resource["end"],
            });
            (id, record)
        };
        let kept = if kind == "Patient" { &mut pms.patients } else { &mut pms.appointments };
        kept.insert(id.clone(), record.clone());
        if matches!(fault, Some(Fault::Mute)) {
            return Err(CallError::Unknown(Cause::new("timeout", "no answer in time")));
        }
        Ok(Written { record: Phi::new(record), id: Phi::new(id), unconfirmed: pms.says_yes_first })
    }

    fn write_again(&mut self, resource: &Value, id: Option<&str>, now: i64) -> Result<Written, CallError> {
        let found = {
            let mut pms = self.get();
            pms.calls.push("look".to_owned());
            let mut appointments = pms.appointments.iter();
            appointments
                .find(|(_, known)| known["start"] == resource["start"])
                .map(|(id, known)| (id.clone(), known.clone()))
        };
        match found {
            Some((id, record)) => {
                Ok(Written { record: Phi::new(record), id: Phi::new(id), unconfirmed: false })
            }
            None => self.write(resource, id, now),
        }
    }

    fn confirm(&mut self, _: &Value, id: Option<&str>, _: i64) -> Result<Option<Written>, CallError> {
        let mut pms = self.get();
        pms.calls.push(format!("confirm {}", id.unwrap_or("?")));
        match pms.confirms {
            None => Ok(None),
            Some(false) => Err(conflict()),
            Some(true) => {
                let id = id.unwrap().to_owned();
                let record = pms.appointments[&id].clone();
                Ok(Some(Written { record: Phi::new(record), id: Phi::new(id), unconfirmed: false }))
            }
        }
    }
}

/// A practice whose source sends what it is given in FHIR to the product, which knows the patients P1 and P2.
pub(crate) fn practice() -> (Practice, Handle) {
    let mut source = Practice::source();
    source.mappings.insert("note".to_owned(), "resources".to_owned());
    source.routes =
        serde_norway::from_str("[{to: sim.pms, resources: [Patient, Appointment, Location]}]").unwrap();
    let manifest = Arc::new(serde_norway::from_str(MANIFEST).unwrap());
    let text = |name: &str, text: &str| (("pms".to_owned(), name.to_owned()), Arc::from(text));
    let adapters = MemoryAdapters {
        manifests: [("pms".to_owned(), manifest)].into(),
        mappings: [text("patient", PATIENT), text("appointment", APPOINTMENT)].into(),
    };
    let practice = Practice::with_adapters(source, adapters);
    let connection: Connection =
        serde_norway::from_str("{connection: sim.pms, adapter: pms, zone: America/Denver}").unwrap();
    block_on(practice.bridge.apply_connection(connection, actor())).unwrap();
    let pms = Handle::default();
    for (id, name) in [("P1", "Zyxwv"), ("P2", "Quillon")] {
        let record = json!({"id": id, "name": name, "updated": "1"});
        pms.get().patients.insert(id.to_owned(), record);
    }
    lock(&practice.world).product = Some(Box::new(pms.clone()));
    (practice, pms)
}

/// Sends resources from the source.
pub(crate) fn post(practice: &Practice, tag: &str, resources: &Value) {
    let body = json!({"patient": "p1", "tag": tag, "resources": resources}).to_string();
    assert_eq!(practice.post(&[("x-token", "t")], body.as_bytes()).status, 202);
}
