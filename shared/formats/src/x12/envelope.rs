//! ISA and GS, their trailers, and the separators.

use crate::{error::X12Fault, write};

/// ISA with its terminator: each of its elements has a fixed length.
pub(super) const ISA_LENGTH: usize = 106;

/// The characters that separate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Separators {
    element: u8,
    component: u8,
    /// From version 00402 on; before, ISA11 is a letter.
    repetition: Option<u8>,
    pub(super) segment: u8,
}

impl Separators {
    /// Reads them from the 106 characters of ISA.
    pub(super) fn of_isa(isa: &str) -> Result<Self, X12Fault> {
        let bytes = isa.as_bytes();
        let (Some(element), Some(repetition), Some(component), Some(segment)) =
            (bytes.get(3), bytes.get(82), bytes.get(104), bytes.get(105))
        else {
            return Err(X12Fault::NoIsa);
        };
        if !isa.starts_with("ISA") || bytes.get(103) != Some(element) {
            return Err(X12Fault::NoIsa);
        }
        let usable = |b: u8| b.is_ascii() && !b.is_ascii_alphanumeric() && b != b' ';
        let repetition = Some(*repetition).filter(|b| usable(*b));
        let mut all = vec![*element, *component, *segment];
        all.extend(repetition);
        let differ = all.iter().enumerate().all(|(at, b)| !all.iter().skip(at + 1).any(|other| other == b));
        if !differ || !all.iter().all(|b| usable(*b)) {
            return Err(X12Fault::Separators);
        }
        if bytes.iter().filter(|b| *b == element).count() != 16 {
            return Err(X12Fault::NoIsa);
        }
        Ok(Self { element: *element, component: *component, repetition, segment: *segment })
    }

    /// Cuts a segment, given with its terminator, into its elements.
    pub(super) fn cut(self, text: &str) -> Result<Segment<'_>, X12Fault> {
        let text = text.strip_suffix(char::from(self.segment)).unwrap_or(text);
        let mut elements = text.split(char::from(self.element));
        let name = elements.next().unwrap_or_default();
        let is_name =
            matches!(name.len(), 2 | 3) && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !is_name {
            return Err(X12Fault::Segment);
        }
        Ok(Segment { name, elements: elements.collect(), separators: self })
    }
}

/// A segment, cut.
pub(super) struct Segment<'a> {
    pub(super) name: &'a str,
    elements: Vec<&'a str>,
    separators: Separators,
}

impl<'a> Segment<'a> {
    /// Element `n`, counted from 1; empty when there is none.
    pub(super) fn element(&self, n: usize) -> &'a str {
        n.checked_sub(1).and_then(|at| self.elements.get(at)).copied().unwrap_or_default()
    }

    /// Appends `{"segment":…,"elements":[…]`, and leaves the object open.
    pub(super) fn write(&self, out: &mut String) {
        out.push('{');
        write::member("segment", self.name, out);
        write::key("elements", out);
        out.push('[');
        for element in &self.elements {
            write::comma(out);
            let repeats = self.separators.repetition.map(char::from).filter(|c| element.contains(*c));
            match repeats {
                None => self.component(element, out),
                Some(separator) => {
                    out.push_str("{\"repeat\":[");
                    for repetition in element.split(separator) {
                        write::comma(out);
                        self.component(repetition, out);
                    }
                    out.push_str("]}");
                }
            }
        }
        out.push(']');
    }

    fn component(&self, element: &str, out: &mut String) {
        let separator = char::from(self.separators.component);
        // ISA16 is the separator itself.
        if !element.contains(separator) || self.name == "ISA" {
            return write::string(element, out);
        }
        out.push('[');
        for component in element.split(separator) {
            write::comma(out);
            write::string(component, out);
        }
        out.push(']');
    }
}

/// What is open around transaction sets, and what it has had so far.
#[derive(Default)]
pub(super) struct Envelope {
    pub(super) separators: Option<Separators>,
    /// ISA and GS as they came; empty when none is open.
    interchange: String,
    group: String,
    groups: u64,
    transactions: u64,
}

impl Envelope {
    /// A segment outside of transaction sets.
    pub(super) fn take(&mut self, segment: &Segment<'_>, text: &str) -> Result<(), X12Fault> {
        let found = known(segment.name);
        match (segment.name, self.interchange.is_empty(), self.group.is_empty()) {
            ("ISA", true, _) => {
                self.interchange = text.to_owned();
                self.groups = 0;
            }
            ("GS", false, true) => {
                self.group = text.to_owned();
                self.transactions = 0;
            }
            ("GE", _, false) => {
                trailer(segment, "GE", "transaction sets", self.transactions)?;
                same_control(segment, self.element(&self.group, 6), "GE", "GS")?;
                self.group.clear();
                self.groups += 1;
            }
            ("IEA", false, true) => {
                trailer(segment, "IEA", "groups", self.groups)?;
                same_control(segment, self.element(&self.interchange, 13), "IEA", "ISA")?;
                self.interchange.clear();
                // The next interchange may be written with others.
                self.separators = None;
            }
            (_, true, _) => return Err(X12Fault::Order { found, expected: "ISA" }),
            (_, _, true) => return Err(X12Fault::Order { found, expected: "GS or IEA" }),
            _ => return Err(X12Fault::Order { found, expected: "ST or GE" }),
        }
        Ok(())
    }

    pub(super) fn begin_transaction(&mut self) -> Result<(), X12Fault> {
        if self.group.is_empty() {
            let expected = if self.interchange.is_empty() { "ISA" } else { "GS" };
            return Err(X12Fault::Order { found: "ST", expected });
        }
        self.transactions += 1;
        Ok(())
    }

    pub(super) fn may_acknowledge(&self) -> Result<(), X12Fault> {
        match !self.interchange.is_empty() && self.group.is_empty() {
            true => Ok(()),
            false => Err(X12Fault::Order { found: "other", expected: "a segment of its own envelope" }),
        }
    }

    /// What the end of the file leaves open.
    pub(super) fn open_trailer(&self) -> Option<&'static str> {
        match (self.interchange.is_empty(), self.group.is_empty()) {
            (_, false) => Some("a functional group (GE is missing)"),
            (false, true) => Some("an interchange (IEA is missing)"),
            (true, true) => None,
        }
    }

    /// Element `n` of a header that is kept.
    fn element<'a>(&self, header: &'a str, n: usize) -> &'a str {
        let cut = self.separators.and_then(|separators| separators.cut(header).ok());
        cut.map(|segment| segment.element(n)).unwrap_or_default()
    }

    /// Appends `{"interchange":{…},"group":{…}`, and leaves the object open.
    pub(super) fn write(&self, out: &mut String) {
        const INTERCHANGE: [(&str, usize); 9] = [
            ("sender-qualifier", 5),
            ("sender", 6),
            ("receiver-qualifier", 7),
            ("receiver", 8),
            ("date", 9),
            ("time", 10),
            ("version", 12),
            ("control", 13),
            ("usage", 15),
        ];
        const GROUP: [(&str, usize); 7] = [
            ("function", 1),
            ("sender", 2),
            ("receiver", 3),
            ("date", 4),
            ("time", 5),
            ("control", 6),
            ("version", 8),
        ];
        out.push('{');
        for (name, header, elements) in
            [("interchange", &self.interchange, INTERCHANGE.as_slice()), ("group", &self.group, &GROUP)]
        {
            if header.is_empty() {
                continue;
            }
            write::key(name, out);
            out.push('{');
            for (member, n) in elements {
                write::member(member, self.element(header, *n).trim_end(), out);
            }
            out.push('}');
        }
    }

    /// For a checkpoint.
    pub(super) fn remember(&self) -> Vec<String> {
        let (groups, transactions) = (self.groups.to_string(), self.transactions.to_string());
        vec![self.interchange.clone(), self.group.clone(), groups, transactions]
    }

    /// From a checkpoint.
    pub(super) fn recall(kept: &[String]) -> Self {
        let text = |at: usize| kept.get(at).cloned().unwrap_or_default();
        let number = |at: usize| text(at).parse().unwrap_or_default();
        Self {
            separators: Separators::of_isa(&text(0)).ok(),
            interchange: text(0),
            group: text(1),
            groups: number(2),
            transactions: number(3),
        }
    }
}

/// The count in a trailer's first element.
pub(super) fn trailer(
    segment: &Segment<'_>,
    trailer: &'static str,
    what: &'static str,
    found: u64,
) -> Result<(), X12Fault> {
    let claimed = segment.element(1).trim().parse().unwrap_or(0);
    if claimed == found { Ok(()) } else { Err(X12Fault::Count { trailer, what, claimed, found }) }
}

/// The control number in a trailer's second element.
pub(super) fn same_control(
    segment: &Segment<'_>,
    control: &str,
    trailer: &'static str,
    header: &'static str,
) -> Result<(), X12Fault> {
    match segment.element(2).trim() == control.trim() {
        true => Ok(()),
        false => Err(X12Fault::ControlNumber { trailer, header }),
    }
}

/// The name of a segment of an envelope, for an error: other names could be anything.
pub(super) fn known(name: &str) -> &'static str {
    ["ISA", "GS", "ST", "SE", "GE", "IEA"].into_iter().find(|known| *known == name).unwrap_or("other")
}
