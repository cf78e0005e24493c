//! [S3's event notifications](https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html),
//! as records of a queue carry them.

use bridge_core::{
    Timestamp,
    task::{Dropped, FileTask},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Notification {
    #[serde(default, rename = "Records")]
    records: Option<Vec<Record>>,
    /// `s3:TestEvent`, when the notification was set up.
    #[serde(default, rename = "Event")]
    test: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    event_time: Timestamp,
    s3: S3,
}

#[derive(Deserialize)]
struct S3 {
    object: Object,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    key: String,
    #[serde(default)]
    size: u64,
    e_tag: String,
    #[serde(default)]
    version_id: Option<String>,
    #[serde(default)]
    sequencer: String,
}

/// The task of a record's body that S3 wrote; `None` when somebody else did.
pub fn task(body: &str) -> Option<FileTask> {
    let notification: Notification = serde_json::from_str(body).ok()?;
    let records = match (notification.records, notification.test) {
        (Some(records), _) => records,
        (None, Some(test)) if test == "s3:TestEvent" => Vec::new(),
        _ => return None,
    };
    let dropped = |record: Record| Dropped {
        key: decode(&record.s3.object.key),
        version: record.s3.object.version_id.filter(|version| version != "null"),
        etag: record.s3.object.e_tag.trim_matches('"').to_owned(),
        sequencer: record.s3.object.sequencer,
        size: record.s3.object.size,
        at: record.event_time,
    };
    let created = records.into_iter().filter(|record| record.event_name.starts_with("ObjectCreated:"));
    Some(FileTask::Dropped(created.map(dropped).collect()))
}

/// Keys come as in a form: `+` for a blank, `%` for everything that is special.
fn decode(key: &str) -> String {
    let mut bytes = key.as_bytes().iter();
    let mut decoded = Vec::with_capacity(key.len());
    while let Some(&byte) = bytes.next() {
        let code = (byte == b'%').then(|| bytes.as_slice().get(..2)).flatten();
        match (byte, code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok())) {
            (b'+', _) => decoded.push(b' '),
            (_, Some(special)) => {
                decoded.push(special);
                bytes.nth(1);
            }
            (byte, None) => decoded.push(byte),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DROPPED: &str = include_str!("../../../../events/file-ingest/dropped.json");

    fn body() -> String {
        let event: serde_json::Value = serde_json::from_str(DROPPED).unwrap();
        event["Records"][0]["body"].as_str().unwrap().to_owned()
    }

    #[test]
    fn what_was_dropped_is_named_with_its_version() {
        let Some(FileTask::Dropped(dropped)) = task(&body()) else { panic!("no task") };
        let [object] = dropped.as_slice() else { panic!("{dropped:?}") };
        assert_eq!(object.key, "drops/sunrise.front-desk/visits 2026-03-02 (Ä).csv");
        assert_eq!(object.version.as_deref(), Some("096fKKXTRTtl3on89fVO.nfljtsv6qko"));
        assert_eq!((&*object.etag, object.size), ("d41d8cd98f00b204e9800998ecf8427e", 1024));
        assert_eq!(object.sequencer, "0055AED6DCD90281E5");
        assert_eq!(object.at.to_string(), "2026-03-02T09:30:00.000Z");
    }

    #[test]
    fn a_test_of_the_notification_drops_nothing_and_a_task_is_left_alone() {
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#;
        assert_eq!(task(test), Some(FileTask::Dropped(Vec::new())));
        assert_eq!(
            task(&body().replace("ObjectCreated:Put", "ObjectRemoved:Delete")),
            Some(FileTask::Dropped(Vec::new()))
        );
        assert_eq!(task(r#"{"read-file.v1":{}}"#), None);
        assert_eq!(task("Zyxwv"), None);
    }

    #[test]
    fn keys_are_decoded_as_forms_are() {
        assert_eq!(decode("a+b%2Bc%C3%A4/d"), "a b+cä/d");
        assert_eq!(decode("100%"), "100%");
    }
}
