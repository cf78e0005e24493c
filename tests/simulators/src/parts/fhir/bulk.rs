//! Bulk Data Access: an export is made ready while somebody asks for it, and is fetched as files with a resource a line.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{outcome::Refusal, server::Server};
use crate::{Answer, Request};

/// An export is asked for so often before it is ready.
const NOT_READY: u32 = 2;
/// Seconds that a client is asked to wait between two questions.
const RETRY_AFTER: &str = "10";
/// Lines of a file.
const LINES: usize = 500;

/// The exports of a server.
#[derive(Debug, Default)]
pub struct Bulk(Mutex<Jobs>);

#[derive(Debug, Default)]
struct Jobs {
    jobs: BTreeMap<String, Job>,
    begun: u64,
}

#[derive(Debug)]
struct Job {
    /// The kick-off request's address.
    request: String,
    types: Vec<String>,
    since: Option<Timestamp>,
    /// Nothing that changed later is in it.
    time: Timestamp,
    asked: u32,
}

impl Bulk {
    /// `GET …/$export` of these types; `jobs` is the address below which exports are asked for.
    ///
    /// # Errors
    /// When it does not ask to be answered later, or for something else than resources in lines.
    pub fn begin(&self, request: &Request, jobs: &str, now: Timestamp) -> Result<Answer, Refusal> {
        if request.header("prefer") != Some("respond-async") {
            return Err(Refusal::new(400, "required", "An export needs Prefer: respond-async"));
        }
        let format = request.parameter("_outputFormat").unwrap_or("ndjson");
        if !["ndjson", "application/ndjson", "application/fhir+ndjson"].contains(&format) {
            return Err(Refusal::new(400, "not-supported", "_outputFormat must be ndjson"));
        }
        let since = request.parameter("_since").map(str::parse).transpose();
        let since = since.map_err(|_| Refusal::new(400, "value", "_since must be an instant"))?;
        let types =
            request.parameters("_type").flat_map(|types| types.split(',')).map(str::to_owned).collect();
        let mut all = self.jobs();
        all.begun += 1;
        let id = format!("export-{}", all.begun);
        let address = format!("{}{}", request.base(), request.path);
        all.jobs.insert(id.clone(), Job { request: address, types, since, time: now, asked: 0 });
        Ok(Answer::empty(202).with_header("content-location", format!("{jobs}/{id}")))
    }

    /// `GET {jobs}/{id}`: not yet, or the manifest.
    ///
    /// # Errors
    /// When there is no such export.
    pub fn status(&self, id: &str, jobs: &str, server: &Server) -> Result<Answer, Refusal> {
        let mut all = self.jobs();
        let job = all.jobs.get_mut(id).ok_or_else(Refusal::not_found)?;
        job.asked += 1;
        if job.asked <= NOT_READY {
            let progress = format!("{} of {NOT_READY} parts", job.asked);
            return Ok(Answer::empty(202)
                .with_header("x-progress", progress)
                .with_header("retry-after", RETRY_AFTER));
        }
        let file = |kind: &str, number: usize, count: usize, of: &str| json!({"type": kind, "url": format!("{jobs}/{id}/{of}-{number}.ndjson"), "count": count});
        let mut output = Vec::new();
        for kind in &job.types {
            let lines = job.changed(kind, server).len();
            let files = (0..lines.div_ceil(LINES)).map(|n| file(kind, n, LINES.min(lines - n * LINES), kind));
            output.extend(files);
        }
        let gone = job.gone(server);
        let deleted: Vec<Value> =
            (!gone.is_empty()).then(|| file("Bundle", 0, 1, "deleted")).into_iter().collect();
        Ok(Answer::json(
            200,
            &json!({
                "transactionTime": format!("{:.3}", job.time), "request": job.request, "requiresAccessToken": true,
                "output": output, "deleted": deleted, "error": [],
            }),
        ))
    }

    /// `GET {jobs}/{id}/{file}`, or a part of it from a byte on.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn file(&self, id: &str, name: &str, request: &Request, server: &Server) -> Result<Answer, Refusal> {
        let all = self.jobs();
        let job = all.jobs.get(id).ok_or_else(Refusal::not_found)?;
        let (kind, number) =
            name.trim_end_matches(".ndjson").rsplit_once('-').ok_or_else(Refusal::not_found)?;
        let number: usize = number.parse().map_err(|_| Refusal::not_found())?;
        let lines = match kind {
            "deleted" => vec![job.gone(server)].into_iter().map(|gone| bundle(&gone)).collect(),
            kind => {
                job.changed(kind, server).into_iter().skip(number * LINES).take(LINES).collect::<Vec<_>>()
            }
        };
        let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let from = request
            .header("range")
            .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        let from: usize = from.unwrap_or(0);
        let rest = body.as_bytes().get(from..).unwrap_or_default().to_vec();
        let status = if from == 0 { 200 } else { 206 };
        Ok(Answer::of(status, "application/fhir+ndjson", rest))
    }

    /// `DELETE {jobs}/{id}`.
    ///
    /// # Errors
    /// When there is no such export.
    pub fn forget(&self, id: &str) -> Result<Answer, Refusal> {
        self.jobs().jobs.remove(id).map(|_| Answer::empty(202)).ok_or_else(Refusal::not_found)
    }

    /// How many exports are kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.jobs().jobs.len()
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    /// What of a type belongs into the export, as it is now.
    fn changed(&self, kind: &str, server: &Server) -> Vec<Value> {
        let store = server.store();
        let is_in = |at: Timestamp| at <= self.time && self.since.is_none_or(|since| at > since);
        store
            .all(kind)
            .filter(|(_, kept)| is_in(kept.updated))
            .map(|(_, kept)| kept.resource.clone())
            .collect()
    }

    /// What was deleted since, as `Type/id`.
    fn gone(&self, server: &Server) -> Vec<String> {
        let Some(since) = self.since else { return Vec::new() };
        let store = server.store();
        let is_in = |at: Timestamp| since < at && at <= self.time;
        let gone = store.gone().iter().filter(|(kind, _, at)| self.types.contains(kind) && is_in(*at));
        gone.map(|(kind, id, _)| format!("{kind}/{id}")).collect()
    }
}

fn bundle(gone: &[String]) -> Value {
    let entries: Vec<Value> =
        gone.iter().map(|url| json!({"request": {"method": "DELETE", "url": url}})).collect();
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
}
