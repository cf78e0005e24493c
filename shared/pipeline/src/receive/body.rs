//! A request's body: its type, its size, and its JSON. Nothing is parsed before its sender is verified.

use std::{borrow::Cow, io::Read as _};

use bridge_core::http::Request;
use flate2::read::GzDecoder;
use serde_json::Value;

use super::Refusal;

pub(super) fn media_type(request: &Request, allowed: &[String]) -> Result<(), Refusal> {
    let given = request.media_type().unwrap_or_default();
    if allowed.contains(&given) { Ok(()) } else { Err(Refusal::media_type()) }
}

pub(super) fn size(request: &Request, limit: usize) -> Result<(), Refusal> {
    if request.body.expose().len() > limit { Err(Refusal::too_large()) } else { Ok(()) }
}

/// The body as JSON, decompressed up to `limit` bytes.
pub(super) fn json(request: &Request, limit: usize) -> Result<Value, Refusal> {
    serde_json::from_slice(&plain(request, limit)?).map_err(|_| Refusal::malformed())
}

/// The body, decompressed up to `limit` bytes.
pub(super) fn plain(request: &Request, limit: usize) -> Result<Cow<'_, [u8]>, Refusal> {
    let raw = request.body.expose();
    Ok(match request.header("content-encoding").map(str::trim) {
        None | Some("" | "identity") => Cow::Borrowed(raw.as_slice()),
        Some(name) if name.eq_ignore_ascii_case("gzip") => {
            let mut plain = Vec::new();
            let limited = GzDecoder::new(raw.as_slice()).take(limit as u64 + 1).read_to_end(&mut plain);
            limited.map_err(|_| Refusal::malformed())?;
            if plain.len() > limit {
                return Err(Refusal::too_large());
            }
            Cow::Owned(plain)
        }
        Some(_) => return Err(Refusal::encoding()),
    })
}

/// Undoes percent-encoding and `+` of a query (WHATWG URL, `application/x-www-form-urlencoded`).
pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_odd_ones_kept() {
        assert_eq!(percent_decode("a%20b+c%2B"), "a b c+");
        assert_eq!(percent_decode("100%"), "100%");
        assert_eq!(percent_decode("%zz"), "%zz");
    }
}
