//! The links by which a search goes on. What was found is remembered, and pages are cut from it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

/// Searches beyond this number are forgotten, the oldest first.
const MOST: usize = 1_000;

/// The searches that may go on.
#[derive(Debug)]
pub struct Pages {
    life: Option<Duration>,
    repeats: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    searches: HashMap<String, Found>,
    order: VecDeque<String>,
    given: u64,
}

/// What a search found.
#[derive(Debug, Clone)]
struct Found {
    kind: String,
    ids: Vec<String>,
    size: usize,
    until: Timestamp,
}

/// One page.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The type.
    pub kind: String,
    /// Ids of this page.
    pub ids: Vec<String>,
    /// How many there are in all.
    pub total: usize,
    /// What asks for the next page.
    pub next: Option<String>,
}

impl Pages {
    /// Links that are good for `life`, and pages that begin with the last `repeats` resources of the page before.
    #[must_use]
    pub fn new(life: Option<Duration>, repeats: usize) -> Self {
        Self { life, repeats, state: Mutex::default() }
    }

    /// The first page of what was found.
    pub fn begin(&self, kind: &str, ids: Vec<String>, size: usize, now: Timestamp) -> Page {
        let until = self.life.and_then(|life| now.checked_add(life).ok()).unwrap_or(Timestamp::MAX);
        let found = Found { kind: kind.to_owned(), ids, size: size.max(1), until };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.given += 1;
        let name = format!("s{}", state.given);
        let page = self.cut(&found, &name, 0);
        if page.next.is_some() {
            state.searches.insert(name.clone(), found);
            state.order.push_back(name);
            if state.order.len() > MOST
                && let Some(oldest) = state.order.pop_front()
            {
                state.searches.remove(&oldest);
            }
        }
        page
    }

    /// The page that a link asks for; `None` when it is not, or no longer, known.
    #[must_use]
    pub fn go_on(&self, link: &str, now: Timestamp) -> Option<Page> {
        let (name, from) = link.rsplit_once('-')?;
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let found = state.searches.get(name).filter(|found| now < found.until)?;
        Some(self.cut(found, name, from.parse().ok()?))
    }

    fn cut(&self, found: &Found, name: &str, from: usize) -> Page {
        let to = from.saturating_add(found.size).min(found.ids.len());
        let begin = from.saturating_sub(self.repeats).min(to);
        Page {
            kind: found.kind.clone(),
            ids: found.ids.get(begin..to).unwrap_or_default().to_vec(),
            total: found.ids.len(),
            next: (to < found.ids.len()).then(|| format!("{name}-{to}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_through_everything_repeat_and_expire() {
        let pages = Pages::new(Some(Duration::from_secs(60)), 1);
        let now = Timestamp::UNIX_EPOCH;
        let ids: Vec<String> = (0..5).map(|n| n.to_string()).collect();
        let first = pages.begin("Patient", ids, 2, now);
        let second = pages.go_on(first.next.as_deref().unwrap(), now).unwrap();
        assert_eq!(
            (first.ids, &second.ids),
            (vec!["0".to_owned(), "1".to_owned()], &["1", "2", "3"].map(str::to_owned).to_vec())
        );
        let last = second.next.unwrap();
        assert_eq!(pages.go_on(&last, now).unwrap().next, None);
        assert_eq!(pages.go_on(&last, now + Duration::from_secs(60)), None);
    }
}
