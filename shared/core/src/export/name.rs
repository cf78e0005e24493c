//! What the files of an export are called.

use super::Export;
use crate::{Timestamp, Zone, id::RunId};

/// What can be filled in.
pub(super) const WORDS: [&str; 6] = ["date", "time", "at", "number", "run", "export"];
/// Those that no two runs share.
pub(super) const OWN: [&str; 3] = ["at", "number", "run"];

impl Export {
    /// The name of the file of a run: its period ends at `to`, and it is the `number`th.
    pub fn file_name(&self, export: &str, zone: &Zone, to: Timestamp, number: u64, run: &RunId) -> String {
        let instant = jiff::Timestamp::from_millisecond(to.as_millis()).unwrap_or_default();
        let rules = zone.rules().unwrap_or(jiff::tz::TimeZone::UTC);
        let (local, utc) = (instant.to_zoned(rules), instant.to_zoned(jiff::tz::TimeZone::UTC));
        let words = [
            local.strftime("%Y-%m-%d").to_string(),
            local.strftime("%H%M").to_string(),
            utc.strftime("%Y%m%dT%H%M%S%.3fZ").to_string(),
            format!("{number:06}"),
            run.to_string(),
            export.to_owned(),
        ];
        let filled = WORDS.iter().zip(words);
        filled.fold(self.name.clone(), |name, (word, value)| name.replace(&format!("{{{word}}}"), &value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_date_is_the_practices_and_the_instant_is_not() {
        let mut export: Export = serde_json::from_str(
            r#"{"schedule": {"at": "20:00"}, "resources": ["Patient"], "file": {"format": "ndjson"}, "name": ""}"#,
        )
        .unwrap();
        export.name = "{export}_{date}_{time}_{at}_{number}.ndjson".to_owned();
        let run: RunId = "run_abcdefghijklmnopqrstuvwxyz".parse().unwrap();
        let zone: Zone = "America/Chicago".parse().unwrap();
        let to: Timestamp = "2026-03-08T01:00:00Z".parse().unwrap();
        let name = export.file_name("nightly", &zone, to, 7, &run);
        assert_eq!(name, "nightly_2026-03-07_1900_20260308T010000.000Z_000007.ndjson");
    }
}
