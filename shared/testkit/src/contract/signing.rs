//! The contract of [`Signing`].

use bridge_pipeline::ports::{JwtAlgorithm, Signing};
use bridge_seal::{JwsAlgorithm, PublicJwk, verify_jws};

/// What a key signs is good under its public half, in the form of a JWT, and only under that. `key` is what the service
/// calls a key of `algorithm`, `public` its SubjectPublicKeyInfo.
pub async fn signing(signing: &impl Signing, key: &str, algorithm: JwtAlgorithm, public: &[u8]) {
    let jws = match algorithm {
        JwtAlgorithm::Rs384 => JwsAlgorithm::Rs384,
        JwtAlgorithm::Es384 => JwsAlgorithm::Es384,
    };
    let public = PublicJwk::of_spki(algorithm, public).expect("a public key of the algorithm").key().unwrap();
    // The two numbers of ECDSA are short now and then: several signatures meet that.
    for n in 0..40 {
        let message = format!("header.claims-{n}");
        let signature = signing.sign(key, algorithm, message.as_bytes()).await.unwrap();
        assert!(verify_jws(jws, &public, message.as_bytes(), &signature), "{n}: not the key's signature");
        assert!(!verify_jws(jws, &public, b"another", &signature), "{n}: good for another message");
    }
    let other = JwtAlgorithm::ALL.into_iter().find(|other| *other != algorithm).unwrap();
    assert!(signing.sign(key, other, b"m").await.is_err(), "a key of another algorithm signed");
    assert!(signing.sign("no-such-key", algorithm, b"m").await.is_err());
}
