//! A place in a FHIR resource that may not be there: reading on from nothing gives nothing.

use serde_json::Value;

#[derive(Clone, Copy)]
pub(super) struct Node<'a>(Option<&'a Value>);

impl<'a> Node<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        Self(Some(value))
    }

    pub(super) fn nothing() -> Self {
        Self(None)
    }

    pub(super) fn is_there(self) -> bool {
        self.0.is_some()
    }

    /// A member.
    pub(super) fn get(self, name: &str) -> Self {
        Self(self.0.and_then(|value| value.get(name)))
    }

    /// The elements of an array; a single value is its own.
    pub(super) fn items(self) -> impl Iterator<Item = Node<'a>> + Clone {
        let (several, one) = match self.0 {
            Some(Value::Array(items)) => (items.as_slice(), None),
            one => (&[][..], one),
        };
        several.iter().chain(one).map(Node::of)
    }

    /// The elements of a member that is an array.
    pub(super) fn each(self, name: &str) -> impl Iterator<Item = Node<'a>> + Clone {
        self.get(name).items()
    }

    /// The first element of a member that is an array.
    pub(super) fn first(self, name: &str) -> Self {
        self.each(name).next().unwrap_or(Self::nothing())
    }

    /// A member that is a string; empty when it is not there.
    pub(super) fn text(self, name: &str) -> &'a str {
        self.get(name).str()
    }

    /// The string itself; empty when it is none.
    pub(super) fn str(self) -> &'a str {
        self.0.and_then(Value::as_str).unwrap_or_default()
    }

    /// A member that is a number or a boolean, as it is written; empty when it is not there.
    pub(super) fn number(self, name: &str) -> String {
        match self.get(name).0 {
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(truth)) => truth.to_string(),
            _ => String::new(),
        }
    }

    pub(super) fn boolean(self, name: &str) -> Option<bool> {
        self.get(name).0.and_then(Value::as_bool)
    }

    /// The names of its members.
    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        self.0.and_then(Value::as_object).into_iter().flat_map(|object| object.keys().map(String::as_str))
    }

    /// The first extension of this URL.
    pub(super) fn extension(self, url: &str) -> Self {
        self.extensions(url).next().unwrap_or(Self::nothing())
    }

    /// The extensions of this URL.
    pub(super) fn extensions(self, url: &str) -> impl Iterator<Item = Node<'a>> {
        self.each("extension").filter(move |extension| extension.text("url") == url)
    }

    /// The code of a coding in a concept, where one is of this system.
    pub(super) fn code_of(self, system: &str) -> &'a str {
        let coding = self.each("coding").find(|coding| coding.text("system") == system);
        coding.map_or("", |coding| coding.text("code"))
    }
}
