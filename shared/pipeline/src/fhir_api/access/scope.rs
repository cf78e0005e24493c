//! Scopes of SMART App Launch 2.2, section "Scopes and launch context": `system/Appointment.rs`.

use std::collections::BTreeMap;

/// What can be allowed, in the order in which scopes name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Creating.
    Create,
    /// Reading by id.
    Read,
    /// Changing.
    Update,
    /// Deleting.
    Delete,
    /// Searching.
    Search,
}

/// The letters of a scope, in their order.
const LETTERS: [(char, May); 5] =
    [('c', May::Create), ('r', May::Read), ('u', May::Update), ('d', May::Delete), ('s', May::Search)];

impl May {
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Create => 'c',
            Self::Read => 'r',
            Self::Update => 'u',
            Self::Delete => 'd',
            Self::Search => 's',
        }
    }
}

/// What a token's scopes allow, by resource type.
#[derive(Debug, Default)]
pub(super) struct Scopes(BTreeMap<String, Vec<char>>);

impl Scopes {
    /// Reads the claim `scope`. What is not understood to the letter grants nothing: other contexts than `system`, and
    /// scopes that are narrowed by a query, among them.
    pub(super) fn parse(claim: &str) -> Self {
        let mut scopes = Self::default();
        for (kind, letters) in claim.split(' ').filter_map(one) {
            scopes.0.entry(kind.to_owned()).or_default().extend(letters.chars());
        }
        scopes
    }

    pub(super) fn allow(&self, kind: &str, may: May) -> bool {
        [kind, "*"]
            .iter()
            .any(|kind| self.0.get(*kind).is_some_and(|letters| letters.contains(&may.letter())))
    }
}

/// The type and the letters of a scope.
fn one(scope: &str) -> Option<(&str, &str)> {
    let (kind, letters) = scope.strip_prefix("system/")?.split_once('.')?;
    let is_type = kind == "*" || (!kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphabetic()));
    let letters = match letters {
        "read" => "rs",
        "write" => "cud",
        "*" => "cruds",
        letters => letters,
    };
    let mut order = LETTERS.iter();
    let is_ordered = letters.chars().all(|letter| order.any(|(known, _)| *known == letter));
    (is_type && is_ordered && !letters.is_empty()).then_some((kind, letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_allow_what_they_name_and_nothing_else() {
        let scopes = Scopes::parse("system/Appointment.rs system/Patient.c system/Patient.s openid");
        assert!(scopes.allow("Appointment", May::Read) && scopes.allow("Appointment", May::Search));
        assert!(!scopes.allow("Appointment", May::Create) && !scopes.allow("Slot", May::Read));
        assert!(scopes.allow("Patient", May::Create) && scopes.allow("Patient", May::Search), "they add up");
        assert!(!scopes.allow("Patient", May::Read));
        assert!(Scopes::parse("system/*.cruds").allow("Slot", May::Update));
        assert!(Scopes::parse("system/Slot.read").allow("Slot", May::Search), "version 1");
    }

    #[test]
    fn what_is_not_understood_grants_nothing() {
        for scope in [
            "system/Patient.sr",
            "system/Patient.",
            "system/Patient.x",
            "system/.rs",
            "patient/Patient.rs",
            "user/Patient.rs",
            "system/Patient.rs?gender=male",
            "system/Patient",
            "System/Patient.rs",
            "system/Pat*.rs",
        ] {
            let scopes = Scopes::parse(scope);
            assert!(!LETTERS.iter().any(|(_, may)| scopes.allow("Patient", *may)), "{scope}");
        }
    }
}
