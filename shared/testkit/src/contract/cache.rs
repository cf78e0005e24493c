//! The contract of [`Cache`].

use std::time::Duration;

use bridge_pipeline::ports::Cache;

/// What is put there is there, to the byte, until its time is over; the last one counts. `pass` lets time go by.
pub async fn cache<F: Future<Output = ()>>(cache: &impl Cache, room: &str, pass: impl Fn(Duration) -> F) {
    let key = |name: &str| format!("{room}#{name}");
    let hour = Duration::from_secs(3_600);
    assert_eq!(cache.get(&key("nothing")).await, None);
    let every_byte: Vec<u8> = (0..=255).cycle().take(300 * 1024).collect();
    cache.put(&key("large"), every_byte.clone(), hour).await;
    cache.put(&key("empty"), Vec::new(), hour).await;
    cache.put(&key("lines\r\n$5"), b"\r\n$-1\r\n".to_vec(), hour).await;
    assert_eq!(cache.get(&key("large")).await, Some(every_byte));
    assert_eq!(cache.get(&key("empty")).await, Some(Vec::new()));
    assert_eq!(cache.get(&key("lines\r\n$5")).await, Some(b"\r\n$-1\r\n".to_vec()), "no byte is a delimiter");
    cache.put(&key("empty"), b"more".to_vec(), hour).await;
    assert_eq!(cache.get(&key("empty")).await, Some(b"more".to_vec()));
    cache.put(&key("short"), b"soon gone".to_vec(), Duration::from_millis(300)).await;
    assert_eq!(cache.get(&key("short")).await, Some(b"soon gone".to_vec()));
    pass(Duration::from_millis(400)).await;
    assert_eq!(cache.get(&key("short")).await, None, "its time is over");
}
