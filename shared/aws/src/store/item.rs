//! A record as an item, and back.
//!
//! | attribute | |
//! |---|---|
//! | `pk`, `sk` | the key |
//! | `rev` | number: the revision |
//! | `doc` | the document |
//! | `blob` | sealed bytes |
//! | `version` | what [`Expect::OlderThan`](bridge_pipeline::ports::Expect::OlderThan) compares |
//! | `state` | what [`Expect::OlderAndOther`](bridge_pipeline::ports::Expect::OlderAndOther) compares besides |
//! | `cpk`, `csk` | index `by-connection` |
//! | `apk`, `ask` | index `by-attention` |
//! | `ttl` | number: seconds since the epoch, after which DynamoDB removes the item, within days |
//! | `mark` | of the write that made it |

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use bridge_core::Timestamp;
use bridge_pipeline::ports::{Key, PortError, Record, Table};

use super::{Item, PUT};

/// DynamoDB's limit: 400 KB, names of attributes included.
const LIMIT: usize = 400 * 1024;

/// Tells this write from all others.
pub(super) fn mark() -> String {
    let bytes: [u8; 12] = std::array::from_fn(|_| fastrand::u8(..));
    data_encoding::BASE64URL_NOPAD.encode(&bytes)
}

pub(super) fn has_mark(item: &Item, mark: &str) -> bool {
    item.get("mark").and_then(|value| value.as_s().ok()).is_some_and(|of| of == mark)
}

pub(super) fn key(key: &Key) -> Item {
    Item::from([text("pk", key.pk.clone()), text("sk", key.sk.clone())])
}

/// The item of a record, under the revision that it is to have.
pub(super) fn write(record: Record, rev: u64, mark: &str) -> Result<Item, PortError> {
    let Record { key, rev: _, doc, blob, version, state, by_connection, by_attention, expires } = record;
    let mut item = Item::from([
        text("pk", key.pk),
        text("sk", key.sk),
        ("rev".to_owned(), AttributeValue::N(rev.to_string())),
        text("doc", doc),
        text("mark", mark.to_owned()),
    ]);
    if let Some(blob) = blob {
        item.insert("blob".to_owned(), AttributeValue::B(Blob::new(blob)));
    }
    if let Some(version) = version {
        item.extend([text("version", version)]);
    }
    if let Some(state) = state {
        item.extend([text("state", state)]);
    }
    if let Some((pk, sk)) = by_connection {
        item.extend([text("cpk", pk), text("csk", sk)]);
    }
    if let Some((pk, sk)) = by_attention {
        item.extend([text("apk", pk), text("ask", sk)]);
    }
    if let Some(at) = expires {
        // Rounded up: it must not be gone before its time.
        let seconds = at.as_millis().saturating_add(999).div_euclid(1000);
        item.insert("ttl".to_owned(), AttributeValue::N(seconds.to_string()));
    }
    match size(&item) {
        bytes if bytes > LIMIT => Err(PortError {
            operation: PUT,
            reason: format!("an item of {bytes} bytes; {LIMIT} is the limit"),
        }),
        _ => Ok(item),
    }
}

/// The record of an item. What an index does not hold is missing: its revision is then 0.
pub(super) fn read(table: Table, mut item: Item) -> Result<Record, PortError> {
    let mut text = |name: &str| match item.remove(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    };
    let (Some(pk), Some(sk)) = (text("pk"), text("sk")) else {
        return Err(PortError { operation: "dynamodb", reason: "an item without pk and sk".to_owned() });
    };
    let mut record = Record::new(Key { table, pk, sk }, text("doc").unwrap_or_default());
    record.version = text("version");
    record.state = text("state");
    record.by_connection = text("cpk").zip(text("csk"));
    record.by_attention = text("apk").zip(text("ask"));
    record.rev = number(&item, "rev").and_then(|rev| rev.parse().ok()).unwrap_or(0);
    let expires = number(&item, "ttl").and_then(|seconds| seconds.parse::<i64>().ok());
    record.expires = expires.map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000)));
    if let Some(AttributeValue::B(blob)) = item.remove("blob") {
        record.blob = Some(blob.into_inner());
    }
    Ok(record)
}

fn text(name: &str, value: String) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::S(value))
}

fn number<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_n().ok().map(String::as_str)
}

/// Bytes as DynamoDB counts them (a number: about one for each two digits).
fn size(item: &Item) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::N(digits) => digits.len() / 2 + 1,
        _ => 0,
    };
    item.iter().map(|(name, held)| name.len() + value(held)).sum()
}

/// Write units of a put: one per KiB, of the table and of each index that the item stands in. What an index charges
/// to forget an earlier position is not known here.
pub(super) fn write_units(item: &Item) -> f64 {
    let units = |bytes: usize| bytes.div_ceil(1024).max(1);
    let whole = size(item);
    let blob = item.get("blob").and_then(|blob| blob.as_b().ok()).map_or(0, |blob| blob.as_ref().len());
    let by_connection = if item.contains_key("cpk") { units(whole - blob) } else { 0 };
    let by_attention = if item.contains_key("apk") { units(whole) } else { 0 };
    (units(whole) + by_connection + by_attention) as f64
}

/// Read units of an answer: one per 4 KiB, half of it where the read was not consistent.
pub(super) fn read_units<'a>(items: impl Iterator<Item = &'a Item>, consistent: bool) -> f64 {
    let units = items.map(size).sum::<usize>().div_ceil(4096).max(1) as f64;
    if consistent { units } else { units / 2.0 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn record() -> Record {
        let mut record = Record::new(Key::new(Table::Ledger, "t#p", "s"), "{\"a\":1}".to_owned());
        record.blob = Some(vec![0, 255, 10]);
        record.version = Some("v1".to_owned());
        record.state = Some("s1".to_owned());
        record.by_connection = Some(("c".to_owned(), "1".to_owned()));
        record.by_attention = Some(("a".to_owned(), "2".to_owned()));
        record.expires = Some(Timestamp::from_millis(1_800_000_000_000));
        record
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let item = write(record(), 7, "m").unwrap();
        assert!(has_mark(&item, "m") && !has_mark(&item, "n"));
        assert_eq!(read(Table::Ledger, item).unwrap(), Record { rev: 7, ..record() });
    }

    #[test]
    fn expiry_is_rounded_up() {
        let at = |millis| {
            let record = Record { expires: Some(Timestamp::from_millis(millis)), ..record() };
            read(Table::Ledger, write(record, 1, "m").unwrap()).unwrap().expires.unwrap().as_millis()
        };
        assert_eq!((at(5_000), at(5_001), at(5_999)), (5_000, 6_000, 6_000));
    }

    #[test]
    fn an_item_that_is_too_large_is_refused_by_its_size() {
        let large = Record { blob: Some(vec![0; LIMIT]), ..record() };
        let error = write(large, 1, "m").unwrap_err();
        assert!(error.reason.contains("409600 is the limit"), "{error}");
    }

    #[test]
    fn an_index_pays_for_what_it_holds() {
        let mut record = Record { blob: Some(vec![0; 3000]), by_attention: None, ..record() };
        assert_eq!(write_units(&write(record.clone(), 1, "m").unwrap()), 3.0 + 1.0);
        record.by_connection = None;
        assert_eq!(write_units(&write(record, 1, "m").unwrap()), 3.0);
    }
}
