//! Percent-encoding (RFC 3986, section 2.1): all but unreserved characters, which is right in a path's segment, a query and
//! a form alike.

use std::fmt::Write as _;

pub(super) fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Names and values as `application/x-www-form-urlencoded`, which is a query's form as well.
pub(super) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut encoded = String::new();
    for (name, value) in pairs {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        encoded.push_str(&percent(name));
        encoded.push('=');
        encoded.push_str(&percent(value));
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_means_something_is_encoded() {
        assert_eq!(percent("a/b?c#d%e f+é~"), "a%2Fb%3Fc%23d%25e%20f%2B%C3%A9~");
        assert_eq!(pairs([("q[]", "a:>1"), ("b", "")]), "q%5B%5D=a%3A%3E1&b=");
    }
}
