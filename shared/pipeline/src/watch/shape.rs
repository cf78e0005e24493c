//! The shape of a payload: which places it has and of what types, and not one of its values. Pure.
//!
//! Names in a payload may be data themselves (a map by patient). What does not look like the name of a field is called
//! [`OTHER`], with all that does not; [`super::sketch`] does the same to maps that turn out to have too many keys.

use std::collections::BTreeMap;

use bridge_hl7v2::{Message, Value as Piece};
use serde_json::Value;

/// The types that were seen at a place, as a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const TEXT: Self = Self(1);
    pub(super) const NUMBER: Self = Self(2);
    pub(super) const TRUTH: Self = Self(4);
    pub(super) const PARTS: Self = Self(8);
    pub(super) const LIST: Self = Self(16);
    /// An explicit null, or HL7's `""`: every type has it, and none is told by it.
    pub(super) const NULL: Self = Self(32);

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other, null left out.
    pub(super) const fn beyond(self, other: Self) -> Self {
        Self(self.0 & !other.0 & !Self::NULL.0)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// For people: `text or number`.
    pub(super) fn words(self) -> String {
        const WORDS: [(Types, &str); 6] = [
            (Types::TEXT, "text"),
            (Types::NUMBER, "number"),
            (Types::TRUTH, "true/false"),
            (Types::PARTS, "parts"),
            (Types::LIST, "list"),
            (Types::NULL, "null"),
        ];
        let has = |types: Self| self.0 & types.0 != 0;
        WORDS.iter().filter(|(types, _)| has(*types)).map(|(_, word)| *word).collect::<Vec<_>>().join(" or ")
    }
}

/// The places of a payload: names joined by dots, `[]` after a list's name.
pub(super) type Places = BTreeMap<String, Types>;

/// Stands for names that may be data.
pub(super) const OTHER: &str = "*";
/// Places of one payload.
const PLACES: usize = 600;
/// Deeper than this nothing is looked at.
const DEPTH: usize = 12;
/// Members of a list that are looked at.
const MEMBERS: usize = 20;
/// Longer names are no names.
const NAME: usize = 48;
/// More digits than this in a name are a number of somebody.
const DIGITS: usize = 4;

/// Whether a name looks like one that a programmer gave, or, with `columns`, somebody who headed a column.
fn is_name(name: &str, columns: bool) -> bool {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || "_@#$".contains(first));
    let inside = if columns { "_-:$ /()" } else { "_-:$" };
    first
        && letters.all(|letter| letter.is_ascii_alphanumeric() || inside.contains(letter))
        && name.len() <= NAME
        && name.bytes().filter(u8::is_ascii_digit).count() <= DIGITS
}

/// The shape of a JSON document. With `columns` its top is a row whose names head columns.
pub(super) fn of_json(document: &Value, columns: bool) -> Places {
    let mut places = Places::new();
    match document {
        Value::Object(_) => look(document, "", 0, columns, &mut places),
        other => place(other, String::new(), 0, &mut places),
    }
    places
}

fn look(value: &Value, at: &str, depth: usize, columns: bool, places: &mut Places) {
    let Value::Object(members) = value else { return };
    for (name, member) in members {
        let name = if is_name(name, columns) { name } else { OTHER };
        let here = if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        place(member, here, depth + 1, places);
    }
}

fn place(value: &Value, at: String, depth: usize, places: &mut Places) {
    if places.len() >= PLACES || depth > DEPTH {
        return;
    }
    let types = match value {
        Value::Null => Types::NULL,
        Value::Bool(_) => Types::TRUTH,
        Value::Number(_) => Types::NUMBER,
        Value::String(_) => Types::TEXT,
        Value::Array(_) => Types::LIST,
        Value::Object(_) => Types::PARTS,
    };
    if !at.is_empty() {
        add(places, &at, types);
    }
    match value {
        Value::Array(members) => {
            for member in members.iter().take(MEMBERS) {
                place(member, format!("{at}[]"), depth + 1, places);
            }
        }
        Value::Object(_) => look(value, &at, depth, false, places),
        _ => {}
    }
}

/// The shape of an HL7 v2 message: its segments and their fields, `PID` and `PID.3`.
pub(super) fn of_hl7v2(message: &Message<'_>) -> Places {
    let mut places = Places::new();
    for segment in message.segments() {
        let name = segment.name().to_string();
        let is_right = name.len() == 3 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let name = if is_right { name.as_str() } else { OTHER };
        add(&mut places, name, Types::PARTS);
        // MSH-1 and MSH-2 are the delimiters.
        let from = if name == "MSH" { 3 } else { 1 };
        for n in (from..).take_while(|n| usize::try_from(*n).is_ok_and(|n| n <= segment.field_count())) {
            let field = segment.field(n);
            if field.is_empty() || places.len() >= PLACES {
                continue;
            }
            let kinds = field.filled().map(of_piece).fold(Types::default(), Types::with);
            let repeats = if field.filled().nth(1).is_some() { Types::LIST } else { Types::default() };
            add(&mut places, &format!("{name}.{n}"), kinds.with(repeats));
        }
    }
    places
}

fn of_piece(piece: Piece<'_>) -> Types {
    match piece.parts().filter(|part| !part.is_empty()).nth(1) {
        _ if piece.is_null() => Types::NULL,
        Some(_) => Types::PARTS,
        None => Types::TEXT,
    }
}

fn add(places: &mut Places, at: &str, types: Types) {
    match places.get_mut(at) {
        Some(known) => *known = known.with(types),
        None => drop(places.insert(at.to_owned(), types)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn shape(document: &Value) -> Vec<String> {
        of_json(document, false).iter().map(|(place, types)| format!("{place}: {}", types.words())).collect()
    }

    #[test]
    fn places_and_types_are_seen_and_lists_folded() {
        let document =
            json!({"id": 1, "name": [{"given": ["Mara", "Lou"]}, {"given": null, "use": "old"}], "ok": true});
        assert_eq!(
            shape(&document),
            [
                "id: number",
                "name: list",
                "name[]: parts",
                "name[].given: list or null",
                "name[].given[]: text",
                "name[].use: text",
                "ok: true/false",
            ]
        );
        assert_eq!(shape(&json!([{"a": 1}])), ["[]: parts", "[].a: number"]);
        assert!(shape(&json!("text")).is_empty());
    }

    #[test]
    fn what_may_be_data_is_no_name() {
        let document = json!({
            "Muster, Mara": 1, "1990-02-14": 1, "P1002003": 1, "3f9a11c2-77aa-4b0e": 1, "mara@example.org": 1,
            "5550100": 1, "": 1, "ä": 1, "a much longer key than a programmer would ever think of giving": 1,
            "chart_id": 1, "@type": 1, "line2": 1,
        });
        assert_eq!(shape(&document), ["*: number", "@type: number", "chart_id: number", "line2: number"]);
        let row = of_json(&json!({"Date of Birth": "x", "Mobile (home)": "y"}), true);
        assert_eq!(row.keys().collect::<Vec<_>>(), ["Date of Birth", "Mobile (home)"]);
    }

    #[test]
    fn it_is_bounded_whatever_comes() {
        let wide: Value =
            (0..5_000).map(|n| (format!("f{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
        assert_eq!(of_json(&wide, false).len(), PLACES);
        let deep = (0..200).fold(json!(1), |inner, _| json!({"a": inner}));
        assert_eq!(of_json(&deep, false).len(), DEPTH);
    }

    #[test]
    fn segments_and_fields_of_hl7() {
        let text = b"MSH|^~\\&|SUN||||20260302||ADT^A08|1|P|2.5.1\rPID|1||7^^^SUN^MR~8^^^SUN^PI||Muster^Mara\rZPI|1|\"\"|x\r";
        let message = Message::parse(text).unwrap();
        let places: Vec<_> = of_hl7v2(&message)
            .iter()
            .filter(|(place, _)| !place.starts_with("MSH"))
            .map(|(place, types)| format!("{place}: {}", types.words()))
            .collect();
        assert_eq!(
            places,
            [
                "PID: parts",
                "PID.1: text",
                "PID.3: parts or list",
                "PID.5: parts",
                "ZPI: parts",
                "ZPI.1: text",
                "ZPI.2: null",
                "ZPI.3: text",
            ]
        );
    }
}
