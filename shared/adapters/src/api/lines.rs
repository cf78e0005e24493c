//! A part of a file of lines: from a byte on, as many whole lines as a few megabytes hold.

use std::time::Duration;

use bridge_core::Cause;
use reqwest::{
    Client,
    header::{CONTENT_ENCODING, CONTENT_RANGE, HeaderName, HeaderValue, RANGE},
};

use super::{
    request::Outgoing,
    send::{LARGEST, Lost, Reply, begin, lost, whole},
};

/// What a part has before it is cut off behind its last line.
const PART: usize = 4 << 20;

/// What came of asking for a part.
pub(super) enum Fetched {
    /// Whole lines, and whether the file ends with them.
    Part(Vec<u8>, bool),
    /// Anything but 200 and 206.
    Other(Reply),
}

/// Fetches a part. A server that knows no ranges sends everything, of which the beginning is dropped as it comes.
pub(super) async fn part(
    client: &Client,
    mut outgoing: Outgoing,
    time: Duration,
    from: u64,
) -> Result<Fetched, Lost> {
    if let Ok(range) = HeaderValue::from_str(&format!("bytes={from}-"))
        && from > 0
    {
        outgoing.headers.insert(RANGE, range);
    }
    let mut response = begin(client, outgoing, time).await?;
    let status = response.status().as_u16();
    let header =
        |name: HeaderName| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let has_ended = || header(CONTENT_RANGE).is_none_or(|range| range == format!("bytes */{from}"));
    if status == 416 && from > 0 && has_ended() {
        // The last part ended with the file.
        return Ok(Fetched::Part(Vec::new(), true));
    }
    if !matches!(status, 200 | 206) {
        return whole(response).await.map(Fetched::Other);
    }
    if header(CONTENT_ENCODING).is_some_and(|packed| packed != "identity") {
        return Err(Lost::Refused(Cause::new("api.answer", "the file came packed, which was not asked for")));
    }
    let is_other = header(CONTENT_RANGE).is_some_and(|range| !range.starts_with(&format!("bytes {from}-")));
    if is_other {
        return Err(Lost::Unknown(Cause::new(
            "api.answer",
            "another part of the file came than was asked for",
        )));
    }
    let mut skip = if status == 206 { 0 } else { from };
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        let dropped = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
        skip -= dropped as u64;
        bytes.extend_from_slice(chunk.get(dropped..).unwrap_or_default());
        if bytes.len() < PART {
            continue;
        }
        if let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') {
            bytes.truncate(end + 1);
            return Ok(Fetched::Part(bytes, false));
        }
        if bytes.len() > LARGEST {
            return Err(Lost::TooLarge);
        }
    }
    Ok(Fetched::Part(bytes, true))
}
