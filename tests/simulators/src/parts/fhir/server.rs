//! Read, search and create, by a table of what a product allows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    outcome::{Refusal, fhir},
    pages::{Page, Pages},
    search::Parameter,
    store::{Kept, Store},
};
use crate::{Answer, Request, parts::paging::number};

/// What a product allows with a resource type.
#[derive(Debug, Clone, Copy)]
pub struct Rights {
    /// The type.
    pub name: &'static str,
    /// FHIR's words: `read`, `search-type`, `create`, `patch`.
    pub interactions: &'static [&'static str],
    /// What may be searched by.
    pub parameters: &'static [Parameter],
    /// All of one of these groups must be there. Empty: a search needs nothing.
    pub needs: &'static [&'static [&'static str]],
    /// Operations on the type, without `$`.
    pub operations: &'static [&'static str],
}

impl Rights {
    /// Whether an interaction is allowed.
    #[must_use]
    pub fn allows(&self, interaction: &str) -> bool {
        self.interactions.contains(&interaction)
    }
}

/// A FHIR server.
#[derive(Debug)]
pub struct Server {
    store: Mutex<Store>,
    /// The searches that may go on.
    pub pages: Pages,
    /// What is allowed.
    pub rights: &'static [Rights],
    /// Query parameter of the links by which searches go on.
    pub page_parameter: &'static str,
    /// Resources on a page: usually, and at most.
    pub sizes: (usize, usize),
    /// Put into a Bundle without a match.
    pub when_empty: Option<Value>,
}

impl Server {
    /// An empty one.
    #[must_use]
    pub fn new(store: Store, pages: Pages, rights: &'static [Rights], page_parameter: &'static str) -> Self {
        Self { store: Mutex::new(store), pages, rights, page_parameter, sizes: (50, 1_000), when_empty: None }
    }

    /// The resources.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is allowed with a type.
    ///
    /// # Errors
    /// When the type, or the interaction with it, is not offered.
    pub fn allowed(&self, kind: &str, interaction: &str) -> Result<&'static Rights, Refusal> {
        let rights = self.rights.iter().find(|rights| rights.name == kind);
        let rights = rights.ok_or_else(|| Refusal::new(404, "not-supported", "This type is not offered"))?;
        if rights.allows(interaction) {
            return Ok(rights);
        }
        Err(Refusal::new(405, "not-supported", format!("{interaction} is not offered for this type")))
    }

    /// `GET {type}/{id}`.
    ///
    /// # Errors
    /// When it is not there or not offered.
    pub fn read(&self, kind: &str, id: &str) -> Result<Answer, Refusal> {
        self.allowed(kind, "read")?;
        self.store().get(kind, id).map(|kept| one(200, kept)).ok_or_else(Refusal::not_found)
    }

    /// The ids of what fits a search, in order.
    ///
    /// # Errors
    /// When a parameter is unknown, its value wrong, or one is missing.
    pub fn find(&self, kind: &str, query: &[(String, String)]) -> Result<Vec<String>, Refusal> {
        let rights = self.allowed(kind, "search-type")?;
        let mut conditions = Vec::new();
        for (name, value) in query {
            if ["_count", "_format"].contains(&name.as_str()) || value.is_empty() {
                continue;
            }
            let known = rights.parameters.iter().find(|parameter| parameter.name == name);
            let known = known.ok_or_else(|| {
                Refusal::new(400, "not-supported", format!("The parameter {name} is not supported here"))
            })?;
            conditions.push((known, value));
        }
        let given = |name: &&str| conditions.iter().any(|(known, _)| known.name == *name);
        if !rights.needs.is_empty() && !rights.needs.iter().any(|group| group.iter().all(given)) {
            return Err(Refusal::new(400, "required", "The search needs more parameters than these"));
        }
        let mut ids = Vec::new();
        for (id, kept) in self.store().all(kind) {
            let mut fits = true;
            for (parameter, value) in &conditions {
                fits &= parameter.fits(&kept.resource, value).map_err(|_| {
                    Refusal::new(400, "value", format!("The value of {} can't be read", parameter.name))
                })?;
            }
            if fits {
                ids.push(id.to_owned());
            }
        }
        Ok(ids)
    }

    /// The first page of what was found, for a caller who finds the server at `base`.
    ///
    /// # Errors
    /// When `_count` is no number from 1 to the largest page.
    pub fn first_page(
        &self,
        kind: &str,
        ids: Vec<String>,
        request: &Request,
        base: &str,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        let (usual, most) = self.sizes;
        // More than the most is no error: there are fewer on a page.
        let size = number(request.parameter("_count"), usual, 1, usize::MAX)
            .ok_or_else(|| Refusal::new(400, "value", "The value of _count can't be read"))?
            .min(most);
        Ok(self.bundle(&self.pages.begin(kind, ids, size, now), base))
    }

    /// A page as a searchset.
    #[must_use]
    pub fn bundle(&self, page: &Page, base: &str) -> Answer {
        let store = self.store();
        let kind = &page.kind;
        let found = page.ids.iter().filter_map(|id| store.get(kind, id).map(|kept| (id, kept)));
        let mut entries: Vec<Value> = found
            .map(|(id, kept)| {
                json!({
                    "fullUrl": format!("{base}/{kind}/{id}"),
                    "resource": kept.resource,
                    "search": {"mode": "match"},
                })
            })
            .collect();
        if entries.is_empty()
            && let Some(outcome) = &self.when_empty
        {
            entries.push(json!({"resource": outcome, "search": {"mode": "outcome"}}));
        }
        let mut links = vec![json!({"relation": "self", "url": format!("{base}/{kind}")})];
        if let Some(next) = &page.next {
            let url = format!("{base}/{kind}?{}={next}", self.page_parameter);
            links.push(json!({"relation": "next", "url": url}));
        }
        let mut bundle =
            json!({"resourceType": "Bundle", "type": "searchset", "total": page.total, "link": links});
        // FHIR has no empty lists.
        if !entries.is_empty()
            && let Some(members) = bundle.as_object_mut()
        {
            members.insert("entry".to_owned(), json!(entries));
        }
        fhir(200, &bundle)
    }

    /// The resource of a request's body, which must be of the type. Ids and meta of the caller's are dropped.
    ///
    /// # Errors
    /// When the body is something else, or the type can't be created.
    pub fn incoming(&self, kind: &str, request: &Request) -> Result<Value, Refusal> {
        self.allowed(kind, "create")?;
        body(kind, request)
    }

    /// Makes new versions of the first resources of a type, and gives their ids.
    pub fn touch(&self, kind: &str, count: usize, now: Timestamp) -> Vec<String> {
        let mut store = self.store();
        let ids: Vec<String> = store.all(kind).take(count).map(|(id, _)| id.to_owned()).collect();
        let (name, value) = match kind {
            "Appointment" | "Slot" => ("comment", json!(format!("Touched at {now:.0}"))),
            _ => ("language", json!("en")),
        };
        for id in &ids {
            store.change(kind, id, now, |resource| {
                if let Some(members) = resource.as_object_mut() {
                    members.insert(name.to_owned(), value.clone());
                }
            });
        }
        ids
    }

    /// Keeps a new resource: 201, with its place and version, and without a body.
    pub fn create(&self, kind: &str, resource: Value, base: &str, now: Timestamp) -> Answer {
        let id = self.store().create(resource, now);
        Answer::empty(201)
            .with_header("location", format!("{base}/{kind}/{id}"))
            .with_header("etag", "W/\"1\"")
            .with_header("last-modified", stamp(now))
    }
}

/// The resource of a request's body, which must be of the type, without the caller's id and meta.
///
/// # Errors
/// When the body is something else.
pub fn body(kind: &str, request: &Request) -> Result<Value, Refusal> {
    let media_type = request.header("content-type").unwrap_or_default();
    if !["application/fhir+json", "application/json"].iter().any(|known| media_type.starts_with(known)) {
        return Err(Refusal::new(415, "not-supported", "The body must be application/fhir+json"));
    }
    let mut resource = request.json().ok_or_else(|| Refusal::new(400, "structure", "The body is no JSON"))?;
    if resource.get("resourceType").and_then(Value::as_str) != Some(kind) {
        return Err(Refusal::new(400, "structure", format!("The body must be a {kind}")));
    }
    if let Some(members) = resource.as_object_mut() {
        members.remove("id");
        members.remove("meta");
    }
    Ok(resource)
}

/// A resource with its version and time.
#[must_use]
pub fn one(status: u16, kept: &Kept) -> Answer {
    fhir(status, &kept.resource)
        .with_header("etag", kept.etag())
        .with_header("last-modified", stamp(kept.updated))
}

/// RFC 9110, section 5.6.7.
fn stamp(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
