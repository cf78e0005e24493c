//! Log lines: one JSON object each, flat, with the request's id, and without the fields that are empty. CloudWatch
//! bills by the byte.
//!
//! Other crates get to say what worries them and no more: at their finer levels they print requests and events.

use std::fmt;

use bridge_pipeline::ports::Clock as _;
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{
    Layer as _,
    filter::Targets,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter,
        format::{JsonFields, Writer},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::{SystemClock, settings::variable};

/// Whose lines are ours: crates called `bridge_…`, the target `bridge::line`, and the functions' own crates.
const OURS: [&str; 8] =
    ["bridge", "webhook_intake", "hl7_intake", "normalize", "deliver", "fhir_api", "retry", "mllp_gateway"];
/// The target of the pipeline's line per record. It needs no name in the line itself.
const LINE: &str = "bridge::line";

pub(super) fn install() {
    // Lambda sets it from the function's `ApplicationLogLevel`.
    let level = variable("AWS_LAMBDA_LOG_LEVEL").or_else(|| variable("RUST_LOG"));
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    subscriber(level, std::io::stdout).init();
}

fn subscriber<W>(level: LevelFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(OURS.map(|target| (target, level)));
    let lines =
        tracing_subscriber::fmt::layer().fmt_fields(JsonFields::new()).event_format(Flat).with_writer(writer);
    tracing_subscriber::registry().with(lines.with_filter(filter))
}

/// The format.
struct Flat;

impl<S, N> FormatEvent<S, N> for Flat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let meta = event.metadata();
        let mut line = Line(Map::new());
        line.add("timestamp", SystemClock.now().to_string());
        line.add("level", meta.level().to_string());
        if meta.target() != LINE {
            line.add("target", meta.target());
        }
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                && let Ok(fields) = serde_json::from_str::<Map<String, Value>>(&fields.fields)
            {
                line.0.extend(fields);
            }
        }
        event.record(&mut line);
        writeln!(writer, "{}", Value::Object(line.0))
    }
}

/// The fields of a line.
struct Line(Map<String, Value>);

impl Line {
    fn add(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if !value.is_empty() {
            self.add(field.name(), value);
        }
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), value);
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), value);
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use super::*;

    /// The lines that `work` leaves at `level`.
    fn lines(level: LevelFilter, work: impl FnOnce()) -> Vec<Map<String, Value>> {
        let buffer = Arc::new(Mutex::new(Vec::new()));
        let sink = buffer.clone();
        let writer = move || Sink(sink.clone());
        tracing::subscriber::with_default(subscriber(level, writer), work);
        let bytes = buffer.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_flat_has_the_request_and_leaves_out_what_is_empty() {
        let lines = lines(LevelFilter::INFO, || {
            let _span = tracing::error_span!("invocation", request_id = "r-1").entered();
            tracing::info!(target: LINE, step = "normalize", delivery = "", took_ms = 3_u64, "done");
        });
        let mut line = lines.into_iter().next().unwrap();
        assert!(line.remove("timestamp").is_some_and(|at| at.as_str().unwrap().ends_with('Z')));
        let expected =
            r#"{"level":"INFO","request_id":"r-1","message":"done","step":"normalize","took_ms":3}"#;
        assert_eq!(Value::Object(line), serde_json::from_str::<Value>(expected).unwrap());
    }

    #[test]
    fn other_crates_are_heard_from_warnings_on_whatever_the_level() {
        let work = || {
            tracing::trace!(target: "lambda_runtime", body = "an event", "raw");
            tracing::info!(target: "aws_smithy_runtime", "a request");
            tracing::warn!(target: "aws_smithy_runtime", "slow");
            tracing::debug!(target: "bridge_pipeline::deliver", "ours");
        };
        let targets =
            |level| -> Vec<Value> { lines(level, work).iter().map(|line| line["target"].clone()).collect() };
        assert_eq!(targets(LevelFilter::TRACE), ["aws_smithy_runtime", "bridge_pipeline::deliver"]);
        assert_eq!(targets(LevelFilter::INFO), ["aws_smithy_runtime"]);
        assert!(targets(LevelFilter::ERROR).is_empty());
    }
}
