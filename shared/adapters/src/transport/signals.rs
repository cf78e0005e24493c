//! How a product says that it was called too often, as its manifest declares.

use std::time::Duration;

use bridge_core::{
    Timestamp,
    manifest::{Signal, WaitForm},
};
use reqwest::{
    Response,
    header::{HeaderMap, RETRY_AFTER},
};

use super::retry_after;

/// What is read of a body to find a signal in it.
const LONGEST: usize = 64 * 1024;
/// Where the number stands in a signal's text.
const SECONDS: &str = "{seconds}";

/// `Some` when the answer is one of the signals, with the wait that it asks for. Of the body no more is read than needed.
pub(super) async fn throttle(
    response: &mut Response,
    signals: &[Signal],
    now: Timestamp,
) -> Option<Option<Duration>> {
    let status = response.status().as_u16();
    let in_body = signals.iter().any(|signal| signal.status == status && signal.text.is_some());
    let body = if in_body { read(response).await } else { String::new() };
    judge(status, response.headers(), &body, signals, now)
}

/// The same of an answer whose body, or its beginning, is known.
pub(crate) fn judge(
    status: u16,
    headers: &HeaderMap,
    body: &str,
    signals: &[Signal],
    now: Timestamp,
) -> Option<Option<Duration>> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let signal = |signal: &Signal| {
        let in_text = match &signal.text {
            Some(text) => find(body, text)?,
            None => None,
        };
        let asked = in_text
            .or_else(|| parse(header(signal.header.as_ref()?)?, signal.form, now))
            .or_else(|| retry_after::parse(header(RETRY_AFTER.as_str())?, now));
        Some(asked.or(signal.seconds.map(Duration::from_secs)))
    };
    signals.iter().filter(|signal| signal.status == status).find_map(signal)
}

/// The beginning of the body. What breaks off is judged by what came.
async fn read(response: &mut Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= LONGEST {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `Some` when the body has the text, with the number where the text has one.
fn find(body: &str, text: &str) -> Option<Option<Duration>> {
    let Some((before, after)) = text.split_once(SECONDS) else {
        return body.contains(text).then_some(None);
    };
    body.match_indices(before).find_map(|(at, found)| {
        let rest = body.get(at + found.len()..)?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, rest) = rest.split_at_checked(digits)?;
        // Parts of a second are rounded up.
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(tail) if tail.starts_with(|c: char| c.is_ascii_digit()) => {
                (1, tail.trim_start_matches(|c: char| c.is_ascii_digit()))
            }
            _ => (0, rest),
        };
        let seconds = number.parse::<u64>().ok()?.saturating_add(fraction);
        rest.starts_with(after).then_some(Some(Duration::from_secs(seconds)))
    })
}

fn parse(value: &str, form: WaitForm, now: Timestamp) -> Option<Duration> {
    match form {
        WaitForm::RetryAfter => retry_after::parse(value, now),
        WaitForm::Epoch => {
            let at: i64 = value.trim().parse().ok()?;
            Some(Timestamp::from_millis(at.checked_mul(1000)?).since(now))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_found_in_a_text() {
        let text = "available in {seconds} second";
        let found = |body| find(body, text).map(|wait| wait.map(|wait| wait.as_secs()));
        assert_eq!(found(r#"{"detail":"Throttled. It is available in 42 seconds."}"#), Some(Some(42)));
        assert_eq!(found("available in 1 second"), Some(Some(1)));
        assert_eq!(found("available in 1.2 seconds"), Some(Some(2)));
        assert_eq!(found("available in a few seconds, available in 7 seconds"), Some(Some(7)));
        for neither in
            ["", "available in", "available in 42", "available in 42 minutes", "available in . second"]
        {
            assert_eq!(found(neither), None, "{neither}");
        }
        assert_eq!(find("errors: TOO_MANY", "TOO_MANY"), Some(None));
        assert_eq!(find("fine", "TOO_MANY"), None);
    }

    #[test]
    fn an_epoch_is_a_time() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let wait = |value| parse(value, WaitForm::Epoch, now).map(|wait| wait.as_secs());
        assert_eq!(wait("1700000030"), Some(30));
        assert_eq!(wait("1600000000"), Some(0), "in the past");
        assert_eq!(wait("soon"), None);
    }
}
