//! A composite value cut once into its parts.

use std::borrow::Cow;

use bridge_hl7v2::Value;

use crate::{
    conversion::{Conversion, trimmed},
    report::Reason,
};

/// The first `N` parts of a value: the components of a repetition, or the subcomponents of a component.
pub(crate) struct Parts<'m, const N: usize> {
    whole: Value<'m>,
    raw: [&'m str; N],
    escape: Option<u8>,
}

impl<'m, const N: usize> Parts<'m, N> {
    /// Cuts `whole`. Parts that hold something and are not among `mapped` are noted.
    #[inline]
    pub(crate) fn of(c: &mut Conversion<'m>, whole: Value<'m>, mapped: &[u32]) -> Self {
        Self::cut(c, whole, mapped.iter().fold(0, |bits, n| bits | 1 << n))
    }

    /// The same, with a bit for each part that is mapped.
    fn cut(c: &mut Conversion<'m>, whole: Value<'m>, mapped: u32) -> Self {
        let mut raw = [""; N];
        let mut rest = whole.parts();
        for (n, (slot, piece)) in (1..).zip(raw.iter_mut().zip(&mut rest)) {
            *slot = piece.raw();
            if !slot.is_empty() && mapped & 1 << n == 0 && !piece.is_null() {
                c.note(piece, Reason::NotMapped);
            }
        }
        for piece in rest.filter(|p| !p.is_empty() && !p.is_null()) {
            c.note(piece, Reason::NotMapped);
        }
        Self { whole, raw, escape: c.escape }
    }

    /// Part `n` as it came; empty when it is null or blank. There is no part 0: layouts use it for what a data type lacks.
    #[inline]
    pub(crate) fn raw(&self, n: u32) -> &'m str {
        let raw = (n as usize).checked_sub(1).and_then(|at| self.raw.get(at)).copied().unwrap_or_default();
        let blank = raw.starts_with(' ') && raw.bytes().all(|b| b == b' ');
        if blank || raw == "\"\"" { "" } else { raw }
    }

    /// Its text, when it holds something.
    #[inline]
    pub(crate) fn text(&self, n: u32) -> Option<Cow<'m, str>> {
        let raw = self.raw(n);
        if raw.is_empty() {
            return None;
        }
        match self.escape {
            Some(escape) if raw.as_bytes().contains(&escape) => trimmed(self.whole.part(n).text()),
            _ => trimmed(Cow::Borrowed(raw)),
        }
    }

    pub(crate) fn has(&self, n: u32) -> bool {
        !self.raw(n).is_empty()
    }

    /// Part `n` as a value, to be cut further or named in a note.
    pub(crate) fn value(&self, n: u32) -> Value<'m> {
        self.whole.part(n)
    }

    /// The value that was cut.
    pub(crate) fn whole(&self) -> Value<'m> {
        self.whole
    }
}
