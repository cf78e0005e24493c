//! From an encrypted file to what its sender encrypted.

use std::io::{self, BufReader, Read as _};

use bridge_core::Phi;
use bridge_formats::cipher::{Cipher, CipherError};
use pgp::{
    composed::{DecryptionOptions, Edata, Message, TheRing},
    errors::Error,
    types::Seipdv1ReadMode,
};

use crate::{
    keys::Ring,
    pump::{Inlet, Outlet, PIECE, Pump},
};

/// Layers of compression, one in the other, that are taken off. Senders use one.
const LAYERS: usize = 4;

/// Decrypts one file, binary or armored, that was encrypted for one of `keys`.
///
/// The values of `keys` are secret keys as `gpg --armor --export-secret-keys` writes them, those of `passphrases` what opens
/// them, if anything must.
///
/// # Errors
/// [`CipherError::Key`] when the keys are none, or don't open.
pub fn decryptor(keys: &[Phi<String>], passphrases: &[Phi<String>]) -> Result<Box<dyn Cipher>, CipherError> {
    let ring = Ring::new(keys, passphrases)?;
    Ok(Box::new(Pump::start(move |inlet, outlet| decrypt(&ring, inlet, outlet))?))
}

fn decrypt(ring: &Ring, inlet: Inlet, mut outlet: Outlet) -> Result<(), CipherError> {
    let mut bytes = BufReader::with_capacity(PIECE, inlet);
    let (message, _) = Message::from_reader(&mut bytes).map_err(|_| CipherError::NotEncrypted)?;
    match &message {
        Message::Encrypted { edata: Edata::SymEncryptedData { .. }, .. } => {
            return Err(CipherError::Unprotected);
        }
        Message::Encrypted { .. } => {}
        _ => return Err(CipherError::NotEncrypted),
    }
    let ring = TheRing {
        secret_keys: ring.keys.iter().collect(),
        key_passwords: ring.passphrases.iter().collect(),
        // Whoever pushes knows that nothing is genuine before the end; GnuPG's own AEAD packet is what it writes by default
        // for keys of its later versions.
        decrypt_options: DecryptionOptions::new()
            .set_seipdv1_read_mode(Seipdv1ReadMode::Streaming)
            .enable_gnupg_aead(),
        ..TheRing::default()
    };
    let (mut message, _) = message.decrypt_the_ring(ring, true).map_err(|error| match error {
        Error::MissingKey => CipherError::NoKey,
        _ => CipherError::Damaged,
    })?;
    for _ in 0..LAYERS {
        if !message.is_compressed() {
            break;
        }
        message = message.decompress().map_err(|_| CipherError::Damaged)?;
    }
    if message.is_compressed() || message.is_encrypted() {
        return Err(CipherError::Damaged);
    }
    io::copy(&mut message, &mut outlet).map_err(|_| CipherError::Damaged)?;
    drop(message);
    // Armor ends itself: what stands below it is no part of it. Binary messages are followed by nothing.
    let mut rest = [0; 512];
    loop {
        match bytes.read(&mut rest) {
            Ok(0) => return Ok(()),
            Ok(read) if rest.iter().take(read).all(u8::is_ascii_whitespace) => {}
            _ => return Err(CipherError::Damaged),
        }
    }
}
