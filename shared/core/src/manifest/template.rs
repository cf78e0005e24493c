//! Texts in which `{name}` stands for something: a setting, an argument, a secret.

/// Why a text cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{` and `}` do not pair, or enclose nothing.
    #[error("`{{` and `}}` must enclose a name")]
    Braces,
    /// Nothing is known by this name.
    #[error("nothing is known by the name `{0}`")]
    Missing(String),
}

/// The names in `text`, in order.
///
/// # Errors
/// [`TemplateError::Braces`].
pub fn names(text: &str) -> Result<Vec<&str>, TemplateError> {
    Ok(parts(text)?.into_iter().map(|(_, name)| name).filter(|name| !name.is_empty()).collect())
}

/// `text` with what the names stand for. What is put in is not looked into again.
///
/// # Errors
/// [`TemplateError::Braces`], and [`TemplateError::Missing`] for the first name that `known` does not know.
pub fn fill<T: AsRef<str>>(text: &str, known: impl Fn(&str) -> Option<T>) -> Result<String, TemplateError> {
    let mut filled = String::with_capacity(text.len());
    for (literal, name) in parts(text)? {
        filled.push_str(literal);
        if !name.is_empty() {
            let value = known(name).ok_or_else(|| TemplateError::Missing(name.to_owned()))?;
            filled.push_str(value.as_ref());
        }
    }
    Ok(filled)
}

/// Literal text and the name after it; the last one has none.
fn parts(text: &str) -> Result<Vec<(&str, &str)>, TemplateError> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(TemplateError::Braces)?;
        if name.is_empty() || name.contains('{') || literal.contains('}') {
            return Err(TemplateError::Braces);
        }
        parts.push((literal, name));
        rest = after;
    }
    if rest.contains('}') {
        return Err(TemplateError::Braces);
    }
    parts.push((rest, ""));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn known(name: &str) -> Option<&'static str> {
        match name {
            "host" => Some("example.org"),
            "n" => Some("7"),
            "brace" => Some("{n}"),
            _ => None,
        }
    }

    #[test]
    fn names_are_filled_once() {
        assert_eq!(fill("https://{host}/{n}/x", known).unwrap(), "https://example.org/7/x");
        assert_eq!(names("https://{host}/{n}").unwrap(), ["host", "n"]);
        assert_eq!(fill("{gone}", known), Err(TemplateError::Missing("gone".to_owned())));
        assert_eq!(fill("{brace}", known).unwrap(), "{n}", "what is put in is no template");
    }

    #[test]
    fn braces_must_pair() {
        for broken in ["{", "}", "{}", "a{b", "a}b{c}", "{{a}}"] {
            assert_eq!(names(broken), Err(TemplateError::Braces), "{broken}");
        }
    }
}
