//! The matches of a search: a page of them as the product gives it, or all of them where that is asked for.

use std::sync::Arc;

use bridge_core::Cause;
use serde_json::Value;

use super::{
    Asked,
    cache::Page,
    control::Total,
    cursor::Cursor,
    page::{Answered, Question},
    refusal::{Code, Refused},
    sort::sort,
};
use crate::{bridge::Bridge, ports::RemotePorts};

/// Matches on a page where nothing else is said.
const COUNT: usize = 50;
/// All matches are gathered from so many pages of the product at most,
const MOST_PAGES: usize = 10;
/// and there are so many of them at most.
const MOST_MATCHES: usize = 1_000;

/// What a search found.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) matches: Vec<Value>,
    /// How many there are in all, where that is known.
    pub(super) total: Option<usize>,
    /// Records that could not be mapped, and whatever else is to be told.
    pub(super) notes: Vec<Cause>,
    /// The cursor of the next page.
    pub(super) next: Option<String>,
    pub(super) is_stale: bool,
}

/// All matches of a question.
struct Whole {
    matches: Vec<Value>,
    notes: Vec<Cause>,
    is_stale: bool,
}

impl<P: RemotePorts> Bridge<P> {
    /// A page of what a question finds, as the request wants it.
    pub(super) async fn fhir_listed(
        &self,
        asked: &Asked<'_>,
        question: &Question<'_>,
    ) -> Result<Listed, Refused> {
        let control = &asked.query.control;
        let name = self.name_of(asked, question, &Cursor::default()).await?;
        // A place in a sorted list is none in another order.
        let name = match control.sort.as_slice() {
            [] => name.to_string(),
            keys => format!("{name}#{keys:?}"),
        };
        let cursor = match &asked.query.page {
            Some(text) => self.open_cursor(&asked.product, &name, text).await?,
            None => Cursor::default(),
        };
        let mut listed = if control.needs_all() {
            match self.whole(asked, question).await? {
                Some(whole) => from_whole(whole, asked, &cursor),
                None if control.counts_only || !control.sort.is_empty() => {
                    let text =
                        format!("more than {MOST_MATCHES} matches, or {MOST_PAGES} pages: narrow the search");
                    return Err(Refused::new(400, Code::TooCostly, text));
                }
                None => self.on_page(asked, question, cursor).await?,
            }
        } else {
            self.on_page(asked, question, cursor).await?
        };
        if let Some(next) = listed.1.take() {
            listed.0.next = Some(self.seal_cursor(&asked.product, &name, &next).await?);
        }
        if control.total == Total::None && !control.counts_only {
            listed.0.total = None;
        }
        Ok(listed.0)
    }

    async fn on_page(
        &self,
        asked: &Asked<'_>,
        question: &Question<'_>,
        cursor: Cursor,
    ) -> Result<(Listed, Option<Cursor>), Refused> {
        let Answered { page, is_stale } = self.answered_page(asked, question, &cursor).await?;
        let matches = page.matches.expose();
        let shown = matches.get(cursor.skip..).unwrap_or_default();
        let count = asked.query.control.count.unwrap_or(COUNT).min(shown.len());
        let is_only = cursor.page.is_none() && page.next.is_none();
        // Told once: with the beginning of the product's page.
        let notes = if cursor.skip == 0 { page.unmapped.clone() } else { Vec::new() };
        let next = match (count < shown.len(), &page.next) {
            (true, _) => Some(Cursor { page: cursor.page, skip: cursor.skip + count }),
            (false, Some(next)) => Some(Cursor { page: Some(next.clone()), skip: 0 }),
            (false, None) => None,
        };
        let listed = Listed {
            matches: shown.iter().take(count).cloned().collect(),
            total: is_only.then_some(matches.len()),
            notes,
            next: None,
            is_stale,
        };
        Ok((listed, next))
    }

    /// All matches, in the product's order; `None` when there are more than can be had at once.
    async fn whole(&self, asked: &Asked<'_>, question: &Question<'_>) -> Result<Option<Whole>, Refused> {
        let mut whole = Whole { matches: Vec::new(), notes: Vec::new(), is_stale: false };
        let mut cursor = Cursor::default();
        for _ in 0..MOST_PAGES {
            let Answered { page, is_stale } = self.answered_page(asked, question, &cursor).await?;
            let page: Arc<Page> = page;
            whole.matches.extend(page.matches.expose().iter().cloned());
            whole.notes.extend(page.unmapped.iter().cloned());
            whole.is_stale |= is_stale;
            match &page.next {
                _ if whole.matches.len() > MOST_MATCHES => return Ok(None),
                None => return Ok(Some(whole)),
                Some(next) => cursor.page = Some(next.clone()),
            }
        }
        Ok(None)
    }

    /// What a question finds, for a decision that rests on it.
    ///
    /// # Errors
    /// Also when not all of it can be had, or read.
    pub(super) async fn all_matches(
        &self,
        asked: &Asked<'_>,
        question: &Question<'_>,
    ) -> Result<Vec<Value>, Refused> {
        let whole = self.whole(asked, question).await?.ok_or_else(|| {
            Refused::new(
                412,
                Code::TooCostly,
                "the criteria find more than can be looked through: narrow them",
            )
        })?;
        match whole.notes.into_iter().next() {
            Some(cause) => Err(Refused::because(502, Code::Processing, cause)),
            None => Ok(whole.matches),
        }
    }
}

fn from_whole(mut whole: Whole, asked: &Asked<'_>, cursor: &Cursor) -> (Listed, Option<Cursor>) {
    let control = &asked.query.control;
    let total = Some(whole.matches.len());
    sort(&mut whole.matches, &control.sort);
    let count = if control.counts_only { 0 } else { control.count.unwrap_or(COUNT) };
    let matches: Vec<Value> = whole.matches.into_iter().skip(cursor.skip).take(count).collect();
    let given = cursor.skip + matches.len();
    let goes_on = !control.counts_only && total.is_some_and(|total| given < total);
    let notes = if cursor.skip == 0 { whole.notes } else { Vec::new() };
    let next = goes_on.then_some(Cursor { page: None, skip: given });
    (Listed { matches, total, notes, next: None, is_stale: whole.is_stale }, next)
}
