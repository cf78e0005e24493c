//! Lists: filtered, without what is archived or cancelled, sorted, cut into pages with links.

use serde_json::{Map, Value, json};

use super::{
    error,
    filter::Filter,
    rows::{Field, Row},
};
use crate::{
    Answer, Request,
    http::encode,
    parts::paging::{Page, number},
};

/// Fields whose rows are left out as long as they have something, and no filter names them.
const HIDING: &[&str] = &["archived_at", "cancelled_at", "deleted_at"];

/// A page of what a request asks for.
pub(super) fn list<R: Row>(request: &Request, rows: &[R]) -> Answer {
    let (Some(page), Some(size)) = (
        number(request.parameter("page"), 1, 1, usize::MAX),
        number(request.parameter("per_page"), 50, 1, 100),
    ) else {
        return error(400, "page and per_page must be numbers, per_page up to 100");
    };
    let texts = request.parameters("q[]").chain(request.parameters("q"));
    let Some(filters) = texts.map(Filter::parse).collect::<Option<Vec<_>>>() else {
        return error(400, "A filter must have the form field:operator and value");
    };
    let is_named = |field: &str| filters.iter().any(|filter| filter.field == field);
    let hiding: Vec<&str> = HIDING.iter().copied().filter(|field| !is_named(field)).collect();
    let mut found = Vec::new();
    for row in rows {
        if hiding.iter().any(|field| row.field(field).is_some_and(|field| !field.is_nothing())) {
            continue;
        }
        match filters.iter().map(|filter| filter.lets(row)).collect::<Option<Vec<_>>>() {
            Some(lets) if lets.iter().all(|lets| *lets) => found.push(row),
            Some(_) => {}
            None => {
                return error(400, "A filter names a field that can't be filtered by, or has no such value");
            }
        }
    }
    if let Err(refusal) = sort(request, &mut found) {
        return refusal;
    }
    let page_of = Page::numbered(&found, page, size);
    let shown: Vec<Value> = page_of.rows.iter().map(|row| row.json(&request.base())).collect();
    let mut links = Map::new();
    links.insert("self".to_owned(), json!(link(request, page)));
    if page_of.has_next() {
        links.insert("next".to_owned(), json!(link(request, page + 1)));
    }
    if page_of.has_previous() {
        links.insert("previous".to_owned(), json!(link(request, page - 1)));
    }
    Answer::json(200, &json!({R::NAME: shown, "total_entries": page_of.total, "links": links}))
}

/// `sort=updated_at,id:desc`, `order=desc` for those that say nothing; by creation otherwise.
fn sort<R: Row>(request: &Request, rows: &mut [&R]) -> Result<(), Answer> {
    let descending = request.parameter("order") == Some("desc");
    let wanted = request.parameter("sort").unwrap_or("created_at");
    let keys: Vec<(&str, bool)> = wanted
        .split(',')
        .map(|key| match key.split_once(':') {
            Some((name, order)) => (name, order == "desc"),
            None => (key, descending),
        })
        .collect();
    let Some(row) = rows.first() else { return Ok(()) };
    if keys.iter().any(|(name, _)| row.field(name).is_none()) {
        return Err(error(400, "sort names a field that can't be sorted by"));
    }
    let key = |row: &R, name: &str| row.field(name).map(|field| Field::order_key(&field));
    rows.sort_by(|one, other| {
        let by = |(name, descending): &(&str, bool)| {
            let order = key(one, name).cmp(&key(other, name));
            if *descending { order.reverse() } else { order }
        };
        // Ties come in the order of ids.
        keys.iter().map(by).find(|order| order.is_ne()).unwrap_or_else(|| one.id().cmp(&other.id()))
    });
    Ok(())
}

/// The request's address with another page.
fn link(request: &Request, page: usize) -> String {
    let others = request.query.iter().filter(|(name, _)| name != "page");
    let pairs = others.map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    let pairs: Vec<String> = pairs.chain([format!("page={page}")]).collect();
    format!("{}{}?{}", request.base(), request.path, pairs.join("&"))
}
