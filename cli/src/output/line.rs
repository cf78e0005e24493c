//! A live line per message: what the pipeline logs under its target `bridge::line`, for eyes or for programs.

use std::fmt;

use bridge_aws::SystemClock;
use bridge_pipeline::ports::Clock as _;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use super::{Colour, Out, Style, print};
use crate::texts::count;

const TARGET: &str = "bridge::line";

/// Prints a line for each record that the pipeline worked.
#[derive(Debug)]
pub(crate) struct LiveLines {
    out: Out,
}

impl LiveLines {
    /// On stdout.
    pub(crate) const fn new(out: Out) -> Self {
        Self { out }
    }
}

impl<S: Subscriber> Layer<S> for LiveLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != TARGET {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let now = SystemClock.now();
        if self.out.json {
            let mut line = Map::from_iter([
                ("event".to_owned(), Value::from("line")),
                ("at".to_owned(), Value::from(now.to_string())),
            ]);
            line.extend(fields.0.into_iter().filter(|(_, value)| *value != ""));
            self.out.json(&Value::Object(line));
        } else {
            print(format_args!("{}\n", show(&fields, &time_of_day(now), self.out.style)));
        }
    }
}

/// In UTC, as every other time that is shown.
fn time_of_day(at: bridge_core::Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S%.3f").to_string()
}

/// The fields of an event, in their order.
#[derive(Debug, Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, name: &str) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap_or_default()
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), Value::from(format!("{value:?}")));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }
}

/// `12:00:01.250  deliver    delivered   sunrise.practice-studio  msg_…  attempt 2  38 ms`
fn show(fields: &Fields, at: &str, style: Style) -> String {
    let outcome = fields.text("outcome");
    let mut line = format!(
        "{}  {:<10} {}  {:<24}",
        style.paint(Colour::Faint, at),
        fields.text("step"),
        style.outcome(outcome, format_args!("{outcome:<11}")),
        fields.text("connection"),
    );
    let mut add = |text: String| {
        line.push_str("  ");
        line.push_str(&text);
    };
    if !fields.text("message").is_empty() {
        add(style.paint(Colour::Faint, fields.text("message")));
    }
    if !fields.text("kind").is_empty() {
        add(fields.text("kind").to_owned());
    }
    if fields.number("attempt") > 1 {
        add(format!("attempt {}", fields.number("attempt")));
    }
    if fields.number("resources") > 0 {
        add(count(usize::try_from(fields.number("resources")).unwrap_or(usize::MAX), "resource"));
    }
    if fields.0.contains_key("status") {
        add(format!("HTTP {}, {} bytes", fields.number("status"), fields.number("bytes")));
    }
    if fields.0.contains_key("took_ms") {
        add(style.paint(Colour::Faint, format_args!("{} ms", fields.number("took_ms"))));
    }
    if !fields.text("code").is_empty() {
        let place = fields.text("place");
        let place = if place.is_empty() { String::new() } else { format!(" at {place}") };
        add(style.paint(Colour::Bad, format_args!("{}{place}: {}", fields.text("code"), fields.text("why"))));
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(fields: Value) -> String {
        let Value::Object(fields) = fields else { return String::new() };
        show(&Fields(fields), "12:00:01.250", Style::new(false))
    }

    #[test]
    fn a_line_says_what_happened_and_leaves_out_what_did_not() {
        insta::assert_snapshot!(
            [
                line(json!({"step": "receive", "outcome": "accepted", "connection": "sunrise.opendental", "status": 202, "bytes": 310, "code": "", "why": ""})),
                line(json!({"step": "normalize", "outcome": "normalized", "message": "msg_a", "connection": "sunrise.opendental", "kind": "Patient", "attempt": 0, "resources": 1, "code": "", "took_ms": 12})),
                line(json!({"step": "deliver", "outcome": "retry", "message": "msg_a", "connection": "sunrise.practice-studio", "kind": "", "attempt": 2, "resources": 0, "code": "destination.status", "place": "", "why": "answered 503", "took_ms": 38})),
                line(json!({"step": "normalize", "outcome": "parked", "message": "msg_b", "connection": "sunrise.front-desk", "kind": "visit", "code": "fhir.invalid", "place": "Patient.birthDate", "why": "is not a date", "took_ms": 3})),
            ]
            .join("\n")
        );
    }
}
