//! A file through its feed while its bytes are still on their way.
//!
//! An [`Intake`] pulls, and whoever pulls from a network holds a thread. Here bytes are pushed: what is whole among
//! them is read, and the rest waits for more. Between two pushes nothing is kept but that rest and a checkpoint, which
//! is also all that another process needs to go on.

use std::io::{self, ErrorKind, Read};

use bridge_core::{Zone, feed::Feed};

use crate::{
    error::{Error, Fault},
    intake::{Intake, Step, Stop},
    place::Checkpoint,
    report::Report,
};

/// The records of a file that arrives in pieces.
///
/// ```
/// # use bridge_core::{Zone, feed::Feed};
/// # use bridge_formats::{Arriving, Reached, Step, Stop};
/// # fn run(feed: &Feed, zone: &Zone) -> Result<(), Stop> {
/// let mut file = Arriving::new(feed, zone);
/// file.push(b"Chart\n1");
/// assert_eq!(file.read(|_| unreachable!("the row may go on"))?, Reached::More);
/// file.push(b"7\n");
/// file.end();
/// let mut rows = 0;
/// assert_eq!(file.read(|_| rows += 1)?, Reached::End);
/// assert_eq!(rows, 1);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Arriving<'f> {
    feed: &'f Feed,
    zone: &'f Zone,
    window: Vec<u8>,
    /// Bytes of the file before the window.
    offset: u64,
    at: Option<Checkpoint>,
    report: Report,
    is_whole: bool,
}

/// How far reading came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// What has arrived is read; the next record is not whole.
    More,
    /// The record after which reading was to pause.
    Pause,
    /// The end of the file.
    End,
}

impl<'f> Arriving<'f> {
    /// From the beginning. `zone` is the connection's.
    pub fn new(feed: &'f Feed, zone: &'f Zone) -> Self {
        let report = Report::default();
        Self { feed, zone, window: Vec::new(), offset: 0, at: None, report, is_whole: false }
    }

    /// Goes on where another stopped, with the report it had so far. Bytes from the checkpoint's offset on are pushed.
    pub fn resume(feed: &'f Feed, zone: &'f Zone, from: Checkpoint, report: Report) -> Self {
        let offset = from.place.offset;
        Self { report, offset, at: Some(from), ..Self::new(feed, zone) }
    }

    /// The next bytes of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.window.extend_from_slice(bytes);
    }

    /// There are no more bytes.
    pub fn end(&mut self) {
        self.is_whole = true;
    }

    /// Reads every record that is whole.
    ///
    /// # Errors
    /// When the file can't go on. What was read before has been given.
    pub fn read(&mut self, mut each: impl FnMut(Step<'_>)) -> Result<Reached, Stop> {
        self.read_while(|step| {
            each(step);
            true
        })
    }

    /// The same, up to the record that gives `false`: there is a checkpoint then behind it, wherever the bytes were cut.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn read_while(&mut self, mut each: impl FnMut(Step<'_>) -> bool) -> Result<Reached, Stop> {
        let window = Window { bytes: &self.window, is_whole: self.is_whole };
        let opened = match self.at.clone() {
            None => Intake::open(window, self.feed, self.zone),
            Some(at) => Intake::resume(window, at, self.report.clone(), self.feed, self.zone),
        };
        let mut intake = match opened {
            Ok(intake) => intake,
            Err(stop) if is_more_wanted(&stop) => return Ok(Reached::More),
            Err(stop) => return Err(stop),
        };
        let reached = loop {
            match intake.next() {
                Ok(Some(step)) => {
                    if !each(step) {
                        break Ok(Reached::Pause);
                    }
                }
                Ok(None) => break Ok(Reached::End),
                Err(stop) if is_more_wanted(&stop) => break Ok(Reached::More),
                Err(stop) => break Err(stop),
            }
        };
        let at = intake.checkpoint();
        self.report.clone_from(intake.report());
        drop(intake);
        let passed = usize::try_from(at.place.offset.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        self.window.drain(..passed.min(self.window.len()));
        self.offset = at.place.offset;
        self.at = Some(at);
        reached
    }

    /// What has been counted so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Where another can go on; `None` before the file's beginning was read.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.at.as_ref()
    }
}

/// What has arrived. Beyond it a reader is told to wait.
struct Window<'w> {
    bytes: &'w [u8],
    is_whole: bool,
}

impl Read for Window<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() && !self.is_whole {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.bytes.read(into)
    }
}

fn is_more_wanted(stop: &Stop) -> bool {
    let Stop::File(Error { fault: Fault::Read(error), .. }) = stop else { return false };
    error.kind() == ErrorKind::WouldBlock
}
