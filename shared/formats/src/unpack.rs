//! Packed files: gzip, Zstandard, and zip archives of one file. Packed bytes go in piece by piece; what comes out is bounded
//! at every step, so that a file of zeros can't fill the memory.

pub mod zip;

use std::io::{self, ErrorKind, Write};

use flate2::{Crc, write::DeflateDecoder, write::MultiGzDecoder};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation as _};

/// The largest unpacked file that a feed allows without saying so.
pub const FILE_BYTES: u64 = 10 << 30;
/// Records of text shrink to a tenth, seldom to a fiftieth. A bomb shrinks to a thousandth.
const RATIO: u64 = 200;
/// What a file may always unpack to: a small one that repeats itself is no bomb.
const SMALL: u64 = 1 << 20;
/// What `zstd` takes without `--ultra` and `--long`.
const ZSTD_WINDOW: u32 = 23;
/// Packed bytes that are unpacked at a time.
const PIECE: usize = 4 << 10;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip (RFC 1952), one member or several.
    Gzip,
    /// Zstandard (RFC 8878), one frame or several.
    Zstd,
    /// A zip archive.
    Zip,
}

impl Packing {
    /// What the first bytes of a file say. No format that is read here begins like that.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            _ => Self::Plain,
        }
    }
}

/// Why a file can't be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// Changed, or cut short.
    #[error("the packed file is damaged or was cut short, somewhere before byte {before}")]
    Damaged {
        /// Packed bytes that have been looked at.
        before: u64,
    },
    /// Larger than the feed allows.
    #[error("unpacked, the file has more than {limit} bytes: raise `limits.file-bytes` if it is meant to")]
    TooLarge {
        /// What the feed allows.
        limit: u64,
    },
    /// Too much out of too little.
    #[error("the file unpacks to more than {RATIO} times its size: that is no list of records")]
    Bomb,
    /// An archive of nothing, or of several files.
    #[error("the zip archive holds {found} files: pack each by itself")]
    Members {
        /// How many.
        found: usize,
    },
    /// A password would be needed.
    #[error("the file in the zip archive is encrypted: the bridge knows no password")]
    Encrypted,
    /// A way to pack that is not read.
    #[error("the zip archive uses method {method}: use deflate")]
    Method {
        /// By its number in APPNOTE.TXT 4.4.5.
        method: u16,
    },
}

/// How many more bytes may come of `packed` bytes, after `given`, where `limit` is the largest that a file may become.
pub fn room(limit: u64, packed: u64, given: u64) -> u64 {
    limit.min(SMALL.saturating_add(packed.saturating_mul(RATIO))).saturating_sub(given)
}

/// Unpacks a file from its first byte to its last.
#[derive(Debug)]
pub struct Unpacker {
    decoder: Decoder,
    limit: u64,
    packed: u64,
    unpacked: u64,
}

enum Decoder {
    Plain,
    Gzip(Box<MultiGzDecoder<Sink>>),
    Zstd(Box<Zstd>),
    Zip(Box<Member>),
}

struct Zstd {
    decoder: ZstdDecoder<'static>,
    buffer: Vec<u8>,
    /// A frame has ended, and no other has begun.
    is_whole: bool,
}

/// The file in an archive.
struct Member {
    /// `None` when it is only stored.
    inflate: Option<DeflateDecoder<Sink>>,
    crc: Crc,
    expected: zip::Member,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Gzip(_) => "gzip",
            Self::Zstd(_) => "zstd",
            Self::Zip(_) => "zip",
        })
    }
}

impl Unpacker {
    /// For a file that is no archive. `limit` is the largest it may become, in bytes.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(packing: Packing, limit: u64) -> Result<Self, UnpackError> {
        let damaged = |_| UnpackError::Damaged { before: 0 };
        let decoder = match packing {
            Packing::Plain | Packing::Zip => Decoder::Plain,
            Packing::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(Sink::default()))),
            Packing::Zstd => {
                let mut decoder = ZstdDecoder::new().map_err(damaged)?;
                decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW)).map_err(damaged)?;
                Decoder::Zstd(Box::new(Zstd { decoder, buffer: vec![0; 128 << 10], is_whole: false }))
            }
        };
        Ok(Self { decoder, limit, packed: 0, unpacked: 0 })
    }

    /// For the file in an archive; its bytes are those that `member` says.
    pub fn of_member(member: zip::Member, limit: u64) -> Self {
        let inflate = member.is_deflated.then(|| DeflateDecoder::new(Sink::default()));
        let member = Member { inflate, crc: Crc::new(), expected: member };
        Self { decoder: Decoder::Zip(Box::new(member)), limit, packed: 0, unpacked: 0 }
    }

    /// Appends to `out` what comes of the first packed bytes, and says how many they were. Less than a mebibyte is
    /// appended, and nothing only when nothing is left.
    ///
    /// # Errors
    /// When the bytes can't be unpacked, or become too many.
    pub fn push(&mut self, packed: &[u8], out: &mut Vec<u8>) -> Result<usize, UnpackError> {
        let piece = packed.get(..PIECE.min(packed.len())).unwrap_or_default();
        self.packed += piece.len() as u64;
        let before = out.len();
        let room = self.room();
        let damaged = UnpackError::Damaged { before: self.packed };
        match &mut self.decoder {
            Decoder::Plain if piece.len() as u64 > room => return Err(self.too_much()),
            Decoder::Plain => out.extend_from_slice(piece),
            Decoder::Gzip(decoder) => {
                decoder.get_mut().lend(out, room);
                let written = decoder.write_all(piece).and_then(|()| decoder.flush());
                decoder.get_mut().give_back(out);
                written.map_err(|error| self.because(&error))?;
            }
            Decoder::Zstd(zstd) => zstd.push(piece, room, out).map_err(|error| self.because(&error))?,
            Decoder::Zip(member) => {
                let written = match &mut member.inflate {
                    None if piece.len() as u64 > room => return Err(self.too_much()),
                    None => {
                        out.extend_from_slice(piece);
                        Ok(())
                    }
                    Some(inflate) => {
                        inflate.get_mut().lend(out, room);
                        let written = inflate.write_all(piece).and_then(|()| inflate.flush());
                        inflate.get_mut().give_back(out);
                        written
                    }
                };
                member.crc.update(out.get(before..).unwrap_or_default());
                written.map_err(|error| match error.kind() {
                    ErrorKind::FileTooLarge => self.too_much(),
                    _ => damaged,
                })?;
            }
        }
        self.unpacked += (out.len() - before) as u64;
        Ok(piece.len())
    }

    /// There are no more bytes. Appends what was held back.
    ///
    /// # Errors
    /// When the file was cut short, or is not what its checksum says.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), UnpackError> {
        let (before, room) = (out.len(), self.room());
        let damaged = UnpackError::Damaged { before: self.packed };
        match &mut self.decoder {
            Decoder::Plain => {}
            Decoder::Gzip(decoder) => {
                decoder.get_mut().lend(out, room);
                let finished = decoder.try_finish();
                decoder.get_mut().give_back(out);
                finished.map_err(|error| self.because(&error))?;
            }
            Decoder::Zstd(zstd) if zstd.is_whole => {}
            Decoder::Zstd(_) => return Err(damaged),
            Decoder::Zip(member) => {
                if let Some(inflate) = &mut member.inflate {
                    inflate.get_mut().lend(out, room);
                    let finished = inflate.try_finish();
                    inflate.get_mut().give_back(out);
                    finished.map_err(|_| damaged.clone())?;
                }
                member.crc.update(out.get(before..).unwrap_or_default());
                let length = self.unpacked + (out.len() - before) as u64;
                if member.crc.sum() != member.expected.crc || length != member.expected.unpacked {
                    return Err(damaged);
                }
            }
        }
        self.unpacked += (out.len() - before) as u64;
        Ok(())
    }

    /// Bytes that may still come of what has gone in.
    fn room(&self) -> u64 {
        match self.decoder {
            Decoder::Plain => self.limit.saturating_sub(self.unpacked),
            _ => room(self.limit, self.packed, self.unpacked),
        }
    }

    fn too_much(&self) -> UnpackError {
        let by_ratio = SMALL.saturating_add(self.packed.saturating_mul(RATIO));
        if self.limit <= by_ratio || matches!(self.decoder, Decoder::Plain) {
            UnpackError::TooLarge { limit: self.limit }
        } else {
            UnpackError::Bomb
        }
    }

    fn because(&self, error: &io::Error) -> UnpackError {
        match error.kind() {
            ErrorKind::FileTooLarge => self.too_much(),
            _ => UnpackError::Damaged { before: self.packed },
        }
    }
}

impl Zstd {
    fn push(&mut self, mut piece: &[u8], mut room: u64, out: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let status = self.decoder.run_on_buffers(piece, &mut self.buffer)?;
            let unpacked = self.buffer.get(..status.bytes_written).unwrap_or_default();
            if unpacked.len() as u64 > room {
                return Err(ErrorKind::FileTooLarge.into());
            }
            room -= unpacked.len() as u64;
            out.extend_from_slice(unpacked);
            if status.bytes_read > 0 || status.bytes_written > 0 {
                self.is_whole = status.remaining == 0;
            }
            piece = piece.get(status.bytes_read..).unwrap_or_default();
            let is_full = status.bytes_written == self.buffer.len();
            if piece.is_empty() && !is_full {
                return Ok(());
            }
            if status.bytes_read == 0 && status.bytes_written == 0 {
                return Err(ErrorKind::InvalidData.into());
            }
        }
    }
}

/// Takes what a decoder writes, up to what there is room for.
#[derive(Default)]
struct Sink {
    out: Vec<u8>,
    room: u64,
}

impl Sink {
    fn lend(&mut self, out: &mut Vec<u8>, room: u64) {
        self.out = std::mem::take(out);
        self.room = room;
    }

    fn give_back(&mut self, out: &mut Vec<u8>) {
        *out = std::mem::take(&mut self.out);
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.room {
            return Err(ErrorKind::FileTooLarge.into());
        }
        self.room -= bytes.len() as u64;
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
