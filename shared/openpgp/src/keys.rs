//! Keys as they are written down: armored, or as the bytes of their packets.

use bridge_core::Phi;
use bridge_formats::cipher::CipherError;
use pgp::{
    composed::{Deserializable as _, SignedPublicKey, SignedSecretKey},
    packet::PublicKey,
    types::{KeyDetails as _, Password},
};

const NOT_SECRET: CipherError = CipherError::Key(
    "the feed's OpenPGP key is not a secret key: export it with `gpg --armor --export-secret-keys`",
);
const LOCKED: CipherError =
    CipherError::Key("the feed's OpenPGP key does not open with its passphrase: apply the right one");
const NOT_PUBLIC: CipherError =
    CipherError::Key("a recipient's OpenPGP key is not a public key: ask for `gpg --armor --export`");
const NOT_FOR_FILES: CipherError = CipherError::Key(
    "a recipient's OpenPGP key is not meant for encryption, or was revoked: ask for another",
);

/// Secret keys, and the passphrases that one or the other of them opens with.
pub(crate) struct Ring {
    pub(crate) keys: Vec<SignedSecretKey>,
    pub(crate) passphrases: Vec<Password>,
}

impl Ring {
    /// Each value of the secret is a key; the current one comes first. Without a passphrase they must be open.
    pub(crate) fn new(keys: &[Phi<String>], passphrases: &[Phi<String>]) -> Result<Self, CipherError> {
        let of = |text: &Phi<String>| {
            let (key, _) = SignedSecretKey::from_reader_single(text.expose().trim().as_bytes())
                .map_err(|_| NOT_SECRET)?;
            key.verify_bindings().map_err(|_| NOT_SECRET)?;
            Ok(key)
        };
        let keys = keys.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        let mut passphrases: Vec<Password> =
            passphrases.iter().map(|text| Password::from(text.expose().as_str())).collect();
        if passphrases.is_empty() {
            passphrases.push(Password::empty());
        }
        let ring = Self { keys, passphrases };
        match ring.keys.iter().all(|key| ring.opens(key)) {
            _ if ring.keys.is_empty() => Err(NOT_SECRET),
            true => Ok(ring),
            false => Err(LOCKED),
        }
    }

    fn opens(&self, key: &SignedSecretKey) -> bool {
        self.passphrases.iter().any(|passphrase| {
            let subkeys = key.secret_subkeys.iter();
            let mut opened = subkeys.map(|subkey| subkey.key.unlock(passphrase, |_, _| Ok(())));
            match key.secret_subkeys.is_empty() {
                true => matches!(key.primary_key.unlock(passphrase, |_, _| Ok(())), Ok(Ok(()))),
                false => opened.any(|opened| matches!(opened, Ok(Ok(())))),
            }
        })
    }
}

/// A recipient's key, and which part of it files are encrypted for.
pub(crate) enum Recipient {
    /// A subkey that says so.
    Subkey(pgp::packet::PublicSubkey),
    /// The key itself.
    Primary(PublicKey),
}

impl Recipient {
    pub(crate) fn new(armored: &str) -> Result<Self, CipherError> {
        let read = SignedPublicKey::from_reader_single(armored.trim().as_bytes());
        let (key, _) = read.map_err(|_| NOT_PUBLIC)?;
        key.verify_bindings().map_err(|_| NOT_PUBLIC)?;
        if !key.details.revocation_signatures.is_empty() {
            return Err(NOT_FOR_FILES);
        }
        let is_meant = |signature: &pgp::packet::Signature| {
            signature.key_flags().encrypt_storage() || signature.key_flags().encrypt_comms()
        };
        let is_revoked = |signature: &pgp::packet::Signature| {
            signature.typ() == Some(pgp::packet::SignatureType::SubkeyRevocation)
        };
        let subkey = key.public_subkeys.into_iter().rfind(|subkey| {
            subkey.key.algorithm().can_encrypt()
                && subkey.signatures.iter().any(is_meant)
                && !subkey.signatures.iter().any(is_revoked)
        });
        if let Some(subkey) = subkey {
            return Ok(Self::Subkey(subkey.key));
        }
        let users = key.details.users.iter().flat_map(|user| &user.signatures);
        let is_its_own = key.primary_key.algorithm().can_encrypt()
            && users.chain(&key.details.direct_signatures).any(is_meant);
        is_its_own.then_some(Self::Primary(key.primary_key)).ok_or(NOT_FOR_FILES)
    }
}
