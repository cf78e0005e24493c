//! The product's version.

use bridge_core::Phi;

use crate::{
    report::{Area, Report},
    subject::Subject,
};

pub(crate) async fn run(subject: &Subject, report: &mut Report) {
    let Some(check) = subject.api().and_then(|api| api.version.as_ref()) else { return };
    let found = subject.patient(&check.operation, &Phi::default(), None).await;
    let found = found.map_err(|error| error.to_string()).and_then(|answer| {
        let header = |name: &str| answer.headers.get(name).map(String::as_str);
        let version = check.at.find(answer.body.expose(), header);
        let version = version.ok_or("the answer does not have it where the manifest says")?;
        match &check.from {
            Some(from) if is_before(&version, from) => {
                Err(format!("version {version} is earlier than {from}, which the adapter needs"))
            }
            _ => Ok(()),
        }
    });
    report.add(Area::Version, "", "the product's version is known", found);
}

/// Number by number: `24.3.9` is before `24.3.61`.
fn is_before(version: &str, other: &str) -> bool {
    let numbers = |text: &str| {
        let parts = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        parts.map(|part| part.parse::<u64>().unwrap_or(u64::MAX)).collect::<Vec<_>>()
    };
    numbers(version) < numbers(other)
}

#[cfg(test)]
mod tests {
    use super::is_before;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(is_before("24.3.9", "24.3.61") && is_before("2024-06-01", "2025-01-01"));
        assert!(!is_before("24.3.61", "24.3.61") && !is_before("25", "24.9"));
    }
}
