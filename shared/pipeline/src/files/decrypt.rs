//! Encrypted files: who is asked to decrypt them, and how much may come of them.

use bridge_core::{Cause, Phi};
use bridge_formats::{
    cipher::{Cipher, CipherError},
    unpack::{FILE_BYTES, room},
};

use super::{Job, Stopped};
use crate::ports::PortError;

/// Makes what decrypts one file, of the feed's secret keys and of what opens them: `bridge_openpgp::decryptor`.
pub type Decryptor = fn(&[Phi<String>], &[Phi<String>]) -> Result<Box<dyn Cipher>, CipherError>;

/// A file that is being decrypted.
#[derive(Debug)]
pub(super) struct Decrypting {
    cipher: Box<dyn Cipher>,
    limit: u64,
    taken: u64,
    given: u64,
}

impl Job {
    /// What decrypts the feed's files; `None` where they come in clear.
    pub(super) fn decrypting(&self) -> Result<Option<Decrypting>, Stopped> {
        let Some(openpgp) = &self.feed.openpgp else { return Ok(None) };
        let passphrases = openpgp.passphrase.as_ref().map(|name| self.source.secret(name));
        let cipher =
            (self.decryptor)(self.source.secret(&openpgp.secret_key), passphrases.unwrap_or_default())?;
        let limit = self.feed.limits.file_bytes.map_or(FILE_BYTES, std::num::NonZeroU64::get);
        Ok(Some(Decrypting { cipher, limit, taken: 0, given: 0 }))
    }
}

impl Decrypting {
    /// Appends what comes of the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Stopped> {
        self.taken += bytes.len() as u64;
        let before = out.len();
        self.cipher.push(bytes, room(self.limit, self.taken, self.given), out)?;
        self.given += (out.len() - before) as u64;
        Ok(())
    }

    /// Appends what was held back: all of it was what its sender encrypted.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Stopped> {
        let before = out.len();
        self.cipher.finish(room(self.limit, self.taken, self.given), out)?;
        self.given += (out.len() - before) as u64;
        Ok(())
    }
}

impl From<CipherError> for Stopped {
    fn from(error: CipherError) -> Self {
        let reason = error.to_string();
        match error {
            CipherError::System => PortError { operation: "openpgp", reason }.into(),
            _ => Self::Refused(Cause::new("file.encrypted", reason)),
        }
    }
}
