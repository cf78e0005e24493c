//! Where in a resource a value stands, without allocating until somebody asks.

use std::fmt;

use serde_json::{Map, Value};

/// A path from a resource's type down.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    /// The resource itself.
    Root(&'a str),
    /// An element of an object.
    Field(&'a Path<'a>, &'a str),
    /// An item of a list, from 0.
    Item(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// Visits the elements of an object.
    pub(super) fn fields<'v>(
        &self,
        fields: &'v Map<String, Value>,
        visit: &mut dyn FnMut(&'v str, &'v Value, &Path<'_>),
    ) {
        for (name, field) in fields {
            visit(name, field, &Path::Field(self, name));
        }
    }

    /// Visits the items of a list.
    pub(super) fn items<'v>(&self, items: &'v [Value], visit: &mut dyn FnMut(&'v Value, &Path<'_>)) {
        for (index, item) in items.iter().enumerate() {
            visit(item, &Path::Item(self, index));
        }
    }

    /// Visits every text in `value`, which stands here and at the JSON pointer `at`.
    pub(super) fn texts(&self, value: &Value, at: &str, visit: &mut dyn FnMut(&str, &str, &Path<'_>)) {
        match value {
            Value::String(text) => visit(text, at, self),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    Path::Item(self, index).texts(item, &format!("{at}/{index}"), visit);
                }
            }
            Value::Object(fields) => self.fields(fields, &mut |name, field, path| {
                let name = name.replace('~', "~0").replace('/', "~1");
                path.texts(field, &format!("{at}/{name}"), visit);
            }),
            _ => {}
        }
    }
}

/// `Appointment.participant[0].status`. Names are kept only in so far as FHIR could have given them: another name
/// may be data.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{}", shown(name)),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

fn shown(name: &str) -> &str {
    let plain = name.strip_prefix('_').unwrap_or(name);
    let could_be = (1..=60).contains(&plain.len()) && plain.bytes().all(|b| b.is_ascii_alphanumeric());
    if could_be { name } else { "(unknown)" }
}
