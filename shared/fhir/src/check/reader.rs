//! JSON as fhir-sdk's types want to read it.
//!
//! serde_json's own reader will not do: with exact numbers (`arbitrary_precision`) it hands numbers over in a form
//! that serde's `flatten`, which fhir-sdk uses for every `value[x]`, does not understand. This one gives plain
//! numbers, knows where it is when something does not fit, and leaves out resources in resources, which are checked by
//! themselves. That it never reads one is known when it is compiled (`types::is_any_resource`), so the code that would
//! is never made: more than half of everything that fhir-sdk's types would cost.

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::{Value, map};

use super::{fault::Fault, holds_resources, path::Path, types};

/// A value and its place.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a, 'p> {
    pub(super) value: &'a Value,
    pub(super) path: &'p Path<'p>,
}

impl Reader<'_, '_> {
    /// A fault without a place comes from the object itself, so from an element of the form `value[x]`.
    fn of_choice(self, fault: Fault) -> Fault {
        let (None, Value::Object(fields)) = (&fault.path, self.value) else { return fault };
        let unfit = |(name, field): (&String, &Value)| {
            let (_, choice) = types::choice_of(name)?;
            types::fits(choice, field, &Path::Field(self.path, name)).err()
        };
        fields.iter().find_map(unfit).unwrap_or(fault)
    }
}

impl<'de> Deserializer<'de> for Reader<'de, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let read = match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => visitor.visit_i64(whole),
                (None, Some(double)) => visitor.visit_f64(double),
                (None, None) => Err(serde::de::Error::invalid_type(Unexpected::Other("number"), &"f64")),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items { items, next: 0, path: self.path }),
            Value::Object(fields) => {
                let fields = Fields { fields: fields.iter(), value: None, path: self.path };
                visitor
                    .visit_map(fields)
                    .map_err(|fault| fault.of_element(self.path))
                    .map_err(|fault| self.of_choice(fault))
            }
        };
        read.map_err(|fault| fault.at(self.path, self.value))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let name: StrDeserializer<'_, Fault> = self.value.as_str().unwrap_or_default().into_deserializer();
        visitor.visit_enum(name).map_err(|fault| fault.at(self.path, self.value))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

struct Items<'a, 'p> {
    items: &'a [Value],
    next: usize,
    path: &'p Path<'p>,
}

impl<'a> SeqAccess<'a> for Items<'a, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(value) = self.items.get(self.next) else { return Ok(None) };
        let path = Path::Item(self.path, self.next);
        self.next += 1;
        if const { types::is_any_resource::<T::Value>() } {
            return Err(Fault::of_resource().at(&path, value));
        }
        seed.deserialize(Reader { value, path: &path }).map(Some).map_err(|fault| fault.at(&path, value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

struct Fields<'a, 'p> {
    fields: map::Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
    path: &'p Path<'p>,
}

impl<'a> MapAccess<'a> for Fields<'a, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, value)) = self.fields.find(|(name, value)| !holds_resources(name, value)) else {
            return Ok(None);
        };
        self.value = Some((name, value));
        seed.deserialize(serde::de::value::BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, value) = self.value.take().unwrap_or(("", &Value::Null));
        let path = Path::Field(self.path, name);
        if const { types::is_any_resource::<V::Value>() } {
            return Err(Fault::of_resource().at(&path, value));
        }
        seed.deserialize(Reader { value, path: &path }).map_err(|fault| fault.at(&path, value))
    }
}
