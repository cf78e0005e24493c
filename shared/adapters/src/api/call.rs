//! One call: request, reply, records.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use bridge_core::{
    Cause, Phi,
    manifest::{Api, Extract, Job, Method, Operation, Poll, Write},
    remote::{Answer, CallError},
};
use reqwest::Url;
use serde_json::Value;

use super::{
    answer::{Judge, Said},
    export::Exporting,
    pages::{self, Place, Point},
    request::{self, Ask, Outgoing, request},
    send::{Lost, send},
    site::Site,
};
use crate::Transports;

/// Somebody who calls one site.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) ways: &'a Transports,
    pub(super) site: &'a Site<'a>,
    pub(super) token: Option<&'a Phi<String>>,
}

/// What became of a request.
pub(super) struct Exchanged {
    pub(super) said: Said,
    pub(super) status: u16,
    /// The answer as it came.
    bytes: Vec<u8>,
    /// What was asked.
    url: Url,
}

impl<'a> Caller<'a> {
    /// A page of what an operation lists, or the one record that it gives.
    pub(super) async fn page(
        &self,
        name: &str,
        arguments: &BTreeMap<String, String>,
        input: Option<&Value>,
        page: Option<&Phi<String>>,
    ) -> Result<Answer, CallError> {
        let place = Place::open(page)?;
        let asked = self.site.operation(name)?;
        if let Some(export) = &asked.export {
            return self.export(&Exporting { name, operation: asked, export, arguments }, place).await;
        }
        let mut arguments = Cow::Borrowed(arguments);
        // A job's result is another operation's answer.
        let (name, operation) = match (&asked.job, &place.job) {
            (Some(job), Some(id)) => {
                arguments.to_mut().insert("job".to_owned(), id.clone());
                (job.result.as_str(), self.site.operation(&job.result)?)
            }
            _ => (name, asked),
        };
        let input = input.unwrap_or(&Value::Null);
        let ask = Ask { name, operation, arguments: &arguments, input, token: self.token() };
        let Exchanged { mut said, bytes, url, .. } = self.exchange(&ask, place.at.as_ref()).await?;
        let at = format!("operations.{name}");
        if let Some(job) = &asked.job
            && let Some(waiting) = waiting(job, asked.pages.is_some(), &place, &said, &at)?
        {
            return answer(Vec::new(), said, Some(waiting), Some(Duration::from_secs(job.every)));
        }
        let style = operation.style(self.site.party.api.style);
        let mut records = pages::records(&mut said, operation, style, &at)?;
        if !operation.carry.is_empty() {
            let carried = request::carried(self.site, &ask);
            for record in records.iter_mut().filter_map(Value::as_object_mut) {
                record.insert("arguments".to_owned(), carried.clone());
            }
        }
        // Where each page is a job of its own, the next one is started as the first was.
        let of_jobs = asked.pages.as_ref().filter(|_| asked.job.is_some());
        let (pages, place) = match of_jobs {
            Some(pages) => (Some(pages), place.without_job()),
            None => (operation.pages.as_ref(), place),
        };
        let next = match pages {
            Some(pages) => pages::next(
                place,
                pages,
                &pages::Page { said: &said, records: &records, bytes: &bytes, url: &url },
                &at,
            )?,
            None => None,
        };
        answer(records, said, next, None)
    }

    /// One request and its reply.
    pub(super) async fn exchange(&self, ask: &Ask<'_>, at: Option<&Point>) -> Result<Exchanged, CallError> {
        let outgoing = request(self.site, ask, at, &self.ways.mappings)?;
        self.exchanged(ask, outgoing).await
    }

    /// A request that is made already, and its reply.
    pub(super) async fn exchanged(&self, ask: &Ask<'_>, outgoing: Outgoing) -> Result<Exchanged, CallError> {
        let place = format!("operations.{}", ask.name);
        let url = outgoing.url.clone();
        let judge = self.judge(ask, &place);
        let reply = send(self.site.client(self.ways)?, outgoing, self.time(&place)?).await;
        let reply = reply.map_err(|lost| unanswered(lost, judge.writes, &place))?;
        Ok(Exchanged { said: judge.read(&reply)?, status: reply.status, bytes: reply.bytes, url })
    }

    /// Who says what a reply means.
    pub(super) fn judge<'b>(&'b self, ask: &'b Ask<'_>, place: &'b str) -> Judge<'b> {
        let api = self.site.party.api;
        Judge {
            place,
            style: ask.operation.style(api.style),
            writes: writes(api, ask.name, ask.operation),
            now: self.site.party.now,
            signals: &api.signals,
            rules: [&ask.operation.answers, &api.answers],
        }
    }

    /// How long a request may take.
    pub(super) fn time(&self, place: &str) -> Result<Duration, CallError> {
        let cause = || Cause::new("api.timeout", "no time was left to ask").at(place);
        self.site.time().ok_or_else(|| CallError::Retry(None, cause()))
    }

    pub(super) fn token(&self) -> Option<&'a str> {
        self.token.map(|token| token.expose().as_str())
    }
}

pub(super) fn answer(
    records: Vec<Value>,
    said: Said,
    next: Option<Place>,
    wait: Option<Duration>,
) -> Result<Answer, CallError> {
    let next = next.map(|place| place.close()).transpose()?;
    Ok(Answer { records: Phi::new(records), next, wait, body: Phi::new(said.body), headers: said.headers })
}

/// Where to ask again when a job's result is not there yet.
fn waiting(
    job: &Job,
    is_paged: bool,
    place: &Place,
    said: &Said,
    at: &str,
) -> Result<Option<Place>, CallError> {
    let find =
        |extract: &Extract| extract.find(&said.body, |name| said.headers.get(name).map(String::as_str));
    if place.job.is_none() {
        let id = find(&job.id).ok_or_else(|| {
            CallError::Invalid(Cause::new("api.answer", "the answer names no job").at(format!("{at}.job.id")))
        })?;
        return Ok(Some(place.clone().of_job(id)));
    }
    let not_ready =
        (is_paged || place.at.is_none()) && find(&job.at).is_some_and(|word| job.waiting.contains(&word));
    not_ready.then(|| place.clone().again(at)).transpose()
}

/// Whether an operation changes something: a write names it, or it is no GET and nothing that reads names it. (SOAP and
/// GraphQL say nothing by their method.)
fn writes(api: &Api, name: &str, operation: &Operation) -> bool {
    let resources = || api.resources.values();
    let is = |other: &String| other == name;
    if resources().flat_map(|resource| &resource.write).any(|write: &Write| is(&write.operation)) {
        return true;
    }
    let reads = resources().any(|resource| {
        let by_write = |write: &Write| {
            write.find.as_ref().is_some_and(|find| is(&find.operation))
                || write.needs.as_ref().is_some_and(|needs| is(&needs.operation))
                || write.confirm.as_ref().is_some_and(|confirm| is(&confirm.operation))
        };
        resource.read.as_ref().is_some_and(|read| is(&read.operation))
            || resource.search.iter().any(|search| is(&search.operation))
            || resource.write.iter().any(by_write)
            || resource.poll.iter().flat_map(Poll::operations).any(|other| other == name)
    });
    operation.method != Method::Get && !reads
}

/// What a reply that did not come means.
pub(super) fn unanswered(lost: Lost, writes: bool, place: &str) -> CallError {
    match lost {
        Lost::Refused(cause) => CallError::Invalid(cause),
        Lost::Unsent(cause) => CallError::Retry(None, cause),
        Lost::Unknown(cause) if writes => CallError::Unknown(cause),
        Lost::Unknown(cause) => CallError::Retry(None, cause),
        Lost::TooLarge => {
            let cause =
                Cause::new("api.too-large", "the answer is larger than 10 MiB: ask for smaller pages")
                    .at(place);
            if writes { CallError::Unknown(cause) } else { CallError::Invalid(cause) }
        }
    }
}
