//! Finding the file in a zip archive (PKWARE APPNOTE.TXT 6.3). The directory at the end counts: a header before the file's
//! bytes may leave its size and checksum out. Whoever reads asks for three small pieces of the archive.

use super::UnpackError;

/// The end of an archive holds the directory's place within so many bytes: a record, a comment and ZIP64's records.
pub const TAIL: u64 = 22 + 65_535 + 20 + 56;
/// Bytes of a local header before the name.
pub const LOCAL_HEADER: u64 = 30;
/// The largest directory that is read: thousands of names, where one is wanted.
const DIRECTORY: u64 = 1 << 20;

const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
/// Stands where a number is in a ZIP64 field instead.
const ELSEWHERE: u64 = 0xffff_ffff;

/// Where an archive's directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    /// Bytes of the archive before it.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
}

/// The one file of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Bytes of the archive before its header.
    pub header: u64,
    /// Bytes in the archive.
    pub packed: u64,
    pub(super) unpacked: u64,
    pub(super) crc: u32,
    pub(super) is_deflated: bool,
}

/// Finds the directory. `tail` is the end of an archive of `length` bytes, [`TAIL`] of them if there are so many.
///
/// # Errors
/// When the archive was cut short, or its directory is too large.
pub fn directory(tail: &[u8], length: u64) -> Result<Directory, UnpackError> {
    let damaged = UnpackError::Damaged { before: length };
    let at = |from: usize| tail.get(from..).filter(|rest| rest.starts_with(END) && rest.len() >= 22);
    let end = (0..tail.len()).rev().find(|from| at(*from).is_some()).ok_or_else(|| damaged.clone())?;
    let record = tail.get(end..).unwrap_or_default();
    let mut found = Directory { size: u64::from(u32_at(record, 12)), offset: u64::from(u32_at(record, 16)) };
    let locator = end.checked_sub(20).and_then(|from| tail.get(from..end));
    if let Some(locator) = locator.filter(|locator| locator.starts_with(LOCATOR_64)) {
        let tail_offset = length.saturating_sub(tail.len() as u64);
        let from = u64_at(locator, 8).checked_sub(tail_offset).and_then(|from| usize::try_from(from).ok());
        let record = from.and_then(|from| tail.get(from..)).filter(|record| record.starts_with(END_64));
        let record = record.ok_or_else(|| damaged.clone())?;
        found = Directory { size: u64_at(record, 40), offset: u64_at(record, 48) };
    }
    let is_inside = found.offset.checked_add(found.size).is_some_and(|end| end <= length);
    if is_inside && found.size <= DIRECTORY { Ok(found) } else { Err(damaged) }
}

/// Finds the file in the directory's bytes. Folders, and what macOS adds, are no files.
///
/// # Errors
/// When there is none, or more than one, or it is encrypted or packed in another way than deflate.
pub fn member(directory: &[u8], at: Directory) -> Result<Member, UnpackError> {
    let mut members = Vec::new();
    let mut rest = directory;
    while rest.starts_with(ENTRY) && rest.len() >= 46 {
        let (name, extra, comment) = (u16_at(rest, 28), u16_at(rest, 30), u16_at(rest, 32));
        let (name, extra, comment) = (usize::from(name), usize::from(extra), usize::from(comment));
        let called = rest.get(46..46 + name).unwrap_or_default();
        let is_file = !called.ends_with(b"/") && !called.starts_with(b"__MACOSX/");
        if is_file {
            members.push((rest, rest.get(46 + name..46 + name + extra).unwrap_or_default()));
        }
        rest = rest.get(46 + name + extra + comment..).unwrap_or_default();
    }
    let [(entry, extra)] = members.as_slice() else {
        return Err(UnpackError::Members { found: members.len() });
    };
    if u16_at(entry, 8) & 1 != 0 {
        return Err(UnpackError::Encrypted);
    }
    let is_deflated = match u16_at(entry, 10) {
        0 => false,
        8 => true,
        method => return Err(UnpackError::Method { method }),
    };
    let mut wide = wide_numbers(extra);
    let mut number = |at: usize| match u64::from(u32_at(entry, at)) {
        ELSEWHERE => wide.next().unwrap_or(ELSEWHERE),
        number => number,
    };
    // In this order they stand in a ZIP64 field.
    let (unpacked, packed, header) = (number(24), number(20), number(42));
    let is_inside = header.checked_add(packed).is_some_and(|end| end <= at.offset);
    if !is_inside {
        return Err(UnpackError::Damaged { before: at.offset });
    }
    Ok(Member { header, packed, unpacked, crc: u32_at(entry, 16), is_deflated })
}

impl Member {
    /// Bytes of the archive before the file's own. `header` is [`LOCAL_HEADER`] bytes from [`Member::header`] on.
    ///
    /// # Errors
    /// When there is no header.
    pub fn data(&self, header: &[u8]) -> Result<u64, UnpackError> {
        if !header.starts_with(LOCAL) || (header.len() as u64) < LOCAL_HEADER {
            return Err(UnpackError::Damaged { before: self.header + LOCAL_HEADER });
        }
        Ok(self.header + LOCAL_HEADER + u64::from(u16_at(header, 26)) + u64::from(u16_at(header, 28)))
    }
}

/// The numbers of an entry's ZIP64 field.
fn wide_numbers(extra: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let mut rest = extra;
    let field = std::iter::from_fn(move || {
        let (id, length) = (u16_at(rest, 0), usize::from(u16_at(rest, 2)));
        let field = rest.get(4..4 + length)?;
        rest = rest.get(4 + length..)?;
        Some((id, field))
    });
    field.filter(|(id, _)| *id == 1).flat_map(|(_, field)| field.chunks_exact(8).map(|n| u64_at(n, 0)))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes).unwrap_or_default()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes).unwrap_or_default()
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes).unwrap_or_default()
}
