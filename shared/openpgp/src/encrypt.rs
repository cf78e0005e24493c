//! From a file to one that only its recipients can read.

use bridge_formats::cipher::{Cipher, CipherError};
use pgp::{composed::MessageBuilder, crypto::sym::SymmetricKeyAlgorithm};
use rand::rngs::OsRng;

use crate::{
    keys::Recipient,
    pump::{Inlet, Outlet, Pump},
};

/// Encrypts one file for everybody whose public key, as `gpg --armor --export` writes it, is among `recipients`.
///
/// The message is binary: AES-256 with a modification detection code (RFC 9580 §5.13.1), which every program of the last
/// twenty years reads. It is not signed, and not compressed.
///
/// # Errors
/// [`CipherError::Key`] when there is no recipient, or one of their keys can't be used.
pub fn encryptor(recipients: &[&str]) -> Result<Box<dyn Cipher>, CipherError> {
    let keys = recipients.iter().map(|armored| Recipient::new(armored)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(CipherError::Key("nobody's OpenPGP key is given to encrypt for"));
    }
    Ok(Box::new(Pump::start(move |inlet, outlet| encrypt(&keys, inlet, outlet))?))
}

fn encrypt(keys: &[Recipient], inlet: Inlet, outlet: Outlet) -> Result<(), CipherError> {
    let mut message = MessageBuilder::from_reader("", inlet).seipd_v1(OsRng, SymmetricKeyAlgorithm::AES256);
    for key in keys {
        let added = match key {
            Recipient::Subkey(key) => message.encrypt_to_key(OsRng, key),
            Recipient::Primary(key) => message.encrypt_to_key(OsRng, key),
        };
        added.map_err(|_| {
            CipherError::Key("a recipient's OpenPGP key is of a kind that files can't be encrypted for")
        })?;
    }
    let outlet = std::io::BufWriter::with_capacity(crate::pump::PIECE, outlet);
    message.to_writer(OsRng, outlet).map_err(|_| CipherError::System)
}
