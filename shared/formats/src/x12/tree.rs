//! Segments into loops. Hierarchical levels say themselves where they belong (HL02); for a few transaction sets, other
//! segments are known to begin a loop.

use super::envelope::Segment;
use crate::{error::X12Fault, write};

/// Segments that begin a loop, the outer before the inner, by transaction set. `HL` begins one in every set.
const LOOPS: &[(&str, &[&str])] =
    &[("837", &["CLM", "LX"]), ("835", &["LX", "CLP", "SVC"]), ("834", &["INS", "HD"]), ("271", &["EB"])];
/// Segments after all loops, by transaction set.
const SUMMARY: &[(&str, &str)] = &[("835", "PLB")];

/// A transaction set on its way to JSON.
pub(super) struct Tree<'j> {
    out: &'j mut String,
    loops: &'static [&'static str],
    summary: &'static str,
    open: Vec<Loop>,
    segments: usize,
}

/// What an open loop began with.
enum Loop {
    /// HL, and its number.
    Level(String),
    /// A segment of [`LOOPS`], and its rank in its list.
    Segment(usize),
}

impl<'j> Tree<'j> {
    pub(super) fn begin(transaction: &str, control: &str, out: &'j mut String) -> Self {
        write::member("transaction", transaction, out);
        write::member("control", control, out);
        write::key("segments", out);
        out.push('[');
        let of = |(id, _): &&(&str, _)| *id == transaction;
        let loops =
            LOOPS.iter().find(|(id, _)| *id == transaction).map(|(_, loops)| *loops).unwrap_or_default();
        let summary = SUMMARY.iter().find(of).map(|(_, name)| *name).unwrap_or_default();
        Self { out, loops, summary, open: Vec::new(), segments: 1 }
    }

    /// Bytes of JSON so far.
    pub(super) fn length(&self) -> usize {
        self.out.len()
    }

    pub(super) fn push(&mut self, segment: &Segment<'_>) -> Result<(), X12Fault> {
        self.segments += 1;
        let rank = self.loops.iter().position(|name| *name == segment.name);
        let begins = if segment.name == "HL" {
            let (id, parent) = (segment.element(1), segment.element(2));
            let is_parent = |open: &Loop| matches!(open, Loop::Level(id) if id == parent);
            let keep = match self.open.iter().rposition(is_parent) {
                _ if parent.is_empty() => 0,
                Some(at) => at + 1,
                None => return Err(X12Fault::Parent { place: self.segments }),
            };
            self.close(keep);
            Some(Loop::Level(id.to_owned()))
        } else if let Some(rank) = rank {
            let is_outer =
                |open: &Loop| matches!(open, Loop::Level(_)) || matches!(open, Loop::Segment(r) if *r < rank);
            let keep = self.open.iter().rposition(is_outer).map_or(0, |at| at + 1);
            self.close(keep);
            Some(Loop::Segment(rank))
        } else {
            if segment.name == self.summary {
                self.close(0);
            }
            None
        };
        write::comma(self.out);
        segment.write(self.out);
        match begins {
            Some(begun) => {
                self.out.push_str(",\"loop\":[");
                self.open.push(begun);
            }
            None => self.out.push('}'),
        }
        Ok(())
    }

    /// Ends the innermost loops, until `keep` are open.
    fn close(&mut self, keep: usize) {
        while self.open.len() > keep {
            self.open.pop();
            self.out.push_str("]}");
        }
    }

    /// Ends the record.
    pub(super) fn end(mut self) {
        self.close(0);
        self.out.push_str("]}");
    }
}
