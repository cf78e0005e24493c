//! What can be wrong with the declaration of a feed.

use super::{Batch, DeltaMode, Feed, Format, Header, Holds, Missing, Shape};
use crate::manifest::Extract;

/// Something wrong with a feed, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedProblem {
    /// The setting, for example `columns[2].pattern`.
    pub place: String,
    /// What to do about it.
    pub text: String,
}

impl std::fmt::Display for FeedProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

struct Problems(Vec<FeedProblem>);

impl Problems {
    fn push(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.0.push(FeedProblem { place: place.into(), text: text.into() });
    }

    fn unless(&mut self, fine: bool, place: &str, text: &str) {
        if !fine {
            self.push(place, text);
        }
    }
}

impl Feed {
    /// Everything that is wrong with the declaration; empty when it can be used.
    pub fn problems(&self) -> Vec<FeedProblem> {
        let mut problems = Problems(Vec::new());
        let p = &mut problems;
        p.unless(!self.keys.is_empty(), "keys", "say which files: `patients-*.csv`");
        // Each star multiplies what there is to try.
        p.unless(self.keys.matches('*').count() <= 4, "keys", "no more than four `*`");
        self.check_mapping(p);
        p.0.extend(self.file.shape_problems());
        self.check_rows(p);
        self.check_columns(p);
        self.check_delta(p);
        problems.0
    }

    fn check_mapping(&self, p: &mut Problems) {
        if self.file.format == Format::Hl7Batch {
            let converted = "HL7 v2 is converted as the site says: leave this out";
            let silent = [
                ("mapping", self.mapping.is_empty()),
                ("removal", self.removal.is_none()),
                ("lane", self.lane.is_empty()),
                ("version", self.version.is_none()),
                ("find-by", self.find_by.is_empty()),
                ("batch", self.batch.is_none()),
                ("delta.mode", self.delta.mode == DeltaMode::Changes),
            ];
            for (place, left_out) in silent {
                p.unless(left_out, place, converted);
            }
            return;
        }
        p.unless(!self.mapping.is_empty(), "mapping", "name the mapping that records go through");
        let deletes = self.delta.missing == Missing::Deleted;
        let text = "name the mapping of missing rows: `delta.missing` is `deleted`";
        p.unless(!deletes || self.removal.is_some(), "removal", text);
        let text = "only with `delta.missing: deleted` does anything go through it";
        p.unless(deletes || self.removal.is_none(), "removal", text);
        let mut places = self.lane.iter().chain(&self.version).chain(self.find_by.values());
        let no_header = |place: &Extract| !matches!(place, Extract::Header { .. });
        p.unless(places.all(no_header), "lane, version, find-by", "a record has no headers");
    }

    fn check_rows(&self, p: &mut Problems) {
        if let Some(batch) = self.batch {
            let (rows, lanes) = (Batch::MOST_ROWS, Batch::MOST_LANES);
            p.unless(
                batch.rows.get() <= rows,
                "batch.rows",
                &format!("no more than {rows} records of a message"),
            );
            p.unless(batch.lanes.get() <= lanes, "batch.lanes", &format!("no more than {lanes}"));
        }
        let unnamed =
            self.file.csv.as_ref().is_some_and(|csv| csv.header == Header::None) && self.columns.is_empty();
        p.unless(!unnamed, "columns", "without a header the feed must name its columns, in order");
        if self.file.format == Format::FixedWidth {
            p.unless(
                !self.columns.is_empty(),
                "columns",
                "a format of fixed width needs its columns, in order",
            );
        }
    }

    fn check_columns(&self, p: &mut Problems) {
        for (at, column) in self.columns.iter().enumerate() {
            let place = |member: &str| format!("columns[{at}].{member}");
            let twice = self.columns.iter().take(at).any(|other| other.is_called(&column.name));
            p.unless(!twice, &place("name"), "another column has this name already");
            p.unless(!column.name.trim().is_empty(), &place("name"), "a column needs a name");
            match (self.file.format == Format::FixedWidth, column.width) {
                (true, None) => p.push(place("width"), "how many characters wide it is"),
                (false, Some(_)) => {
                    p.push(place("width"), "only a format of fixed width has it: leave it out")
                }
                _ => {}
            }
            let is_time = matches!(column.holds, Holds::Date | Holds::DateTime | Holds::Time);
            if let Some(pattern) = &column.pattern {
                p.unless(is_time, &place("pattern"), "only dates and times have a pattern");
                // 1926 or 2026: of a birth date nobody can tell.
                let guess = pattern.contains("%y") || pattern.contains("%D") || pattern.contains("%x");
                p.unless(!guess, &place("pattern"), "a year of two digits would be a guess: `%Y`");
                let valid = jiff::fmt::strtime::format(pattern, sample()).is_ok();
                p.unless(valid, &place("pattern"), "not a pattern of strftime: `%d/%m/%Y`");
            }
        }
    }

    fn check_delta(&self, p: &mut Problems) {
        for name in &self.key_columns {
            let known = self.columns.iter().any(|column| column.name == *name);
            p.unless(known, "key-columns", &format!("`{name}` is not in `columns`"));
        }
        let snapshot = self.delta.mode == DeltaMode::Snapshot;
        p.unless(!snapshot || !self.key_columns.is_empty(), "key-columns", "a snapshot is compared by them");
        let deletes = self.delta.missing == Missing::Deleted;
        p.unless(!deletes || snapshot, "delta.missing", "only in a snapshot can rows be missing");
        let percent = self.delta.at_most_missing_percent <= 100;
        p.unless(percent, "delta.at-most-missing-percent", "a number up to 100");
    }
}

impl Shape {
    /// What of the shape's settings does not fit its format, or each other.
    pub(crate) fn shape_problems(&self) -> Vec<FeedProblem> {
        let mut problems = Problems(Vec::new());
        let p = &mut problems;
        let format = self.format;
        for (section, given, of) in [
            ("csv", self.csv.is_some(), Format::Csv),
            ("json", self.json.is_some(), Format::Json),
            ("xml", self.xml.is_some(), Format::Xml),
            ("xdt", self.xdt.is_some(), Format::Xdt),
        ] {
            if given && format != of {
                p.push(format!("file.{section}"), format!("the format is {}: leave this out", format.name()));
            }
        }
        if let Some(csv) = &self.csv {
            let ascii = |text: &str| text.len() == 1 && text.is_ascii() && !matches!(text, "\r" | "\n");
            let (delimiter, quote) = (csv.delimiter.as_str(), csv.quote.as_str());
            p.unless(
                delimiter == "tab" || ascii(delimiter),
                "file.csv.delimiter",
                "one ASCII character, or `tab`",
            );
            p.unless(quote == "none" || ascii(quote), "file.csv.quote", "one ASCII character, or `none`");
            let same = csv.quote_byte() == Some(csv.delimiter_byte());
            p.unless(!same, "file.csv.quote", "quote and delimiter are the same");
        }
        if format == Format::Xml {
            let path = self.xml.as_ref().map(|xml| xml.records.as_str()).unwrap_or_default();
            let deep = path.split('/').filter(|step| !step.is_empty()).count() >= 2;
            p.unless(
                deep,
                "file.xml.records",
                "the path of a record, from the root: `Practice/Patients/Patient`",
            );
        }
        problems.0
    }
}

/// Any instant: it has everything a pattern can ask for.
fn sample() -> &'static jiff::Zoned {
    static SAMPLE: std::sync::LazyLock<jiff::Zoned> =
        std::sync::LazyLock::new(|| jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC));
    &SAMPLE
}
