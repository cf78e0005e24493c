//! Requests: writes with their conditions, and pages of a range.

use aws_sdk_dynamodb::{
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem},
};
use bridge_pipeline::ports::{Clock as _, Expect, Index, PortError, Query, Table, Write};

use super::{
    DELETE, DynamoStore, Item, PUT, TRANSACT,
    condition::{Condition, next_rev},
    item,
    refusal::Refusal,
};
use crate::{SystemClock, error::broken};

/// A write in DynamoDB's words.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) table: Table,
    action: Action,
    condition: Condition,
}

#[derive(Debug)]
enum Action {
    /// The whole item.
    Put(Item),
    /// Its key.
    Delete(Item),
}

impl Prepared {
    pub(super) fn new(write: Write, mark: &str) -> Result<Self, PortError> {
        let now = SystemClock.now().as_secs();
        Ok(match write {
            Write::Put(record, expect) => Self {
                table: record.key.table,
                action: Action::Put(item::write(record, next_rev(&expect), mark)?),
                condition: Condition::of(&expect, now),
            },
            Write::Delete(key, rev) => Self {
                table: key.table,
                action: Action::Delete(item::key(&key)),
                condition: Condition::of(&Expect::Rev(rev), now),
            },
        })
    }

    pub(super) const fn operation(&self) -> &'static str {
        match self.action {
            Action::Put(_) => PUT,
            Action::Delete(_) => DELETE,
        }
    }

    /// Write units. What a delete removes is not known here: it counts as one.
    pub(super) fn units(&self) -> f64 {
        match &self.action {
            Action::Put(item) => item::write_units(item),
            Action::Delete(_) => 1.0,
        }
    }
}

impl DynamoStore {
    pub(super) async fn write_one(
        &self,
        Prepared { table, action, condition }: &Prepared,
    ) -> Result<(), Refusal> {
        match action {
            Action::Put(item) => {
                let request = self
                    .client
                    .put_item()
                    .table_name(self.table(*table))
                    .set_item(Some(item.clone()))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_names(Some(condition.names()))
                    .set_expression_attribute_values(Some(condition.values()))
                    .return_values_on_condition_check_failure(AllOld);
                request.send().await.map(|_| ()).map_err(Refusal::of_put)
            }
            Action::Delete(key) => {
                let request = self
                    .client
                    .delete_item()
                    .table_name(self.table(*table))
                    .set_key(Some(key.clone()))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_names(Some(condition.names()))
                    .set_expression_attribute_values(Some(condition.values()))
                    .return_values_on_condition_check_failure(AllOld);
                request.send().await.map(|_| ()).map_err(Refusal::of_delete)
            }
        }
    }

    pub(super) async fn write_all(&self, writes: &[Prepared]) -> Result<(), Refusal> {
        let items = writes.iter().map(|write| self.transact_item(write)).collect::<Result<Vec<_>, _>>();
        let request =
            self.client.transact_write_items().set_transact_items(Some(items.map_err(Refusal::Failed)?));
        request.send().await.map(|_| ()).map_err(Refusal::of_transaction)
    }

    fn transact_item(&self, write: &Prepared) -> Result<TransactWriteItem, PortError> {
        let Prepared { table, action, condition } = write;
        let item = TransactWriteItem::builder();
        let item = match action {
            Action::Put(whole) => Put::builder()
                .table_name(self.table(*table))
                .set_item(Some(whole.clone()))
                .condition_expression(condition.expression)
                .set_expression_attribute_names(Some(condition.names()))
                .set_expression_attribute_values(Some(condition.values()))
                .return_values_on_condition_check_failure(AllOld)
                .build()
                .map(|put| item.put(put)),
            Action::Delete(key) => Delete::builder()
                .table_name(self.table(*table))
                .set_key(Some(key.clone()))
                .condition_expression(condition.expression)
                .set_expression_attribute_names(Some(condition.names()))
                .set_expression_attribute_values(Some(condition.values()))
                .return_values_on_condition_check_failure(AllOld)
                .build()
                .map(|delete| item.delete(delete)),
        };
        item.map(|item| item.build()).map_err(|error| broken(TRANSACT, &error))
    }

    /// A page of a range that is not empty.
    pub(super) fn page(&self, query: &Query) -> QueryFluentBuilder {
        let (index, pk, sk) = match query.index {
            Index::Main => (None, "pk", "sk"),
            Index::ByConnection => (Some("by-connection"), "cpk", "csk"),
            Index::ByAttention => (Some("by-attention"), "apk", "ask"),
        };
        let request = self
            .client
            .query()
            .table_name(self.table(query.table))
            .set_index_name(index.map(str::to_owned))
            .consistent_read(query.index == Index::Main)
            .scan_index_forward(!query.descending)
            .expression_attribute_names("#pk", pk)
            .expression_attribute_names("#sk", sk)
            .expression_attribute_values(":pk", AttributeValue::S(query.pk.clone()))
            .expression_attribute_values(":to", AttributeValue::S(query.range.end().clone()));
        // A key is never empty, and DynamoDB does not take an empty bound.
        match query.range.start() {
            from if from.is_empty() => request.key_condition_expression("#pk = :pk AND #sk <= :to"),
            from => request
                .expression_attribute_values(":from", AttributeValue::S(from.clone()))
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to"),
        }
    }
}
