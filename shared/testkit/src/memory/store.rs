//! DynamoDB's rules: conditional writes, transactions, expiry that is seen on read, no other isolation.

use std::collections::BTreeMap;

use bridge_pipeline::ports::{Expect, Index, Key, Query, Record, Write, WriteError};

/// All tables.
#[derive(Debug, Default)]
pub struct Tables {
    records: BTreeMap<Key, Record>,
    /// How many writes there were.
    pub writes: u64,
}

impl Tables {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// All records, in key order.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    pub(super) fn get(&self, key: &Key, now: i64) -> Option<Record> {
        self.records.get(key).filter(|record| is_alive(record, now)).cloned()
    }

    pub(super) fn write(&mut self, writes: Vec<Write>, now: i64) -> Result<(), WriteError> {
        for (index, write) in writes.iter().enumerate() {
            let key = match write {
                Write::Put(record, _) => &record.key,
                Write::Delete(key, _) => key,
            };
            let current = self.get(key, now);
            if !holds(write, current.as_ref()) {
                return Err(WriteError::Conflict { index, current: current.map(Box::new) });
            }
        }
        for write in writes {
            self.writes += 1;
            match write {
                Write::Put(mut record, _) => {
                    let before = self.get(&record.key, now).map_or(0, |current| current.rev);
                    record.rev = before + 1;
                    self.records.insert(record.key.clone(), record);
                }
                Write::Delete(key, _) => {
                    self.records.remove(&key);
                }
            }
        }
        Ok(())
    }

    pub(super) fn query(&self, query: &Query, now: i64) -> Vec<Record> {
        if query.range.is_empty() {
            return Vec::new();
        }
        let is_wanted = |record: &&Record| record.key.table == query.table && is_alive(record, now);
        let mut found: Vec<(&str, &Record)> = match query.index {
            Index::Main => {
                let key = |sk: &String| Key::new(query.table, query.pk.clone(), sk.clone());
                let range = key(query.range.start())..=key(query.range.end());
                let records = self.records.range(range).map(|(_, record)| record);
                records.filter(is_wanted).map(|record| (record.key.sk.as_str(), record)).collect()
            }
            Index::ByConnection | Index::ByAttention => self
                .records
                .values()
                .filter(is_wanted)
                .filter_map(|record| {
                    let place = match query.index {
                        Index::ByConnection => record.by_connection.as_ref(),
                        _ => record.by_attention.as_ref(),
                    };
                    let (pk, sk) = place?;
                    (*pk == query.pk && query.range.contains(sk)).then_some((sk.as_str(), record))
                })
                .collect(),
        };
        found.sort_by(|a, b| a.0.cmp(b.0));
        if query.descending {
            found.reverse();
        }
        found.into_iter().take(query.limit).map(|(_, record)| record.clone()).collect()
    }
}

/// Whether the condition of `write` holds for what stands there.
fn holds(write: &Write, current: Option<&Record>) -> bool {
    let (rev, version) = (current.map(|c| c.rev), current.and_then(|c| c.version.as_deref()));
    match write {
        Write::Put(_, Expect::Absent) => current.is_none(),
        Write::Put(_, Expect::Rev(expected)) | Write::Delete(_, expected) => rev == Some(*expected),
        Write::Put(_, Expect::OlderThan(newer)) => version < Some(newer.as_str()),
        Write::Put(_, Expect::OlderAndOther { version: newer, state }) => {
            let known = current.and_then(|current| current.state.as_ref());
            version.is_none() || version < Some(newer.as_str()) && known != Some(state)
        }
    }
}

fn is_alive(record: &Record, now: i64) -> bool {
    record.expires.is_none_or(|at| at.as_millis() > now)
}
