//! Finding a byte.

/// The first `byte` in `bytes`. The pieces of a message are mostly so short that calling memchr takes longer
/// than looking.
pub(crate) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    const SHORT: usize = 16;
    let short = bytes.len().min(SHORT);
    let found = bytes[..short].iter().position(|b| *b == byte);
    found.or_else(|| memchr::memchr(byte, &bytes[short..]).map(|at| at + short))
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
            }
        }
    }
}
