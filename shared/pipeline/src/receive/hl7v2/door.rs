//! HL7 v2 over HTTP, as HAPI's convention and Mirth's HTTP sender have it: the message is the body, and so is its
//! acknowledgment. The status says the same for those who don't read acknowledgments.

use std::{borrow::Cow, sync::Arc};

use bridge_core::{
    http::{Request, Response},
    id::ConnectionId,
};
use bridge_hl7v2::{
    Message,
    ack::Verdict,
    charset::{Charset, Reading},
};

use super::Received;
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    ports::Ports,
    receive::{Refusal, Stop, body, verify},
};

/// What a body may be; the first is what the answer is.
const MEDIA_TYPES: [&str; 5] = [
    "x-application/hl7-v2+er7",
    "application/hl7-v2+er7",
    "application/hl7-v2",
    "x-application/hl7-v2",
    "text/plain",
];
/// API Gateway hands a function at most 6 MiB of event, in which the body is base 64.
const LARGEST_BODY: usize = 4_500_000;

impl<P: Ports> Bridge<P> {
    /// Answers a request to `/hl7/{connection}`.
    ///
    /// 200: all is accepted. 422: something is refused, and its acknowledgment says why. 503: send it again. What is
    /// no HL7 v2 request at all is answered with JSON, as [`Bridge::receive`] does.
    pub async fn receive_hl7_http(&self, connection: &str, request: &Request) -> Response {
        let id = connection.parse::<ConnectionId>().ok();
        let mut known = None;
        let received = match &id {
            Some(id) => self.admit_hl7(id, request, &mut known).await,
            None => Err(Refusal::unknown_connection().into()),
        };
        match received {
            Ok(received) => response(&received),
            Err(stop) => self.turn_away(id.as_ref(), known.as_deref(), request, stop).await,
        }
    }

    async fn admit_hl7(
        &self,
        id: &ConnectionId,
        request: &Request,
        known: &mut Option<Arc<Loaded>>,
    ) -> Result<Received, Stop> {
        let source = self.connection(id).await?.ok_or_else(Refusal::unknown_connection)?;
        *known = Some(source.clone());
        let rule = source.hl7v2.as_ref().and_then(|site| site.verify.as_ref());
        let rule = rule.ok_or_else(Refusal::no_hl7_over_http)?;
        verify::sender(&source.connection.allow_ips, request.source)?;
        if request.method != "POST" {
            return Err(Refusal::method().into());
        }
        body::media_type(request, &MEDIA_TYPES.map(str::to_owned))?;
        let charset = charset(request)?;
        body::size(request, LARGEST_BODY)?;
        verify::signature(rule, source.secret(rule.secret()), request, self.now())?;
        let bytes = body::plain(request, LARGEST_BODY)?;
        Ok(self.receive_hl7_in(&source, &bytes, charset, request.source).await)
    }
}

/// What the media type says of the bytes' character set.
fn charset(request: &Request) -> Result<Option<Charset>, Refusal> {
    match request.media_type_parameter("charset") {
        None => Ok(None),
        Some(name) => Charset::from_msh18(&name).map(Some).ok_or_else(Refusal::charset),
    }
}

fn response(received: &Received) -> Response {
    let status = match received.verdict {
        Verdict::Accept => 200,
        Verdict::Reject => 422,
        Verdict::Error => 503,
    };
    let mut response = Response::json(status, &serde_json::Value::Null)
        .with_header("content-type", format!("{}; charset=utf-8", MEDIA_TYPES[0]));
    response.body = text(&received.answer).into_owned();
    if status == 503 { response.with_header("retry-after", "5") } else { response }
}

/// An acknowledgment repeats names of the sender's header, in the sender's character set. Over HTTP the media type
/// names the set, and it is UTF-8.
fn text(answer: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(answer).map_or_else(
        |_| {
            let reading = Message::parse_as(answer, Reading::default())
                .or_else(|_| Message::parse_as(answer, Reading::Always(Charset::Windows1252)));
            Cow::Owned(reading.map(|message| message.text().to_owned()).unwrap_or_default())
        },
        Cow::Borrowed,
    )
}
