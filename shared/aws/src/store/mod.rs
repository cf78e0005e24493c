//! The tables, over DynamoDB.
//!
//! Each write carries its condition, and a mark of its own: the SDK repeats a request whose answer got lost, and then
//! finds its own first try in the way. Without the mark that would look like somebody else's write.
//!
//! A write that meets a transaction under way, or a throttle, is tried again for about a second before it fails.

mod condition;
mod item;
mod refusal;
mod request;

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use bridge_pipeline::ports::{
    Clock as _, Index, Key, PortError, Query, Record, Store, Table, Write, WriteError,
};

use crate::{
    Meter, Settings, SystemClock,
    error::{failed, pause},
};
use refusal::Refusal;
use request::Prepared;

/// An item as DynamoDB's API has it.
type Item = HashMap<String, AttributeValue>;

const GET: &str = "dynamodb.GetItem";
const PUT: &str = "dynamodb.PutItem";
const DELETE: &str = "dynamodb.DeleteItem";
const TRANSACT: &str = "dynamodb.TransactWriteItems";
const QUERY: &str = "dynamodb.Query";

/// How often a write that others keep in suspense is tried.
const TRIES: u32 = 6;
/// Largest page to ask for.
const PAGE: usize = 1000;

/// [`Store`] over DynamoDB. Expiry is kept in whole seconds, rounded up. A record written with
/// [`Expect::OlderThan`](bridge_pipeline::ports::Expect::OlderThan) gets the time in nanoseconds as its revision:
/// DynamoDB can't count up in a `PutItem` that does not know what it replaces.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    ledger: String,
    resources: String,
    config: String,
    meter: Meter,
}

impl DynamoStore {
    pub(crate) fn new(client: Client, settings: &Settings, meter: Meter) -> Self {
        Self {
            client,
            ledger: settings.ledger_table.clone(),
            resources: settings.resources_table.clone(),
            config: settings.config_table.clone(),
            meter,
        }
    }

    fn table(&self, table: Table) -> &str {
        match table {
            Table::Ledger => &self.ledger,
            Table::Resources => &self.resources,
            Table::Config => &self.config,
        }
    }

    /// Opens the connection before it is needed: by a record that nobody wrote.
    pub(crate) async fn warm_up(&self) {
        let _absent = self.get(&Key::new(Table::Config, "warm-up", "-")).await;
    }

    async fn try_write(&self, writes: &[Prepared]) -> Result<(), Refusal> {
        match writes {
            [one] => self.write_one(one).await,
            several => self.write_all(several).await,
        }
    }

    fn count(&self, writes: &[Prepared]) {
        match writes {
            [one] => self.meter.used(one.operation(), || one.units()),
            // Each item of a transaction is prepared and committed.
            several => {
                self.meter.used(TRANSACT, || several.iter().map(|write| 2.0 * write.units()).sum::<f64>());
            }
        }
    }
}

impl Store for DynamoStore {
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError> {
        let request = self
            .client
            .get_item()
            .table_name(self.table(key.table))
            .set_key(Some(item::key(key)))
            .consistent_read(true);
        let found = request.send().await.map_err(|error| failed(GET, &error))?.item;
        self.meter.used(GET, || item::read_units(found.iter(), true));
        let record = found.map(|item| item::read(key.table, item)).transpose()?;
        Ok(record.filter(is_alive))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), WriteError> {
        if writes.is_empty() {
            return Ok(());
        }
        let mark = item::mark();
        let writes =
            writes.into_iter().map(|write| Prepared::new(write, &mark)).collect::<Result<Vec<_>, _>>()?;
        let mut tries = 0;
        loop {
            self.count(&writes);
            match self.try_write(&writes).await {
                Ok(()) => return Ok(()),
                Err(Refusal::Condition { item: Some(item), .. }) if item::has_mark(&item, &mark) => {
                    return Ok(());
                }
                Err(Refusal::Condition { index, item }) => {
                    let table = writes[index].table;
                    let current = item.map(|item| item::read(table, item)).transpose()?;
                    let current = current.filter(is_alive).map(Box::new);
                    return Err(WriteError::Conflict { index, current });
                }
                Err(Refusal::Busy(_)) if tries + 1 < TRIES => {
                    tokio::time::sleep(pause(tries)).await;
                    tries += 1;
                }
                Err(Refusal::Busy(error) | Refusal::Failed(error)) => return Err(error.into()),
            }
        }
    }

    async fn query(&self, query: Query) -> Result<Vec<Record>, PortError> {
        let mut records = Vec::new();
        let mut next = None;
        if query.range.is_empty() {
            return Ok(records);
        }
        while records.len() < query.limit {
            let page = (query.limit - records.len()).min(PAGE);
            let request = self.page(&query).limit(i32::try_from(page).unwrap_or(i32::MAX));
            let answer =
                request.set_exclusive_start_key(next).send().await.map_err(|error| failed(QUERY, &error))?;
            let items = answer.items.unwrap_or_default();
            self.meter.used(QUERY, || item::read_units(items.iter(), query.index == Index::Main));
            for item in items {
                records.push(item::read(query.table, item)?);
            }
            // Expired records are still there for days. They don't count towards the limit.
            records.retain(is_alive);
            next = answer.last_evaluated_key;
            if next.is_none() {
                break;
            }
        }
        Ok(records)
    }
}

fn is_alive(record: &Record) -> bool {
    record.expires.is_none_or(|at| at.as_secs() > SystemClock.now().as_secs())
}
