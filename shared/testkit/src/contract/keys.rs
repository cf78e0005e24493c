//! The contract of [`Keys`].

use bridge_core::id::TenantId;
use bridge_pipeline::ports::Keys;

/// A data key opens for its tenant and for nobody else.
pub async fn keys(keys: &impl Keys) {
    let [ours, theirs]: [TenantId; 2] = ["sunrise", "sunset"].map(|name| name.parse().unwrap());
    let key = keys.generate(&ours).await.unwrap();
    assert_eq!(key.plain.len(), 32);
    assert_ne!(*key.plain, key.wrapped);
    assert_eq!(*keys.unwrap(&ours, &key.wrapped).await.unwrap(), *key.plain);
    assert!(keys.unwrap(&theirs, &key.wrapped).await.is_err(), "another tenant opened it");
    assert!(keys.unwrap(&ours, b"not a key").await.is_err());
}
