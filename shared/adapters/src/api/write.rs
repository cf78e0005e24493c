//! Writing a resource: read what is known, look for what was perhaps written already, write, read back.

use std::collections::BTreeMap;

use bridge_core::{
    Cause, Phi, Timestamp,
    manifest::{Confirm, Find, Needs, On, POLLED, ResourceApi, Write, scalar},
    remote::{CallError, WriteCall, Written},
};
use serde_json::{Value, json};

use super::{
    answer::Said,
    call::Caller,
    request::Ask,
    site::{Site, configuration},
};
use crate::Transports;

/// More pages of candidates than a search for one record has.
const MOST_PAGES: usize = 50;

type Arguments = BTreeMap<String, String>;

/// One write of one resource.
pub(super) struct Writer<'a> {
    caller: Caller<'a>,
    site: &'a Site<'a>,
    call: &'a WriteCall<'a>,
    resource: &'a Value,
    /// Its type.
    of: &'a str,
    api: &'a ResourceApi,
}

impl<'a> Writer<'a> {
    pub(super) fn of(
        ways: &'a Transports,
        site: &'a Site<'a>,
        call: &'a WriteCall<'a>,
    ) -> Result<Self, CallError> {
        let resource = call.resource.expose();
        let known = resource.get("resourceType").and_then(Value::as_str);
        let known = known.and_then(|of| site.party.api.resources.get_key_value(of));
        let (of, api) =
            known.ok_or_else(|| configuration("resources of this type are not written here", "resources"))?;
        Ok(Self { caller: Caller { ways, site, token: call.token }, site, call, resource, of, api })
    }

    pub(super) async fn write(&self) -> Result<Written, CallError> {
        let known = match (self.call.id, &self.api.read) {
            (Some(id), Some(read)) => Some(self.read(&read.operation, id.expose()).await?),
            _ => None,
        };
        let Some(way) = self.way(known.as_ref())? else {
            return self.nothing_to_do(known);
        };
        let create = way.on == On::Create;
        if let Some(find) = way.find.as_ref().filter(|_| create || self.call.again)
            && let Some(found) = self.find(find, known.as_ref()).await?
        {
            return Ok(found);
        }
        match (self.send(way, known.as_ref()).await, &way.find) {
            // What is in its way may be what an attempt before this one did, and nobody could see a moment ago.
            (Err(CallError::Conflict(cause)), Some(find)) if self.call.again => {
                self.find(find, known.as_ref()).await?.ok_or(CallError::Conflict(cause))
            }
            (outcome, _) => outcome,
        }
    }

    pub(super) async fn confirm(&self) -> Result<Option<Written>, CallError> {
        let confirm =
            self.api.write.iter().filter(|way| self.status_fits(way)).find_map(|way| way.confirm.as_ref());
        let place = self.place();
        let Confirm { operation, done, .. } =
            confirm.ok_or_else(|| configuration("no way to write has `confirm`", &place))?;
        let id = self.call.id.ok_or_else(|| configuration("what is confirmed has an id", &place))?;
        let record = match self.read(operation, id.expose()).await {
            Ok(record) => record,
            Err(CallError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let input = json!({"resource": self.resource, "record": record});
        match self.map(done, &input)? {
            Value::Bool(true) => {
                let id = Phi::new(self.id_of(&record).unwrap_or_else(|| id.expose().clone()));
                Ok(Some(Written { record: Phi::new(record), id, unconfirmed: false }))
            }
            Value::Bool(false) => Err(CallError::Invalid(
                Cause::new("api.refused", "a later reading says that it was refused").at(place),
            )),
            _ => Ok(None),
        }
    }

    /// The first way that fits; `None` when those that would fit have nothing to change.
    fn way(&self, known: Option<&Value>) -> Result<Option<&'a Write>, CallError> {
        let on = if self.call.id.is_some() { On::Update } else { On::Create };
        let ways = || self.api.write.iter().filter(|way| way.on == on && self.status_fits(way));
        if ways().next().is_none() {
            return Err(self.impossible());
        }
        let before = match known {
            Some(record) if ways().any(|way| !way.changed.is_empty()) => Some(self.mapped(record)?),
            _ => None,
        };
        let differs = |element: &String| {
            let before = before.as_ref().and_then(|before| before.get(element));
            !same(before.unwrap_or(&Value::Null), self.resource.get(element).unwrap_or(&Value::Null))
        };
        Ok(ways().find(|way| way.changed.is_empty() || way.changed.iter().any(differs)))
    }

    fn status_fits(&self, way: &Write) -> bool {
        let status = self.resource.get("status").and_then(Value::as_str);
        way.status.is_empty() || status.is_some_and(|status| way.status.iter().any(|other| other == status))
    }

    fn nothing_to_do(&self, known: Option<Value>) -> Result<Written, CallError> {
        match (known, self.call.id) {
            (Some(record), Some(id)) => {
                Ok(Written { record: Phi::new(record), id: id.clone(), unconfirmed: false })
            }
            _ => Err(configuration("`changed` needs `read`", &self.place())),
        }
    }

    /// What was written already, if it was.
    async fn find(&self, find: &Find, known: Option<&Value>) -> Result<Option<Written>, CallError> {
        let Find { operation, arguments, same } = find;
        let Some(record) = self.first((operation, arguments, same), known).await? else { return Ok(None) };
        let id = self.id_of(&record).ok_or_else(|| self.without_id())?;
        Ok(Some(Written { record: Phi::new(record), id: Phi::new(id), unconfirmed: false }))
    }

    /// What must be found before it can be written: the value of an argument.
    async fn needed(&self, needs: &Needs, known: Option<&Value>) -> Result<String, CallError> {
        let Needs { operation, arguments, same, at, .. } = needs;
        let record = self.first((operation, arguments, same), known).await?;
        let record = record.ok_or_else(|| {
            let text = "nothing is open at this time for what is to be written";
            CallError::Conflict(Cause::new("api.needs", text).at(self.place()))
        })?;
        record.pointer(at).and_then(scalar).ok_or_else(|| configuration("nothing stands at `needs.at`", at))
    }

    /// The first record of an operation that a mapping calls the same: `(operation, arguments, same)`.
    async fn first(
        &self,
        (operation, arguments, same): (&str, &str, &str),
        known: Option<&Value>,
    ) -> Result<Option<Value>, CallError> {
        let arguments = self.arguments(Some(arguments), known)?;
        let mut page = None;
        for _ in 0..MOST_PAGES {
            let answer = self.caller.page(operation, &arguments, None, page.as_ref()).await?;
            for record in answer.records.expose() {
                let input = json!({"resource": self.resource, "record": record});
                if self.map(same, &input)? == Value::Bool(true) {
                    return Ok(Some(record.clone()));
                }
            }
            page = answer.next;
            if page.is_none() {
                return Ok(None);
            }
        }
        let text = "too many candidates: narrow the arguments by which they are listed";
        Err(CallError::Invalid(Cause::new("api.pages", text).at(self.place())))
    }

    async fn send(&self, way: &Write, known: Option<&Value>) -> Result<Written, CallError> {
        let mut arguments = self.arguments(way.arguments.as_deref(), known)?;
        if let Some(needs) = &way.needs {
            arguments.insert(needs.argument.clone(), self.needed(needs, known).await?);
        }
        let operation = self.site.operation(&way.operation)?;
        let input = json!({"resource": self.resource, "known": known});
        let ask = Ask {
            name: &way.operation,
            operation,
            arguments: &arguments,
            input: &input,
            token: self.caller.token(),
        };
        let said = self.caller.exchange(&ask, None).await?.said;
        // From here on it is done: what goes wrong now must not look as if it were not.
        self.outcome(way, said, known).await.map_err(|error| CallError::Unknown(error.cause().clone()))
    }

    /// The record as the product has it now.
    async fn outcome(&self, way: &Write, said: Said, known: Option<&Value>) -> Result<Written, CallError> {
        let there = said.body.pointer(&way.record).unwrap_or(&Value::Null);
        let unconfirmed = way.confirm.is_some();
        let given = self.call.id.map(|id| id.expose().clone());
        if there.is_object() && !way.read_back {
            let id = self.id_of(there).or(given).ok_or_else(|| self.without_id())?;
            return Ok(Written { record: Phi::new(there.clone()), id: Phi::new(id), unconfirmed });
        }
        let id =
            scalar(there).or_else(|| created(&said, self.of)).or(given).ok_or_else(|| self.without_id())?;
        let record = match &self.api.read {
            // It may not be there yet.
            _ if unconfirmed => said.body,
            Some(read) => self.read(&read.operation, &id).await?,
            // Nothing is read by the id that the answer has.
            None => {
                let text = "the answer is no record, and there is neither `read` nor `find`";
                let find = way.find.as_ref().ok_or_else(|| configuration(text, &self.place()))?;
                let text = "what was written is not there when it is looked for";
                let cause = || CallError::Invalid(Cause::new("api.answer", text).at(self.place()));
                return self.find(find, known).await?.ok_or_else(cause);
            }
        };
        Ok(Written { record: Phi::new(record), id: Phi::new(id), unconfirmed })
    }

    async fn read(&self, operation: &str, id: &str) -> Result<Value, CallError> {
        let arguments = BTreeMap::from([("id".to_owned(), id.to_owned())]);
        let answer = self.caller.page(operation, &arguments, None, None).await?;
        answer.records.expose().first().cloned().ok_or_else(|| {
            let cause = Cause::new("api.status", "the answer has no record");
            CallError::NotFound(cause.at(format!("operations.{operation}")))
        })
    }

    /// The id, and what a mapping makes of resource and known record.
    fn arguments(&self, mapping: Option<&str>, known: Option<&Value>) -> Result<Arguments, CallError> {
        let id = self.call.id.map(|id| ("id".to_owned(), id.expose().clone()));
        let mut arguments = Arguments::from_iter(id);
        let Some(mapping) = mapping else { return Ok(arguments) };
        let input = json!({"resource": self.resource, "known": known, "arguments": arguments});
        match self.map(mapping, &input)? {
            Value::Object(members) => {
                arguments
                    .extend(members.into_iter().filter_map(|(name, value)| Some((name, scalar(&value)?))));
                Ok(arguments)
            }
            _ => Err(configuration("arguments are an object of texts", mapping)),
        }
    }

    /// The product's own id of a record: the identifier that its mapping gives it.
    fn id_of(&self, record: &Value) -> Option<String> {
        let system = self.site.text(&self.api.identifier, &self.place()).ok()?;
        let mapped = self.mapped(record).ok()?;
        let identifiers = mapped.get("identifier")?.as_array()?;
        let own =
            identifiers.iter().find(|identifier| identifier.get("system").is_some_and(|s| *s == *system))?;
        own.get("value").and_then(scalar)
    }

    /// A record as the FHIR resource that it is.
    fn mapped(&self, record: &Value) -> Result<Value, CallError> {
        let kind = &self.api.kind;
        let mapping = self.site.party.api.kinds.get(kind).map(|kind| kind.mapping.as_str());
        let mapping = mapping.ok_or_else(|| configuration("there is no such kind", &self.place()))?;
        let kind = format!("{POLLED}{kind}");
        let mapped = self.caller.ways.mappings.apply(self.site, mapping, &kind, record)?;
        let is_it = |value: &Value| value.get("resourceType").is_some_and(|of| *of == *self.of);
        match mapped {
            Value::Array(several) => several.into_iter().find(is_it),
            one => Some(one).filter(is_it),
        }
        .ok_or_else(|| configuration("the record's mapping makes no resource of this type", mapping))
    }

    fn map(&self, mapping: &str, input: &Value) -> Result<Value, CallError> {
        self.caller.ways.mappings.apply(self.site, mapping, mapping, input)
    }

    fn place(&self) -> String {
        format!("resources.{}", self.of)
    }

    /// What is asked for is nothing that this product does.
    fn impossible(&self) -> CallError {
        let text = "the product's interface has no way to write this status of a resource of this type";
        CallError::Invalid(Cause::new("api.impossible", text).at(self.place()))
    }

    fn without_id(&self) -> CallError {
        CallError::Invalid(Cause::new("api.answer", "the record has no id of the product").at(self.place()))
    }
}

/// The id in `Location`, where an answer has no body (FHIR R4, section 3.1.0.8): `[base]/Patient/1/_history/2`.
fn created(said: &Said, of: &str) -> Option<String> {
    let mut parts = said.headers.get("location")?.split('/').skip_while(|part| *part != of);
    parts.nth(1).filter(|id| !id.is_empty()).map(str::to_owned)
}

/// Whether two values say the same: a time may be written with another offset.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => {
            let instant = |text: &str| text.parse::<Timestamp>().ok();
            a == b || instant(a).is_some_and(|a| Some(a) == instant(b))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}
