//! The contract of [`Blobs`].

use bridge_pipeline::ports::Blobs;

/// Objects come back as they were put, and what is not there is no error.
pub async fn blobs(blobs: &impl Blobs, room: &str) {
    let key = format!("keep-30/{room}/msg_a");
    assert_eq!(blobs.get(&key).await.unwrap(), None, "nobody put it");
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    for sealed in [vec![0, 1, 255, 13, 10, 0], Vec::new(), large] {
        blobs.put(&key, sealed.clone()).await.unwrap();
        assert!(blobs.get(&key).await.unwrap() == Some(sealed), "not what was put");
    }
}
