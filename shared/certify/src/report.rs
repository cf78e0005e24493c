//! What was found, and the compatibility matrix that is made of it.

use std::{collections::BTreeSet, fmt::Write as _};

/// What a check is about: a column of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Credentials and tokens.
    Access,
    /// The product's version.
    Version,
    /// One record by its id.
    Read,
    /// All records, over pages.
    List,
    /// By FHIR search parameters.
    Search,
    /// What changed.
    Changes,
    /// A new record.
    Create,
    /// A record that is there.
    Update,
    /// An appointment that is called off.
    Cancel,
    /// What a route drops.
    Minimised,
    /// Refusals, limits and failures.
    Failures,
    /// What the product sends by itself.
    Webhook,
}

impl Area {
    /// Those that a resource has.
    const OF_RESOURCES: [Self; 8] = [
        Self::Read,
        Self::List,
        Self::Search,
        Self::Changes,
        Self::Create,
        Self::Update,
        Self::Cancel,
        Self::Minimised,
    ];

    /// As it stands in the matrix.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Version => "version",
            Self::Read => "read",
            Self::List => "list",
            Self::Search => "search",
            Self::Changes => "changes",
            Self::Create => "create",
            Self::Update => "update",
            Self::Cancel => "cancel",
            Self::Minimised => "minimised",
            Self::Failures => "failures",
            Self::Webhook => "webhook",
        }
    }
}

/// What came of a check. Texts hold no PHI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not, and why.
    Failed(String),
    /// It could not be asked, and why.
    Skipped(String),
}

/// One thing that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What about.
    pub area: Area,
    /// Of which FHIR resource type; empty where it is about the product.
    pub resource: String,
    /// What holds when it passes.
    pub claim: &'static str,
    /// What came of it.
    pub verdict: Verdict,
}

/// Everything that was asked of an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The adapter.
    pub adapter: String,
    /// Its version.
    pub version: u32,
    /// In the order in which it was asked.
    pub checks: Vec<Check>,
}

impl Report {
    pub(crate) fn new(adapter: &str, version: u32) -> Self {
        Self { adapter: adapter.to_owned(), version, checks: Vec::new() }
    }

    pub(crate) fn add(
        &mut self,
        area: Area,
        resource: &str,
        claim: &'static str,
        result: Result<(), String>,
    ) {
        let verdict = result.map_or_else(Verdict::Failed, |()| Verdict::Passed);
        self.checks.push(Check { area, resource: resource.to_owned(), claim, verdict });
    }

    pub(crate) fn skip(&mut self, area: Area, resource: &str, claim: &'static str, why: &str) {
        let verdict = Verdict::Skipped(why.to_owned());
        self.checks.push(Check { area, resource: resource.to_owned(), claim, verdict });
    }

    /// Whether nothing failed.
    pub fn is_certified(&self) -> bool {
        self.failures().next().is_none()
    }

    /// What failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| matches!(check.verdict, Verdict::Failed(_)))
    }

    /// The compatibility matrix, in Markdown: a row for each resource, and the claims about the product.
    pub fn matrix(&self) -> String {
        let resources: BTreeSet<&str> =
            self.checks.iter().map(|check| check.resource.as_str()).filter(|name| !name.is_empty()).collect();
        let mut text = format!("Version {} of the adapter.\n\n|", self.version);
        let areas = Area::OF_RESOURCES;
        for title in std::iter::once("resource").chain(areas.iter().map(|area| area.title())) {
            let _ = write!(text, " {title} |");
        }
        text.push_str("\n|---|");
        text.push_str(&"---|".repeat(areas.len()));
        for resource in resources {
            let _ = write!(text, "\n| {resource} |");
            for area in areas {
                let _ = write!(text, " {} |", self.cell(area, resource));
            }
        }
        text.push('\n');
        for check in self.checks.iter().filter(|check| check.resource.is_empty()) {
            let mark = match &check.verdict {
                Verdict::Passed => "yes",
                Verdict::Failed(_) => "**no**",
                Verdict::Skipped(_) => continue,
            };
            let _ = write!(text, "\n* {}: {}: {mark}", check.area.title(), check.claim);
        }
        text.push('\n');
        text
    }

    /// `yes` where every check of it passed, a dash where there was none.
    fn cell(&self, area: Area, resource: &str) -> &'static str {
        let mut cell = "–";
        for check in self.checks.iter().filter(|check| check.area == area && check.resource == resource) {
            match check.verdict {
                Verdict::Failed(_) => return "**no**",
                Verdict::Passed => cell = "yes",
                Verdict::Skipped(_) => {}
            }
        }
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_says_what_was_proven() {
        let mut report = Report::new("demo", 3);
        report.add(Area::Access, "", "a wrong key is refused", Ok(()));
        report.add(Area::Read, "Patient", "a record is read by its id", Ok(()));
        report.add(Area::Create, "Appointment", "it is written once", Err("twice".to_owned()));
        report.skip(Area::Changes, "Patient", "every change is found", "the clock can't be moved");
        assert!(!report.is_certified());
        let expected = "Version 3 of the adapter.\n\n\
            | resource | read | list | search | changes | create | update | cancel | minimised |\n\
            |---|---|---|---|---|---|---|---|---|\n\
            | Appointment | – | – | – | – | **no** | – | – | – |\n\
            | Patient | yes | – | – | – | – | – | – | – |\n\n\
            * access: a wrong key is refused: yes\n";
        assert_eq!(report.matrix(), expected);
    }
}
