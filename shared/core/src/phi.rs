//! Protected health information as a type (45 CFR 160.103): what is inside never prints.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that may identify a patient. `Debug` and `Display` print `[phi]`, so it can stand in a log line, an
/// error or a panic message without leaking. Reading it takes a visible [`Phi::expose`].
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Marks `value` as PHI.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. What is read here must not reach a log, a metric, an error text or a URL.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Derives another piece of PHI.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Phi<U> {
        Phi(f(self.0))
    }
}

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[phi]")
    }
}

impl<T> fmt::Display for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[phi]")
    }
}

impl<T> From<T> for Phi<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_nothing_of_what_it_holds() {
        let name = Phi::new("Zyxwv Planted".to_owned());
        assert_eq!(format!("{name} {name:?} {:?}", Some(&name)), "[phi] [phi] Some([phi])");
    }
}
