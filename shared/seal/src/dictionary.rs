//! Compression with a dictionary: a message of one or two kilobytes is too short to find its own repetitions in, and
//! field names are most of it. Beside what is known in advance, half as many bytes are left as without, and DynamoDB
//! bills what is left.
//!
//! `tools/dictionary/train.py` makes dictionaries, from invented fixtures alone. What was compressed with one opens with
//! that one only: it never changes. A better one becomes a file of its own, and a version of the sealed layout.

use std::{
    cell::RefCell,
    io::{self, Read as _},
    sync::LazyLock,
};

use zstd::{
    bulk::Compressor,
    dict::{DecoderDictionary, EncoderDictionary},
};

const BYTES: &[u8] = include_bytes!("dictionary-2.zdict");

/// On 2 KB of JSON it saves a seventh more than level 3, and no higher one saves anything worth mentioning.
const LEVEL: i32 = 6;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(BYTES, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(BYTES));

thread_local! {
    /// Its tables are larger than most messages: making them anew for each took most of what sealing takes.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

pub(crate) fn compress(plain: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let mut compressor = match kept.take() {
            Some(compressor) => compressor,
            None => Compressor::with_prepared_dictionary(&ENCODER)?,
        };
        let compressed = compressor.compress(plain)?;
        // After an error it would be anybody's guess what state it is in.
        *kept = Some(compressor);
        Ok(compressed)
    })
}

/// At most `limit` bytes of what was compressed.
pub(crate) fn decompress(frame: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    let decoder = zstd::Decoder::with_prepared_dictionary(frame, &DECODER)?;
    let mut plain = Vec::with_capacity(frame.len() * 5);
    decoder.take(limit).read_to_end(&mut plain)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use data_encoding::HEXLOWER;

    use super::*;
    use crate::sha256;

    #[test]
    fn it_is_the_dictionary_with_which_payloads_have_been_sealed() {
        let known = "6b9e5b79734f57fa57ae00fb37f20a801587347b9326c19df63ed77c3f71b50c";
        assert_eq!(HEXLOWER.encode(&sha256(&[BYTES])), known, "a new dictionary needs a number of its own");
    }

    #[test]
    fn a_short_message_is_shorter_by_a_third_at_least() {
        let message = br#"{"receiver":{"id":3},"object":{"id":52,"first_name":"Zo","last_name":"Synthetic","date_of_birth":"1971-07-01","gender":"Male","cell_phone":"(555) 010-7700","city":"Nowhere","state":"OH","zip_code":"40000","updated_at":"2026-05-05T12:00:00"}}"#;
        let (with, without) =
            (compress(message).unwrap().len(), zstd::bulk::compress(message, LEVEL).unwrap().len());
        assert!(with * 3 < without * 2, "{with} and {without}");
        assert_eq!(decompress(&compress(message).unwrap(), 1 << 20).unwrap(), message);
    }

    #[test]
    fn no_more_is_decompressed_than_is_wanted() {
        let bomb = compress(&vec![0; 1 << 20]).unwrap();
        assert_eq!(decompress(&bomb, 1000).unwrap().len(), 1000);
    }
}
