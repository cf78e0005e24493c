//! Texts of a manifest in which `{name}` stands for a setting of the connection.

use std::collections::BTreeMap;

use bridge_core::manifest::template::{self, TemplateError};

use crate::Fault;

/// The names in `text`, in order.
pub(crate) fn names(text: &str) -> Result<Vec<&str>, Fault> {
    Ok(template::names(text)?)
}

/// `text` with the settings put in.
pub(crate) fn fill(text: &str, settings: &BTreeMap<String, String>) -> Result<String, Fault> {
    Ok(template::fill(text, |name| settings.get(name))?)
}

impl From<TemplateError> for Fault {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::Braces => Self::Template,
            TemplateError::Missing(name) => Self::MissingSetting(name),
        }
    }
}
