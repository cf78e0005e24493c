//! Files encrypted with OpenPGP (RFC 9580, and RFC 4880 before it): decrypted as they arrive, encrypted as they are written.
//!
//! The packets, the algorithms and the keys are rPGP's, which pulls from a reader and so wants a thread that it may hold up.
//! [`pump`] gives it one, and turns pulling into pushing: pieces of any size go in, what comes of them comes out, and between
//! two pieces nothing is kept but what the message's own structure asks for.
//!
//! **Nothing that was changed goes unnoticed, but it is noticed at the end:** what comes out before [`Cipher::finish`] has
//! said `Ok` may be an attacker's. A file is read once for that before it is read for anything else.
//!
//! Signatures are passed over: who sent a file is known by where it was dropped.

mod decrypt;
mod encrypt;
mod keys;
mod pump;

pub use bridge_formats::cipher::{Cipher, CipherError};
pub use decrypt::decryptor;
pub use encrypt::encryptor;
