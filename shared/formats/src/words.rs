//! Looking for bytes eight at a time, as one number: fields are as short as that, too short for what a vector needs to get
//! going.

use memchr::memchr3;

const EACH: u64 = u64::from_ne_bytes([1; 8]);
/// Words that are looked at before `memchr` is worth its beginning.
const WORDS: usize = 2;

/// The highest bit of each byte that is less than `limit`, which is 0x80 at most. The lowest of them is right; behind it, a
/// borrow can say so of one that is not.
const fn less(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(EACH * limit as u64) & !word & (EACH << 7)
}

/// The same of each byte that is `to`.
const fn equal(word: u64, to: u8) -> u64 {
    less(word ^ (EACH * to as u64), 1)
}

/// Where the first of three bytes stands, as [`memchr3`].
pub(crate) fn first_of(any: [u8; 3], bytes: &[u8]) -> Option<usize> {
    let [a, b, c] = any;
    let (words, _) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().take(WORDS).enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = equal(word, a) | equal(word, b) | equal(word, c);
        if found != 0 {
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let from = words.len().min(WORDS) * 8;
    memchr3(a, b, c, bytes.get(from..)?).map(|at| from + at)
}

/// RFC 8259 §7.
pub(crate) const fn must_be_escaped(b: u8) -> bool {
    b < 0x20 || b == b'"' || b == b'\\'
}

/// Whether JSON has all of `bytes` as they are.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let escaped = words
        .iter()
        .map(|word| u64::from_ne_bytes(*word))
        .fold(0, |found, word| found | less(word, 0x20) | equal(word, b'"') | equal(word, b'\\'));
    escaped == 0 && !rest.iter().any(|b| must_be_escaped(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte at every place of short texts of each length.
    fn texts(filling: u8) -> impl Iterator<Item = (Vec<u8>, u8)> {
        let of = move |(length, at, b): (usize, usize, u8)| {
            let mut text = vec![filling; length];
            if let Some(place) = text.get_mut(at) {
                *place = b;
            }
            (text, b)
        };
        let places = (0..28).flat_map(|length| (0..=length).map(move |at| (length, at)));
        places.flat_map(move |(length, at)| (0..=u8::MAX).map(move |b| of((length, at, b))))
    }

    #[test]
    fn what_must_be_escaped_is_found_wherever_it_stands() {
        for (text, _) in texts(b'x') {
            assert_eq!(is_plain(&text), !text.iter().any(|b| must_be_escaped(*b)), "{text:?}");
        }
    }

    #[test]
    fn the_first_is_found_as_memchr_finds_it() {
        for filling in [b'x', b'-', b'\x0b', b'\xac'] {
            for (mut text, _) in texts(filling) {
                assert_eq!(
                    first_of([b',', b'\n', b'\r'], &text),
                    memchr3(b',', b'\n', b'\r', &text),
                    "{text:?}"
                );
                text.extend(b",x");
                assert_eq!(
                    first_of([b',', b'\n', b'\r'], &text),
                    memchr3(b',', b'\n', b'\r', &text),
                    "{text:?}"
                );
            }
        }
    }
}
