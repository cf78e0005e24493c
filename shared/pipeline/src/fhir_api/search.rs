//! Searching: FHIR's parameters become the product's, as its adapter says.

use std::collections::BTreeMap;

use bridge_core::{
    Phi,
    manifest::{Asked as Parameter, Reference, ResourceApi, Search, SearchError},
};
use serde_json::{Value, json};

use super::{
    Asked,
    access::May,
    cursor::Cursor,
    page::{Answered, Question},
    query::encode,
    refusal::{Code, Refused, issue},
    reply::{Reply, mark_stale, versioned},
};
use crate::{bridge::Bridge, ports::RemotePorts};

/// Matches on a page where nothing else is said.
const COUNT: usize = 50;

impl<P: RemotePorts> Bridge<P> {
    pub(super) async fn fhir_search(&self, asked: &Asked<'_>, kind: &str) -> Result<Reply, Refused> {
        let rules = asked.rules(kind, May::Search)?;
        let mut parameters = asked.query.parameters.clone();
        if asked.query.lenient {
            parameters.retain(|(name, _)| is_known(rules, name));
        }
        let bundle = Bundle { asked, kind, parameters: &parameters };
        if let [(name, id)] = parameters.as_slice()
            && name == "_id"
            && rules.read.is_some()
        {
            return self.search_by_id(&bundle, id).await;
        }
        if rules.search.is_empty() {
            return Err(Refused::interaction(asked.allowed(kind, true)));
        }
        let search = rules.search_for(&parameters)?;
        let Some(arguments) = self.arguments(asked, search, &parameters).await? else {
            // What is asked about is not of this product: it has nothing about it.
            return Ok(bundle.reply(&[], &[], None, false));
        };
        let question = Question { kind, rules, operation: &search.operation, arguments };
        let name = self.name_of(asked, &question, &Cursor::default()).await?;
        let cursor = match &asked.query.page {
            Some(text) => self.open_cursor(&asked.product, name.as_str(), text).await?,
            None => Cursor::default(),
        };
        let Answered { page, is_stale } = self.answered_page(asked, &question, &cursor).await?;
        let matches = page.matches.expose();
        let shown = matches.get(cursor.skip..).unwrap_or_default();
        let count = asked.query.count.unwrap_or(COUNT).min(shown.len());
        let next = match (count < shown.len(), &page.next) {
            (true, _) => Some(Cursor { page: cursor.page, skip: cursor.skip + count }),
            (false, Some(next)) => Some(Cursor { page: Some(next.clone()), skip: 0 }),
            (false, None) => None,
        };
        let next = match next {
            Some(next) => Some(self.seal_cursor(&asked.product, name.as_str(), &next).await?),
            None => None,
        };
        // Told once: with the beginning of the product's page.
        let unmapped = if cursor.skip == 0 { page.unmapped.as_slice() } else { &[] };
        Ok(bundle.reply(shown.get(..count).unwrap_or_default(), unmapped, next, is_stale))
    }

    async fn search_by_id(&self, bundle: &Bundle<'_>, id: &str) -> Result<Reply, Refused> {
        let id = id.strip_prefix(bundle.kind).and_then(|id| id.strip_prefix('/')).unwrap_or(id);
        match self.find(bundle.asked, bundle.kind, id).await {
            Ok(found) => Ok(bundle.reply(&[found.resource.expose().clone()], &[], None, found.is_stale)),
            Err(refused) if refused.status == 404 => Ok(bundle.reply(&[], &[], None, false)),
            Err(refused) => Err(refused),
        }
    }

    /// The product's arguments; `None` when it can have nothing to answer.
    async fn arguments(
        &self,
        asked: &Asked<'_>,
        search: &Search,
        parameters: &[Parameter],
    ) -> Result<Option<Phi<BTreeMap<String, String>>>, Refused> {
        let mut resolved: BTreeMap<(String, String), String> = BTreeMap::new();
        for Reference { to, value } in search.references(parameters) {
            // An address of ours is as good as the id at its end.
            let own =
                value.strip_prefix(asked.call.base).and_then(|rest| rest.strip_prefix(&format!("/{to}/")));
            let reference = format!("{to}/{}", own.unwrap_or(value));
            if let Some(id) = self.product_id(&asked.product, &reference).await? {
                resolved.insert((to.to_owned(), value.to_owned()), id.expose().clone());
            }
        }
        let loaded = &asked.product.loaded;
        let resolve = |reference: &Reference<'_>| {
            resolved.get(&(reference.to.to_owned(), reference.value.to_owned())).cloned()
        };
        match search.arguments(parameters, &loaded.connection.zone, &loaded.settings(), resolve) {
            Ok(arguments) => Ok(Some(Phi::new(arguments))),
            Err(SearchError::Elsewhere(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn is_known(rules: &ResourceApi, name: &str) -> bool {
    name == "_id" || rules.search.iter().any(|search| search.parameters.contains_key(name))
}

impl From<SearchError> for Refused {
    fn from(error: SearchError) -> Self {
        let text = format!("{error}: `metadata` lists what is");
        match error {
            SearchError::Unsupported(name) => Self::new(400, Code::NotSupported, text).at(name),
            SearchError::Together(_) => Self::new(400, Code::NotSupported, text),
            SearchError::Missing(_) => Self::new(400, Code::Required, text),
            SearchError::Value { parameter, .. } => Self::new(400, Code::Value, text).at(parameter),
            SearchError::Elsewhere(name) => Self::new(404, Code::NotFound, text).at(name),
        }
    }
}

/// The answer to a search.
struct Bundle<'a> {
    asked: &'a Asked<'a>,
    kind: &'a str,
    /// As the search was understood.
    parameters: &'a [Parameter],
}

impl Bundle<'_> {
    fn reply(
        &self,
        matches: &[Value],
        unmapped: &[bridge_core::Cause],
        next: Option<String>,
        is_stale: bool,
    ) -> Reply {
        let base = self.asked.call.base;
        let mut entries: Vec<Value> = matches
            .iter()
            .map(|resource| {
                let id = resource.get("id").and_then(Value::as_str).unwrap_or_default();
                json!({
                    "fullUrl": format!("{base}/{}/{id}", self.kind),
                    "resource": versioned(resource).0,
                    "search": {"mode": "match"},
                })
            })
            .collect();
        if !unmapped.is_empty() {
            let issues = unmapped.iter().map(|cause| issue("warning", Code::Processing, cause));
            let outcome = json!({"resourceType": "OperationOutcome", "issue": issues.collect::<Vec<_>>()});
            entries.push(json!({"resource": outcome, "search": {"mode": "outcome"}}));
        }
        let mut links = vec![json!({"relation": "self", "url": self.link(self.asked.query.page.as_deref())})];
        links.extend(next.map(|page| json!({"relation": "next", "url": self.link(Some(&page))})));
        let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "link": links});
        if !entries.is_empty() {
            bundle["entry"] = Value::Array(entries);
        }
        if !is_stale {
            return Reply::resource(200, bundle);
        }
        mark_stale(&mut bundle);
        Reply::resource(200, bundle).stale()
    }

    fn link(&self, page: Option<&str>) -> String {
        let count = self.asked.query.count.map(|count| ("_count".to_owned(), count.to_string()));
        let page = page.map(|page| ("_page".to_owned(), page.to_owned()));
        let pairs = self.parameters.iter().cloned().chain(count).chain(page);
        let pairs: Vec<String> =
            pairs.map(|(name, value)| format!("{}={}", encode(&name), encode(&value))).collect();
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        format!("{}/{}{query}", self.asked.call.base, self.kind)
    }
}
