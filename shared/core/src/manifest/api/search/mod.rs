//! From FHIR search parameters (FHIR R4, section 3.1.1) to the arguments of an operation. Pure: what a reference means in
//! the product is found out by the caller, between [`Search::references`] and [`Search::arguments`].
//!
//! What cannot be asked exactly is asked more widely, where the product counts in coarser units than the request; it is
//! never asked more narrowly. What cannot be asked at all is refused by name.

mod dates;

use std::collections::BTreeMap;

use dates::Interval;

use super::{ResourceApi, Search, SearchParameter, TimeForm};
use crate::{Zone, manifest::template};

/// A parameter of a request: its name, with modifier, and its value as it came, decoded from the URL.
pub type Asked = (String, String);

/// Why a search cannot be asked of the product. Holds no values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// No way to search knows this parameter, or its modifier.
    #[error("the parameter `{0}` is not supported")]
    Unsupported(String),
    /// Each is known, but none of the ways to search knows them all.
    #[error("these parameters are not supported together: {0}")]
    Together(String),
    /// Every way that knows the parameters needs one more.
    #[error("the search needs {0}")]
    Missing(String),
    /// A value that cannot be asked for: several, another prefix, a code that the product has no word for.
    #[error("the value of `{parameter}` is not supported: {why}")]
    Value {
        /// The parameter.
        parameter: String,
        /// What would be.
        why: &'static str,
    },
    /// What the parameter names is not of this product: the search has no results.
    #[error("what `{0}` names is not in this system")]
    Elsewhere(String),
}

/// A reference in a request, to be resolved to the product's own id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The resource type it refers to.
    pub to: &'a str,
    /// What was asked for, without the type: `{id}`, or an absolute URL.
    pub value: &'a str,
}

impl ResourceApi {
    /// The first way to search that knows all the parameters, and has those that it needs.
    ///
    /// # Errors
    /// [`SearchError::Unsupported`], [`SearchError::Together`] or [`SearchError::Missing`].
    pub fn search_for(&self, asked: &[Asked]) -> Result<&Search, SearchError> {
        let unknown = asked.iter().find(|(name, _)| !self.search.iter().any(|search| search.knows(name)));
        if let Some((name, _)) = unknown {
            return Err(SearchError::Unsupported(name.clone()));
        }
        let mut missing: Option<String> = None;
        for search in self.search.iter().filter(|search| asked.iter().all(|(name, _)| search.knows(name))) {
            let lacks =
                search.required.iter().filter(|name| !asked.iter().any(|(given, _)| bare(given) == *name));
            let lacks: Vec<_> = lacks.map(|name| format!("`{name}`")).collect();
            if lacks.is_empty() {
                return Ok(search);
            }
            missing.get_or_insert(lacks.join(" and "));
        }
        Err(missing.map_or_else(
            || SearchError::Together(asked.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(", ")),
            SearchError::Missing,
        ))
    }
}

impl Search {
    /// The references in a request: each is to be resolved before [`Self::arguments`] is asked.
    pub fn references<'a>(&'a self, asked: &'a [Asked]) -> Vec<Reference<'a>> {
        let reference = |(name, value): &'a Asked| match self.parameters.get(bare(name))? {
            SearchParameter::Reference { to, .. } => Some(Reference { to, value: without_type(value, to) }),
            _ => None,
        };
        asked.iter().filter_map(reference).collect()
    }

    /// The arguments for the operation. `settings` are the connection's, with defaults; `resolve` gives the product's id for a
    /// reference.
    ///
    /// # Errors
    /// [`SearchError::Unsupported`], [`SearchError::Value`] or [`SearchError::Elsewhere`].
    pub fn arguments(
        &self,
        asked: &[Asked],
        zone: &Zone,
        settings: &BTreeMap<String, String>,
        resolve: impl Fn(&Reference<'_>) -> Option<String>,
    ) -> Result<BTreeMap<String, String>, SearchError> {
        let mut arguments = self.arguments.clone();
        let mut intervals: BTreeMap<&str, Interval> = BTreeMap::new();
        for (full, value) in asked {
            let parameter = self.parameters.get_key_value(bare(full)).filter(|_| self.knows(full));
            let Some((name, parameter)) = parameter else {
                return Err(SearchError::Unsupported(full.clone()));
            };
            let refuse = |why| SearchError::Value { parameter: name.clone(), why };
            if !matches!(parameter, SearchParameter::Date { .. })
                && asked.iter().filter(|(other, _)| bare(other) == name).count() > 1
            {
                return Err(refuse("one at a time"));
            }
            let value = one(value).ok_or_else(|| refuse("one at a time, and not empty"))?;
            let (argument, text) = match parameter {
                SearchParameter::String { argument } => (argument, value),
                SearchParameter::Token { argument, values, system } => {
                    let (given, code) = match value.split_once('|') {
                        Some((given, code)) => (Some(given), code),
                        None => (None, &*value),
                    };
                    if code.is_empty() || given == Some("") {
                        return Err(refuse("a code or an identifier, with its system or without"));
                    }
                    if let (Some(given), Some(system)) = (given, system) {
                        let system = template::fill(system, |name| settings.get(name));
                        if system.is_ok_and(|system| system != given) {
                            return Err(SearchError::Elsewhere(name.clone()));
                        }
                    }
                    let word =
                        if values.is_empty() { Some(code.to_owned()) } else { values.get(code).cloned() };
                    (argument, word.ok_or_else(|| refuse("the product has no word for this code"))?)
                }
                SearchParameter::Reference { argument, to } => {
                    let value = without_type(&value, to);
                    let id = resolve(&Reference { to, value });
                    (argument, id.ok_or_else(|| SearchError::Elsewhere(name.clone()))?)
                }
                SearchParameter::Day { argument, time } => {
                    let day = dates::day(&value).ok_or_else(|| refuse("a whole day, as in 1980-01-02"))?;
                    (
                        argument,
                        time.write_day(day).ok_or_else(|| refuse("the product cannot be told this day"))?,
                    )
                }
                SearchParameter::Date { .. } => {
                    let interval = Interval::parse(&value, zone);
                    let interval = interval.ok_or_else(|| refuse("a date with eq, ge, gt, le or lt"))?;
                    intervals.entry(name).or_default().narrow(&interval);
                    continue;
                }
            };
            arguments.insert(argument.clone(), text);
        }
        for (name, interval) in intervals {
            let Some(SearchParameter::Date { from, to, time, to_included }) = self.parameters.get(name)
            else {
                continue;
            };
            let written = interval.write(time, *to_included, zone);
            let (begin, end) = written.ok_or_else(|| SearchError::Value {
                parameter: name.to_owned(),
                why: "the product cannot be told this time",
            })?;
            arguments.extend(begin.map(|text| (from.clone(), text)));
            arguments.extend(end.map(|text| (to.clone(), text)));
        }
        Ok(arguments)
    }

    /// Whether a parameter can be asked for. The only modifier is a reference's type.
    fn knows(&self, full: &str) -> bool {
        let (_, modifier) = split(full);
        match (self.parameters.get(bare(full)), modifier) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(SearchParameter::Reference { to, .. }), Some(modifier)) => modifier == to,
            (Some(_), Some(_)) => false,
        }
    }
}

fn bare(full: &str) -> &str {
    split(full).0
}

/// A name and its modifier. In a chain (`schedule.actor:Practitioner`) the type is part of the name.
fn split(full: &str) -> (&str, Option<&str>) {
    match full.split_once(':') {
        Some((name, modifier)) if !name.contains('.') => (name, Some(modifier)),
        _ => (full, None),
    }
}

fn without_type<'a>(value: &'a str, to: &str) -> &'a str {
    value.strip_prefix(to).and_then(|rest| rest.strip_prefix('/')).unwrap_or(value)
}

/// A single value with its escapes undone (FHIR R4, section 3.1.1.4.1); `None` for none, or several.
fn one(value: &str) -> Option<String> {
    let mut text = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        match c {
            ',' => return None,
            '\\' => text.push(rest.next()?),
            c => text.push(c),
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
