//! What holds of any message: no panic, a sound bundle, the same bytes for the same message, and nothing lost in
//! silence: what was sent is in the bundle, or its place in the diagnostics.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use bridge_convert::Converter;
use bridge_hl7v2::Message;
use proptest::prelude::*;

/// Segments of the families, and how many fields the standard gives them.
const SEGMENTS: [(&str, usize); 32] = [
    ("EVN", 7),
    ("PID", 40),
    ("PD1", 22),
    ("NK1", 41),
    ("MRG", 7),
    ("PV1", 54),
    ("PV2", 50),
    ("OBX", 33),
    ("AL1", 6),
    ("IAM", 30),
    ("DG1", 26),
    ("PR1", 25),
    ("GT1", 57),
    ("IN1", 55),
    ("IN2", 72),
    ("IN3", 28),
    ("ROL", 14),
    ("PRT", 24),
    ("FT1", 43),
    ("ORC", 38),
    ("OBR", 53),
    ("SPM", 32),
    ("TQ1", 14),
    ("NTE", 9),
    ("SCH", 28),
    ("RGS", 3),
    ("AIS", 12),
    ("AIG", 14),
    ("AIL", 12),
    ("AIP", 12),
    ("SFT", 6),
    ("ZZZ", 5),
];

const EVENTS: [&str; 10] = [
    "ADT^A01", "ADT^A08", "ADT^A17", "ADT^A40", "ADT^A28", "ORU^R01", "SIU^S12", "SIU^S15", "DFT^P03",
    "DFT^P11",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z][A-Za-z0-9 ]{0,6}",
        2 => "(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])([01][0-9][0-5][0-9])?([0-5][0-9])?",
        2 => "[-+<>]?[0-9]{0,4}(\\.[0-9]{0,3})?",
        1 => Just("\"\"".to_owned()),
        1 => "[ -~äß日\\\\&\"]{0,8}".prop_map(|text| text.replace(['|', '\r', '\n'], "")),
    ]
}

fn field() -> impl Strategy<Value = String> {
    let component = prop::collection::vec(piece(), 0..3).prop_map(|subs| subs.join("&"));
    let repetition = prop::collection::vec(component, 0..6).prop_map(|components| components.join("^"));
    prop_oneof![3 => Just(String::new()), 4 => prop::collection::vec(repetition, 1..3).prop_map(|reps| reps.join("~"))]
}

fn segment() -> impl Strategy<Value = String> {
    prop::sample::select(&SEGMENTS[..]).prop_flat_map(|(name, count)| {
        prop::collection::vec(field(), 0..=count)
            .prop_map(move |fields| format!("{name}|{}", fields.join("|")))
    })
}

fn message() -> impl Strategy<Value = String> {
    let event = prop::sample::select(&EVENTS[..]);
    (event, prop::collection::vec(segment(), 0..14)).prop_map(|(event, segments)| {
        let header = format!("MSH|^~\\&|APP|FAC|||20240229103000||{event}|M1|P|2.5.1");
        let needed = "PID|1||77^^^NORTH^MR||Base\rSCH||F1\rFT1|1||||20240101|CG|c1\rOBR|1||F2|c2";
        [header, needed.into()].into_iter().chain(segments).collect::<Vec<_>>().join("\r")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_message_gives_a_sound_bundle(text in message()) {
        let message = Message::parse(&text).unwrap();
        let converter = Converter::new(support::profile());
        let converted = converter.convert(&message, support::received()).unwrap();
        if let Err(fault) = support::structure::check(&converted) {
            return Err(TestCaseError::fail(format!("{fault}\n{text}")));
        }
        let again = converter.convert(&message, support::received()).unwrap();
        prop_assert_eq!(converted.bundle, again.bundle);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), head in prop::bool::ANY) {
        let mut text = if head { b"MSH|^~\\&|A|B|||2024||ADT^A08|1\rPID|".to_vec() } else { Vec::new() };
        text.extend(bytes);
        if let Ok(message) = Message::parse(&text) {
            let _ = Converter::new(support::profile()).convert(&message, support::received());
        }
    }
}

/// Fields whose content is spent on reading, ordering or answering the message.
const SPENT: [&str; 24] = [
    "MSH-1", "MSH-2", "MSH-12", "MSH-13", "MSH-15", "MSH-16", "MSH-18", "EVN-1", "DG1-2", "NTE-2", "RGS-1",
    "RGS-2", "AIS-1", "AIS-2", "AIG-1", "AIG-2", "AIL-1", "AIL-2", "AIP-1", "AIP-2", "ROL-2", "PRT-2",
    "OBX-2", "OBR-11",
];

/// Every field of every segment holds a word of its own; each word is found in the bundle, or its field is noted.
#[test]
fn nothing_is_lost_in_silence() {
    let mut lost = Vec::new();
    for event in ["ADT^A01", "ADT^A40", "ORU^R01", "SIU^S12", "DFT^P03", "DFT^P11"] {
        for (name, count) in SEGMENTS {
            for component in 1..=3 {
                for n in 1..=count {
                    lost.extend(try_field(event, name, n, component));
                }
            }
        }
    }
    assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.join("\n"));
}

fn try_field(event: &str, name: &str, n: usize, component: usize) -> Option<String> {
    let place = format!("{name}-{n}");
    // Set ids order segments, and the diagnoses' action says one thing only.
    if SPENT.contains(&place.as_str())
        || (n == 1 && !matches!(name, "ROL" | "PRT" | "SCH" | "MRG" | "PD1" | "PV2" | "ORC"))
    {
        return None;
    }
    let word = format!("Qz{n}x{component}");
    let value = format!("{}{word}", "^".repeat(component - 1));
    let context = match name {
        "PV2" | "ROL" | "PRT" => "PV1|1|O|||||||||||||||||V1\r",
        "IN2" | "IN3" => "IN1|1|PLAN\r",
        "SPM" | "OBX" | "NTE" | "TQ1" => "OBR|1||F2|c2\r",
        "RGS" | "AIS" | "AIG" | "AIL" | "AIP" => "",
        _ => "",
    };
    let needed = match event.get(..3).unwrap_or_default() {
        "SIU" => "SCH||F1\rPID|1||77^^^NORTH^MR||Base\r",
        "DFT" => "PID|1||77^^^NORTH^MR||Base\rFT1|1||||20240101|CG|c1\r",
        _ => "PID|1||77^^^NORTH^MR||Base\r",
    };
    let own = format!("{name}|{}{value}", "|".repeat(n - 1));
    let text = match name {
        "PID" if event.starts_with("SIU") => format!("SCH||F1\r{own}"),
        "PID" if event.starts_with("DFT") => format!("{own}\rFT1|1||||20240101|CG|c1"),
        "PID" => own,
        "SCH" if event.starts_with("SIU") => format!("{own}\rPID|1||77^^^NORTH^MR||Base"),
        _ => format!("{needed}{context}{own}"),
    };
    let text = format!("MSH|^~\\&|APP|FAC|||20240229103000||{event}|M1|P|2.5.1\r{text}\rOBR|1||F9|c9");
    let message = Message::parse(&text).unwrap();
    let converted = Converter::new(support::profile()).convert(&message, support::received()).unwrap();
    if let Err(fault) = support::structure::check(&converted) {
        panic!("{fault}: {text}");
    }
    let told = String::from_utf8_lossy(&converted.bundle).contains(&word);
    let at = |d: &bridge_convert::Diagnostic| {
        d.location.segment == name && d.location.field.is_none_or(|f| f as usize == n)
    };
    let noted = converted.diagnostics.iter().any(at);
    (!told && !noted).then(|| format!("{event} {place}.{component}"))
}
