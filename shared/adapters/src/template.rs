//! Texts of a manifest in which `{name}` stands for a setting of the connection.

use std::collections::BTreeMap;

use crate::Fault;

/// The names in `text`, in order.
pub(crate) fn names(text: &str) -> Result<Vec<&str>, Fault> {
    Ok(parts(text)?.into_iter().map(|(_, name)| name).filter(|name| !name.is_empty()).collect())
}

/// `text` with the settings put in.
pub(crate) fn fill(text: &str, settings: &BTreeMap<String, String>) -> Result<String, Fault> {
    let mut filled = String::with_capacity(text.len());
    for (literal, name) in parts(text)? {
        filled.push_str(literal);
        if !name.is_empty() {
            filled.push_str(settings.get(name).ok_or_else(|| Fault::MissingSetting(name.to_owned()))?);
        }
    }
    Ok(filled)
}

/// Literal text and the name after it; the last one has none.
fn parts(text: &str) -> Result<Vec<(&str, &str)>, Fault> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(Fault::Template)?;
        if name.is_empty() || name.contains('{') || literal.contains('}') {
            return Err(Fault::Template);
        }
        parts.push((literal, name));
        rest = after;
    }
    if rest.contains('}') {
        return Err(Fault::Template);
    }
    parts.push((rest, ""));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn settings_are_put_in() {
        let settings =
            BTreeMap::from([("host".to_owned(), "example.org".to_owned()), ("n".to_owned(), "7".to_owned())]);
        assert_eq!(fill("https://{host}/{n}/x", &settings).unwrap(), "https://example.org/7/x");
        assert_eq!(names("https://{host}/{n}").unwrap(), ["host", "n"]);
        assert_eq!(fill("{gone}", &settings), Err(Fault::MissingSetting("gone".to_owned())));
    }

    #[test]
    fn a_setting_is_not_a_template() {
        let settings = BTreeMap::from([("a".to_owned(), "{b}".to_owned())]);
        assert_eq!(fill("{a}", &settings).unwrap(), "{b}");
    }

    #[test]
    fn braces_must_pair() {
        for broken in ["{", "}", "{}", "a{b", "a}b{c}", "{{a}}"] {
            assert_eq!(names(broken), Err(Fault::Template), "{broken}");
        }
    }
}
