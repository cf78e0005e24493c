//! Reading acknowledgments that come back.

use std::borrow::Cow;

use super::Code;
use crate::{
    Error, Message, SegmentView,
    datatypes::Datatype,
    error::AnswerFault,
    location::{Location, SegmentName},
    segments::{Err, Msa},
};

/// An acknowledgment that came back. `Debug` leaves out the remote's texts: they may quote the message.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer<'m> {
    /// MSA-1.
    pub code: Code,
    /// MSA-2: the control id of the message it answers. May be empty, which matches nothing.
    pub control_id: Cow<'m, str>,
    /// MSA-3: a text for people.
    pub text: Cow<'m, str>,
    /// What the ERR segments say.
    pub problems: Vec<Reported<'m>>,
}

/// One error an answer reports.
#[derive(Clone, PartialEq, Eq)]
pub struct Reported<'m> {
    /// ERR-3, or the code in ERR-1: of table 0357, if the remote keeps to it.
    pub code: Cow<'m, str>,
    /// ERR-4: `E`, `W`, `I` or `F`; empty before v2.5.
    pub severity: Cow<'m, str>,
    /// ERR-2, or ERR-1: where the error is.
    pub location: Option<Location>,
    /// ERR-8, or else ERR-7, ERR-3's or ERR-1's text: for people.
    pub text: Cow<'m, str>,
}

impl<'m> Answer<'m> {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`Error::Answer`] when it has no MSA or MSA-1 is no code of table 0008. Such an answer says nothing of
    /// the message: whether it was taken is unknown.
    pub fn read(message: &'m Message<'m>) -> Result<Self, Error> {
        let fault = |location, fault| Error::Answer { location, fault };
        let msa: Msa<'m> =
            message.first().ok_or_else(|| fault(Location::segment(Msa::NAME, 1), AnswerFault::NoMsa))?;
        let code = Code::from_msa1(&msa.code().text());
        let code = code.ok_or_else(|| fault(msa.code().location(), AnswerFault::UnknownCode))?;
        let problems = message.all::<Err<'m>>().flat_map(reported).collect();
        Ok(Self { code, control_id: msa.control_id().text(), text: msa.text().text(), problems })
    }

    /// Whether it answers the message with that MSH-10. An answer that came late belongs to an earlier
    /// message and must not be credited to this one. Spaces around the ids, which some systems pad with, do
    /// not count.
    pub fn is_for(&self, control_id: &str) -> bool {
        let (mine, its) = (control_id.trim(), self.control_id.trim());
        !mine.is_empty() && mine == its
    }
}

impl std::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("code", &self.code)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Reported<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reported").field("location", &self.location).finish_non_exhaustive()
    }
}

/// The errors of one ERR segment: one for each ELD in ERR-1 (before v2.5), or one with the first place in
/// ERR-2.
fn reported<'m>(err: Err<'m>) -> Vec<Reported<'m>> {
    let old = err.code_and_locations().map(|eld| Reported {
        code: eld.code().id().text(),
        severity: Cow::Borrowed(""),
        location: place([eld.segment(), eld.sequence(), eld.field()].map(|v| v.text()), [None; 3]),
        text: eld.code().text().text(),
    });
    let mut problems: Vec<_> = old.collect();
    let at = err.locations().next();
    if problems.is_empty() || !err.code().is_empty() {
        let text = [err.user_message(), err.diagnostic(), err.code().text()];
        problems.push(Reported {
            code: err.code().id().text(),
            severity: err.severity().text(),
            location: at.and_then(|erl| {
                let deeper =
                    [erl.repetition(), erl.component(), erl.subcomponent()].map(|v| index(&v.text()));
                place([erl.segment(), erl.sequence(), erl.field()].map(|v| v.text()), deeper)
            }),
            text: text.into_iter().find_map(|v| v.content()).unwrap_or_default(),
        });
    }
    problems
}

fn place([segment, sequence, field]: [Cow<'_, str>; 3], deeper: [Option<u32>; 3]) -> Option<Location> {
    let mut at = Location::segment(SegmentName::new(segment.trim())?, index(&sequence).unwrap_or(1));
    let steps = [index(&field), deeper[0], deeper[1], deeper[2]];
    let [field, repetition, component, subcomponent] = steps;
    let Some(field) = field else { return Some(at) };
    at = at.field(field);
    if let Some(n) = repetition {
        at = at.repetition(n);
    }
    if let Some(n) = component {
        at = at.component(n);
        if let Some(n) = subcomponent {
            at = at.subcomponent(n);
        }
    }
    Some(at)
}

fn index(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|n| *n > 0)
}
