//! A file through its feed: good records out, bad ones to quarantine, everything counted.

use std::{collections::BTreeMap, io::Read};

use bridge_core::{
    Zone,
    feed::{BadRowPolicy, Feed},
};

use crate::{
    check::{Checker, MissingColumns, RowFault},
    error::Error,
    limits::Limits,
    place::{Checkpoint, Place},
    reader::Reader,
    report::{Quarantined, Report},
};

/// The records of a file as its feed wants them.
///
/// ```
/// # use bridge_core::{Zone, feed::{Column, Feed, Format, Shape}};
/// # use bridge_formats::{Intake, Step};
/// # fn run(feed: &Feed, zone: &Zone) -> Result<(), bridge_formats::Stop> {
/// let mut intake = Intake::open(b"Chart\n1\n".as_slice(), feed, zone)?;
/// while let Some(step) = intake.next()? {
///     match step {
///         Step::Good { json, .. } => println!("{} bytes", json.len()),
///         Step::Bad(rows) => rows.iter().for_each(|row| println!("{}", row.to_json())),
///     }
/// }
/// println!("{}", intake.report().to_csv());
/// # Ok(()) }
/// ```
pub struct Intake<R: Read> {
    reader: Reader<R>,
    checker: Checker,
    json: String,
    report: Report,
    policy: BadRowPolicy,
    at_most: u64,
}

/// What comes next in a file.
pub enum Step<'i> {
    /// A record that keeps what the feed asks for.
    Good {
        /// Where it begins.
        place: Place,
        /// A JSON object. PHI.
        json: &'i str,
        /// The values of the key columns as a JSON list; empty when the feed has none. PHI.
        key: &'i str,
    },
    /// A record that does not, with everything that is wrong with it. Holds no values.
    Bad(Vec<Quarantined>),
}

/// Why a file can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Stop {
    /// It can't be read any further.
    #[error(transparent)]
    File(#[from] Error),
    /// Its header is not the feed's.
    #[error(transparent)]
    Columns(#[from] MissingColumns),
    /// A row is bad, and the feed refuses files with bad rows.
    #[error("{}, column {}: {}: the feed refuses files with bad rows", .0.place, .0.column, .0.reason)]
    BadRow(Box<Quarantined>),
    /// More rows are bad than the feed allows.
    #[error("more than {at_most} rows are bad: is this the right file, and the right feed?")]
    TooManyBad {
        /// What the feed allows.
        at_most: u64,
    },
}

impl<R: Read> Intake<R> {
    /// Begins to read a file. `zone` is the connection's.
    ///
    /// # Errors
    /// When the file's beginning is already wrong, or its header lacks columns.
    pub fn open(source: R, feed: &Feed, zone: &Zone) -> Result<Self, Stop> {
        let reader = Reader::open(source, &feed.file, &feed.columns, limits(feed))?;
        Self::new(reader, feed, zone, Report::default())
    }

    /// Goes on where another process stopped, with the report it had so far.
    ///
    /// # Errors
    /// When the checkpoint is not of this feed.
    pub fn resume(
        source: R,
        from: Checkpoint,
        report: Report,
        feed: &Feed,
        zone: &Zone,
    ) -> Result<Self, Stop> {
        let reader = Reader::resume(source, from, &feed.file, &feed.columns, limits(feed));
        Self::new(reader, feed, zone, report)
    }

    fn new(reader: Reader<R>, feed: &Feed, zone: &Zone, report: Report) -> Result<Self, Stop> {
        let checker = Checker::new(feed, zone, reader.columns())?;
        let (policy, at_most) = (feed.bad_rows.policy, u64::from(feed.bad_rows.at_most));
        Ok(Self { reader, checker, json: String::new(), report, policy, at_most })
    }

    /// The next record; `None` after the last.
    ///
    /// # Errors
    /// When the file can't go on.
    #[expect(
        clippy::should_implement_trait,
        reason = "a step borrows from the intake, as no iterator's item may"
    )]
    pub fn next(&mut self) -> Result<Option<Step<'_>>, Stop> {
        let bad = match self.reader.next() {
            Ok(None) => return Ok(None),
            Ok(Some(record)) => match self.checker.check(&record, &mut self.json) {
                Ok(()) => {
                    self.report.received += 1;
                    self.report.valid += 1;
                    let (json, key) = (self.json.as_str(), self.checker.key());
                    return Ok(Some(Step::Good { place: record.place, json, key }));
                }
                Err(faults) => faults.iter().map(Quarantined::from).collect(),
            },
            Err(error) if error.spares_the_rest() => vec![Quarantined::from(&error)],
            Err(error) => return Err(error.into()),
        };
        self.quarantine(bad).map(Some)
    }

    fn quarantine(&mut self, bad: Vec<Quarantined>) -> Result<Step<'static>, Stop> {
        self.report.received += 1;
        self.report.bad += 1;
        for row in &bad {
            *self.report.reasons.entry(row.rule()).or_default() += 1;
        }
        if self.report.bad > self.at_most {
            return Err(Stop::TooManyBad { at_most: self.at_most });
        }
        match (self.policy, bad.first()) {
            (BadRowPolicy::RefuseFile, Some(first)) => Err(Stop::BadRow(Box::new(first.clone()))),
            _ => Ok(Step::Bad(bad)),
        }
    }

    /// What has been counted so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Where reading can go on, after the last step.
    pub fn checkpoint(&self) -> Checkpoint {
        self.reader.checkpoint()
    }
}

fn limits(feed: &Feed) -> Limits {
    let defaults = Limits::default();
    let size = |given: Option<std::num::NonZeroU32>, default| given.map_or(default, |n| n.get() as usize);
    Limits {
        record_bytes: size(feed.limits.record_bytes, defaults.record_bytes),
        depth: size(feed.limits.depth, defaults.depth),
        ..defaults
    }
}

impl From<&RowFault> for Quarantined {
    fn from(fault: &RowFault) -> Self {
        let RowFault { place, column, rule } = fault;
        Self { place: *place, column: column.clone(), reason: rule.to_string() }
    }
}

impl From<&Error> for Quarantined {
    fn from(error: &Error) -> Self {
        Self { place: error.place, column: error.column.clone(), reason: error.fault.to_string() }
    }
}

/// Bad rows by column and reason.
pub(crate) type Reasons = BTreeMap<String, u64>;
