//! What an export must keep to, so that the answer to a wrong one is a sentence about it.

use std::collections::BTreeMap;

use super::{Export, Schedule, name};
use crate::feed::{Feed, FeedProblem, Format, Header};

struct Problems(Vec<FeedProblem>);

impl Problems {
    fn unless(&mut self, fine: bool, place: &str, text: impl Into<String>) {
        if !fine {
            self.0.push(FeedProblem { place: place.to_owned(), text: text.into() });
        }
    }
}

impl Export {
    /// Everything that is wrong with the declaration, beside the connection's feeds; empty when it can be used.
    pub fn problems(&self, feeds: &BTreeMap<String, Feed>) -> Vec<FeedProblem> {
        let mut problems = Problems(Vec::new());
        let p = &mut problems;
        self.schedule.check(p);
        p.unless(!self.resources.is_empty(), "resources", "say which: `[Patient, Appointment]`");
        self.check_mapping(p);
        self.check_file(p);
        self.check_columns(p);
        self.check_name(p);
        self.check_encryption(p);
        self.check_result(feeds, p);
        problems.0
    }

    fn check_mapping(&self, p: &mut Problems) {
        match self.file.format {
            Format::Hl7Batch => {
                let text = "HL7 v2 is converted as the site says: leave this out";
                p.unless(self.mapping.is_empty(), "mapping", text);
            }
            Format::FhirNdjson => {}
            _ => p.unless(!self.mapping.is_empty(), "mapping", "name the mapping of a resource to a record"),
        }
    }

    fn check_file(&self, p: &mut Problems) {
        let format = self.file.format;
        let written = [
            Format::Csv,
            Format::Json,
            Format::Ndjson,
            Format::Xml,
            Format::Xdt,
            Format::Hl7Batch,
            Format::FhirNdjson,
        ];
        if !written.contains(&format) {
            let names: Vec<&str> = written.iter().map(|format| format.name()).collect();
            p.unless(false, "file.format", format!("files are written as {}", names.join(", ")));
            return;
        }
        p.0.extend(self.file.shape_problems());
        if let Some(csv) = &self.file.csv {
            p.unless(
                csv.skip_lines == 0,
                "file.csv.skip-lines",
                "no lines are written before the header: leave it out",
            );
            p.unless(!csv.trim, "file.csv.trim", "only files that are read have it: leave it out");
        }
        let auto = self.file.charset == crate::feed::Charset::Auto;
        if format == Format::Hl7Batch {
            p.unless(auto, "file.charset", "`hl7v2.send.charset` decides: leave it out");
        }
    }

    fn check_columns(&self, p: &mut Problems) {
        if self.file.format != Format::Csv {
            p.unless(self.columns.is_empty(), "columns", "only delimited text has them: leave them out");
            return;
        }
        p.unless(!self.columns.is_empty(), "columns", "name the columns, in order");
        let has_header = self.file.csv.as_ref().is_none_or(|csv| csv.header == Header::Required);
        for (at, column) in self.columns.iter().enumerate() {
            let place = |member: &str| format!("columns[{at}].{member}");
            let before = self.columns.iter().take(at);
            let twice = before.clone().any(|other| other.name == column.name);
            p.unless(!twice, &place("name"), "another column has this name already");
            p.unless(!column.name.trim().is_empty(), &place("name"), "a column needs a name");
            let twice = before.clone().any(|other| other.title() == column.title());
            p.unless(!twice || !has_header, &place("header"), "another column is called so already");
            p.unless(!column.title().trim().is_empty(), &place("header"), "leave it out, or give it a name");
        }
    }

    fn check_name(&self, p: &mut Problems) {
        let holes = self.name.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default());
        let mut own = false;
        for hole in holes {
            let known = name::WORDS.contains(&hole);
            let all: Vec<String> = name::WORDS.iter().map(|word| format!("`{{{word}}}`")).collect();
            p.unless(known, "name", format!("`{{{hole}}}` is not known: there are {}", all.join(", ")));
            own |= name::OWN.contains(&hole);
        }
        let text = "every run needs a name of its own: put `{number}`, `{at}` or `{run}` into it";
        p.unless(own, "name", text);
        let fits = !self.name.starts_with('.')
            && self.name.len() <= 200
            && self.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.{}".contains(c));
        p.unless(fits, "name", "letters of ASCII, digits, `-`, `_` and `.`, at most 200, no `.` in front");
    }

    fn check_encryption(&self, p: &mut Problems) {
        let Some(encrypted) = &self.openpgp else { return };
        p.unless(!encrypted.recipients.is_empty(), "openpgp.recipients", "give the receiver's public key");
        for (at, key) in encrypted.recipients.iter().enumerate() {
            let is_public = key.trim_start().starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----");
            let text = "give a public key as `gpg --armor --export` writes it, and never a secret one";
            p.unless(is_public, &format!("openpgp.recipients[{at}]"), text);
        }
    }

    fn check_result(&self, feeds: &BTreeMap<String, Feed>, p: &mut Problems) {
        let Some(result) = &self.result else { return };
        let format = self.file.format;
        let named = !matches!(format, Format::Hl7Batch | Format::Xdt);
        p.unless(named, "result", format!("records of {} have no member that names them", format.name()));
        match feeds.get(&result.feed) {
            None => p.unless(false, "result.feed", format!("the connection has no feed `{}`", result.feed)),
            Some(feed) => {
                let fits = feed.file.format != Format::Hl7Batch && feed.delta == Default::default();
                p.unless(
                    fits,
                    "result.feed",
                    "answers are rows, and each file of them is news: no `hl7-batch`, no `delta`",
                );
            }
        }
        let columns = &self.columns;
        let known = columns.is_empty() || columns.iter().any(|column| column.name == result.key);
        p.unless(known, "result.key", format!("`{}` is not in `columns`", result.key));
        p.unless(!result.key.is_empty(), "result.key", "the member of a record that names it");
        p.unless(
            !result.accepted.is_empty(),
            "result.accepted",
            "say which statuses mean that a record was taken",
        );
        let both = result.accepted.iter().find(|status| result.rejected.contains(status));
        if let Some(both) = both {
            p.unless(false, "result.rejected", format!("`{both}` is in `accepted` as well"));
        }
    }
}

impl Schedule {
    fn check(&self, p: &mut Problems) {
        match (self.every_minutes, self.at) {
            (Some(_), None) => {
                let days = self.weekdays.is_empty() && self.month_days.is_empty();
                p.unless(days, "schedule", "days go with `at`, not with `every-minutes`");
            }
            (None, Some(_)) => {}
            _ => p.unless(false, "schedule", "either `every-minutes: 15`, or `at: \"02:30\"`"),
        }
        let either = self.weekdays.is_empty() || self.month_days.is_empty();
        p.unless(either, "schedule", "either `weekdays` or `month-days`");
        let days = self.month_days.iter().all(|day| (1..=31).contains(day));
        p.unless(days, "schedule.month-days", "days from 1 to 31; 31 is the last of every month");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GOOD: &str = r#"{"schedule": {"at": "02:30"}, "resources": ["Patient"], "mapping": "row", "name": "p-{number}.csv",
        "file": {"format": "csv"}, "columns": [{"name": "chart"}, {"name": "family", "header": "Last Name"}]}"#;

    fn said(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        let export: Export = serde_json::from_str(&GOOD.replace(from, to)).unwrap();
        let problems = export.problems(&BTreeMap::new());
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(said("02:30", "02:31"), "");
        for (from, to, expected) in [
            (r#""at": "02:30""#, "", "schedule: either"),
            (r#""at": "02:30""#, r#""every-minutes": 5, "weekdays": ["monday"]"#, "days go with `at`"),
            (r#""at": "02:30""#, r#""at": "02:30", "month-days": [32]"#, "schedule.month-days: days from 1"),
            (r#"["Patient"]"#, "[]", "resources: say which"),
            (r#""mapping": "row""#, r#""mapping": """#, "mapping: name the mapping"),
            (r#""format": "csv""#, r#""format": "pit""#, "file.format: files are written as csv"),
            (
                r#""format": "csv""#,
                r#""format": "csv", "csv": {"delimiter": "\""}"#,
                "file.csv.quote: quote and",
            ),
            (
                r#""format": "csv""#,
                r#""format": "csv", "csv": {"skip-lines": 1}"#,
                "file.csv.skip-lines: no lines",
            ),
            (r#""format": "csv""#, r#""format": "xml""#, "file.xml.records: the path"),
            (r#""name": "family""#, r#""name": "chart""#, "columns[1].name: another column"),
            ("p-{number}.csv", "p-{date}.csv", "name: every run needs"),
            ("p-{number}.csv", "p-{nunber}.csv", "`{nunber}` is not known"),
            ("p-{number}.csv", "../{number}.csv", "name: letters"),
            (
                r#""mapping""#,
                r#""result": {"feed": "answers", "key": "no", "row-key": "no", "status": "s", "accepted": []}, "mapping""#,
                "result.feed: the connection has no feed `answers`; result.key: `no` is not in `columns`; result.accepted",
            ),
        ] {
            assert!(said(from, to).contains(expected), "{}", said(from, to));
        }
    }
}
