//! One request out, one reply in, within a time and a size.

use std::{error::Error, io, time::Duration};

use bridge_core::Cause;
use reqwest::{Client, Response, header::HeaderMap};

use super::{guard::Refused, request::Outgoing};

/// The largest answer. A page of a few hundred records is a tenth of it.
pub(super) const LARGEST: usize = 10 << 20;

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

/// Why nothing did, or not all of it.
#[derive(Debug)]
pub(super) enum Lost {
    /// Nothing was sent, and nothing will be.
    Refused(Cause),
    /// Nothing was sent.
    Unsent(Cause),
    /// It may have been taken.
    Unknown(Cause),
    /// The answer is too large.
    TooLarge,
}

pub(super) async fn send(client: &Client, outgoing: Outgoing, time: Duration) -> Result<Reply, Lost> {
    whole(begin(client, outgoing, time).await?).await
}

/// A reply whose body has not been read.
pub(super) async fn begin(client: &Client, outgoing: Outgoing, time: Duration) -> Result<Response, Lost> {
    let Outgoing { method, url, headers, body } = outgoing;
    let mut request = client.request(method, url).headers(headers).timeout(time);
    if let Some(body) = body {
        request = request.body(body);
    }
    request.send().await.map_err(|error| lost(&error))
}

/// A whole reply.
pub(super) async fn whole(mut response: Response) -> Result<Reply, Lost> {
    let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
    let expected = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if expected > LARGEST {
        return Err(Lost::TooLarge);
    }
    let mut bytes = Vec::with_capacity(expected);
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(Lost::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, bytes })
}

/// The words are ours: those of an error hold the address, and so perhaps an argument.
pub(super) fn lost(error: &reqwest::Error) -> Lost {
    if is_refused(error) {
        let text = "the name of the host leads to no public address";
        return Lost::Refused(Cause::new("api.address", text).at("api.base"));
    }
    if error.is_builder() {
        return Lost::Refused(Cause::new("api.configuration", "the request cannot be built"));
    }
    if error.is_connect() {
        let kind = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind));
        let text = kind.map_or_else(|| "no connection".to_owned(), |kind| format!("no connection: {kind}"));
        return Lost::Unsent(Cause::new("api.connect", text));
    }
    Lost::Unknown(if error.is_timeout() {
        Cause::new("api.timeout", "no answer in time")
    } else {
        Cause::new("api.broken", "the connection broke before the answer was whole")
    })
}

fn is_refused(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn Error>::is::<Refused>)
}

fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |error: &&'a (dyn Error + 'static)| (*error).source())
}
