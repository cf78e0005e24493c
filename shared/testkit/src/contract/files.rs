//! The contract of [`Files`].

use bridge_pipeline::ports::{Files, Pinned};

/// Objects come back as they were put. `version` says what the newest version of a key is.
pub async fn files<V: Future<Output = Pinned>>(
    files: &impl Files,
    room: &str,
    version: impl Fn(String) -> V,
) {
    let key = format!("drops/{room}/ä b+c.csv");
    assert_eq!(files.get(&key).await.unwrap(), None, "nobody put it");
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    files.put(&key, bytes.clone()).await.unwrap();
    assert!(files.get(&key).await.unwrap().as_ref() == Some(&bytes), "not what was put");
    let first = version(key.clone()).await;
    for range in [0..1, 0..300_000, 7..4096, 299_999..300_000, 299_990..400_000] {
        let read = files.read(&first, range.clone()).await.unwrap().unwrap();
        let (from, to) = (range.start as usize, range.end.min(300_000) as usize);
        assert!(read == bytes[from..to], "{range:?}");
    }
    files.put(&key, b"another".to_vec()).await.unwrap();
    let second = version(key.clone()).await;
    let read = files.read(&second, 0..7).await.unwrap();
    assert_eq!(read.as_deref(), Some(b"another".as_slice()));
    let old = files.read(&first, 0..7).await.unwrap();
    assert!(old.is_none_or(|old| old == bytes[..7]), "another version's bytes");
    let nothing = Pinned { key: format!("drops/{room}/none"), version: None, etag: "0".repeat(32) };
    assert_eq!(files.read(&nothing, 0..7).await.unwrap(), None);
    uploads(files, room).await;
}

/// An object that comes in parts is there when it is completed, whole, however often it is.
async fn uploads(files: &impl Files, room: &str) {
    let key = format!("outbox/{room}/parts.csv");
    let upload = files.begin_upload(&key).await.unwrap();
    let first: Vec<u8> = (0..5_u32 << 20).map(|n| (n % 241) as u8).collect();
    let mut parts = vec![files.put_part(&key, &upload, 1, first.clone()).await.unwrap()];
    parts.push(files.put_part(&key, &upload, 2, b"the end".to_vec()).await.unwrap());
    assert_eq!(files.get(&key).await.unwrap(), None, "seen before it is whole");
    for _ in 0..2 {
        assert!(files.complete_upload(&key, &upload, &parts).await.unwrap());
        let whole = [first.as_slice(), b"the end"].concat();
        assert!(files.get(&key).await.unwrap().as_ref() == Some(&whole), "not what was put");
    }
    let none = format!("outbox/{room}/empty.ndjson");
    let upload = files.begin_upload(&none).await.unwrap();
    let parts = [files.put_part(&none, &upload, 1, Vec::new()).await.unwrap()];
    assert!(files.complete_upload(&none, &upload, &parts).await.unwrap());
    assert_eq!(files.get(&none).await.unwrap(), Some(Vec::new()));
    let gone = format!("outbox/{room}/gone.csv");
    assert!(!files.complete_upload(&gone, "nobody-began-this", &[String::from("0")]).await.unwrap());
}
