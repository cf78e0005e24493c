//! What is wrong with a resource.

/// A fault of a resource or of a configured element path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {text}")]
pub struct Issue {
    /// Where, from the resource's type on: `Appointment.participant[0].status`.
    pub path: String,
    /// What is expected there. Holds no value of the resource.
    pub text: String,
}

impl Issue {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}
