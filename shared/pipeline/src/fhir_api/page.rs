//! Asking a product for one page: from what is kept, or from the product; never twice at the same time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bridge_core::{Phi, Timestamp, id::BlindToken, manifest::ResourceApi, remote::Answer};
use serde_json::{Value, json};

use super::{
    Asked,
    cache::Page,
    cursor::Cursor,
    refusal::{Code, Refused},
};
use crate::{
    bridge::Bridge,
    ports::{Clock, RemotePorts},
    product::{Origin, Seen},
    remote::Ask,
};

/// A result that is made ready is not waited for with less time than this left.
const ENOUGH: Duration = Duration::from_secs(5);

/// What is asked of the product.
pub(super) struct Question<'a> {
    pub(super) kind: &'a str,
    pub(super) rules: &'a ResourceApi,
    pub(super) operation: &'a str,
    pub(super) arguments: Phi<BTreeMap<String, String>>,
}

/// A page, and whether it stands in for a product that fails.
pub(super) struct Answered {
    pub(super) page: Arc<Page>,
    pub(super) is_stale: bool,
}

impl<P: RemotePorts> Bridge<P> {
    /// What a question is known by; says nothing.
    pub(super) async fn name_of(
        &self,
        asked: &Asked<'_>,
        question: &Question<'_>,
        cursor: &Cursor,
    ) -> Result<BlindToken, Refused> {
        let index = self.index_key(&asked.connection().tenant()).await?;
        let version = (&asked.product.loaded.version, &asked.product.loaded.manifest.version);
        let page = cursor.page.as_ref().map(Phi::expose);
        let name = json!([version, question.kind, question.operation, question.arguments.expose(), page]);
        Ok(index.token(asked.connection(), "fhir-question", &name.to_string()))
    }

    /// The page at `cursor`.
    pub(super) async fn answered_page(
        &self,
        asked: &Asked<'_>,
        question: &Question<'_>,
        cursor: &Cursor,
    ) -> Result<Answered, Refused> {
        let fresh = |page| Answered { page, is_stale: false };
        let key = self.name_of(asked, question, cursor).await?;
        let begun = self.now();
        let lifetime = Duration::from_secs(question.rules.cache);
        let kept = before(begun, lifetime);
        if let Some(page) = self.pages.since(&key, kept).filter(|_| !lifetime.is_zero()) {
            return Ok(fresh(page));
        }
        let flight = self.pages.flight(&key);
        let _alone = match flight.try_lock() {
            Some(alone) => alone,
            None => {
                let alone = flight.lock().await;
                // What another one was answered meanwhile is an answer to this one as well.
                if let Some(page) = self.pages.since(&key, begun) {
                    return Ok(fresh(page));
                }
                alone
            }
        };
        if !lifetime.is_zero()
            && let Some(page) = self.stored_page(&asked.product, &key, kept).await?
        {
            self.pages.keep(&key, Arc::clone(&page));
            return Ok(fresh(page));
        }
        match self.ask(asked, question, cursor).await {
            Ok(page) => {
                let page = Arc::new(page);
                self.pages.keep(&key, Arc::clone(&page));
                if !lifetime.is_zero() {
                    self.store_page(&asked.product, &key, &page).await?;
                }
                Ok(fresh(page))
            }
            Err(refused) if refused.is_passing() => match self.stand_in(&asked.product, &key).await {
                Some(page) => {
                    asked.stands_in(page.at);
                    Ok(Answered { page, is_stale: true })
                }
                None => Err(refused),
            },
            Err(refused) => Err(refused),
        }
    }

    async fn ask(
        &self,
        asked: &Asked<'_>,
        question: &Question<'_>,
        cursor: &Cursor,
    ) -> Result<Page, Refused> {
        let deadline = asked.call.deadline;
        let mut place = cursor.page.clone();
        let answer = loop {
            let ask = Ask {
                operation: question.operation,
                arguments: &question.arguments,
                input: None,
                page: place.as_ref(),
            };
            let answer = self.call_remote(&asked.product.loaded, &ask, deadline).await?;
            let Some(wait) = answer.wait else { break answer };
            if deadline.since(self.now()) < wait + ENOUGH {
                let text = "the product makes the result ready: ask again later";
                let seconds = wait.as_secs().max(1).to_string();
                return Err(Refused::new(503, Code::Transient, text).with("retry-after", seconds));
            }
            self.ports.clock().sleep(wait).await;
            place = answer.next;
        };
        self.seen_page(asked, question, answer).await
    }

    /// What a page says, in FHIR, and stored. A record that can't be mapped costs itself.
    async fn seen_page(
        &self,
        asked: &Asked<'_>,
        question: &Question<'_>,
        answer: Answer,
    ) -> Result<Page, Refused> {
        let index = self.index_key(&asked.connection().tenant()).await?;
        let message = index.message(asked.connection(), &[b"fhir-api", b"seen"]);
        let origin = Origin { connection: asked.connection(), message: &message, wrote: false };
        let now = self.now();
        let mut page = Page { at: now, next: answer.next, ..Page::default() };
        let mut matches = Vec::new();
        for record in answer.records.expose() {
            match self.see(&asked.product, &question.rules.kind, record).await? {
                Ok(seen) => {
                    self.keep_seen(origin, &seen, now).await?;
                    matches.extend(of_kind(seen, question.kind));
                }
                Err(cause) => {
                    tracing::warn!(connection = %asked.connection(), %cause, "a record of an answer is left out");
                    page.unmapped.push(cause);
                }
            }
        }
        page.matches = Phi::new(matches);
        Ok(page)
    }
}

fn of_kind(seen: Seen, kind: &str) -> impl Iterator<Item = Value> {
    seen.resources
        .into_iter()
        .filter(move |resource| resource.resource_type == kind)
        .map(|resource| resource.json)
}

fn before(now: Timestamp, time: Duration) -> Timestamp {
    Timestamp::from_millis(now.as_millis() - i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}
