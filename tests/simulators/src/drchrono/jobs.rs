//! Bulk reading: a job is started, asked for until it is complete, and forgotten after an hour.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{detail, lists};
use crate::{
    Answer, Request,
    parts::{clinic::Clinic, paging},
};

/// Lists that can be read in bulk.
const LISTS: &[&str] = &["appointments_list", "patients_list", "line_items_list"];
const LARGEST: usize = 1_000;
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// Jobs by their ids.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    jobs: BTreeMap<String, Job>,
    started: u64,
}

#[derive(Debug)]
struct Job {
    list: String,
    /// The request that started it: its query holds the filters and the page.
    request: Request,
    at: Timestamp,
    /// How often it was asked for. The first time it is not ready.
    asked: u32,
}

impl Jobs {
    pub(super) fn start(&mut self, list: &str, request: &Request, now: Timestamp) -> Answer {
        if !LISTS.contains(&list) {
            return detail(404, "Not found.");
        }
        let size = paging::number(request.parameter("page_size"), LARGEST, 1, LARGEST);
        let page = paging::number(request.parameter("page"), 1, 1, usize::MAX);
        if size.is_none() || page.is_none() {
            return detail(400, "page_size goes up to 1000, page begins with 1");
        }
        self.started += 1;
        let uuid = format!("00000000-0000-4000-8000-{:012}", self.started);
        let job = Job { list: list.to_owned(), request: request.clone(), at: now, asked: 0 };
        self.jobs.insert(uuid.clone(), job);
        let body =
            json!({"status": "In progress", "uuid": uuid, "description": "The request is being worked on."});
        Answer::json(201, &body)
    }

    pub(super) fn result(&mut self, request: &Request, now: Timestamp, clinic: &Clinic) -> Answer {
        self.jobs.retain(|_, job| now.duration_since(job.at) < KEPT);
        let uuid = request.parameter("uuid").unwrap_or_default();
        let list = request.segments().last().copied().unwrap_or_default();
        let Some(job) = self.jobs.get_mut(uuid).filter(|job| job.list == list) else {
            return detail(400, "Invalid uuid specified");
        };
        job.asked += 1;
        if job.asked == 1 {
            return Answer::json(200, &json!({"status": "In progress", "uuid": uuid, "results": []}));
        }
        let ids = match lists::ids(clinic, list, &job.request) {
            Ok(ids) => ids.unwrap_or_default(),
            Err(_) => {
                return Answer::json(
                    500,
                    &json!({"status": "Failed", "uuid": uuid, "detail": "The filters are wrong."}),
                );
            }
        };
        let number =
            |name, usual| paging::number(job.request.parameter(name), usual, 1, usize::MAX).unwrap_or(usual);
        let (size, page) = (number("page_size", LARGEST), number("page", 1));
        let is_verbose = job.request.parameter("verbose") == Some("true");
        let rows: Vec<Value> = paging::Page::numbered(&ids, page, size)
            .rows
            .iter()
            .filter_map(|id| lists::record(clinic, list, *id, is_verbose))
            .collect();
        let pages = ids.len().div_ceil(size);
        Answer::json(
            200,
            &json!({
                "status": "Complete", "uuid": uuid, "results": rows,
                "pagination": {"count": ids.len(), "pages": pages, "page_size": size, "page": page},
            }),
        )
    }
}
