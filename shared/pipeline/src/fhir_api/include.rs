//! `_include` and `_revinclude`: what the matches refer to, and what refers to them (FHIR R4, section 3.1.1.5.4).
//!
//! The references that can be followed are those that the adapter has a search parameter for. Each costs a question to the
//! product, unless its answer is kept; so there is a bound, and what lies behind it is told of.

use std::collections::{BTreeMap, BTreeSet};

use bridge_core::{
    Cause,
    manifest::{ResourceApi, SearchParameter},
};
use futures::future::join_all;
use serde_json::Value;

use super::{
    Asked,
    access::May,
    control::Include,
    cursor::Cursor,
    refusal::{Code, Refused},
};
use crate::{bridge::Bridge, ports::RemotePorts};

/// Resources that are added to a page, at most.
const MOST_ADDED: usize = 50;
/// Matches for which the product is asked what refers to them.
const MOST_ASKED: usize = 10;
/// Questions at the same time.
const AT_A_TIME: usize = 4;

/// What is added to the matches, and why not more.
#[derive(Debug, Default)]
pub(super) struct Added {
    pub(super) resources: Vec<Value>,
    pub(super) notes: Vec<Cause>,
}

/// What was asked to be added, checked.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    /// Types whose referred-to resources are added.
    targets: BTreeSet<&'a str>,
    /// Types that refer, and by which of their parameters.
    sources: Vec<(&'a str, &'a str)>,
    /// What could not be followed, where that was to be left out.
    pub(super) ignored: Vec<String>,
}

impl<'a> Plan<'a> {
    /// Checks what is asked of a search for `kind`.
    ///
    /// # Errors
    /// What can't be followed is refused; with `handling=lenient` it is left out.
    pub(super) fn of(asked: &'a Asked<'_>, kind: &str, rules: &'a ResourceApi) -> Result<Self, Refused> {
        let control = &asked.query.control;
        let mut plan = Self::default();
        for include in &control.include {
            match targets(asked, kind, rules, include) {
                Some(targets) => plan.targets.extend(targets),
                None if asked.query.lenient => plan.ignored.push(include.text()),
                None => return Err(unknown("_include")),
            }
        }
        for include in &control.revinclude {
            let fits = include.target.as_deref().is_none_or(|target| target == kind);
            let source = asked.product.api().resources.get_key_value(&include.source);
            let known = source.filter(|(_, source)| fits && refers(source, &include.parameter) == Some(kind));
            match known {
                Some((source, _)) => plan.sources.push((source, &include.parameter)),
                None if asked.query.lenient => plan.ignored.push(include.text()),
                None => return Err(unknown("_revinclude")),
            }
        }
        for target in &plan.targets {
            asked.rules(target, May::Read)?;
        }
        for (source, _) in &plan.sources {
            asked.rules(source, May::Search)?;
        }
        Ok(plan)
    }
}

fn unknown(name: &str) -> Refused {
    let text = format!("`{name}` names what can't be followed here: `metadata` lists what can");
    Refused::new(400, Code::NotSupported, text).at(name)
}

/// The reference parameters of a type, and the types they refer to.
pub(super) fn references(rules: &ResourceApi) -> BTreeMap<&str, &str> {
    let parameters = rules.search.iter().flat_map(|search| &search.parameters);
    parameters
        .filter_map(|(name, parameter)| match parameter {
            SearchParameter::Reference { to, .. } => Some((name.as_str(), to.as_str())),
            _ => None,
        })
        .collect()
}

fn refers<'r>(rules: &'r ResourceApi, parameter: &str) -> Option<&'r str> {
    references(rules).get(parameter).copied()
}

fn targets<'a>(
    asked: &'a Asked<'_>,
    kind: &str,
    rules: &'a ResourceApi,
    include: &Include,
) -> Option<Vec<&'a str>> {
    if include.source != kind {
        return None;
    }
    let resources = &asked.product.api().resources;
    let targets: Vec<&str> = match include.parameter.as_str() {
        "*" => references(rules).into_values().collect(),
        parameter => vec![refers(rules, parameter)?],
    };
    let wanted = |target: &&str| include.target.as_deref().is_none_or(|only| only == *target);
    let targets: Vec<&str> =
        targets.into_iter().filter(wanted).filter(|target| resources.contains_key(*target)).collect();
    (!targets.is_empty()).then_some(targets)
}

impl<P: RemotePorts> Bridge<P> {
    /// What is to be added to these matches.
    pub(super) async fn added(
        &self,
        asked: &Asked<'_>,
        plan: &Plan<'_>,
        matches: &[Value],
    ) -> Result<Added, Refused> {
        let mut added = Added::default();
        let mut known: BTreeSet<String> = matches.iter().filter_map(reference_of).collect();
        let mut wanted = Vec::new();
        if !plan.targets.is_empty() {
            for resource in matches {
                referred(resource, &mut |reference| {
                    let kind = reference.split_once('/').map(|(kind, _)| kind);
                    if kind.is_some_and(|kind| plan.targets.contains(kind))
                        && known.insert(reference.to_owned())
                    {
                        wanted.push(reference.to_owned());
                    }
                });
            }
        }
        if wanted.len() > MOST_ADDED {
            wanted.truncate(MOST_ADDED);
            added.notes.push(cut(&format!(
                "at most {MOST_ADDED} resources are included: ask with a smaller `_count`"
            )));
        }
        for some in wanted.chunks(AT_A_TIME) {
            let found = join_all(some.iter().map(|reference| self.included(asked, reference))).await;
            for one in found {
                added.resources.extend(one?);
            }
        }
        for (source, parameter) in &plan.sources {
            self.add_referring(asked, (source, parameter), matches, &mut known, &mut added).await?;
        }
        Ok(added)
    }

    /// What a reference leads to; nothing where it leads nowhere.
    async fn included(&self, asked: &Asked<'_>, reference: &str) -> Result<Option<Value>, Refused> {
        let Some((kind, id)) = reference.split_once('/') else { return Ok(None) };
        let can_read = asked.product.api().resources.get(kind).is_some_and(|rules| rules.read.is_some());
        if !can_read {
            return Ok(self.known_resource(&asked.connection().tenant(), reference).await?);
        }
        match self.find(asked, kind, id).await {
            Ok(found) => Ok(Some(found.resource.expose().clone())),
            Err(refused) if refused.status == 404 => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// Adds what refers to the matches by a parameter of another type.
    async fn add_referring(
        &self,
        asked: &Asked<'_>,
        (source, parameter): (&str, &str),
        matches: &[Value],
        known: &mut BTreeSet<String>,
        added: &mut Added,
    ) -> Result<(), Refused> {
        let rules = asked.rules(source, May::Search)?;
        if matches.len() > MOST_ASKED {
            let text = format!(
                "`_revinclude` is asked for the first {MOST_ASKED} matches: ask with a smaller `_count`"
            );
            added.notes.push(cut(&text));
        }
        for resource in matches.iter().take(MOST_ASKED) {
            let Some(reference) = reference_of(resource) else { continue };
            let parameters = [(parameter.to_owned(), reference)];
            let Some(question) = self.question(asked, source, rules, &parameters).await? else { continue };
            let answered = self.answered_page(asked, &question, &Cursor::default()).await?;
            if answered.page.next.is_some() {
                let text = format!("the first page of what refers by {source}.{parameter} is included");
                added.notes.push(cut(&text));
            }
            let referring = answered.page.matches.expose().iter();
            let new =
                referring.filter(|one| reference_of(one).is_some_and(|reference| known.insert(reference)));
            added.resources.extend(new.cloned());
        }
        Ok(())
    }
}

fn cut(text: &str) -> Cause {
    Cause::new("include.cut", text)
}

fn reference_of(resource: &Value) -> Option<String> {
    let text = |name: &str| resource.get(name).and_then(Value::as_str);
    Some(format!("{}/{}", text("resourceType")?, text("id")?))
}

/// Every literal reference of a resource.
fn referred(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| referred(item, found)),
        Value::Object(fields) => {
            if let Some(reference) = fields.get("reference").and_then(Value::as_str) {
                found(reference);
            }
            fields.values().for_each(|field| referred(field, found));
        }
        _ => {}
    }
}
