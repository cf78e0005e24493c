//! What shapes the answer to a search: FHIR's result parameters (FHIR R4, section 3.1.1.5). None of them is the product's.

use bridge_core::manifest::Asked as Parameter;

use super::{
    cut::Cut,
    refusal::{Code, Refused},
    sort::SortKey,
};

/// Matches on a page, at most.
const LARGEST_PAGE: usize = 200;
/// Each costs a question for every match.
const MOST_INCLUDES: usize = 8;

/// The result parameters of a request.
#[derive(Debug, Default)]
pub(super) struct Control {
    /// `_count`, above 0.
    pub(super) count: Option<usize>,
    /// `_summary=count`, or `_count=0`: how many there are, and none of them.
    pub(super) counts_only: bool,
    /// `_sort`, the first key first.
    pub(super) sort: Vec<SortKey>,
    /// `_total`.
    pub(super) total: Total,
    /// `_elements` and `_summary`.
    pub(super) cut: Cut,
    /// `_include`.
    pub(super) include: Vec<Include>,
    /// `_revinclude`.
    pub(super) revinclude: Vec<Include>,
    /// All of them as they were understood, for the link `self`.
    pub(super) said: Vec<Parameter>,
}

/// Whether the number of matches is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Total {
    /// Where it costs nothing.
    #[default]
    IfKnown,
    /// No.
    None,
    /// Counted, within bounds.
    Accurate,
}

/// `Type:parameter`, perhaps with `:Target`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Include {
    /// The type that refers.
    pub(super) source: String,
    /// Its search parameter; `*` for all of its references.
    pub(super) parameter: String,
    /// The type that is referred to, where one is said.
    pub(super) target: Option<String>,
}

impl Control {
    /// Takes a parameter of the query, if it is one of these.
    ///
    /// # Errors
    /// When its value is not one that is known.
    pub(super) fn take(&mut self, name: &str, value: &str) -> Result<bool, Refused> {
        let refused = |code, text: &str| Err(Refused::new(400, code, format!("`{name}` is {text}")).at(name));
        match (name, value) {
            ("_count", value) => match value.parse::<usize>() {
                Ok(0) => self.counts_only = true,
                Ok(count) => self.count = Some(count.min(LARGEST_PAGE)),
                Err(_) => return refused(Code::Value, "a whole number"),
            },
            ("_summary", "count") => self.counts_only = true,
            ("_summary", "false") => {}
            ("_summary", "data") => self.cut = Cut::Text,
            ("_summary", "text") => self.cut = Cut::Elements(vec!["text".to_owned()]),
            ("_summary", _) => return refused(Code::NotSupported, "one of `count`, `data`, `text`, `false`"),
            ("_elements", names) => self.cut = Cut::elements(names),
            ("_total", "none") => self.total = Total::None,
            // What is known exactly is a good estimate, and what would have to be counted is none.
            ("_total", "estimate") => self.total = Total::IfKnown,
            ("_total", "accurate") => self.total = Total::Accurate,
            ("_total", _) => return refused(Code::Value, "one of `none`, `estimate`, `accurate`"),
            ("_sort", keys) => match SortKey::read(keys) {
                Ok(keys) => self.sort = keys,
                Err(unknown) => {
                    let text =
                        format!("made of {}; `{unknown}` is not one of them", SortKey::KNOWN.join(", "));
                    return refused(Code::NotSupported, &text);
                }
            },
            ("_include" | "_revinclude", value) => {
                let list = if name == "_include" { &mut self.include } else { &mut self.revinclude };
                let Some(include) = Include::read(value) else {
                    return refused(Code::Value, "of the form `Type:parameter`, perhaps with `:Target`");
                };
                if list.len() >= MOST_INCLUDES {
                    return refused(Code::TooCostly, "given too often");
                }
                list.push(include);
            }
            _ => return Ok(false),
        }
        self.said.push((name.to_owned(), value.to_owned()));
        Ok(true)
    }

    /// The first parameter that makes sense with a search alone.
    pub(super) fn only_of_searches(&self) -> Option<&str> {
        let of_reads = ["_elements", "_summary"];
        self.said.iter().map(|(name, _)| &**name).find(|name| !of_reads.contains(name))
    }

    /// Whether all matches have to be at hand before any can be given out.
    pub(super) fn needs_all(&self) -> bool {
        self.counts_only || !self.sort.is_empty() || self.total == Total::Accurate
    }
}

impl Include {
    /// As it was said.
    pub(super) fn text(&self) -> String {
        let target = self.target.as_ref().map(|target| format!(":{target}")).unwrap_or_default();
        format!("{}:{}{target}", self.source, self.parameter)
    }

    fn read(text: &str) -> Option<Self> {
        let is_type = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_uppercase())
                && name.bytes().all(|b| b.is_ascii_alphabetic())
        };
        let mut parts = text.split(':');
        let (source, parameter, target) = (parts.next()?, parts.next()?, parts.next());
        let is_good = is_type(source) && !parameter.is_empty() && target.is_none_or(is_type);
        (is_good && parts.next().is_none()).then(|| Self {
            source: source.to_owned(),
            parameter: parameter.to_owned(),
            target: target.map(str::to_owned),
        })
    }
}
