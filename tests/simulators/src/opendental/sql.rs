//! Queries: as much of SQL as a reader of joined tables needs.
//!
//! `SELECT` columns `FROM` a table, `INNER JOIN` others `ON` equal columns, `WHERE` one of several conditions holds,
//! `ORDER BY` a column. Columns have their table's name in front. A table or column that there is not is refused, whether
//! or not a row would have been found, and so is everything that is no such query.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

/// A row by its columns.
pub(super) type Columns = BTreeMap<&'static str, Value>;

/// What is known of a table.
pub(super) struct Table<'a> {
    pub(super) columns: &'static [&'static str],
    pub(super) rows: &'a [Columns],
}

/// A row of each table that was joined so far.
type Joined<'a> = BTreeMap<String, &'a Columns>;

struct Query {
    columns: Vec<String>,
    from: String,
    /// Table, column of it, column of one before.
    joins: Vec<(String, String, String)>,
    /// Column, whether it may be greater, value. One must hold.
    any: Vec<(String, bool, String)>,
    order: Option<String>,
}

/// The rows that a query finds, each with the columns it names.
///
/// # Errors
/// What is wrong with the query.
pub(super) fn run<'a>(
    text: &str,
    table: impl Fn(&str) -> Option<Table<'a>>,
) -> Result<Vec<Value>, &'static str> {
    let query = Query::parse(text).ok_or("The SQL syntax is not valid.")?;
    query.check(&table)?;
    let rows = |name: &str| table(name).map(|table| table.rows).ok_or("There is no such table.");
    let mut found: Vec<Joined<'a>> =
        rows(&query.from)?.iter().map(|row| Joined::from([(query.from.clone(), row)])).collect();
    for (name, own, other) in &query.joins {
        let mut index: HashMap<String, Vec<&Columns>> = HashMap::new();
        for row in rows(name)? {
            index.entry(shown(&Joined::from([(name.clone(), row)]), own)).or_default().push(row);
        }
        let with = |row: Joined<'a>| {
            let fitting = index.get(&shown(&row, other)).cloned().unwrap_or_default();
            fitting.into_iter().map(move |fits| {
                let mut row = row.clone();
                row.insert(name.clone(), fits);
                row
            })
        };
        found = found.into_iter().flat_map(with).collect();
    }
    found.retain(|row| {
        query.any.is_empty()
            || query.any.iter().any(|(column, or_greater, value)| {
                let column = shown(row, column);
                column == *value || *or_greater && column > *value
            })
    });
    if let Some(order) = &query.order {
        found.sort_by_key(|row| cell(row, order).and_then(Value::as_u64));
    }
    Ok(found.iter().map(|row| query.shows(row)).collect())
}

impl Query {
    fn parse(text: &str) -> Option<Self> {
        let words = words(text)?;
        let mut words = words.iter().map(String::as_str).peekable();
        let expect = |wanted: &[&str], words: &mut std::iter::Peekable<_>| {
            wanted
                .iter()
                .all(|wanted| words.next_if(|word: &&str| word.eq_ignore_ascii_case(wanted)).is_some())
        };
        expect(&["SELECT"], &mut words).then_some(())?;
        let mut columns = vec![words.next()?.to_owned()];
        while expect(&[","], &mut words) {
            columns.push(words.next()?.to_owned());
        }
        expect(&["FROM"], &mut words).then_some(())?;
        let from = words.next()?.to_owned();
        let mut joins = Vec::new();
        while expect(&["INNER"], &mut words) {
            expect(&["JOIN"], &mut words).then_some(())?;
            let table = words.next()?.to_owned();
            expect(&["ON"], &mut words).then_some(())?;
            let own = words.next()?.to_owned();
            expect(&["="], &mut words).then_some(())?;
            joins.push((table, own, words.next()?.to_owned()));
        }
        let mut any = Vec::new();
        if expect(&["WHERE"], &mut words) {
            loop {
                let column = words.next()?.to_owned();
                let or_greater = match words.next()? {
                    ">=" => true,
                    "=" => false,
                    _ => return None,
                };
                any.push((column, or_greater, words.next()?.trim_matches('\'').to_owned()));
                if !expect(&["OR"], &mut words) {
                    break;
                }
            }
        }
        let order = match expect(&["ORDER"], &mut words) {
            true => Some(expect(&["BY"], &mut words).then(|| words.next())??.to_owned()),
            false => None,
        };
        words.next().is_none().then_some(Self { columns, from, joins, any, order })
    }

    /// Whether all tables and columns are there.
    fn check<'a>(&self, table: &impl Fn(&str) -> Option<Table<'a>>) -> Result<(), &'static str> {
        let named = self.joins.iter().flat_map(|(_, own, other)| [own, other]);
        let named = named.chain(&self.columns).chain(self.any.iter().map(|(column, ..)| column));
        for column in named.chain(&self.order) {
            let (of, name) = column.split_once('.').ok_or("A column needs its table's name.")?;
            let is_asked = of == self.from || self.joins.iter().any(|(joined, ..)| joined == of);
            let known = table(of).filter(|_| is_asked).ok_or("There is no such table.")?;
            if !known.columns.contains(&name) {
                return Err("There is no such column.");
            }
        }
        Ok(())
    }

    fn shows(&self, row: &Joined<'_>) -> Value {
        let shown = |column: &String| {
            let (_, name) = column.split_once('.')?;
            Some((name.to_owned(), cell(row, column)?.clone()))
        };
        Value::Object(self.columns.iter().filter_map(shown).collect::<Map<_, _>>())
    }
}

/// Words, texts in their quotes, and signs; nothing where a text does not end.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => rest.get(1..)?.find('\'')? + 2,
            '>' if rest.starts_with(">=") => 2,
            first if is_word(first) => rest.find(|next| !is_word(next)).unwrap_or(rest.len()),
            first => first.len_utf8(),
        };
        let (word, behind) = rest.split_at_checked(length)?;
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    Some(words)
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '.' || letter == '_'
}

fn cell<'a>(row: &Joined<'a>, column: &str) -> Option<&'a Value> {
    let (table, name) = column.split_once('.')?;
    row.get(table).copied()?.get(name)
}

/// As it is compared: text.
fn shown(row: &Joined<'_>, column: &str) -> String {
    match cell(row, column) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(query: &str) -> Result<Vec<Value>, &'static str> {
        let pets: Vec<Columns> = [(1, "Quill", 7), (2, "Orla", 8), (3, "Zed", 7)]
            .map(|(n, name, home)| {
                Columns::from([("N", json!(n)), ("Name", json!(name)), ("Home", json!(home))])
            })
            .to_vec();
        let homes = vec![Columns::from([("N", json!(7)), ("City", json!("Sampleby"))])];
        run(query, |name| match name {
            "pet" => Some(Table { columns: &["N", "Name", "Home"], rows: &pets }),
            "home" => Some(Table { columns: &["N", "City"], rows: &homes }),
            _ => None,
        })
    }

    #[test]
    fn tables_are_joined_filtered_and_put_in_order() {
        let joined = "SELECT pet.Name, home.City FROM pet INNER JOIN home ON home.N = pet.Home";
        assert_eq!(
            found(&format!("{joined} ORDER BY pet.N")).unwrap(),
            [json!({"Name": "Quill", "City": "Sampleby"}), json!({"Name": "Zed", "City": "Sampleby"})]
        );
        assert_eq!(found(&format!("{joined} WHERE pet.Name >= 'R' OR pet.N = 2")).unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_such_query_is_refused() {
        for wrong in [
            "DELETE FROM pet",
            "SELECT pet.Name FROM pet; DELETE FROM pet",
            "SELECT pet.Name FROM pet WHERE pet.Name > 'R'",
            "SELECT pet.Name FROM pet WHERE pet.Name = 'R",
            "SELECT pet.Colour FROM pet",
            "SELECT home.City FROM pet",
            "SELECT Name FROM pet",
            "SELECT pet.Name FROM zoo",
        ] {
            assert!(found(wrong).is_err(), "{wrong}");
        }
    }
}
