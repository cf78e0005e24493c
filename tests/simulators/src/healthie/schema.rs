//! The types of a GraphQL schema, for looking up.

use std::collections::{BTreeMap, BTreeSet};

use graphql_parser::schema::{Definition, Document, Field, InputValue, Type, TypeDefinition, parse_schema};

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Known {
    /// Fields can be selected.
    Object(BTreeMap<String, Member>),
    /// Given as an argument.
    Input(BTreeMap<String, Shape>),
    /// One of these words.
    Enum(BTreeSet<String>),
    /// A value of its own.
    Scalar,
}

/// A field that can be selected.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) shape: Shape,
    pub(super) arguments: BTreeMap<String, Shape>,
}

/// A type with its brackets and exclamation marks.
pub(super) type Shape = Type<'static, String>;

/// Types by name.
#[derive(Debug, Default)]
pub(super) struct Schema(BTreeMap<String, Known>);

impl Schema {
    /// Reads parts of a schema. A part that is no schema adds nothing, which the tests of the simulator would notice.
    pub(super) fn read(parts: &[&str]) -> Self {
        let mut types: BTreeMap<String, Known> =
            ["ID", "String", "Int", "Float", "Boolean"].map(|name| (name.to_owned(), Known::Scalar)).into();
        let documents =
            parts.iter().filter_map(|part| parse_schema::<String>(part).ok()).map(Document::into_static);
        for definition in documents.flat_map(|document| document.definitions) {
            let Definition::TypeDefinition(definition) = definition else { continue };
            let (name, known) = match definition {
                TypeDefinition::Object(object) => {
                    (object.name, Known::Object(object.fields.into_iter().map(member).collect()))
                }
                TypeDefinition::InputObject(input) => {
                    (input.name, Known::Input(input.fields.into_iter().map(input_value).collect()))
                }
                TypeDefinition::Enum(words) => {
                    (words.name, Known::Enum(words.values.into_iter().map(|word| word.name).collect()))
                }
                TypeDefinition::Scalar(scalar) => (scalar.name, Known::Scalar),
                TypeDefinition::Interface(_) | TypeDefinition::Union(_) => continue,
            };
            types.insert(name, known);
        }
        Self(types)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Known> {
        self.0.get(name)
    }

    /// A field of an object type.
    pub(super) fn member(&self, of: &str, name: &str) -> Option<&Member> {
        match self.0.get(of)? {
            Known::Object(fields) => fields.get(name),
            _ => None,
        }
    }
}

fn member(field: Field<'static, String>) -> (String, Member) {
    let arguments = field.arguments.into_iter().map(input_value).collect();
    (field.name, Member { shape: field.field_type, arguments })
}

fn input_value(value: InputValue<'static, String>) -> (String, Shape) {
    (value.name, value.value_type)
}

/// The name within brackets and exclamation marks.
pub(super) fn named(shape: &Shape) -> &str {
    match shape {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => named(inner),
    }
}

/// Whether it is a list.
pub(super) fn is_list(shape: &Shape) -> bool {
    match shape {
        Type::NamedType(_) => false,
        Type::ListType(_) => true,
        Type::NonNullType(inner) => is_list(inner),
    }
}
