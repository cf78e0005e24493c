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
    include::{Added, Plan},
    listing::Listed,
    page::Question,
    query::encode,
    refusal::{Code, Refused, issue},
    reply::{Reply, mark_stale, versioned},
};
use crate::{bridge::Bridge, ports::RemotePorts};

impl<P: RemotePorts> Bridge<P> {
    pub(super) async fn fhir_search(&self, asked: &Asked<'_>, kind: &str) -> Result<Reply, Refused> {
        let rules = asked.rules(kind, May::Search)?;
        let plan = Plan::of(asked, kind, rules)?;
        let mut parameters = asked.query.parameters.clone();
        if asked.query.lenient {
            parameters.retain(|(name, _)| is_known(rules, name));
        }
        let bundle = Bundle { asked, kind, parameters: &parameters, ignored: &plan.ignored };
        let listed = match parameters.as_slice() {
            [(name, id)] if name == "_id" && rules.read.is_some() => self.by_id(&bundle, id).await?,
            _ if rules.search.is_empty() => return Err(Refused::interaction(asked.allowed(kind, true))),
            parameters => match self.question(asked, kind, rules, parameters).await? {
                Some(question) => self.fhir_listed(asked, &question).await?,
                // What is asked about is not of this product: it has nothing about it.
                None => Listed { total: Some(0), ..Listed::default() },
            },
        };
        let added = self.added(asked, &plan, &listed.matches).await?;
        Ok(bundle.reply(listed, added))
    }

    /// A search as it is asked of the product; `None` when it can have nothing to answer.
    pub(super) async fn question<'q>(
        &self,
        asked: &Asked<'_>,
        kind: &'q str,
        rules: &'q ResourceApi,
        parameters: &[Parameter],
    ) -> Result<Option<Question<'q>>, Refused> {
        let search = rules.search_for(parameters)?;
        let arguments = self.arguments(asked, search, parameters).await?;
        let question =
            |arguments| Question { kind, rules, operation: &search.operation, arguments, fresh: false };
        Ok(arguments.map(question))
    }

    async fn by_id(&self, bundle: &Bundle<'_>, id: &str) -> Result<Listed, Refused> {
        let id = id.strip_prefix(bundle.kind).and_then(|id| id.strip_prefix('/')).unwrap_or(id);
        let mut listed = Listed::default();
        match self.find(bundle.asked, bundle.kind, id).await {
            Ok(found) => {
                listed.is_stale = found.is_stale;
                listed.matches.push(found.resource.expose().clone());
            }
            Err(refused) if refused.status == 404 => {}
            Err(refused) => return Err(refused),
        }
        listed.total = Some(listed.matches.len());
        if bundle.asked.query.control.counts_only {
            listed.matches.clear();
        }
        Ok(listed)
    }

    /// The product's arguments; `None` when it can have nothing to answer.
    pub(super) async fn arguments(
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
    /// Values of result parameters that were not.
    ignored: &'a [String],
}

impl Bundle<'_> {
    fn reply(&self, listed: Listed, added: Added) -> Reply {
        let mut entries: Vec<Value> = listed.matches.iter().map(|one| self.entry(one, "match")).collect();
        entries.extend(added.resources.iter().map(|one| self.entry(one, "include")));
        let notes: Vec<_> = listed.notes.iter().chain(&added.notes).collect();
        if !notes.is_empty() {
            let issues = notes.iter().map(|cause| issue("warning", Code::Processing, cause));
            let outcome = json!({"resourceType": "OperationOutcome", "issue": issues.collect::<Vec<_>>()});
            entries.push(json!({"resource": outcome, "search": {"mode": "outcome"}}));
        }
        let mut links = vec![json!({"relation": "self", "url": self.link(self.asked.query.page.as_deref())})];
        links.extend(listed.next.map(|page| json!({"relation": "next", "url": self.link(Some(&page))})));
        let mut bundle = json!({"resourceType": "Bundle", "type": "searchset"});
        if let Some(total) = listed.total {
            bundle["total"] = Value::from(total);
        }
        bundle["link"] = Value::Array(links);
        if !entries.is_empty() {
            bundle["entry"] = Value::Array(entries);
        }
        if !listed.is_stale {
            return Reply::resource(200, bundle);
        }
        mark_stale(&mut bundle);
        Reply::resource(200, bundle).stale()
    }

    fn entry(&self, resource: &Value, mode: &str) -> Value {
        let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
        let whole = versioned(resource).0;
        let shown = if mode == "match" { self.asked.query.control.cut.apply(whole) } else { whole };
        json!({
            "fullUrl": format!("{}/{}/{}", self.asked.call.base, text("resourceType"), text("id")),
            "resource": shown,
            "search": {"mode": mode},
        })
    }

    fn link(&self, page: Option<&str>) -> String {
        let page = page.map(|page| ("_page".to_owned(), page.to_owned()));
        let said = self.asked.query.control.said.iter().filter(|(_, value)| !self.ignored.contains(value));
        let pairs = self.parameters.iter().chain(said).cloned().chain(page);
        let pairs: Vec<String> =
            pairs.map(|(name, value)| format!("{}={}", encode(&name), encode(&value))).collect();
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        format!("{}/{}{query}", self.asked.call.base, self.kind)
    }
}
