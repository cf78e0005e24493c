//! What the gateway counts, as lines in CloudWatch's embedded metric format: the log is the only thing it writes.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::{
    array,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use bridge_core::Timestamp;
use serde_json::{Value, json};

/// Steps of the distribution: powers of two of 1/8 ms, up to 65 s.
const STEPS: usize = 20;

/// Counters since the last line.
#[derive(Debug)]
pub struct Metrics {
    open: AtomicU64,
    opened: AtomicU64,
    turned_away: AtomicU64,
    stored: AtomicU64,
    answered: AtomicU64,
    unavailable: AtomicU64,
    broken: AtomicU64,
    garbage: AtomicU64,
    requests: AtomicU64,
    entries: AtomicU64,
    took: [AtomicU64; STEPS],
}

impl Default for Metrics {
    fn default() -> Self {
        let zero = AtomicU64::default;
        Self {
            open: zero(),
            opened: zero(),
            turned_away: zero(),
            stored: zero(),
            answered: zero(),
            unavailable: zero(),
            broken: zero(),
            garbage: zero(),
            requests: zero(),
            entries: zero(),
            took: array::from_fn(|_| zero()),
        }
    }
}

/// What a frame came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// It is durable.
    Stored,
    /// Answered without being kept: refused, or nothing to keep.
    Answered,
    /// Neither: its sender was told to send it again.
    Unavailable,
    /// It was no whole message.
    Broken,
}

impl Metrics {
    /// Connections that are open now.
    pub fn open(&self) -> u64 {
        self.open.load(Relaxed)
    }

    pub(crate) fn connected(&self) {
        self.opened.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
    }

    pub(crate) fn closed(&self) {
        self.open.fetch_sub(1, Relaxed);
    }

    pub(crate) fn turned_away(&self) {
        self.turned_away.fetch_add(1, Relaxed);
    }

    pub(crate) fn garbage(&self, bytes: usize) {
        self.garbage.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn request(&self, entries: usize) {
        self.requests.fetch_add(1, Relaxed);
        self.entries.fetch_add(entries as u64, Relaxed);
    }

    pub(crate) fn came(&self, came: Came, took: Duration) {
        let counter = match came {
            Came::Stored => &self.stored,
            Came::Answered => &self.answered,
            Came::Unavailable => &self.unavailable,
            Came::Broken => &self.broken,
        };
        counter.fetch_add(1, Relaxed);
        let eighths = took.as_micros() / 125;
        let step = (u128::BITS - eighths.leading_zeros()) as usize;
        if let Some(step) = self.took.get(step.min(STEPS - 1)) {
            step.fetch_add(1, Relaxed);
        }
    }

    /// The counters as one line, and from zero again.
    pub fn line(&self, service: &str, now: Timestamp) -> Value {
        let take = |counter: &AtomicU64| counter.swap(0, Relaxed);
        let (mut values, mut counts) = (Vec::new(), Vec::new());
        for (step, counter) in self.took.iter().enumerate() {
            let count = take(counter);
            if count > 0 {
                // The upper end of the step, in milliseconds.
                values.push(0.125 * f64::from(1_u32 << step));
                counts.push(count);
            }
        }
        let count = |name: &str| json!({"Name": name, "Unit": "Count"});
        let mut metrics: Vec<Value> = [
            "ConnectionsOpen",
            "ConnectionsOpened",
            "ConnectionsTurnedAway",
            "MessagesStored",
            "MessagesAnswered",
            "MessagesUnavailable",
            "FramesBroken",
            "QueueRequests",
            "QueueEntries",
        ]
        .map(count)
        .to_vec();
        metrics.push(json!({"Name": "GarbageBytes", "Unit": "Bytes"}));
        let mut line = json!({
            "service": service,
            "ConnectionsOpen": self.open(),
            "ConnectionsOpened": take(&self.opened),
            "ConnectionsTurnedAway": take(&self.turned_away),
            "MessagesStored": take(&self.stored),
            "MessagesAnswered": take(&self.answered),
            "MessagesUnavailable": take(&self.unavailable),
            "FramesBroken": take(&self.broken),
            "QueueRequests": take(&self.requests),
            "QueueEntries": take(&self.entries),
            "GarbageBytes": take(&self.garbage),
        });
        if let Some(line) = line.as_object_mut() {
            if !values.is_empty() {
                metrics.push(json!({"Name": "AcknowledgmentTime", "Unit": "Milliseconds"}));
                line.insert("AcknowledgmentTime".to_owned(), json!({"Values": values, "Counts": counts}));
            }
            let directive =
                json!({"Namespace": "PmsBridge", "Dimensions": [["service"]], "Metrics": metrics});
            let about = json!({"Timestamp": now.as_millis(), "CloudWatchMetrics": [directive]});
            line.insert("_aws".to_owned(), about);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_declares_what_it_holds_and_starts_over() {
        let metrics = Metrics::default();
        metrics.connected();
        metrics.came(Came::Stored, Duration::from_micros(900));
        metrics.came(Came::Stored, Duration::from_micros(1));
        metrics.came(Came::Unavailable, Duration::from_hours(1));
        let line = metrics.line("gateway", Timestamp::from_millis(7));
        assert_eq!((&line["MessagesStored"], &line["MessagesUnavailable"]), (&json!(2), &json!(1)));
        assert_eq!(
            line["AcknowledgmentTime"],
            json!({"Values": [0.125, 1.0, 65_536.0], "Counts": [1, 1, 1]})
        );
        assert_eq!(line["_aws"]["Timestamp"], 7);
        let declared =
            line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().cloned().unwrap_or_default();
        for metric in &declared {
            assert!(!line[metric["Name"].as_str().unwrap_or_default()].is_null(), "{metric}");
        }
        // Everything but the dimension and the directive.
        assert_eq!(declared.len(), line.as_object().map_or(0, serde_json::Map::len) - 2);
        let next = metrics.line("gateway", Timestamp::from_millis(8));
        assert_eq!((&next["MessagesStored"], &next["ConnectionsOpen"]), (&json!(0), &json!(1)));
        assert!(next["AcknowledgmentTime"].is_null());
    }
}
