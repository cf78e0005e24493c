//! Finding a byte.

/// The first `byte` in `bytes`. The pieces of a message are mostly so short that calling memchr takes longer
/// than looking.
#[inline]
pub(crate) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    const SHORT: usize = 16;
    let short = bytes.len().min(SHORT);
    let (words, rest) = bytes[..short].as_chunks::<8>();
    for (nth, word) in words.iter().enumerate() {
        if let Some(at) = in_word(byte, *word) {
            return Some(nth * 8 + at);
        }
    }
    if let Some(at) = rest.iter().position(|b| *b == byte) {
        return Some(words.len() * 8 + at);
    }
    if bytes.len() <= SHORT {
        return None;
    }
    memchr::memchr(byte, &bytes[short..]).map(|at| at + short)
}

/// Eight bytes at once: what is subtracted borrows from the next byte's top bit where a byte is zero, and the first such
/// byte is always right (Hacker's Delight, 6-1).
#[inline]
fn in_word(byte: u8, word: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = u64::from_le_bytes([0x80; 8]);
    let differs = u64::from_le_bytes(word) ^ (ONES * u64::from(byte));
    let zero = differs.wrapping_sub(ONES) & !differs & TOPS;
    (zero != 0).then_some(zero.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn finds_at_every_distance() {
        for length in 0..40 {
            let mut bytes = vec![b'x'; length];
            assert_eq!(find(b'|', &bytes), None);
            for at in (0..length).rev() {
                bytes[at] = b'|';
                assert_eq!(find(b'|', &bytes), Some(at));
                // Neighbours that differ in one bit are no match.
                let near: Vec<u8> = bytes.iter().map(|b| if *b == b'|' { b'}' } else { b'{' }).collect();
                assert_eq!((find(b'|', &near), find(b'}', &near)), (None, Some(at)));
            }
        }
    }
}
