//! JSONata's error codes in words of our own: jsonata-core's texts quote the values they met.

use crate::limits;

/// What went wrong in an evaluation. Texts hold no value of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The record is not what the mapping expects.
    Record(String),
    /// A limit was reached.
    Limit(String),
}

/// Begins the message of an error that a function of ours raised: safe to show.
pub(crate) const OURS: &str = "bridge: ";

/// A failure from jsonata-core's message. `said` tells whether a text stands in the mapping's source, where an
/// author may have written it for `$error` and `$assert`.
pub(crate) fn explain(message: &str, said: impl Fn(&str) -> bool) -> Failure {
    if let Some(text) = message.strip_prefix(OURS) {
        return Failure::Record(text.to_owned());
    }
    let code = jsonata_core::evaluator::error_code_prefix(message).unwrap_or_default();
    match code {
        "D1011" | "U1001" => Failure::Limit(format!("nests deeper than {} levels", limits::DEPTH)),
        "D1012" => Failure::Limit(format!("takes longer than {} ms", limits::TIME_MS)),
        "D2014" | "D2015" => Failure::Limit(format!("builds a sequence longer than {}", limits::SEQUENCE)),
        "D3137" | "D3141" => match message.split_once(": ").map(|(_, text)| text).filter(|text| said(text)) {
            Some(text) => Failure::Record(text.to_owned()),
            None => Failure::Record("the mapping raised an error".to_owned()),
        },
        _ => Failure::Record(match words(code) {
            "" => format!("the evaluation failed {code}").trim_end().to_owned(),
            words => format!("{words} ({code})"),
        }),
    }
}

fn words(code: &str) -> &'static str {
    match code {
        "D1001" | "D3001" => "a number is out of range",
        "D1002" => "only a number can be negated",
        "D1004" => "a pattern matches the empty text",
        "D1009" => "two keys of an object are the same",
        "D3010" => "the text to find is empty",
        "D3012" => "the replacement is not a text",
        "D3030" => "this is not a number",
        "D3050" => "$reduce needs a function of two arguments",
        "D3060" => "a negative number has no square root",
        "D3061" => "a power is out of range",
        "D3070" => "$sort without a function sorts only numbers or only texts",
        "D3110" => "this is not an ISO 8601 time stamp",
        "D3136" | "D3132" => "the picture does not fit the time",
        "D3138" => "$single found more than one",
        "D3139" => "$single found none",
        "D3140" => "this is not a URL",
        "T0410" | "T0412" => "an argument is of the wrong type",
        "T0411" => "the context value is of the wrong type",
        "T1003" => "the key of an object is not a text",
        "T1005" | "T1006" => "what is called is not a function",
        "T1007" | "T1008" => "what is partially applied is not a function",
        "T1010" => "the matcher does not return what a pattern would",
        "T2001" => "the left side of the operator is not a number",
        "T2002" => "the right side of the operator is not a number",
        "T2003" | "T2004" => "a bound of the range is not a whole number",
        "T2006" => "the right side of ~> is not a function",
        "T2007" => "values of different types cannot be put in order",
        "T2008" => "only numbers and texts can be put in order",
        "T2009" => "values of different types cannot be compared",
        "T2010" => "only numbers and texts can be compared",
        "T2011" => "an update is not an object",
        "T2012" => "a deletion is not a list of names",
        _ => "",
    }
}
