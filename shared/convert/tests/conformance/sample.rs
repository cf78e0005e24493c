//! Messages to try a row with: a small sound one per segment map, and values that can be told apart.

use std::collections::BTreeMap;

/// A message as segments with fields; a field is a map from component (and subcomponent) to text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub(crate) segments: Vec<(String, BTreeMap<u32, Value>)>,
}

/// Component and subcomponent (0 for none below) to text.
pub(crate) type Value = BTreeMap<(u32, u32), String>;

impl Draft {
    pub(crate) fn of(text: &str) -> Self {
        let segments = text.lines().filter(|line| !line.trim().is_empty()).map(|line| {
            let mut fields = line.trim().split('|');
            let name = fields.next().unwrap_or_default().to_owned();
            let shift = if name == "MSH" { 2 } else { 1 };
            let parsed = (shift..).zip(fields).filter(|(_, text)| !text.is_empty());
            (name, parsed.map(|(n, text)| (n, value(text))).collect())
        });
        Self { segments: segments.collect() }
    }

    pub(crate) fn segment(&mut self, name: &str) -> Option<&mut BTreeMap<u32, Value>> {
        self.segments.iter_mut().find(|(n, _)| n == name).map(|(_, fields)| fields)
    }

    /// Puts `text` at a field, component or subcomponent, leaving what else is there.
    pub(crate) fn set(&mut self, segment: &str, [field, component, sub]: [u32; 3], text: &str) {
        if self.segment(segment).is_none() {
            self.segments.push((segment.to_owned(), BTreeMap::new()));
        }
        let Some(fields) = self.segment(segment) else { return };
        let value = fields.entry(field).or_default();
        if sub > 1
            && let Some(whole) = value.remove(&(component.max(1), 0))
        {
            value.insert((component.max(1), 1), whole);
        }
        if sub <= 1 && value.keys().any(|(c, s)| *c == component.max(1) && *s > 1) {
            value.insert((component.max(1), 1), text.to_owned());
            return;
        }
        value.insert((component.max(1), if sub <= 1 { 0 } else { sub }), text.to_owned());
    }

    pub(crate) fn clear(&mut self, segment: &str, [field, component, sub]: [u32; 3]) {
        let Some(fields) = self.segment(segment) else { return };
        if component == 0 {
            fields.remove(&field);
        } else if let Some(value) = fields.get_mut(&field) {
            value.retain(|(c, s), _| *c != component || (sub > 0 && *s != sub && !(sub == 1 && *s == 0)));
        }
    }

    pub(crate) fn text(&self) -> String {
        let lines = self.segments.iter().map(|(name, fields)| {
            let first = if name == "MSH" { 2 } else { 1 };
            let last = fields.keys().last().copied().unwrap_or(0);
            let texts: Vec<String> =
                (first..=last).map(|n| fields.get(&n).map(render).unwrap_or_default()).collect();
            format!("{name}|{}", texts.join("|"))
        });
        lines.collect::<Vec<_>>().join("\r")
    }
}

fn value(text: &str) -> Value {
    if text == "^~\\&" {
        return BTreeMap::from([((1, 0), text.to_owned())]);
    }
    let mut parts = BTreeMap::new();
    for (c, component) in (1..).zip(text.split('^')) {
        let several = component.contains('&');
        for (s, sub) in (1..).zip(component.split('&')).filter(|(_, sub)| !sub.is_empty()) {
            parts.insert((c, if several { s } else { 0 }), sub.to_owned());
        }
    }
    parts
}

fn render(value: &Value) -> String {
    let last = value.keys().map(|(c, _)| *c).max().unwrap_or(0);
    let component = |c: u32| {
        let subs: Vec<_> = value.iter().filter(|((n, _), _)| *n == c).collect();
        let deepest = subs.iter().map(|((_, s), _)| *s).max().unwrap_or(0);
        if deepest == 0 {
            return subs.first().map(|(_, text)| (*text).clone()).unwrap_or_default();
        }
        let at = |s: u32| {
            subs.iter().find(|((_, n), _)| *n == s || (s == 1 && *n == 0)).map_or("", |(_, t)| t.as_str())
        };
        (1..=deepest).map(at).collect::<Vec<_>>().join("&")
    };
    (1..=last).map(component).collect::<Vec<_>>().join("^")
}

const ADT: &str = "MSH|^~\\&|APP|FAC|||20240229103000||ADT^A08^ADT_A01|M1|P|2.5.1
EVN||20240229103000
PID|1||77^^^NORTH^MR||Base
";

const ORDER: &str = "MSH|^~\\&|APP|FAC|||20240229103000||ORU^R01^ORU_R01|M1|P|2.5.1
PID|1||77^^^NORTH^MR||Base
PV1|1|O|||||||||||||||||V1
ORC|RE
OBR|1|||c1^d1^LN
OBX|1|ST|c2^d2^LN||text||||||F
";

const SIU: &str = "MSH|^~\\&|APP|FAC|||20240229103000||SIU^S12^SIU_S12|M1|P|2.5.1
SCH||F1^FAC|||||||30|min|^^^20240307093000^20240307100000
PID|1||77^^^NORTH^MR||Base
";

/// The message a segment map is tried in.
pub(crate) fn base(map: &str) -> Draft {
    let segment = &map[..3];
    let visit = "PV1|1|O|||||||||||||||||V1\n";
    let text = match (segment, map) {
        ("MRG", _) => ADT.replace("A08^ADT_A01", "A40^ADT_A39") + "MRG|88^^^NORTH^MR||acc2\n",
        ("PID", "PID[Provenance-Patient]") => {
            ADT.replace("Base", "Base||||||||||||||||||||||||||||20240228|UPD")
        }
        ("PID", "PID[Account]") => ADT.replace("Base", "Base|||||||||||||acc1"),
        ("PV1", _) => format!("{ADT}{visit}"),
        ("PV2", _) => format!("{ADT}{visit}PV2|\n"),
        ("DG1", _) => format!("{ADT}{visit}DG1|1||c3^d3^I10C\n"),
        ("NK1", "NK1[Patient]") => format!("{ADT}NK1|1|Kin|EMR\n"),
        ("NK1", _) => format!("{ADT}NK1|1|Kin\n"),
        ("AL1", _) => format!("{ADT}AL1|1||c4^d4^L\n"),
        ("IAM", _) => format!("{ADT}IAM|1||c4^d4^L\n"),
        ("PR1", _) => format!("{ADT}{visit}PR1|1||c5^d5^C4||20240101\n"),
        ("IN1", _) => format!("{ADT}IN1|1\n"),
        ("IN3", _) => format!("{ADT}IN1|1|PLAN\nIN3|1\n"),
        ("ROL", "ROL[Encounter-PractitionerRole]") => format!("{ADT}{visit}ROL|||AT|D1^Doe\n"),
        ("ROL", "ROL[CareTeam]") => format!("{ADT}ROL|||AT|D1^Doe\n"),
        ("ROL", _) => format!("{ADT}ROL|||PP|D1^Doe\n"),
        ("PRT", "PRT[CareTeam]") => format!("{ADT}PRT||||AT|D1^Doe\n"),
        ("PRT", "PRT[Observation-Location]" | "PRT[PractitionerRole]") => {
            format!("{ORDER}PRT||||RO|D1^Doe\n")
        }
        ("PRT", "PRT[Device]") => format!("{ORDER}PRT||||EQUIP\n"),
        ("PRT", _) => format!("{ADT}PRT||||PP|D1^Doe\n"),
        ("MSA", _) => format!("{ADT}MSA|AA|M0\n"),
        ("SFT", _) => format!("{ADT}SFT||1.0|Prod\n"),
        ("PID", "PID[Appointment]") | ("SCH", _) => SIU.to_owned(),
        ("AIS", _) => format!("{SIU}AIS|1||c6^d6^L\n"),
        ("AIG", _) => format!("{SIU}AIG|1||c6^d6^L|room\n"),
        ("AIL", _) => format!("{SIU}AIL|1||WARD\n"),
        ("AIP", _) => format!("{SIU}AIP|1||D1^Doe\n"),
        ("NTE", "NTE[Appointment-Comment]") => SIU.replace("PID|", "NTE|1||base text\nPID|"),
        ("NTE", _) => format!("{ORDER}NTE|1||base text\n"),
        ("OBR" | "OBX" | "ORC", _) => ORDER.to_owned(),
        ("SPM", _) => format!("{ORDER}SPM|1|S1\n"),
        ("TQ1", _) => ORDER.replace("OBR|", "TQ1|1\nOBR|"),
        _ => ADT.to_owned(),
    };
    let mut draft = Draft::of(&text);
    if draft.segment(segment).is_none() {
        draft.segments.push((segment.to_owned(), BTreeMap::new()));
    }
    draft
}

/// The components a value of a data type needs to be one, whatever else is tried of it.
pub(crate) fn companions(data_type: &str) -> &'static [(u32, u32, &'static str)] {
    match data_type {
        "CX" | "EI" | "DLN" | "PLN" => &[(1, 0, "id1")],
        "XCN" => &[(1, 0, "id1"), (2, 0, "Fam")],
        "XON" => &[(1, 0, "Org"), (10, 0, "onr1")],
        "XPN" => &[(1, 0, "Fam")],
        "NDL" => &[(1, 1, "id1"), (1, 2, "Fam")],
        "CNN" => &[(1, 0, "id1"), (2, 0, "Fam")],
        "PL" => &[(1, 0, "POC")],
        "HD" => &[(1, 0, "ns1")],
        "CWE" | "CE" | "CNE" | "CF" => &[(1, 0, "c9")],
        "FC" | "DLD" => &[(1, 0, "f1")],
        "CQ" => &[(1, 0, "5")],
        "XTN" => &[(3, 0, "PH")],
        "MSG" => &[(1, 0, "ADT"), (2, 0, "A08")],
        _ => &[],
    }
}

/// The component another one says something about.
pub(crate) fn beside(place: &str) -> Option<(u32, &'static str)> {
    match place.split_once('.')? {
        ("CWE" | "CE" | "CNE", "2" | "3" | "7") => Some((1, "c9")),
        ("CWE" | "CE" | "CNE", "5" | "6" | "8") => Some((4, "c8")),
        ("CWE" | "CNE", "11" | "12" | "13") => Some((10, "c7")),
        ("HD", "3") => Some((2, "2.999.5.6")),
        ("EI", "2" | "3") => Some((1, "id1")),
        ("XTN", "5" | "6" | "8") => Some((7, "5550101")),
        ("SN", "3") => Some((2, "5")),
        _ => None,
    }
}

/// A value of a simple type that is not like others: `tag` makes it so.
pub(crate) fn simple(data_type: &str, place: &str, tag: u32) -> String {
    let fixed = match place {
        "CWE.3" | "CE.3" | "CNE.3" => "LN",
        "CWE.6" | "CE.6" | "CNE.6" => "SCT",
        "CWE.12" | "CNE.12" => "UCUM",
        "HD.2" | "EI.3" => "2.999.5.6",
        "HD.3" | "EI.4" => "ISO",
        "CX.5" | "XCN.13" | "XON.7" => "MR",
        "XPN.7" | "XCN.10" => "D",
        "XPN.11" | "XCN.18" => "F",
        "XAD.7" => "H",
        "XTN.2" => "PRN",
        "XTN.3" => "PH",
        "PT.1" => "P",
        "PT.2" => "A",
        "MSG.1" => "ADT",
        "MSG.2" => "A08",
        "MSG.3" => "ADT_A01",
        "RPT.2" => "DW",
        "RPT.6" | "RPT.10" => "d",
        "RPT.8" => "AC",
        "RPT.3" => "2",
        "RPT.4" => "4",
        "TQ.6" => "S",
        "XTN.18" => "3",
        "ED.2" => "Application",
        "ED.3" => "pdf",
        "ED.5" => "aGVsbG8=",
        "RP.4" => "html",
        "RI-2" => "0930",
        "DG1-21" => "D",
        "SN.1" => "<",
        _ => "",
    };
    if !fixed.is_empty() {
        return fixed.to_owned();
    }
    match data_type {
        "DT" => format!("19{:02}0{}1{}", 20 + tag % 70, 1 + tag % 9, tag % 10),
        "DTM" | "TS" | "DR" => format!("20{:02}0{}1{}0930", 10 + tag % 14, 1 + tag % 9, tag % 10),
        "TM" => format!("0{}3{}", tag % 10, tag % 10),
        "NM" | "SI" | "SNM" => format!("{}", 3 + tag % 90),
        _ => format!("q{tag}z"),
    }
}

/// How a date or time reads in FHIR; `None` for what is none.
pub(crate) fn fhir_time(text: &str) -> Option<String> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.len() {
        8 if digits => Some(format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..])),
        12 if digits => Some(format!(
            "{}-{}-{}T{}:{}:00",
            &text[..4],
            &text[4..6],
            &text[6..8],
            &text[8..10],
            &text[10..]
        )),
        _ => None,
    }
}
