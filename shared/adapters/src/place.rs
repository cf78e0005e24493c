//! The line on which a key stands in a YAML document.
//!
//! serde knows lines only while it reads; what is wrong between two places is found afterwards, by path. This
//! reads the block style that adapters and connections are written in; inside flow style (`{a: b}`) and beyond an
//! alias it answers with the line where that stands.

/// The line of the key that `path` leads to, or of the nearest one above it that is there. Counted from 1.
///
/// A number in the path counts the items of a list, from 0.
pub fn line_of(yaml: &str, path: &[impl AsRef<str>]) -> usize {
    let lines: Vec<Line<'_>> = yaml.lines().map(Line::new).collect();
    let mut found = 0;
    let mut block = 0..lines.len();
    for key in path {
        let Some(at) = child(&lines, block, key.as_ref()) else { break };
        found = at;
        let inner = lines.iter().skip(at + 1).position(|line| line.ends(lines[at].indent));
        block = at + 1..inner.map_or(lines.len(), |length| at + 1 + length);
    }
    found + 1
}

/// Which line of the block is the child.
fn child(lines: &[Line<'_>], block: std::ops::Range<usize>, key: &str) -> Option<usize> {
    let indent = lines.get(block.clone())?.iter().find(|line| !line.text.is_empty())?.indent;
    let mut children = block.filter(|at| lines[*at].indent == indent && !lines[*at].text.is_empty());
    match key.parse::<usize>() {
        Ok(index) if !key.is_empty() => children.filter(|at| lines[*at].text.starts_with('-')).nth(index),
        _ => children.find(|at| lines[*at].key() == Some(key)),
    }
}

struct Line<'a> {
    indent: usize,
    /// Without indent; empty for a blank line or a comment.
    text: &'a str,
}

impl<'a> Line<'a> {
    fn new(line: &'a str) -> Self {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        Self { indent, text: if text.starts_with('#') { "" } else { text } }
    }

    /// Whether a block under a key at `indent` ends before this line. A list may stand at its key's own indent.
    fn ends(&self, indent: usize) -> bool {
        !self.text.is_empty()
            && (self.indent < indent || self.indent == indent && !self.text.starts_with('-'))
    }

    fn key(&self) -> Option<&'a str> {
        let (key, rest) = self.text.split_once(':')?;
        let end = rest.is_empty() || rest.starts_with(' ');
        end.then(|| key.trim_matches(['"', '\'']))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "\
# A comment: not a key
adapter: demo
webhook:
  verify: {kind: token, header: X, secret: s}

  kinds:
    # which ones
    \"Patient.create\":
      mapping: patient
      lane:
      - /a
      # between
      - /b
    Visit: *alias
routes:
  - to: a.b
    drop: []
  - to: c.d
";

    #[test]
    fn keys_and_items_are_found() {
        let line = |path: &str| line_of(DOCUMENT, &path.split('/').collect::<Vec<_>>());
        assert_eq!(line("adapter"), 2);
        assert_eq!(line("webhook/kinds/Patient.create/mapping"), 9);
        assert_eq!(line("webhook/kinds/Patient.create/lane/1"), 13);
        assert_eq!(line("webhook/kinds/Visit"), 14);
        assert_eq!(line("routes/1"), 18);
    }

    #[test]
    fn what_is_not_there_is_found_above() {
        let line = |path: &str| line_of(DOCUMENT, &path.split('/').collect::<Vec<_>>());
        assert_eq!(line("webhook/verify/secret"), 4, "flow style");
        assert_eq!(line("webhook/kinds/Visit/lane/0"), 14, "beyond an alias");
        assert_eq!(line("webhook/deliver/transport"), 3);
        assert_eq!(line("nothing"), 1);
        assert_eq!(line_of(DOCUMENT, &[] as &[&str]), 1);
    }
}
