//! A sample on this machine, unpacked piece by piece.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use bridge_formats::unpack::{FILE_BYTES, Packing, Unpacker, zip};

use crate::failure::Failure;

/// Bytes that are read at once.
const PIECE: u64 = 1 << 20;

/// Gives the bytes of a file to `each`, until that says that it has had enough.
pub(super) fn read(
    path: &Path,
    mut each: impl FnMut(&[u8], bool) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| Failure::Wrong(format!("{}: {error}", path.display()));
    let packed =
        |error: bridge_formats::unpack::UnpackError| Failure::Unsound(format!("{}: {error}", path.display()));
    let mut file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let piece = |file: &mut File, from: u64, bytes: u64| {
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(from)).and_then(|_| file.take(bytes).read_to_end(&mut piece))?;
        Ok::<_, std::io::Error>(piece)
    };
    let packing = Packing::of(&piece(&mut file, 0, 4).map_err(unreadable)?);
    let (mut unpacker, mut next, end) = match packing {
        Packing::Zip => {
            let tail = piece(&mut file, length.saturating_sub(zip::TAIL), zip::TAIL).map_err(unreadable)?;
            let at = zip::directory(&tail, length).map_err(packed)?;
            let directory = piece(&mut file, at.offset, at.size).map_err(unreadable)?;
            let member = zip::member(&directory, at).map_err(packed)?;
            let header = piece(&mut file, member.header, zip::LOCAL_HEADER).map_err(unreadable)?;
            let data = member.data(&header).map_err(packed)?;
            (Unpacker::of_member(member, FILE_BYTES), data, data + member.packed)
        }
        _ => (Unpacker::new(packing, FILE_BYTES).map_err(packed)?, 0, length),
    };
    while next < end {
        let bytes = piece(&mut file, next, PIECE.min(end - next)).map_err(unreadable)?;
        if bytes.is_empty() {
            break;
        }
        next += bytes.len() as u64;
        let (mut done, mut out) = (0, Vec::new());
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            done += unpacker.push(rest, &mut out).map_err(packed)?;
            if out.len() as u64 >= PIECE {
                if !each(&out, false)? {
                    return Ok(());
                }
                out.clear();
            }
        }
        if !each(&out, false)? {
            return Ok(());
        }
    }
    let mut out = Vec::new();
    unpacker.finish(&mut out).map_err(packed)?;
    each(&out, true).map(|_| ())
}
