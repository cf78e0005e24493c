//! One way through a file, from its checkpoint to its end, a piece at a time.

use std::{future::Future, sync::Arc};

use bridge_core::Cause;
use bridge_formats::{Arriving, Place, Quarantined, Reached, Step, Stop};

use super::{Job, Stopped, source::Source};
use crate::{bridge::Bridge, ports::FilePorts};

/// What is done with the rows.
pub(super) trait Takes<P> {
    /// A good row, as JSON, with its key. PHI.
    fn good(&mut self, place: Place, json: &str, key: &str);
    /// What is wrong with a bad one.
    fn bad(&mut self, rows: Vec<Quarantined>);
    /// Whether what was taken is to be settled before another row is.
    fn is_full(&self) -> bool {
        false
    }
    /// Makes what was taken durable; whether all of it is, so that a checkpoint may be set.
    fn settle(
        &mut self,
        bridge: &Bridge<P>,
        job: &mut Job,
        is_end: bool,
    ) -> impl Future<Output = Result<bool, Stopped>> + Send;
}

impl<P: FilePorts> Bridge<P> {
    /// Reads the file on to its end.
    pub(super) async fn pass<T: Takes<P> + Send>(&self, job: &mut Job, mut taker: T) -> Result<(), Stopped> {
        let (source, feed) = (Arc::clone(&job.source), Arc::clone(&job.feed));
        let zone = feed.zone.as_ref().unwrap_or(&source.connection.zone);
        let progress = &job.held.doc.progress;
        let mut arriving = match progress.checkpoint.clone() {
            Some(at) => Arriving::resume(&feed, zone, at, progress.report.clone()),
            None => Arriving::new(&feed, zone),
        };
        let from = arriving.checkpoint().map_or(0, |at| at.place.offset);
        let limit = feed.limits.file_bytes.map(std::num::NonZeroU64::get);
        let mut bytes =
            Source::open(self.ports.files(), &job.held.doc, from, limit, job.decrypting()?).await?;
        let mut piece = Vec::new();
        loop {
            piece.clear();
            let is_more = bytes.read(job.pace.read, &mut piece).await?;
            arriving.push(&piece);
            if !is_more {
                arriving.end();
            }
            loop {
                let mut rows = 0;
                let reached = arriving.read_while(|step| {
                    rows += 1;
                    match step {
                        Step::Good { place, json, key } => taker.good(place, json, key),
                        Step::Bad(bad) => taker.bad(bad),
                    }
                    !taker.is_full()
                });
                job.rows += rows;
                // What stands before a fault is good: it has been read when the fault is found, or will be.
                let is_end = !matches!(reached, Ok(Reached::More | Reached::Pause));
                if taker.settle(self, job, is_end).await? {
                    job.held.doc.progress.checkpoint = arriving.checkpoint().cloned();
                    job.held.doc.progress.report.clone_from(arriving.report());
                }
                match reached {
                    Ok(Reached::End) => return Ok(()),
                    Err(stop) => return Err(Stopped::Refused(cause_of(&stop))),
                    Ok(more) => {
                        self.heard(job, false).await?;
                        if more == Reached::More {
                            break;
                        }
                    }
                }
            }
        }
    }
}

/// Why a file can't go on, with the place, and without what stands there.
fn cause_of(stop: &Stop) -> Cause {
    let place = |place: Place, column: &str| match column {
        "" => place.to_string(),
        column => format!("{place}, column {column}"),
    };
    match stop {
        Stop::File(error) => {
            Cause::new("file.unreadable", error.fault.to_string()).at(place(error.place, &error.column))
        }
        Stop::BadRow(row) => {
            let text = format!("{}: the feed refuses files with bad rows", row.reason);
            Cause::new("file.bad_row", text).at(place(row.place, &row.column))
        }
        Stop::Columns(_) => Cause::new("file.columns", stop.to_string()),
        Stop::TooManyBad { .. } => Cause::new("file.bad_rows", stop.to_string()),
        _ => Cause::new("file.unreadable", stop.to_string()),
    }
}
