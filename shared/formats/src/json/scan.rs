//! Finds where a JSON value ends, without reading it: brackets and strings are all that counts. What it finds is then
//! read by serde_json, which says whether it is JSON.

use memchr::memchr2;

/// The length of the first value of `text`, which does not begin with white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// Its length.
    Whole(usize),
    /// It does not end in `text`.
    More,
    /// Brackets are nested deeper than the limit.
    TooDeep,
}

pub(crate) fn value(text: &str, last: bool, limit: usize) -> Value {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(b) = bytes.get(at) {
        match b {
            b'"' => {
                match string(bytes, at) {
                    Some(end) => at = end,
                    None => return Value::More,
                }
                if depth == 0 {
                    return Value::Whole(at);
                }
            }
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return Value::TooDeep;
                }
                at += 1;
            }
            b'}' | b']' => {
                // A closing bracket of what is around ends a number or a word.
                if depth == 0 {
                    return Value::Whole(at);
                }
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return Value::Whole(at);
                }
            }
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return Value::Whole(at),
            _ => at += 1,
        }
    }
    if last && depth == 0 { Value::Whole(at) } else { Value::More }
}

/// Where the string that begins at `at` ends, its quotes included.
fn string(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes.get(at) {
            Some(b'"') => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// White space at the beginning of `text`: its length, and the lines in it.
pub(crate) fn blank(text: &str) -> (usize, u64) {
    let bytes = text.as_bytes();
    let length = bytes.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
    (length, lines(text.get(..length).unwrap_or_default()))
}

/// Line feeds in `text`.
pub(crate) fn lines(text: &str) -> u64 {
    memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_json_says() {
        for (text, found) in [
            ("{\"a\":[1,{}]} x", Value::Whole(12)),
            ("\"a\\\"]\" ", Value::Whole(6)),
            ("12]", Value::Whole(2)),
            ("true,", Value::Whole(4)),
            ("{\"a\":\"}", Value::More),
            ("\"a\\", Value::More),
            ("[[[]]]", Value::Whole(6)),
            ("[[[[]]]]", Value::TooDeep),
        ] {
            assert_eq!(value(text, false, 3), found, "{text}");
        }
        assert_eq!((value("12", false, 3), value("12", true, 3)), (Value::More, Value::Whole(2)));
    }
}
