//! Lists: bare, filtered by columns, `Limit` and `Offset`.

use serde_json::Value;

use super::{refused, rows::Row};
use crate::{
    Answer, Request,
    parts::paging::{Page, number},
};

/// Rows of an answer, and the most that may be asked for.
pub(super) const MOST: usize = 100;

/// How a column must stand to the value that is asked for.
fn lets(name: &str, column: &str, wanted: &str) -> bool {
    match name {
        "DateTStamp" | "DateEntry" | "dateStart" => column >= wanted,
        "dateEnd" => column <= wanted,
        // Names are compared by their beginnings, in any case.
        "LName" | "FName" => column.to_lowercase().starts_with(&wanted.to_lowercase()),
        _ => column == wanted,
    }
}

/// What a request asks for.
pub(super) fn list<R: Row>(request: &Request, rows: &[R], now: &str) -> Answer {
    let (Some(limit), Some(offset)) = (
        number(request.parameter("Limit"), MOST, 1, MOST),
        number(request.parameter("Offset"), 0, 0, usize::MAX),
    ) else {
        return refused("Limit must be from 1 to 100, and Offset a number.");
    };
    let filters: Vec<(&str, &str)> = request
        .query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| !["Limit", "Offset"].contains(name))
        .collect();
    let mut found = Vec::new();
    for row in rows {
        let lets =
            filters.iter().map(|(name, wanted)| row.column(name).map(|column| lets(name, &column, wanted)));
        match lets.collect::<Option<Vec<_>>>() {
            Some(lets) if lets.iter().all(|lets| *lets) => found.push(row),
            Some(_) => {}
            None => return refused("A parameter is not known."),
        }
    }
    let shown: Vec<Value> = Page::of(&found, offset, limit).rows.iter().map(|row| row.json(now)).collect();
    Answer::json(200, &Value::Array(shown))
}
