//! Anchors of a manifest's YAML. YAML lets one be set again; the parser that reads manifests then takes later aliases for
//! something else altogether.

use std::collections::BTreeSet;

/// The anchors that are set again, with the lines in which they are.
pub(crate) fn again(yaml: &str) -> Vec<(usize, String)> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for (number, line) in yaml.lines().enumerate() {
        for name in anchors(line) {
            if !known.insert(name) {
                found.push((number + 1, name.to_owned()));
            }
        }
    }
    found
}

/// What a line sets: `&name` where a value begins, outside of quotes and comments.
fn anchors(line: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    let mut before = ' ';
    let mut places = Vec::new();
    for (at, letter) in line.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (None, '"' | '\'') if " [{,".contains(before) => quote = Some(letter),
            (None, '#') if before == ' ' => break,
            (None, '&') if " [{,".contains(before) => places.push(at + 1),
            _ => {}
        }
        before = letter;
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let name = move |at: usize| {
        let rest = line.get(at..).unwrap_or_default();
        rest.split(|letter| !is_name(letter)).next().unwrap_or_default()
    };
    places.into_iter().map(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_set_once() {
        let yaml = "a: &one {x: &two 1}\n# b: &one\nc: 'an &one in quotes' # &two\nd: x&one\ne: &one-more 2\nf: [&two 3]\n";
        assert_eq!(again(yaml), [(6, "two".to_owned())]);
        assert_eq!(again("a: *one\nb: & c\n"), []);
    }
}
