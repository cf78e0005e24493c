//! Packed files come out as they went in, whatever the pieces; what is damaged, cut short or a bomb is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::Write;

use bridge_formats::unpack::{FILE_BYTES, Packing, UnpackError, Unpacker, zip};
use flate2::{Compression, Crc, write::DeflateEncoder, write::GzEncoder};

fn records(rows: usize) -> Vec<u8> {
    let row = |n: usize| format!("{n},Testperson,Tilda{},19{:02}-02-03\n", n * 7919 % 1000, n % 100);
    (0..rows).flat_map(|n| row(n).into_bytes()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn unpack(mut unpacker: Unpacker, packed: &[u8], size: usize) -> Result<Vec<u8>, UnpackError> {
    let mut out = Vec::new();
    for mut piece in packed.chunks(size) {
        while !piece.is_empty() {
            let before = out.len();
            let pushed = unpacker.push(piece, &mut out)?;
            assert!(out.len() - before <= 2 << 20, "{} bytes at once", out.len() - before);
            piece = &piece[pushed..];
        }
    }
    unpacker.finish(&mut out)?;
    Ok(out)
}

fn stream(packed: &[u8], size: usize) -> Result<Vec<u8>, UnpackError> {
    unpack(Unpacker::new(Packing::of(packed), FILE_BYTES)?, packed, size)
}

/// An archive of these files: name, bytes, whether deflated.
fn archive(files: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes, deflated) in files {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        let packed = if *deflated { encoder.finish().unwrap() } else { bytes.to_vec() };
        let mut crc = Crc::new();
        crc.update(bytes);
        let method: u16 = if *deflated { 8 } else { 0 };
        let offset = out.len() as u32;
        // The sizes stand in the directory alone (bit 3), as archives that were streamed have it.
        out.extend([b"PK\x03\x04".as_slice(), &[20, 0, 8, 0], &method.to_le_bytes(), &[0; 16]].concat());
        out.extend(
            [&(name.len() as u16).to_le_bytes()[..], &[4, 0], name.as_bytes(), &[9, 9, 0, 0]].concat(),
        );
        out.extend(&packed);
        directory.extend(
            [b"PK\x01\x02".as_slice(), &[20, 0, 20, 0, 8, 0], &method.to_le_bytes(), &[0; 4]].concat(),
        );
        directory.extend(crc.sum().to_le_bytes());
        directory.extend((packed.len() as u32).to_le_bytes());
        directory.extend((bytes.len() as u32).to_le_bytes());
        directory.extend([&(name.len() as u16).to_le_bytes()[..], &[0; 12]].concat());
        directory.extend([&offset.to_le_bytes()[..], name.as_bytes()].concat());
    }
    let (offset, size, count) = (out.len() as u32, directory.len() as u32, files.len() as u16);
    out.extend(directory);
    out.extend([b"PK\x05\x06".as_slice(), &[0; 4], &count.to_le_bytes(), &count.to_le_bytes()].concat());
    out.extend([&size.to_le_bytes()[..], &offset.to_le_bytes(), &[3, 0], b"end"].concat());
    out
}

/// Finds the file in an archive, and unpacks it.
fn unzip(archive: &[u8], size: usize) -> Result<Vec<u8>, UnpackError> {
    let length = archive.len() as u64;
    let piece = |from: u64, bytes: u64| &archive[from as usize..(from + bytes).min(length) as usize];
    let directory = zip::directory(piece(length.saturating_sub(zip::TAIL), zip::TAIL), length)?;
    let member = zip::member(piece(directory.offset, directory.size), directory)?;
    let data = member.data(piece(member.header, zip::LOCAL_HEADER))?;
    unpack(Unpacker::of_member(member, FILE_BYTES), piece(data, member.packed), size)
}

#[test]
fn what_was_packed_comes_out_in_whatever_pieces() {
    let file = records(20_000);
    let twice = [gzip(&file[..1000]), gzip(&file[1000..])].concat();
    let frames = [&file[..1000], &file[1000..]].map(|part| zstd::encode_all(part, 3).unwrap()).concat();
    for size in [1, 77, 4096, usize::MAX] {
        for packed in [&file, &gzip(&file), &twice, &frames] {
            assert!(stream(packed, size).unwrap() == file, "{:?} by {size}", Packing::of(packed));
        }
        for deflated in [true, false] {
            let with_rest = [
                ("folder/", b"".as_slice(), false),
                ("folder/a.csv", &file, deflated),
                ("__MACOSX/a", b"x", true),
            ];
            assert!(unzip(&archive(&with_rest), size).unwrap() == file, "zip by {size}");
        }
    }
}

#[test]
fn what_was_cut_short_or_changed_is_refused() {
    let file = records(2_000);
    let zipped = archive(&[("a.csv", &file, true)]);
    for packed in [gzip(&file), zstd::encode_all(&file[..], 3).unwrap()] {
        for cut in [packed.len() - 1, packed.len() / 2, 20] {
            let refused = stream(&packed[..cut], 4096).unwrap_err();
            assert!(matches!(refused, UnpackError::Damaged { .. }), "{refused}");
        }
    }
    assert!(matches!(unzip(&zipped[..zipped.len() - 30], 4096), Err(UnpackError::Damaged { .. })));
    let mut changed = zipped.clone();
    changed[200] ^= 0x55;
    assert!(matches!(unzip(&changed, 4096), Err(UnpackError::Damaged { .. })), "the checksum tells");
    let mut changed = gzip(&file);
    let middle = changed.len() / 2;
    changed[middle] ^= 0x55;
    assert!(matches!(stream(&changed, 4096), Err(UnpackError::Damaged { .. })));
}

#[test]
fn a_bomb_goes_off_nowhere() {
    let zeros = vec![0_u8; 64 << 20];
    for packed in [gzip(&zeros), zstd::encode_all(&zeros[..], 19).unwrap()] {
        assert!(packed.len() < zeros.len() / 400, "{} bytes", packed.len());
        assert_eq!(stream(&packed, 1 << 20), Err(UnpackError::Bomb));
    }
    assert_eq!(unzip(&archive(&[("a", &zeros, true)]), 1 << 20), Err(UnpackError::Bomb));
    let unpacker = Unpacker::new(Packing::Plain, 1000).unwrap();
    assert_eq!(unpack(unpacker, &[b'x'; 1001], 500), Err(UnpackError::TooLarge { limit: 1000 }));
    let unpacker = Unpacker::new(Packing::Gzip, 1000).unwrap();
    assert_eq!(unpack(unpacker, &gzip(&[b'x'; 1001]), 500), Err(UnpackError::TooLarge { limit: 1000 }));
}

#[test]
fn an_archive_holds_one_file_that_needs_no_password() {
    let two = archive(&[("a", b"1", true), ("b", b"2", true)]);
    assert_eq!(unzip(&two, 10), Err(UnpackError::Members { found: 2 }));
    assert_eq!(unzip(&archive(&[]), 10), Err(UnpackError::Members { found: 0 }));
    let entry = |archive: &[u8]| archive.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    let mut encrypted = archive(&[("a", b"1", true)]);
    let at = entry(&encrypted);
    encrypted[at + 8] |= 1;
    assert_eq!(unzip(&encrypted, 10), Err(UnpackError::Encrypted));
    let mut other = archive(&[("a", b"1", true)]);
    other[at + 10] = 93;
    assert_eq!(unzip(&other, 10), Err(UnpackError::Method { method: 93 }));
}
