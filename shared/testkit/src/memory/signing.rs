//! A key service in memory: its keys sign, and are never handed out.

use bridge_pipeline::ports::{JwtAlgorithm, PortError, Signing};
use bridge_seal::{KeyPair, sign_jwt};

use super::{Hook, MemoryPorts, Shared, lock};

/// Makes a key under a name; gives its public half, SubjectPublicKeyInfo in DER.
pub fn make_signing_key(world: &Shared, name: &str, algorithm: JwtAlgorithm) -> Vec<u8> {
    let pair = KeyPair::generate(algorithm).expect("random numbers");
    let public = pair.public.clone();
    lock(world).signing.insert(name.to_owned(), pair);
    public
}

impl<H: Hook> Signing for MemoryPorts<H> {
    async fn sign(&self, key: &str, algorithm: JwtAlgorithm, message: &[u8]) -> Result<Vec<u8>, PortError> {
        let failed = |reason: &str| PortError { operation: "signing.sign", reason: reason.to_owned() };
        let pair = self.call("signing.sign", |world| world.signing.get(key).cloned()).await?;
        let pair = pair.ok_or_else(|| failed("there is no such key"))?;
        sign_jwt(algorithm, &pair.private, message).ok_or_else(|| failed("the key is of another algorithm"))
    }
}
