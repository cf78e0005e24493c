//! Filters: `q[]=FIELD:OPVALUE`, all of which must hold.

use jiff::Timestamp;

use super::rows::{Field, Row};

/// One filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) field: String,
    operator: Operator,
    value: String,
    /// The value as a time. Only UTC is taken.
    time: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Any,
    Present,
    Absent,
    Equal,
    Unequal,
    Above,
    AtLeast,
    Below,
    AtMost,
    Contains,
    Wildcard,
}

/// The longer first: `>=` begins like `>`.
const OPERATORS: &[(&str, Operator)] = &[
    ("!?", Operator::Absent),
    ("!=", Operator::Unequal),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("~~", Operator::Wildcard),
    ("=", Operator::Equal),
    (">", Operator::Above),
    ("<", Operator::Below),
    ("~", Operator::Contains),
    ("?", Operator::Present),
    ("*", Operator::Any),
];

impl Filter {
    /// Nothing where it has not the form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (field, rest) = text.split_once(':')?;
        let (sign, operator) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign))?;
        let value = rest.get(sign.len()..).unwrap_or_default().to_owned();
        let time = value.ends_with('Z').then(|| value.parse().ok()).flatten();
        Some(Self { field: field.to_owned(), operator: *operator, value, time })
    }

    /// Whether a row is let through; nothing where the row has no such field, or the value is none for it.
    pub(super) fn lets(&self, row: &impl Row) -> Option<bool> {
        let field = row.field(&self.field)?;
        Some(match self.operator {
            Operator::Any => true,
            Operator::Present => !field.is_nothing(),
            Operator::Absent => field.is_nothing(),
            Operator::Equal => self.equals(&field)?,
            Operator::Unequal => !self.equals(&field)?,
            Operator::Contains => field.text()?.to_lowercase().contains(&self.value.to_lowercase()),
            Operator::Wildcard => matches_wildcard(&field.text()?.to_lowercase(), &self.value.to_lowercase()),
            Operator::Above => self.order(&field)?.is_some_and(|order| order.is_gt()),
            Operator::AtLeast => self.order(&field)?.is_some_and(|order| order.is_ge()),
            Operator::Below => self.order(&field)?.is_some_and(|order| order.is_lt()),
            Operator::AtMost => self.order(&field)?.is_some_and(|order| order.is_le()),
        })
    }

    fn equals(&self, field: &Field<'_>) -> Option<bool> {
        match field {
            // `=1,2,3` for numbers.
            Field::Number(number) => {
                let mut wanted = self.value.split(',').map(|value| value.trim().parse::<u64>());
                let mut found = false;
                wanted.try_for_each(|value| value.map(|value| found |= Some(value) == *number)).ok()?;
                Some(found)
            }
            // `****-05-**`: any year, any day.
            Field::Date(date) if self.value.contains('*') => {
                let date = date.map(|date| date.to_string()).unwrap_or_default();
                let fits = |(wanted, found): (char, char)| wanted == '*' || wanted == found;
                Some(date.len() == self.value.len() && self.value.chars().zip(date.chars()).all(fits))
            }
            Field::Text(text) => Some(text.unwrap_or_default() == self.value),
            field => Some(self.order(field)?.is_some_and(|order| order.is_eq())),
        }
    }

    /// How the field stands to the value; `Some(None)` where the field has nothing.
    fn order(&self, field: &Field<'_>) -> Option<Option<std::cmp::Ordering>> {
        Some(match field {
            Field::Number(number) => {
                let value: u64 = self.value.parse().ok()?;
                number.map(|number| number.cmp(&value))
            }
            Field::Time(time) => {
                let value = self.time?;
                time.map(|time| time.cmp(&value))
            }
            Field::Date(date) => {
                let value: jiff::civil::Date = self.value.parse().ok()?;
                date.map(|date| date.cmp(&value))
            }
            Field::Text(text) => text.map(|text| text.cmp(&self.value)),
        })
    }
}

/// `%` is any text.
fn matches_wildcard(text: &str, pattern: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('%') else { return text == pattern };
    let Some(text) = text.strip_prefix(before) else { return false };
    (0..=text.len()).any(|at| text.get(at..).is_some_and(|tail| matches_wildcard(tail, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_told_apart() {
        for (text, operator, value) in [
            ("a:>=1", Operator::AtLeast, "1"),
            ("a:>1", Operator::Above, "1"),
            ("a:!?", Operator::Absent, ""),
            ("a:*", Operator::Any, ""),
            ("a:~~x%", Operator::Wildcard, "x%"),
        ] {
            let filter = Filter::parse(text).unwrap();
            assert_eq!((filter.operator, filter.value.as_str()), (operator, value), "{text}");
        }
        assert_eq!(Filter::parse("updated_at>1"), None);
        assert_eq!(Filter::parse("a:1"), None);
    }

    #[test]
    fn wildcards_stand_for_any_text() {
        assert!(matches_wildcard("testerley", "te%ley"));
        assert!(matches_wildcard("testerley", "%ster%"));
        assert!(!matches_wildcard("testerley", "te%lex"));
    }
}
