//! The contract of [`Store`].

use bridge_core::Timestamp;
use bridge_pipeline::ports::{Clock, Expect, Index, Key, Query, Record, Store, Table, Write, WriteError};
use futures::future::join_all;

/// Compare-and-set, transactions, expiry and ranges.
pub async fn store(store: &impl Store, clock: &impl Clock, room: &str) {
    let room = Room { store, now: clock.now(), name: room };
    room.comes_back_as_it_was().await;
    room.compares_revisions().await;
    room.compares_versions().await;
    room.compares_states().await;
    room.forgets_what_expired().await;
    room.writes_all_or_nothing().await;
    room.reads_ranges().await;
    room.reads_indexes().await;
    room.reads_more_than_a_page().await;
    room.loses_no_update().await;
    room.loses_no_transaction().await;
}

struct Room<'a, S> {
    store: &'a S,
    now: Timestamp,
    name: &'a str,
}

/// The record that stood in the way of write `index`.
fn conflict(result: Result<(), WriteError>, index: usize) -> Option<Record> {
    match result {
        Err(WriteError::Conflict { index: at, current }) if at == index => current.map(|record| *record),
        other => panic!("expected a conflict of write {index}, got {other:?}"),
    }
}

impl<S: Store> Room<'_, S> {
    fn key(&self, pk: &str, sk: &str) -> Key {
        Key::new(Table::Ledger, format!("{}#{pk}", self.name), sk)
    }

    fn record(&self, pk: &str, sk: &str, doc: &str) -> Record {
        Record::new(self.key(pk, sk), doc.to_owned())
    }

    /// Seconds from now; whole ones, as expiry is kept.
    fn at(&self, seconds: i64) -> Timestamp {
        Timestamp::from_millis((self.now.as_secs() + seconds) * 1000)
    }

    async fn put(&self, record: Record, expect: Expect) -> Result<(), WriteError> {
        self.store.write(vec![Write::Put(record, expect)]).await
    }

    async fn get(&self, pk: &str, sk: &str) -> Option<Record> {
        self.store.get(&self.key(pk, sk)).await.unwrap()
    }

    async fn comes_back_as_it_was(&self) {
        assert_eq!(self.get("whole", "r").await, None);
        let mut record = self.record("whole", "r", r#"{"name":"Zoë \"quoted\" 日本","n":1.50}"#);
        record.blob = Some((0..=255).collect());
        record.version = Some("2026-01-01T00:00:00Z".to_owned());
        record.by_connection = Some((format!("{}#c", self.name), "1".to_owned()));
        record.by_attention = Some((format!("{}#a", self.name), "1".to_owned()));
        record.expires = Some(self.at(3600));
        self.put(record.clone(), Expect::Absent).await.unwrap();
        assert_eq!(self.get("whole", "r").await, Some(Record { rev: 1, ..record }));
        // Nothing of an earlier write stays.
        let bare = self.record("whole", "r", "{}");
        self.put(bare.clone(), Expect::Rev(1)).await.unwrap();
        assert_eq!(self.get("whole", "r").await, Some(Record { rev: 2, ..bare }));
        self.store.write(Vec::new()).await.unwrap();
    }

    async fn compares_revisions(&self) {
        let record = |doc: &str| self.record("cas", "r", doc);
        assert_eq!(conflict(self.put(record("0"), Expect::Rev(1)).await, 0), None);
        self.put(record("1"), Expect::Absent).await.unwrap();
        let current = conflict(self.put(record("x"), Expect::Absent).await, 0).unwrap();
        assert_eq!((current.rev, &*current.doc), (1, "1"));
        self.put(record("2"), Expect::Rev(1)).await.unwrap();
        let current = conflict(self.put(record("x"), Expect::Rev(1)).await, 0).unwrap();
        assert_eq!((current.rev, &*current.doc), (2, "2"));
        let delete = |rev| self.store.write(vec![Write::Delete(self.key("cas", "r"), rev)]);
        assert_eq!(conflict(delete(1).await, 0).map(|record| record.rev), Some(2));
        delete(2).await.unwrap();
        assert_eq!(conflict(delete(2).await, 0), None);
        assert_eq!(self.get("cas", "r").await, None);
    }

    async fn compares_versions(&self) {
        let put = async |version: &str| {
            let record = Record { version: Some(version.to_owned()), ..self.record("old", "r", version) };
            self.put(record, Expect::OlderThan(version.to_owned())).await
        };
        put("v2").await.unwrap();
        let first = self.get("old", "r").await.unwrap();
        for not_newer in ["v2", "v1"] {
            assert_eq!(conflict(put(not_newer).await, 0), Some(first.clone()), "{not_newer} over v2");
        }
        put("v3").await.unwrap();
        let second = self.get("old", "r").await.unwrap();
        assert_eq!(second.doc, "v3");
        assert!(second.rev > first.rev, "revisions grow: {} {}", first.rev, second.rev);
        // It can be fenced like any other.
        self.put(Record { rev: 0, ..second.clone() }, Expect::Rev(second.rev)).await.unwrap();
        assert!(self.get("old", "r").await.unwrap().rev > second.rev);
        // A record without a version is older than any.
        self.put(self.record("old", "bare", "{}"), Expect::Absent).await.unwrap();
        let record = self.record("old", "bare", "new");
        self.put(record, Expect::OlderThan("a".to_owned())).await.unwrap();
    }

    async fn compares_states(&self) {
        let put = async |version: &str, state: &str| {
            let record = Record {
                version: Some(version.to_owned()),
                state: Some(state.to_owned()),
                ..self.record("state", "r", version)
            };
            let expect = Expect::OlderAndOther { version: version.to_owned(), state: state.to_owned() };
            self.put(record, expect).await
        };
        put("v1", "a").await.unwrap();
        let first = self.get("state", "r").await.unwrap();
        assert_eq!(first.state.as_deref(), Some("a"));
        assert_eq!(conflict(put("v2", "a").await, 0), Some(first.clone()), "it says the same");
        assert_eq!(conflict(put("v1", "b").await, 0), Some(first), "it is no newer");
        put("v2", "b").await.unwrap();
        assert_eq!(self.get("state", "r").await.unwrap().doc, "v2");
        // A record that names no state says something else.
        let record = Record { version: Some("v3".to_owned()), ..self.record("state", "r", "v3") };
        self.put(record, Expect::OlderThan("v3".to_owned())).await.unwrap();
        put("v4", "b").await.unwrap();
        assert_eq!(self.get("state", "r").await.unwrap().doc, "v4");
    }

    async fn forgets_what_expired(&self) {
        let expired = |doc: &str| Record {
            expires: Some(self.at(-1)),
            version: Some("v9".to_owned()),
            ..self.record("ttl", "r", doc)
        };
        self.put(expired("1"), Expect::Absent).await.unwrap();
        assert_eq!(self.get("ttl", "r").await, None);
        assert_eq!(conflict(self.put(expired("2"), Expect::Rev(1)).await, 0), None);
        self.put(expired("3"), Expect::Absent).await.unwrap();
        self.put(expired("4"), Expect::OlderThan("v1".to_owned())).await.unwrap();
        let alive = Record { expires: Some(self.at(60)), ..expired("5") };
        self.put(alive, Expect::Absent).await.unwrap();
        assert_eq!(self.get("ttl", "r").await.map(|record| record.doc), Some("5".to_owned()));
    }

    async fn writes_all_or_nothing(&self) {
        let put = |sk: &str, doc: &str, expect| Write::Put(self.record("tx", sk, doc), expect);
        self.store.write(vec![put("a", "1", Expect::Absent), put("b", "1", Expect::Absent)]).await.unwrap();
        // The second and the third fail; the second is named.
        let writes = vec![
            put("a", "2", Expect::Rev(1)),
            put("b", "2", Expect::Rev(7)),
            put("c", "2", Expect::Rev(1)),
            Write::Delete(self.key("tx", "d"), 1),
        ];
        let current = conflict(self.store.write(writes).await, 1).unwrap();
        assert_eq!((&*current.key.sk, current.rev), ("b", 1));
        assert_eq!(self.get("tx", "a").await.map(|record| record.rev), Some(1), "nothing was written");
        // Over tables, and with a delete.
        let mut resource = self.record("tx", "patient", "{}");
        resource.key.table = Table::Resources;
        let writes = vec![
            put("a", "2", Expect::Rev(1)),
            Write::Delete(self.key("tx", "b"), 1),
            Write::Put(resource.clone(), Expect::Absent),
        ];
        self.store.write(writes).await.unwrap();
        assert_eq!(self.get("tx", "a").await.map(|record| record.rev), Some(2));
        assert_eq!(self.get("tx", "b").await, None);
        assert!(self.store.get(&resource.key).await.unwrap().is_some());
    }

    async fn docs(&self, query: Query) -> Vec<String> {
        self.store.query(query).await.unwrap().into_iter().map(|record| record.doc).collect()
    }

    async fn reads_ranges(&self) {
        for sk in ["a", "b#1", "b#2", "b#日本", "c"] {
            self.put(self.record("range", sk, sk), Expect::Absent).await.unwrap();
        }
        let expired = Record { expires: Some(self.at(-1)), ..self.record("range", "b#0", "gone") };
        self.put(expired, Expect::Absent).await.unwrap();
        let query = |prefix| Query::prefix(Table::Ledger, Index::Main, self.key("range", "").pk, prefix);
        assert_eq!(self.docs(query("b#")).await, ["b#1", "b#2", "b#日本"]);
        assert_eq!(self.docs(query("")).await.len(), 5);
        assert_eq!(self.docs(query("z")).await.len(), 0);
        // What expired does not use up the limit.
        assert_eq!(self.docs(query("b#").limit(2)).await, ["b#1", "b#2"]);
        let newest_first = Query { descending: true, ..query("b#") };
        assert_eq!(self.docs(newest_first.limit(2)).await, ["b#日本", "b#2"]);
        let both_ends = Query { range: "b#1".to_owned()..="c".to_owned(), ..query("") };
        assert_eq!(self.docs(both_ends).await, ["b#1", "b#2", "b#日本", "c"]);
        let nothing = Query { range: "c".to_owned()..="a".to_owned(), ..query("") };
        assert_eq!(self.docs(nothing).await.len(), 0);
    }

    /// Indexes lag: looks until they say `expected`.
    async fn settles(&self, query: Query, expected: &[&str]) {
        let mut docs = Vec::new();
        for _ in 0..200 {
            docs = self.docs(query.clone()).await;
            if docs == expected {
                return;
            }
        }
        panic!("{:?} has {docs:?}, not {expected:?}", query.index);
    }

    async fn reads_indexes(&self) {
        let (connection, attention) = (format!("{}#con", self.name), format!("{}#att", self.name));
        for (sk, at) in [("x", "3"), ("y", "1"), ("z", "2")] {
            let mut record = self.record("index", sk, sk);
            record.by_connection = Some((connection.clone(), at.to_owned()));
            record.by_attention = (sk != "y").then(|| (attention.clone(), at.to_owned()));
            self.put(record, Expect::Absent).await.unwrap();
        }
        let by_connection = Query::prefix(Table::Ledger, Index::ByConnection, &connection, "");
        let by_attention = Query::prefix(Table::Ledger, Index::ByAttention, &attention, "");
        self.settles(by_connection.clone(), &["y", "z", "x"]).await;
        self.settles(by_attention.clone(), &["z", "x"]).await;
        let newest = Query { descending: true, ..by_connection }.limit(1);
        self.settles(newest, &["x"]).await;
        // A record leaves an index with the write that does not name it.
        self.put(self.record("index", "z", "z"), Expect::Rev(1)).await.unwrap();
        self.settles(by_attention, &["x"]).await;
    }

    async fn reads_more_than_a_page(&self) {
        for n in 0..8 {
            let blob = Some(vec![7; 380_000]);
            let record = Record { blob, ..self.record("pages", &n.to_string(), &n.to_string()) };
            self.put(record, Expect::Absent).await.unwrap();
        }
        let query = Query::prefix(Table::Ledger, Index::Main, self.key("pages", "").pk, "");
        assert_eq!(self.docs(query.clone()).await, ["0", "1", "2", "3", "4", "5", "6", "7"]);
        assert_eq!(self.docs(query.limit(5)).await, ["0", "1", "2", "3", "4"]);
    }

    async fn loses_no_update(&self) {
        self.put(self.record("race", "r", "0"), Expect::Absent).await.unwrap();
        let add = async || {
            loop {
                let current = self.get("race", "r").await.unwrap();
                let count: u32 = current.doc.parse().unwrap();
                let next = self.record("race", "r", &(count + 1).to_string());
                if self.put(next, Expect::Rev(current.rev)).await.is_ok() {
                    break;
                }
            }
        };
        join_all((0..12).map(|_| add())).await;
        let end = self.get("race", "r").await.unwrap();
        assert_eq!((&*end.doc, end.rev), ("12", 13));
    }

    /// Two accounts, one of which gives to the other: the sum stays.
    async fn loses_no_transaction(&self) {
        for sk in ["a", "b"] {
            self.put(self.record("bank", sk, "50"), Expect::Absent).await.unwrap();
        }
        let balance = |record: &Record| record.doc.parse::<i32>().unwrap();
        let give = async |from: &str, to: &str| {
            loop {
                let (giver, taker) =
                    (self.get("bank", from).await.unwrap(), self.get("bank", to).await.unwrap());
                let put = |record: &Record, change: i32| {
                    let doc = (balance(record) + change).to_string();
                    Write::Put(self.record("bank", &record.key.sk, &doc), Expect::Rev(record.rev))
                };
                if self.store.write(vec![put(&giver, -1), put(&taker, 1)]).await.is_ok() {
                    break;
                }
            }
        };
        let gifts = (0..10).map(|n| if n % 3 == 0 { give("b", "a") } else { give("a", "b") });
        join_all(gifts).await;
        let (a, b) = (self.get("bank", "a").await.unwrap(), self.get("bank", "b").await.unwrap());
        assert_eq!((balance(&a), balance(&b), a.rev, b.rev), (48, 52, 11, 11));
    }
}
