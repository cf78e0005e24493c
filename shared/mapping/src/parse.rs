//! From source to tree: syntax, and what a mapping may not use.

use jsonata_core::{
    ast::{AstNode, BinaryOp},
    parser,
};

use crate::{ast, limits, scan};

/// Functions whose result is not determined by the record, with what to do instead.
const REFUSED: [(&str, &str); 5] = [
    ("eval", "the mapping could no longer be checked when it is compiled"),
    ("millis", "a replay would give another result; take the time from the record"),
    ("now", "a replay would give another result; take the time from the record"),
    ("random", "a replay would give another result"),
    ("shuffle", "a replay would give another result"),
];

/// Why a source is refused, and where, in characters from its beginning.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) offset: usize,
    pub(crate) text: String,
}

/// Parses a mapping.
pub(crate) fn parse(source: &str) -> Result<AstNode, Refused> {
    if source.len() > limits::SOURCE {
        return Err(Refused { offset: 0, text: format!("is longer than {} bytes", limits::SOURCE) });
    }
    let mut tree = parser::parse(source).map_err(|error| {
        let text = error.to_string();
        Refused { offset: wrong_token(source, &text), text }
    })?;
    match undetermined(&mut tree) {
        None => Ok(tree),
        Some((name, text)) => Err(Refused { offset: first_use(source, &name), text }),
    }
}

/// The token at which parsing failed, which jsonata-core does not say. But it reads from left to right, so every
/// prefix that holds the wrong token fails in the same way, and none that ends before it does.
fn wrong_token(source: &str, error: &str) -> usize {
    let tokens = scan::tokens(source);
    let end = source.trim_end().chars().count();
    if error.contains("must be terminated") {
        return tokens.last().map_or(end, |token| token.start);
    }
    if ["end of expression", "Eof"].iter().any(|marker| error.contains(marker)) {
        return end;
    }
    let ends: Vec<usize> = source.char_indices().map(|(at, _)| at).chain([source.len()]).collect();
    let fails_otherwise =
        |end: &usize| parser::parse(&source[..*end]).err().is_none_or(|other| other.to_string() != error);
    // The shortest prefix that fails in the same way is one character longer than `good`.
    let good = ends.partition_point(fails_otherwise).saturating_sub(1);
    tokens.iter().find(|token| token.end > good).map_or(end, |token| token.start)
}

/// The first function, by name, whose result the record does not determine, and why it is refused.
fn undetermined(tree: &mut AstNode) -> Option<(String, String)> {
    let mut found = None;
    ast::walk(tree, &mut |node| {
        if found.is_some() {
            return;
        }
        found = match node {
            AstNode::Function { name, .. } | AstNode::Variable(name) if is_refused(name).is_some() => {
                is_refused(name).map(|why| (name.clone(), format!("${name} is refused: {why}")))
            }
            AstNode::Function { name, args, .. } if name == "toMillis" => clock_reading(args.get(1)),
            AstNode::Binary { op: BinaryOp::ChainPipe, rhs, .. } => match &**rhs {
                AstNode::Function { name, args, .. } if name == "toMillis" => clock_reading(args.first()),
                _ => None,
            },
            _ => None,
        };
    });
    found
}

fn is_refused(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, why)| *why)
}

/// `$toMillis` fills a picture that has no year from today's date.
fn clock_reading(picture: Option<&AstNode>) -> Option<(String, String)> {
    let has_year = match picture {
        None => true,
        Some(AstNode::String(picture)) => picture.contains("[Y"),
        Some(_) => false,
    };
    (!has_year).then(|| {
        let text =
            "$toMillis needs a literal picture with a year: it takes the missing parts from today's date";
        ("toMillis".to_owned(), text.to_owned())
    })
}

fn first_use(source: &str, name: &str) -> usize {
    let used = |token: &scan::Token| token.kind == scan::Kind::Variable(name.to_owned());
    scan::tokens(source).into_iter().find(used).map_or(0, |token| token.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    #[test]
    fn a_refusal_points_at_the_token() {
        for (source, place) in [
            ("{\n  \"a\": 1,\n  \"b\" 2\n}", (3, 7)),
            ("{\n  \"a\": b ? : c,\n \"d\": 1\n}", (2, 12)),
            ("(a; b", (1, 6)),
            ("{\"a\": [1, 2}", (1, 12)),
            ("a.b.c)", (1, 6)),
            ("\n\n\"open", (3, 1)),
            ("{\"a\": 'ü', \"b\": foo bar}", (1, 21)),
            ("{\"a\": 1,\n \"at\": $now()}", (2, 8)),
            ("$map(rows, $random)", (1, 12)),
            ("$toMillis(t, '[H]:[m]')", (1, 1)),
            ("t ~> $toMillis('[H]:[m]')", (1, 6)),
            ("[$eval(x)]", (1, 2)),
        ] {
            let refused = parse(source).err().unwrap_or_else(|| panic!("{source} was accepted"));
            let found = Place::at(source, refused.offset);
            assert_eq!((found.line, found.column), place, "{source}: {}", refused.text);
        }
    }

    #[test]
    fn what_the_record_determines_is_accepted() {
        for source in [
            "$toMillis(t)",
            "$toMillis(t, '[Y0001]-[M01]')",
            "now",
            "`$now`",
            "{\"$now\": 1}",
            "t ~> $toMillis",
        ] {
            assert!(parse(source).is_ok(), "{source}");
        }
    }
}
