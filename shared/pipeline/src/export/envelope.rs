//! What is around a file on its way out: the one place that its plain bytes go through.
//!
//! A file goes out as it was written, and the bucket encrypts it at rest; or it is encrypted for its receiver, piece by piece.
//! Encrypting again, after a crash, gives other bytes: what was put of an upload before it was complete is never used.

use bridge_core::{Cause, export::Export};
use bridge_formats::cipher::{Cipher, CipherError};

use super::Stopped;
use crate::ports::PortError;

/// Makes what encrypts one file for the public keys: `bridge_openpgp::encryptor`.
pub type Encryptor = fn(&[&str]) -> Result<Box<dyn Cipher>, CipherError>;

/// Turns the plain bytes of a file into those of its object.
#[derive(Debug)]
pub(super) struct Envelope {
    cipher: Option<Box<dyn Cipher>>,
    out: Vec<u8>,
}

impl Envelope {
    /// As the export says.
    pub(super) fn new(export: &Export, encryptor: Encryptor) -> Result<Self, Stopped> {
        let cipher = match &export.openpgp {
            None => None,
            Some(encrypted) => {
                let recipients: Vec<&str> = encrypted.recipients.iter().map(String::as_str).collect();
                Some(encryptor(&recipients)?)
            }
        };
        Ok(Self { cipher, out: Vec::new() })
    }

    /// Takes a piece of the file.
    pub(super) fn push(&mut self, plain: &[u8]) -> Result<(), Stopped> {
        match &mut self.cipher {
            None => self.out.extend_from_slice(plain),
            Some(cipher) => cipher.push(plain, u64::MAX, &mut self.out)?,
        }
        Ok(())
    }

    /// How many bytes of the object can be had.
    pub(super) fn ready(&self) -> usize {
        self.out.len()
    }

    /// The next `length` bytes of the object.
    pub(super) fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.out.split_off(length.min(self.out.len()));
        std::mem::replace(&mut self.out, rest)
    }

    /// The file is at its end: what is left of the object.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Stopped> {
        if let Some(cipher) = &mut self.cipher {
            cipher.finish(u64::MAX, &mut self.out)?;
        }
        Ok(self.out)
    }
}

impl From<CipherError> for Stopped {
    fn from(error: CipherError) -> Self {
        let reason = error.to_string();
        match error {
            CipherError::System => Self::Failed(PortError { operation: "openpgp", reason }.into()),
            _ => Self::Blocked(Cause::new("export.encryption", reason).at("openpgp.recipients")),
        }
    }
}
