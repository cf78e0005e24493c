//! What is around a file on its way out: the one place that its plain bytes go through.
//!
//! A file goes out as it was written; the bucket encrypts it at rest. Whatever seals it for its receiver takes the plain bytes here,
//! piece by piece, and gives what the object is to hold.

/// Turns the plain bytes of a file into those of its object.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    out: Vec<u8>,
}

impl Envelope {
    /// Takes a piece of the file.
    pub(super) fn push(&mut self, plain: &[u8]) {
        self.out.extend_from_slice(plain);
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
    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }
}
