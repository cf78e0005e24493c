//! The tokens of a mapping's source with their places, which jsonata-core's tree does not keep.
//!
//! It knows just enough of the grammar to step over strings, names, comments and patterns.

/// What a token is, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string literal.
    Text,
    /// `$name`, without the `$`.
    Variable(String),
    /// A name, number or pattern.
    Word,
    /// An operator or bracket, by its last character.
    Mark(char),
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Where it begins, in characters.
    pub(crate) start: usize,
    /// Where it ends, in characters.
    pub(crate) end: usize,
    pub(crate) kind: Kind,
}

/// Cuts `source` into tokens. Whatever it cannot read is one token up to the end.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let start = at;
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        if c == '/' && chars.get(at + 1) == Some(&'*') {
            at = find(&chars, at + 2, |at| chars[at] == '*' && chars.get(at + 1) == Some(&'/')) + 2;
            continue;
        }
        let kind = match c {
            '"' | '\'' | '`' => {
                at = skip_quoted(&chars, at);
                if c == '`' { Kind::Word } else { Kind::Text }
            }
            '/' if !ends_value(tokens.last()) => {
                at = skip_quoted(&chars, at);
                Kind::Word
            }
            '$' => {
                at = find(&chars, at + 1, |at| !is_name(chars[at]));
                Kind::Variable(chars[start + 1..at].iter().collect())
            }
            c if is_name(c) => {
                at = find(&chars, at + 1, |at| !is_name(chars[at]));
                Kind::Word
            }
            c => {
                at += 1;
                Kind::Mark(c)
            }
        };
        at = at.min(chars.len());
        tokens.push(Token { start, end: at, kind });
    }
    tokens
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The first index from `from` on where `stop` holds, or the end.
fn find(chars: &[char], from: usize, stop: impl Fn(usize) -> bool) -> usize {
    (from..chars.len()).find(|at| stop(*at)).unwrap_or(chars.len())
}

/// The index behind the quote that closes the one at `open`.
fn skip_quoted(chars: &[char], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' if chars[open] != '`' => at += 2,
            c if c == chars[open] => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// After a value a `/` divides; anywhere else it begins a pattern.
fn ends_value(last: Option<&Token>) -> bool {
    last.is_some_and(|token| match token.kind {
        Kind::Mark(mark) => matches!(mark, ')' | ']' | '}' | '*' | '%'),
        Kind::Text | Kind::Variable(_) | Kind::Word => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str) -> Vec<String> {
        let chars: Vec<char> = source.chars().collect();
        tokens(source).iter().map(|token| chars[token.start..token.end].iter().collect()).collect()
    }

    #[test]
    fn what_looks_like_code_inside_quotes_is_not() {
        for (source, expected) in [
            (
                r#"{"a\"}": `b c`.$d('x')}"#,
                vec!["{", r#""a\"}""#, ":", "`b c`", ".", "$d", "(", "'x'", ")", "}"],
            ),
            ("a /* { \" */ / 2", vec!["a", "/", "2"]),
            (r"$match(x, /[{]\/'/)", vec!["$match", "(", "x", ",", r"/[{]\/'/", ")"]),
            ("$$.é := \"", vec!["$$", ".", "é", ":", "=", "\""]),
            ("/* open", vec![]),
        ] {
            assert_eq!(shown(source), expected, "{source}");
        }
    }
}
