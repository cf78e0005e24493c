//! Exports by FHIR Bulk Data Access (STU 2): begun, asked for until they are ready, and fetched file by file, a resource a line.
//!
//! Each page is one request. A file is read a part at a time, from the byte where the last part ended: however large it is, no
//! more than a part of it is in memory, and whoever dies goes on from there. When all files are read, or the export is given
//! up, the server is told to forget it.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{
    Cause, Phi, Timestamp,
    manifest::{Export, Operation},
    remote::{Answer, CallError},
};
use reqwest::{
    Method,
    header::{ACCEPT, ACCEPT_ENCODING, HeaderValue},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    answer::{Said, issue_type},
    call::{Caller, Exchanged, answer, unanswered},
    lines::{self, Fetched},
    pages::Place,
    request::{self, Ask},
};
use crate::transport::retry_after;

/// No export has more files: its type can be asked for by itself.
const MOST_FILES: usize = 2_000;

/// How far an export is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    /// When it was begun, in seconds since 1970.
    began: i64,
    /// `transactionTime` of the manifest.
    #[serde(default)]
    time: String,
    /// Files that are left, the first of them begun perhaps. `None`: the manifest has to be read (again).
    #[serde(default)]
    files: Option<Vec<File>>,
    /// Files that were read.
    #[serde(default)]
    done: usize,
    /// Where in the first file it goes on: bytes, and lines before them.
    #[serde(default)]
    byte: u64,
    #[serde(default)]
    lines: u64,
    /// A file's address was refused, and the manifest is read again because of it.
    #[serde(default)]
    renewed: bool,
    /// What the export itself says went wrong.
    #[serde(default)]
    trouble: Option<String>,
}

/// A file of an export.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    url: String,
    holds: Holds,
    /// It is fetched with the token.
    #[serde(default)]
    token: bool,
    /// Its lines, where the manifest counts them.
    #[serde(default)]
    count: Option<u64>,
}

/// What a file's lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Holds {
    /// Resources of the type.
    Output,
    /// Bundles that delete.
    Deleted,
    /// OperationOutcomes.
    Error,
}

/// An operation that exports, and what it is asked with.
pub(super) struct Exporting<'a> {
    pub(super) name: &'a str,
    pub(super) operation: &'a Operation,
    pub(super) export: &'a Export,
    pub(super) arguments: &'a BTreeMap<String, String>,
}

impl Caller<'_> {
    /// The next page of an export.
    pub(super) async fn export(&self, of: &Exporting<'_>, place: Place) -> Result<Answer, CallError> {
        let ask = Ask {
            name: of.name,
            operation: of.operation,
            arguments: of.arguments,
            input: &Value::Null,
            token: self.token(),
        };
        let progress = place.export.clone().unwrap_or_default();
        let Some(job) = place.job.clone() else { return self.begin(of, &ask, place).await };
        match progress.files.as_deref() {
            None => self.manifest(of, &ask, (place, progress), &job).await,
            Some([]) => self.end(&ask, progress, &job).await,
            Some([file, ..]) => {
                let file = file.clone();
                self.part(of, &ask, (place, progress), &file).await
            }
        }
    }

    /// The kick-off: 202, and where to ask.
    async fn begin(&self, of: &Exporting<'_>, ask: &Ask<'_>, place: Place) -> Result<Answer, CallError> {
        let mut outgoing = request::request(self.site, ask, None, &self.ways.mappings)?;
        outgoing.headers.insert("prefer", HeaderValue::from_static("respond-async"));
        let Exchanged { said, .. } = self.exchanged(ask, outgoing).await?;
        let job = said.headers.get("content-location").cloned();
        let job = job.ok_or_else(|| error("the server did not say where the export is asked for", of))?;
        let progress = Progress { began: self.site.party.now.as_secs(), ..Progress::default() };
        let next = Place { job: Some(job), export: Some(progress), ..place };
        let wait = wait(&said, self.site.party.now, of.export);
        answer(Vec::new(), said, Some(next), Some(wait))
    }

    /// Whether it is ready, and which files it has then.
    async fn manifest(
        &self,
        of: &Exporting<'_>,
        ask: &Ask<'_>,
        (place, progress): (Place, Progress),
        job: &str,
    ) -> Result<Answer, CallError> {
        let now = self.site.party.now;
        let mut outgoing = request::to(self.site, ask, job, Method::GET, true)?;
        outgoing.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let Exchanged { said, status, .. } = self.exchanged(ask, outgoing).await?;
        if status == 202 {
            if now.as_secs() - progress.began > i64::try_from(of.export.within * 3600).unwrap_or(i64::MAX) {
                self.forget(ask, job).await;
                return Err(error("the export was not ready in time, and was called off", of));
            }
            let wait = wait(&said, now, of.export);
            return answer(Vec::new(), said, Some(place.again(of.name)?), Some(wait));
        }
        let time = said.body.get("transactionTime").and_then(Value::as_str).unwrap_or_default().to_owned();
        let files = files(&said.body, &of.export.of).into_iter().skip(progress.done).collect::<Vec<_>>();
        if files.len() > MOST_FILES {
            self.forget(ask, job).await;
            return Err(error("the export has more files than can be kept track of", of));
        }
        let progress = Progress { time, files: Some(files), ..progress };
        let next = Place { export: Some(progress), ..place.again(of.name)? };
        answer(Vec::new(), said, Some(next), None)
    }

    /// A part of the first file that is left.
    async fn part(
        &self,
        of: &Exporting<'_>,
        ask: &Ask<'_>,
        (place, mut progress): (Place, Progress),
        file: &File,
    ) -> Result<Answer, CallError> {
        let at = request::place(ask, "export");
        let mut outgoing = request::to(self.site, ask, &file.url, Method::GET, file.token)?;
        outgoing.headers.insert(ACCEPT, HeaderValue::from_static("application/fhir+ndjson"));
        outgoing.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let time = self.time(&at)?;
        let fetched = lines::part(self.site.client(self.ways)?, outgoing, time, progress.byte).await;
        let (bytes, is_whole) = match fetched.map_err(|lost| unanswered(lost, false, &at))? {
            Fetched::Part(bytes, is_whole) => (bytes, is_whole),
            Fetched::Other(reply) => {
                let has_expired =
                    matches!(reply.status, 403 | 404 | 410) || reply.status == 401 && !file.token;
                if !has_expired || progress.renewed {
                    self.judge(ask, &at).read(&reply)?;
                    return Err(error("a file of the export is not where the manifest says", of));
                }
                (progress.files, progress.renewed) = (None, true);
                let next = Place { export: Some(progress), ..place.again(of.name)? };
                return Ok(Answer { next: Some(next.close()?), ..Answer::default() });
            }
        };
        let mut records = Vec::new();
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii();
            if !line.is_empty() {
                progress.lines += 1;
                take(line, file.holds, &of.export.of, &mut progress, &mut records);
            }
        }
        progress.byte += bytes.len() as u64;
        progress.renewed = false;
        if is_whole {
            if file.holds == Holds::Output && file.count.is_some_and(|count| count != progress.lines) {
                progress.trouble =
                    Some("a file has another number of lines than its manifest says".to_owned());
            }
            (progress.byte, progress.lines) = (0, 0);
            progress.done += 1;
            progress.files = progress.files.map(|files| files.into_iter().skip(1).collect());
        }
        let next = Place { export: Some(progress), ..place.again(of.name)? };
        Ok(Answer { records: Phi::new(records), next: Some(next.close()?), ..Answer::default() })
    }

    /// All is read: the server may forget it. What it said went wrong makes all of it a failure, so that it is asked for again.
    async fn end(&self, ask: &Ask<'_>, progress: Progress, job: &str) -> Result<Answer, CallError> {
        self.forget(ask, job).await;
        match progress.trouble {
            Some(text) => {
                Err(CallError::Invalid(Cause::new("api.export", text).at(request::place(ask, "export"))))
            }
            None => Ok(Answer::default()),
        }
    }

    /// Calls an export off. Where that fails, its files end by themselves.
    async fn forget(&self, ask: &Ask<'_>, job: &str) {
        if let Ok(outgoing) = request::to(self.site, ask, job, Method::DELETE, true) {
            drop(self.exchanged(ask, outgoing).await);
        }
    }
}

/// The files of a manifest: first what there is, then what is gone, then what went wrong.
fn files(manifest: &Value, of: &str) -> Vec<File> {
    let token = manifest.get("requiresAccessToken").and_then(Value::as_bool).unwrap_or(true);
    let list = |name: &str, holds: Holds| {
        let files = manifest.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let wanted = move |file: &Value| {
            let kind = file.get("type").and_then(Value::as_str);
            holds != Holds::Output || kind.is_none_or(|kind| kind == of)
        };
        files.into_iter().filter(wanted).filter_map(move |file| {
            let url = file.get("url")?.as_str()?.to_owned();
            Some(File { url, holds, token, count: file.get("count").and_then(Value::as_u64) })
        })
    };
    let (output, deleted) = (list("output", Holds::Output), list("deleted", Holds::Deleted));
    output.chain(deleted).chain(list("error", Holds::Error)).collect()
}

/// What a line says. One that can't be read goes on as the text that it is, to be refused and kept with its cause like any
/// other record that is none.
fn take(line: &[u8], holds: Holds, of: &str, progress: &mut Progress, records: &mut Vec<Value>) {
    let parsed = serde_json::from_slice::<Value>(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)).ok();
    let parsed = parsed.filter(Value::is_object);
    match (holds, parsed) {
        (Holds::Output, Some(resource)) if resource.get("resourceType").is_some_and(|kind| *kind == *of) => {
            records.push(resource);
        }
        (Holds::Deleted, Some(bundle)) => {
            let entries = bundle.get("entry").and_then(Value::as_array).into_iter().flatten();
            records.extend(entries.filter_map(|entry| gone(entry, of, &progress.time)));
        }
        (Holds::Error, Some(outcome)) => {
            if let Some(code) = complaint(&outcome) {
                progress.trouble = Some(format!("the export itself has failed in part: {code}"));
            }
        }
        (_, _) => records.push(Value::String(String::from_utf8_lossy(line).into_owned())),
    }
}

/// A resource that was deleted, as a record that says so.
fn gone(entry: &Value, of: &str, time: &str) -> Option<Value> {
    let request =
        entry.get("request").filter(|request| request.get("method").is_some_and(|m| m == "DELETE"))?;
    let mut parts = request.get("url")?.as_str()?.rsplit('/');
    let (id, kind) = (parts.next()?, parts.next()?);
    (kind == of)
        .then(|| json!({"resourceType": of, "id": id, "deleted": true, "meta": {"lastUpdated": time}}))
}

/// The code of an OperationOutcome's first error.
fn complaint(outcome: &Value) -> Option<&'static str> {
    let issues = outcome.get("issue").and_then(Value::as_array)?;
    let severe = |issue: &&Value| {
        issue.get("severity").is_some_and(|severity| severity == "error" || severity == "fatal")
    };
    let code = issues.iter().find(severe)?.get("code").and_then(Value::as_str);
    Some(issue_type(code))
}

/// When to ask again: as the server says, else as the manifest does.
fn wait(said: &Said, now: Timestamp, export: &Export) -> Duration {
    let asked = said.headers.get("retry-after").and_then(|header| retry_after::parse(header, now));
    asked.unwrap_or(Duration::from_secs(export.every))
}

fn error(text: &str, of: &Exporting<'_>) -> CallError {
    CallError::Invalid(Cause::new("api.export", text).at(format!("operations.{}.export", of.name)))
}
