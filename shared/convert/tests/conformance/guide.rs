//! The rows of the v2-to-FHIR guide, as `ig_rows.tsv` has them.

use std::{collections::BTreeMap, fs, path::Path};

/// One row: a v2 field or component, and what becomes of it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// `PID-3` or `CX.1`; a segment name alone for what every such segment gives.
    pub(crate) v2: String,
    pub(crate) v2_type: String,
    pub(crate) condition: String,
    /// A condition in words, which only a profile can decide.
    pub(crate) narrative: bool,
    pub(crate) fhir: String,
    pub(crate) datatype: String,
    pub(crate) vocabulary: String,
    pub(crate) assignment: String,
}

/// A code of a concept map and the FHIR code it becomes, if any.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) v2: String,
    pub(crate) fhir: String,
}

#[derive(Default)]
pub(crate) struct Guide {
    pub(crate) segments: BTreeMap<String, Vec<Row>>,
    pub(crate) datatypes: BTreeMap<String, Vec<Row>>,
    pub(crate) tables: BTreeMap<String, Vec<Code>>,
}

impl Guide {
    pub(crate) fn read(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("v2-to-fhir/ig_rows.tsv")).unwrap();
        let mut guide = Self::default();
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let cell = |n: usize| unquoted(cells.get(n).copied().unwrap_or_default());
            let (antlr, words) = (cell(7), cell(9));
            let row = Row {
                v2: cell(2),
                v2_type: cell(4),
                narrative: antlr.is_empty() && !words.is_empty(),
                condition: antlr,
                fhir: cell(10),
                datatype: cell(14),
                vocabulary: table_name(&cell(15)),
                // Some sheets have the constant one column to the left.
                assignment: if cell(15).starts_with('"') { cell(15) } else { cell(16) },
            };
            match cells.first().copied() {
                Some("codesystems") => {
                    let name = cell(1).replace("HL7 Concept Map_ ", "").replace(" - Sheet1", "");
                    let bare = |text: String| text.trim_matches('"').to_owned();
                    let code = Code { v2: bare(row.v2), fhir: bare(row.fhir) };
                    guide.tables.entry(table_name(&name)).or_default().push(code);
                }
                Some("segments") if !row.fhir.is_empty() => {
                    guide.segments.entry(cell(1)).or_default().push(row);
                }
                Some("datatypes") if !row.fhir.is_empty() => {
                    guide.datatypes.entry(cell(1).to_lowercase()).or_default().push(row);
                }
                _ => {}
            }
        }
        guide
    }
}

/// The sheets quote cells with commas or quotation marks in them, and double the latter.
fn unquoted(cell: &str) -> String {
    let inner = cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| cell.to_owned(), |inner| inner.replace("\"\"", "\"")).trim().to_owned()
}

/// The names of concept maps differ in blanks and strokes between the sheets.
pub(crate) fn table_name(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '[' | ']' | '.' | '-'))
        .collect::<String>()
        .to_lowercase()
}
