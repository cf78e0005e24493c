//! The bytes of a file, from anywhere on: read from the bucket in ranges, decrypted and unpacked.

use bridge_core::Cause;
use bridge_formats::unpack::{FILE_BYTES, Packing, UnpackError, Unpacker, zip};

use super::{Stopped, decrypt::Decrypting, docs::FileDoc};
use crate::ports::{Files, Pinned};

/// Packed files are looked at from their beginning; so many bytes tell how.
const HEAD: usize = 4;
/// Of an encrypted file, so many bytes are read for that.
const ENCRYPTED_HEAD: usize = 64 << 10;

/// A file that is being read.
pub(super) struct Source<'a, F> {
    bytes: Object<'a, F>,
    decrypting: Option<Decrypting>,
    unpacker: Unpacker,
    /// Packed bytes that have been read and not unpacked.
    packed: Vec<u8>,
    next: u64,
    end: u64,
    /// Unpacked bytes that somebody has had.
    skip: u64,
    /// Everything was read from the bucket.
    is_read: bool,
    is_whole: bool,
}

/// One version of an object.
struct Object<'a, F> {
    files: &'a F,
    pinned: Pinned,
}

impl<F: Files> Object<'_, F> {
    async fn read(&self, from: u64, to: u64) -> Result<Vec<u8>, Stopped> {
        if from >= to {
            return Ok(Vec::new());
        }
        let gone = "the file is no longer in the bucket: drop it again";
        let read = self.files.read(&self.pinned, from..to).await?;
        read.ok_or_else(|| Stopped::Refused(Cause::new("file.gone", gone)))
    }
}

impl<'a, F: Files> Source<'a, F> {
    /// From byte `from` of the unpacked file on. What is packed is unpacked from its beginning.
    pub(super) async fn open(
        files: &'a F,
        doc: &FileDoc,
        from: u64,
        limit: Option<u64>,
        decrypting: Option<Decrypting>,
    ) -> Result<Self, Stopped> {
        if decrypting.is_some() {
            return Self::open_encrypted(files, doc, from, limit, decrypting).await;
        }
        let bytes = Object { files, pinned: doc.object() };
        let limit = limit.unwrap_or(FILE_BYTES);
        let packing = Packing::of(&bytes.read(0, doc.size.min(HEAD as u64)).await?);
        let (unpacker, next, end) = match packing {
            Packing::Plain if doc.size > limit => return Err(UnpackError::TooLarge { limit }.into()),
            Packing::Plain => (Unpacker::new(packing, limit)?, from.min(doc.size), doc.size),
            Packing::Gzip | Packing::Zstd => (Unpacker::new(packing, limit)?, 0, doc.size),
            Packing::Zip => {
                let tail = bytes.read(doc.size.saturating_sub(zip::TAIL), doc.size).await?;
                let at = zip::directory(&tail, doc.size)?;
                let member = zip::member(&bytes.read(at.offset, at.offset + at.size).await?, at)?;
                let header =
                    bytes.read(member.header, (member.header + zip::LOCAL_HEADER).min(doc.size)).await?;
                let data = member.data(&header)?;
                (Unpacker::of_member(member, limit), data, (data + member.packed).min(doc.size))
            }
        };
        let skip = if packing == Packing::Plain { 0 } else { from };
        let packed = Vec::new();
        Ok(Self { bytes, decrypting, unpacker, packed, next, end, skip, is_read: false, is_whole: false })
    }

    /// What is encrypted is decrypted from its beginning, and may be packed inside.
    async fn open_encrypted(
        files: &'a F,
        doc: &FileDoc,
        from: u64,
        limit: Option<u64>,
        decrypting: Option<Decrypting>,
    ) -> Result<Self, Stopped> {
        let limit = limit.unwrap_or(FILE_BYTES);
        let mut source = Self {
            bytes: Object { files, pinned: doc.object() },
            decrypting,
            unpacker: Unpacker::new(Packing::Plain, limit)?,
            packed: Vec::new(),
            next: 0,
            end: doc.size,
            skip: from,
            is_read: false,
            is_whole: false,
        };
        source.fetch(HEAD, ENCRYPTED_HEAD).await?;
        source.unpacker = match Packing::of(&source.packed) {
            Packing::Zip => {
                let text = "a zip archive inside of an OpenPGP message is not read: encrypt the file itself";
                return Err(Stopped::Refused(Cause::new("file.packed", text)));
            }
            packing => Unpacker::new(packing, limit)?,
        };
        Ok(source)
    }

    /// Reads on until there are `least` packed bytes, or no more.
    async fn fetch(&mut self, least: usize, at_once: usize) -> Result<(), Stopped> {
        while self.packed.len() < least && !self.is_read {
            let to = self.end.min(self.next + at_once as u64);
            let mut bytes = self.bytes.read(self.next, to).await?;
            self.next = to;
            self.is_read = bytes.is_empty();
            match &mut self.decrypting {
                None => self.packed.append(&mut bytes),
                Some(decrypting) if self.is_read => decrypting.finish(&mut self.packed)?,
                Some(decrypting) => decrypting.push(&bytes, &mut self.packed)?,
            }
        }
        Ok(())
    }

    /// Appends about `at_once` bytes; `false` when they were the last.
    pub(super) async fn read(&mut self, at_once: usize, out: &mut Vec<u8>) -> Result<bool, Stopped> {
        while out.len() < at_once && !self.is_whole {
            self.fetch(1, at_once).await?;
            let before = out.len();
            if self.packed.is_empty() {
                self.unpacker.finish(out)?;
                self.is_whole = true;
            } else {
                let mut done = 0;
                while out.len() < at_once && done < self.packed.len() {
                    done += self.unpacker.push(self.packed.get(done..).unwrap_or_default(), out)?;
                    self.drop_known(before, out);
                }
                self.packed.drain(..done);
            }
            self.drop_known(before, out);
        }
        Ok(!self.is_whole)
    }

    /// Leaves out what came after `before`, as far as somebody has had it.
    fn drop_known(&mut self, before: usize, out: &mut Vec<u8>) {
        let known = usize::try_from(self.skip).unwrap_or(usize::MAX).min(out.len() - before);
        out.drain(before..before + known);
        self.skip -= known as u64;
    }
}

impl From<UnpackError> for Stopped {
    fn from(error: UnpackError) -> Self {
        Self::Refused(Cause::new("file.packed", error.to_string()))
    }
}
