//! The members at the top of a JSON object that columns are about. The rest of it is passed over, and nothing is copied.

use std::{borrow::Cow, fmt};

use bridge_core::feed::Column;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What each column's member is, as it is written; of members of one name the last.
pub(super) fn of<'t>(text: &'t str, columns: &[Column]) -> Vec<Option<&'t RawValue>> {
    let mut json = serde_json::Deserializer::from_str(text);
    Members(columns).deserialize(&mut json).unwrap_or_else(|_| vec![None; columns.len()])
}

/// What a member says: a text, a number, a truth, or JSON of which can be asked only that it is there.
pub(super) fn said(member: &RawValue) -> Option<Cow<'_, str>> {
    let json = member.get();
    match json.as_bytes() {
        b"null" => None,
        [b'"', text @ .., b'"'] if !text.contains(&b'\\') => json.get(1..json.len() - 1).map(Cow::Borrowed),
        [b'"', ..] => serde_json::from_str(json).ok().map(Cow::Owned),
        _ => Some(Cow::Borrowed(json)),
    }
}

struct Members<'c>(&'c [Column]);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Vec<Option<&'de RawValue>>;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Vec<Option<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = vec![None; self.0.len()];
        while let Some(place) = map.next_key_seed(Name(self.0))? {
            match place.and_then(|place| found.get_mut(place)) {
                Some(found) => *found = Some(map.next_value::<&RawValue>()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// The column that a member is called by.
struct Name<'c>(&'c [Column]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|column| column.name == name))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    fn columns() -> Vec<Column> {
        serde_norway::from_str("[{name: a}, {name: 'é\"'}, {name: c}]").unwrap()
    }

    fn all(text: &str) -> Vec<Option<String>> {
        let said = |member: Option<&RawValue>| member.and_then(said).map(Cow::into_owned);
        of(text, &columns()).into_iter().map(said).collect()
    }

    #[test]
    fn members_are_found_however_they_are_written() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(all(r#"{"x":{"a":1},"a":1.50,"c":null}"#), [some("1.50"), None, None]);
        assert_eq!(
            all(r#"{"\u0061":"x\ty","\u00e9\"":true,"c":[1, 2]}"#),
            [some("x\ty"), some("true"), some("[1, 2]")]
        );
        assert_eq!(all(r#"{"a":1,"a":""}"#), [some(""), None, None], "the last of a name");
        assert_eq!(all("[1]"), [None, None, None]);
    }

    proptest! {
        #[test]
        fn they_are_those_of_the_whole_object(members in prop::collection::vec(("[acx]|é\"", ".{0,6}", any::<i64>(), 0..4_u8), 0..6)) {
            let mut object = Map::new();
            for (name, text, number, kind) in members {
                let value = match kind {
                    0 => Value::from(text),
                    1 => Value::from(number),
                    2 => Value::Null,
                    _ => Value::from(number > 0),
                };
                object.insert(name, value);
            }
            let known = columns().iter().map(|column| match object.get(&column.name)? {
                Value::String(text) => Some(text.clone()),
                Value::Null => None,
                other => Some(other.to_string()),
            }).collect::<Vec<_>>();
            prop_assert_eq!(all(&Value::Object(object).to_string()), known);
        }
    }
}
