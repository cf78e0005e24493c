//! Turns rows of the guide into trials: a value at a place in a message, and where it must turn up.

use crate::{
    condition::{self, Atom, Test},
    guide::{Guide, Row},
    sample,
};

/// One trial.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    pub(crate) map: String,
    /// The place in words of the guide: `PID-3.4.1`.
    pub(crate) place: String,
    pub(crate) at: [u32; 3],
    /// What else must be set: place and text.
    pub(crate) with: Vec<([u32; 3], String)>,
    pub(crate) input: String,
    pub(crate) path: String,
    /// The type of resource the path begins at.
    pub(crate) root: String,
    pub(crate) expected: Expected,
    pub(crate) conditions: Vec<Atom>,
    /// A condition that is not of the readable form.
    pub(crate) unread: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Expected {
    /// The value that was put in, in FHIR's form.
    Input,
    /// A text that holds the value that was put in.
    Holding,
    /// A time computed from the value that was put in.
    Computed,
    /// This text.
    Text(String),
}

/// Every trial of a segment map.
pub(crate) fn of_map(guide: &Guide, map: &str) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (nth, row) in guide.segments[map].iter().enumerate() {
        let tag = u32::try_from(nth).unwrap() * 7 % 97;
        of_row(guide, map, row, tag, &mut trials);
    }
    trials
}

/// `MSH[Provenance-Source]` writes a Provenance.
fn root(map: &str) -> String {
    let inner = map.split(['[', ']']).nth(1).unwrap_or_default();
    inner.split('-').next().unwrap_or_default().to_owned()
}

fn of_row(guide: &Guide, map: &str, row: &Row, tag: u32, trials: &mut Vec<Trial>) {
    let number = row.v2.split_once('-').map_or(0, |(_, n)| n.parse().unwrap_or(0));
    let mut trial = Trial {
        map: map.into(),
        place: row.v2.clone(),
        at: [number, 0, 0],
        with: Vec::new(),
        input: sample::simple(&row.v2_type, &row.v2, tag),
        path: row.fhir.clone(),
        root: root(map),
        expected: Expected::Input,
        conditions: Vec::new(),
        unread: row.narrative,
    };
    add_condition(&mut trial, &row.condition, [number, 0, 0], &row.v2);
    for (component, sub, text) in sample::companions(&row.v2_type) {
        trial.with.push(([number, *component, *sub], (*text).into()));
    }
    if let Some((path, constant)) = trial.path.clone().split_once('=') {
        trial.path = path.into();
        trial.expected = Expected::Text(constant.trim_matches('"').into());
        return trials.push(trial);
    }
    if let Some(expected) = assigned(&row.assignment) {
        trial.expected = expected;
        if number == 0 {
            trial.input = "ADT^A08".into();
        }
        if number > 0 && sample::companions(&row.v2_type).is_empty() {
            trial.with.push(([number, 0, 0], trial.input.clone()));
        }
        if number > 0 && !matches!(trial.expected, Expected::Text(_)) {
            trial.input = trial.with.first().map_or_else(String::new, |(_, text)| text.clone());
        }
        trial.at = [0; 3];
        return trials.push(trial);
    }
    // A URL or a system that the sheet does not give cannot be tried either.
    let unsaid = [".url", ".system", ".uri"].iter().any(|end| row.fhir.ends_with(end));
    if unsaid && row.datatype.is_empty() && row.assignment.is_empty() {
        return;
    }
    if row.v2 == "OBX-5" && row.datatype.is_empty() || row.datatype.starts_with("NM[") {
        let kind = trial.conditions.iter().find_map(|atom| match &atom.test {
            Test::OneOf(codes) if atom.place == "OBX-2" => Some(codes[0].clone()),
            _ => None,
        });
        trial.input = match kind.as_deref() {
            Some("NM") => "12.5".into(),
            Some("DTM") => "202401020930".into(),
            Some("TM") => "0930".into(),
            _ => trial.input,
        };
    }
    // What is assigned in words only, or not at all, cannot be tried.
    if number == 0 || row.assignment.starts_with(['/', '#']) {
        return;
    }
    if row.fhir.ends_with("CodeableConcept") && row.datatype.is_empty() && !row.vocabulary.is_empty() {
        trial.path.push_str(".coding.code");
        return with_codes(guide, trial, &row.vocabulary, true, trials);
    }
    if row.datatype.is_empty() || !guide.datatypes.contains_key(&row.datatype.to_lowercase()) {
        return with_codes(guide, trial, &row.vocabulary, is_concept(row), trials);
    }
    if row.fhir == "$this" {
        if root(&row.datatype) != "Extension" {
            trial.root = root(&row.datatype);
        }
        trial.path.clear();
    }
    of_datatype(guide, &trial, &row.datatype, &row.vocabulary, tag, trials);
}

fn is_concept(row: &Row) -> bool {
    let name = row.datatype.to_lowercase();
    name.contains("codeableconcept") || name.contains("coding") || row.fhir.to_lowercase().contains("coding")
}

/// What is assigned rather than carried over; `None` when nothing is, or only in words.
fn assigned(assignment: &str) -> Option<Expected> {
    if assignment.is_empty() || assignment.starts_with(['/', '#']) {
        return None;
    }
    if assignment.contains(".start") || assignment.contains(".end") {
        return Some(Expected::Computed);
    }
    if assignment.contains('+') || assignment == "NA.1" || assignment.starts_with("RP.") {
        return Some(Expected::Holding);
    }
    Some(Expected::Text(assignment.trim_matches('"').trim().trim_end_matches('"').into()))
}

/// Places of components (`XTN.3`) are meant inside the value at `inside`.
fn add_condition(trial: &mut Trial, condition: &str, inside: [u32; 3], own: &str) {
    if condition.is_empty() {
        return;
    }
    // Of the component itself the sheets say `IF NOT VALUED`, and of the segment `ORC.1`.
    let segment = trial.map[..3].to_owned();
    let condition = condition.replace("IF NOT VALUED", &format!("IF {own} NOT VALUED"));
    let condition = condition.replace(&format!("{segment}."), &format!("{segment}-"));
    match condition::parse(&condition) {
        Some(mut atoms) => {
            for atom in atoms.iter_mut().filter(|atom| !atom.place.contains('-')) {
                let n = atom.place.rsplit('.').next().unwrap_or_default();
                let segment = &trial.map[..3];
                atom.place = match inside {
                    [field, 0, _] => format!("{segment}-{field}.{n}"),
                    [field, component, _] => format!("{segment}-{field}.{component}.{n}"),
                };
            }
            trial.conditions.extend(atoms);
        }
        None => trial.unread = true,
    }
}

fn of_datatype(
    guide: &Guide,
    parent: &Trial,
    data_type: &str,
    vocabulary: &str,
    tag: u32,
    trials: &mut Vec<Trial>,
) {
    for (nth, row) in guide.datatypes[&data_type.to_lowercase()].iter().enumerate() {
        let tag = (tag + u32::try_from(nth).unwrap() * 13) % 97;
        let n: u32 = row.v2.rsplit(['.', '-']).next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let mut trial = parent.clone();
        trial.unread |= row.narrative;
        add_condition(&mut trial, &row.condition, parent.at, &row.v2);
        let simple =
            ["ID[", "IS[", "ST[", "NM[", "DTM[", "TS[", "FT["].iter().any(|t| data_type.starts_with(t));
        if parent.at[2] > 0 && n > 1 && !simple {
            // There is no delimiter below subcomponents.
            continue;
        }
        (trial.at, trial.place) = match parent.at {
            [_, _, sub] if sub > 0 => (parent.at, parent.place.clone()),
            _ if simple || n == 0 => (parent.at, parent.place.clone()),
            [field, 0, _] => ([field, n, 0], format!("{}.{n}", parent.place)),
            [field, component, _] => ([field, component, n], format!("{}.{n}", parent.place)),
        };
        let beside = sample::beside(&row.v2);
        if let ([field, component, sub], Some((n, text))) = (trial.at, beside) {
            trial.with.push((if sub > 0 { [field, component, n] } else { [field, n, 0] }, text.into()));
        }
        if !simple || trial.input.is_empty() {
            trial.input = sample::simple(&row.v2_type, &row.v2, tag);
        }
        if data_type.eq_ignore_ascii_case("CQ[code]") {
            trial.input = "min".into();
        }
        trial.path = joined(&parent.path, &row.fhir, data_type, n);
        if is_place(data_type, n) {
            trial.root = "Location".into();
        }
        if trial.conditions.iter().any(|atom| matches!(&atom.test, Test::OneOf(codes) if codes[0] == "UUID"))
        {
            trial.input = "00000000-0000-4000-8000-000000000001".into();
        }
        let nested = row.datatype.to_lowercase();
        if guide.datatypes.contains_key(&nested) && nested != data_type.to_lowercase() {
            for (component, _, text) in sample::companions(&row.v2_type) {
                trial.with.push(([trial.at[0], trial.at[1].max(1), *component], (*text).into()));
            }
            of_datatype(guide, &trial, &row.datatype, &row.vocabulary, tag, trials);
            continue;
        }
        if let Some(expected) = assigned(&row.assignment) {
            trial.with.push((trial.at, trial.input.clone()));
            trial.at = [0; 3];
            trial.expected = expected;
            trials.push(trial);
            continue;
        }
        let first = n <= 1 || (n == 4 && data_type.eq_ignore_ascii_case("CWE[code]"));
        let table = if row.vocabulary.is_empty() && first { vocabulary } else { &row.vocabulary };
        let concept = data_type.to_lowercase().contains("codeableconcept")
            || data_type.to_lowercase().contains("coding")
            || row.fhir.contains("coding");
        with_codes(guide, trial, table, concept, trials);
    }
}

/// Components that are places: each is a Location of its own.
fn is_place(data_type: &str, component: u32) -> bool {
    let name = data_type.to_lowercase();
    name.starts_with("pl[") || (name.starts_with("ndl[") && component >= 4)
}

/// The path of a component under that of its field. Places and designators are numbered resources of their own.
fn joined(parent: &str, own: &str, data_type: &str, n: u32) -> String {
    let own = own.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(own, |(_, rest)| rest);
    let own = own.trim_start_matches('.').trim_start_matches("Quantity.");
    let own = if own.starts_with('$') { "" } else { own };
    if is_place(data_type, n) {
        return own.replacen("location(Location.", "(Location.", 1).trim_start_matches('.').to_owned();
    }
    match (parent.is_empty(), own.is_empty()) {
        (true, _) => own.to_owned(),
        (_, true) => parent.to_owned(),
        // A family name is written under `family` in both sheets, an endpoint beside `endpoint`.
        _ if data_type.starts_with("FN[") => {
            format!("{}.{own}", parent.trim_end_matches("family").trim_end_matches('.'))
        }
        _ if data_type.starts_with("HD[MessageHeader") => {
            format!("{}.{own}", parent.trim_end_matches(".endpoint"))
        }
        _ => format!("{parent}.{own}"),
    }
}

/// One trial, or, where codes are translated, one for each code of the table.
fn with_codes(guide: &Guide, trial: Trial, vocabulary: &str, concept: bool, trials: &mut Vec<Trial>) {
    let own_condition = trial.conditions.iter().find_map(|atom| match &atom.test {
        Test::OneOf(codes) if atom.place == trial.place => Some(codes[0].clone()),
        _ => None,
    });
    let Some(codes) = guide.tables.get(vocabulary).filter(|_| !vocabulary.is_empty()) else {
        let input = own_condition.unwrap_or_else(|| trial.input.clone());
        return trials.push(Trial { input, ..trial });
    };
    let only = trial.conditions.iter().find_map(|atom| match &atom.test {
        Test::OneOf(codes) if atom.place == trial.place => Some(codes.clone()),
        _ => None,
    });
    for code in codes.iter().filter(|code| only.as_ref().is_none_or(|only| only.contains(&code.v2))) {
        let mut one = trial.clone();
        one.input = code.v2.replace("<integer>", "5").replace("<day#>", "3");
        // The conditions of address types choose among the codes themselves.
        one.conditions.retain(|atom| atom.place != one.place);
        one.expected = match (code.fhir.as_str(), concept) {
            ("", false) => continue,
            ("", true) => Expected::Input,
            (fhir, _) => Expected::Text(fhir.replace("<integer>", "5").replace("<day#>", "3")),
        };
        one.place = format!("{} {}", one.place, code.v2);
        trials.push(one);
    }
}
