//! Encryption of whole files, undone or done a piece at a time. What knows how lives elsewhere, in `bridge-openpgp`: only
//! what reads or writes encrypted files carries it.

use std::fmt;

/// A file on its way through encryption.
pub trait Cipher: fmt::Debug + Send {
    /// Appends to `out` what comes of the next bytes, at most `room` bytes.
    ///
    /// What has been appended is not known to be genuine before [`Cipher::finish`] says so.
    ///
    /// # Errors
    /// When the file can't go on, or more than `room` bytes would come of it.
    fn push(&mut self, bytes: &[u8], room: u64, out: &mut Vec<u8>) -> Result<(), CipherError>;

    /// There are no more bytes. Appends what was held back, and says whether what came of all of them is what its sender
    /// encrypted.
    ///
    /// # Errors
    /// When the file was changed or cut short, or more than `room` bytes would come of it.
    fn finish(&mut self, room: u64, out: &mut Vec<u8>) -> Result<(), CipherError>;
}

/// Why a file can't be decrypted, or encrypted. Holds no key and nothing of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CipherError {
    /// Clear text, where a feed asks for encryption.
    #[error("the file is no encrypted OpenPGP message, as the feed's `openpgp` asks for")]
    NotEncrypted,
    /// For somebody else.
    #[error("the file is encrypted for none of the feed's keys: give its sender the public key again")]
    NoKey,
    /// Encrypted as was usual before 2007, so that anybody can change it.
    #[error("the file is encrypted without protection against changes: its sender's program is too old")]
    Unprotected,
    /// Changed or cut short on its way, or in a form that is not read.
    #[error("the encrypted file was changed, was cut short, or is in a form that is not read")]
    Damaged,
    /// More comes of it than may.
    #[error("more comes of the encrypted file than is allowed")]
    TooMuch,
    /// The feed's key itself.
    #[error("{0}")]
    Key(&'static str),
    /// The system gives no thread, or no random numbers.
    #[error("the system is out of what encryption needs")]
    System,
}
