//! What is done at a product's interface: one call, a write, a later look at a write.

use std::{collections::BTreeMap, future::Future};

use bridge_core::{
    Phi,
    manifest::{Api, Delta},
    remote::{Answer, ApiCall, CallError, Party, Remote, WriteCall, Written},
};
use data_encoding::HEXLOWER;
use serde_json::Value;

use crate::ledger::docs_write;

/// Something that is done at a product's interface, by one call or several.
pub trait Errand<R: Remote>: Sync {
    /// What comes of it.
    type Done: Send;

    /// Whether it may change something at the product, so that it must not be asked of another endpoint when nobody knows
    /// what came of it.
    fn changes(&self, _api: &Api) -> bool {
        false
    }

    /// Errands of the same key belong together: where there are several endpoints they go to the same one.
    fn key(&self) -> String {
        String::new()
    }

    /// How many calls it takes at most.
    fn calls(&self, _api: &Api) -> u32 {
        1
    }

    /// Does it.
    fn run(
        &self,
        remote: &R,
        party: Party<'_>,
        token: Option<&Phi<String>>,
    ) -> impl Future<Output = Result<Self::Done, CallError>> + Send;
}

/// One call of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The operation's name.
    pub operation: &'a str,
    /// Its arguments.
    pub arguments: &'a Phi<BTreeMap<String, String>>,
    /// What its body is made of besides.
    pub input: Option<&'a Phi<Value>>,
    /// Where a list goes on.
    pub page: Option<&'a Phi<String>>,
}

impl<R: Remote> Errand<R> for Ask<'_> {
    type Done = Answer;

    /// What is read once is gone from a queue.
    fn changes(&self, api: &Api) -> bool {
        let mut polls = api.resources.values().filter_map(|resource| resource.poll.as_ref());
        polls.any(|poll| poll.operation == self.operation && matches!(poll.delta, Delta::Queue { .. }))
    }

    /// The pages of one list: what leads from one to the next is the endpoint's own.
    fn key(&self) -> String {
        let asked = (self.operation, self.arguments.expose());
        HEXLOWER.encode(&bridge_seal::sha256(&[docs_write(&asked).as_bytes()]))
    }

    async fn run(
        &self,
        remote: &R,
        party: Party<'_>,
        token: Option<&Phi<String>>,
    ) -> Result<Answer, CallError> {
        let Self { operation, arguments, input, page } = *self;
        remote.call(&ApiCall { party, operation, arguments, input, page, token }).await
    }
}

/// A write of a resource.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The resource, as in [`WriteCall::resource`].
    pub resource: &'a Phi<Value>,
    /// The product's own id, where it has the record.
    pub id: Option<&'a Phi<String>>,
    /// An attempt before this one may have done it.
    pub again: bool,
}

impl<'a> Change<'a> {
    const fn call(&self, party: Party<'a>, token: Option<&'a Phi<String>>) -> WriteCall<'a> {
        WriteCall { party, resource: self.resource, id: self.id, token, again: self.again }
    }

    /// What the resource's type says about writing.
    fn rules<'b>(&self, api: &'b Api) -> &'b [bridge_core::manifest::Write] {
        let kind = self.resource.expose().get("resourceType").and_then(Value::as_str).unwrap_or_default();
        api.resources.get(kind).map_or(&[], |resource| &resource.write)
    }
}

impl<R: Remote> Errand<R> for Change<'_> {
    type Done = Written;

    fn changes(&self, _: &Api) -> bool {
        true
    }

    /// It is perhaps looked for, read before it is written, and read after.
    fn calls(&self, api: &Api) -> u32 {
        let calls = |rule: &bridge_core::manifest::Write| {
            1 + u32::from(rule.find.is_some())
                + u32::from(!rule.changed.is_empty())
                + u32::from(rule.read_back)
        };
        self.rules(api).iter().map(calls).max().unwrap_or(1)
    }

    async fn run(
        &self,
        remote: &R,
        party: Party<'_>,
        token: Option<&Phi<String>>,
    ) -> Result<Written, CallError> {
        remote.write(&self.call(party, token)).await
    }
}

/// A later look at a write that was unconfirmed.
#[derive(Debug, Clone, Copy)]
pub struct Confirmation<'a>(pub Change<'a>);

impl<R: Remote> Errand<R> for Confirmation<'_> {
    type Done = Option<Written>;

    async fn run(
        &self,
        remote: &R,
        party: Party<'_>,
        token: Option<&Phi<String>>,
    ) -> Result<Option<Written>, CallError> {
        remote.confirm(&self.0.call(party, token)).await
    }
}
