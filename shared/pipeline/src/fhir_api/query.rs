//! What a request says besides its address and its body: parameters, preferences and forms.

use bridge_core::{http::Request, manifest::Asked as Parameter};

use super::{
    control::Control,
    refusal::{Code, Refused},
};

/// A value longer than this is nobody's.
const LONGEST: usize = 2_000;

/// What of the query is ours, and what is to be asked of the product.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// Search parameters, in order.
    pub(super) parameters: Vec<Parameter>,
    /// What shapes the answer.
    pub(super) control: Control,
    /// `_page`.
    pub(super) page: Option<String>,
    /// `Prefer: handling=lenient`.
    pub(super) lenient: bool,
    /// `Prefer: respond-async`.
    pub(super) asynchronous: bool,
    /// `Prefer: return=…`.
    pub(super) shape: Shape,
}

/// What comes back from a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Shape {
    #[default]
    Representation,
    Minimal,
    OperationOutcome,
}

impl Query {
    /// Reads a request's query, its body where that is a form, and its headers.
    pub(super) fn of(request: &Request) -> Result<Self, Refused> {
        let mut query = Self::preferred(request);
        let mut form = request.header("accept").unwrap_or("*/*").to_owned();
        let body = match request.media_type().as_deref() {
            Some("application/x-www-form-urlencoded") => String::from_utf8_lossy(request.body.expose()),
            _ => "".into(),
        };
        for (name, value) in pairs(&request.query)?.into_iter().chain(pairs(&body)?) {
            match name.as_str() {
                "access_token" => {
                    let text = "a token belongs into the header `Authorization`, never into an address";
                    return Err(Refused::new(400, Code::Invalid, text));
                }
                "_format" => form = value,
                "_pretty" => {}
                "_page" => query.page = Some(value),
                _ => match query.control.take(&name, &value) {
                    Ok(true) => {}
                    Ok(false) => query.parameters.push((name, value)),
                    // As if it had not been said (FHIR R4, section 3.1.1.4).
                    Err(_) if query.lenient => {}
                    Err(refused) => return Err(refused),
                },
            }
        }
        if !is_json(&form) {
            return Err(Refused::new(
                406,
                Code::NotSupported,
                "answers are application/fhir+json, of FHIR 4.0",
            ));
        }
        Ok(query)
    }

    /// What the request would like (RFC 7240).
    fn preferred(request: &Request) -> Self {
        let mut query = Self::default();
        for preference in request.header("prefer").unwrap_or_default().split([',', ';']) {
            match preference.trim() {
                "handling=lenient" => query.lenient = true,
                "respond-async" => query.asynchronous = true,
                "return=minimal" => query.shape = Shape::Minimal,
                "return=OperationOutcome" => query.shape = Shape::OperationOutcome,
                _ => {}
            }
        }
        query
    }
}

/// The parameters of a query, in order.
///
/// # Errors
/// When a value is too long.
pub(super) fn pairs(text: &str) -> Result<Vec<Parameter>, Refused> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        if value.len() > LONGEST {
            return Err(Refused::new(400, Code::TooLong, "the value of a parameter is too long").at(name));
        }
        Ok((name, value))
    };
    text.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

/// Whether a media type, a list of them or a short form lets JSON of FHIR R4 pass.
fn is_json(form: &str) -> bool {
    form.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_known = matches!(
            parts.next().unwrap_or_default(),
            "json"
                | "application/json"
                | "application/fhir+json"
                | "application/fhir json"
                | "application/*"
                | "*/*"
                | ""
        );
        is_known && parts.all(|part| part.strip_prefix("fhirVersion=").is_none_or(|version| version == "4.0"))
    })
}

/// Whether a body is JSON of FHIR R4.
pub(super) fn has_json(request: &Request) -> bool {
    request.header("content-type").is_some_and(|form| {
        !form.contains(',')
            && !form.starts_with(['*', ';'])
            && !form.starts_with("application/*")
            && is_json(form)
    })
}

/// Percent-decoding of a query (RFC 3986, and `+` for a blank).
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// For a query.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_comes_back() {
        let text = "Appointment/1 ä+%&=|,€";
        assert_eq!(decode(&encode(text)), text);
        assert_eq!(decode("a+b%zz%2"), "a b%zz%2");
    }

    #[test]
    fn json_of_fhir_4_is_the_only_form() {
        for good in [
            "*/*",
            "json",
            "application/fhir+json",
            "text/html, application/json;q=0.5",
            "application/fhir+json; fhirVersion=4.0",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["xml", "application/fhir+xml", "text/html", "application/fhir+json; fhirVersion=5.0"] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
