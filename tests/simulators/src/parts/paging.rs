//! Cutting a list into pages.

/// A part of a list, and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'a, T> {
    /// The rows of this page.
    pub rows: &'a [T],
    /// How many rows come before it.
    pub before: usize,
    /// How many rows there are in all.
    pub total: usize,
}

impl<'a, T> Page<'a, T> {
    /// At most `limit` rows behind the first `offset`.
    #[must_use]
    pub fn of(all: &'a [T], offset: usize, limit: usize) -> Self {
        let before = offset.min(all.len());
        let until = before.saturating_add(limit).min(all.len());
        Self { rows: all.get(before..until).unwrap_or_default(), before, total: all.len() }
    }

    /// Page `number`, from 1 on, of pages with `size` rows.
    #[must_use]
    pub fn numbered(all: &'a [T], number: usize, size: usize) -> Self {
        Self::of(all, number.saturating_sub(1).saturating_mul(size), size)
    }

    /// Whether rows follow it.
    #[must_use]
    pub fn has_next(&self) -> bool {
        self.before + self.rows.len() < self.total
    }

    /// Whether rows come before it.
    #[must_use]
    pub fn has_previous(&self) -> bool {
        self.before > 0
    }
}

/// A number that a caller gave, or `usual`; `None` where it is not a number from `least` to `most`.
#[must_use]
pub fn number(given: Option<&str>, usual: usize, least: usize, most: usize) -> Option<usize> {
    match given {
        None | Some("") => Some(usual),
        Some(text) => text.parse().ok().filter(|number| (least..=most).contains(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_end_with_the_list() {
        let all = [1, 2, 3, 4, 5];
        let last = Page::numbered(&all, 3, 2);
        assert_eq!((last.rows, last.has_next(), last.has_previous()), (&[5][..], false, true));
        let first = Page::of(&all, 0, 5);
        assert_eq!((first.rows.len(), first.has_next(), first.has_previous()), (5, false, false));
        assert!(Page::of(&all, 9, 2).rows.is_empty());
        assert_eq!(number(Some("101"), 50, 1, 100), None);
        assert_eq!(number(None, 50, 1, 100), Some(50));
    }
}
