//! hl7-parser as the oracle: the same structure from both, and where they differ, who is right and why.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod corpus_files;
mod generate;

use bridge_hl7v2::{
    Message,
    batch::{self, Part},
    charset::{Charset, Reading},
};
use hl7_parser::Message as Oracle;
use proptest::prelude::*;

/// Names, fields, repetitions, components and subcomponents, raw.
type Shape = Vec<(String, Vec<Vec<Vec<Vec<String>>>>)>;

fn ours(text: &str) -> Option<Shape> {
    // hl7-parser reads text; what MSH-18 declares of the bytes does not matter to it.
    let message = Message::parse_as(text, Reading::Always(Charset::Utf8)).ok()?;
    let shape = message.segments().map(|segment| {
        let fields = segment.fields().map(|field| {
            let cut = |v: bridge_hl7v2::Value<'_>| v.parts().map(|s| s.raw().to_owned()).collect();
            field.repetitions().map(|r| r.parts().map(cut).collect()).collect()
        });
        (segment.name().to_string(), fields.collect())
    });
    Some(shape.collect())
}

fn theirs(text: &str) -> Option<Shape> {
    let message = Oracle::parse_with_lenient_newlines(text, true).ok()?;
    let shape = message.segments().enumerate().map(|(i, segment)| {
        let fields = segment.fields().enumerate().map(|(n, field)| {
            if i == 0 && n < 2 {
                return vec![vec![vec![field.raw_value().to_owned()]]];
            }
            let subcomponents = |c: &hl7_parser::message::Component<'_>| {
                or_empty(c.subcomponents().map(|s| s.raw_value().to_owned()).collect())
            };
            let components =
                |r: &hl7_parser::message::Repeat<'_>| or_empty(r.components().map(subcomponents).collect());
            or_empty(field.repeats().map(components).collect())
        });
        (segment.name.to_owned(), fields.collect())
    });
    Some(shape.collect())
}

/// hl7-parser gives no pieces for some empty values, where we give one empty piece.
fn or_empty<T: Default>(pieces: Vec<T>) -> Vec<T> {
    if pieces.is_empty() { vec![T::default()] } else { pieces }
}

/// Why the two may differ on a message, each held by a test below.
fn excuse(text: &str) -> Option<&'static str> {
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    let separator = text.get(3..4)?;
    let encoding = text[..end].split(separator).nth(1).unwrap_or_default();
    if encoding.len() != 4 {
        return Some("encoding characters other than four");
    }
    if end == 8 {
        return Some("a header without fields");
    }
    let mut lines = text[..].trim_end_matches(['\r', '\n']).split("\r\n").flat_map(|l| l.split(['\r', '\n']));
    lines.find_map(|line| {
        let named = line.len() >= 3
            && line.as_bytes()[..3].iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        match line {
            "" => Some("a blank line"),
            _ if !named || line.as_bytes()[0].is_ascii_digit() => Some("a line without a segment name"),
            _ if line.len() == 3 => Some("a segment without fields"),
            _ if !line[3..].starts_with(separator) => Some("a longer name"),
            _ => None,
        }
    })
}

fn compare(text: &str) -> Result<(), String> {
    match (ours(text), theirs(text)) {
        (ours, theirs) if ours == theirs => Ok(()),
        _ if excuse(text).is_some() => Ok(()),
        (ours, theirs) => Err(format!("{ours:?}\n{theirs:?}")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_messages_have_the_same_structure(model in generate::model()) {
        let text = String::from_utf8(model.build()).unwrap();
        prop_assert_eq!(compare(&text), Ok(()));
    }

    #[test]
    fn so_have_random_lines(lines in prop::collection::vec("(PID|OBX|NTE|ZZ1)\\|[a-z|^~&\\\\é\"]{0,40}", 0..6)) {
        for eol in ["\r", "\n", "\r\n"] {
            let text = std::iter::once("MSH|^~\\&|A").chain(lines.iter().map(String::as_str)).collect::<Vec<_>>();
            let text = text.join(eol);
            prop_assert_eq!(excuse(&text), None);
            prop_assert_eq!(compare(&text), Ok(()));
        }
    }
}

#[test]
fn the_corpus_has_the_same_structure() {
    let (mut compared, mut excused) = (0, 0);
    for (name, bytes) in corpus_files::files() {
        for part in batch::split(&bytes) {
            let Part::Message(lines) = part else { continue };
            let Ok(text) = std::str::from_utf8(lines.bytes) else { continue };
            compare(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            compared += 1;
            excused += usize::from(excuse(text).is_some());
        }
    }
    assert!(excused * 5 <= compared, "{excused} of {compared} messages could not be compared");
}

/// How many segments each of the two reads.
fn segments(text: &str) -> (Option<usize>, Option<usize>) {
    (ours(text).map(|s| s.len()), theirs(text).map(|s| s.len()))
}

#[test]
fn hl7_parser_drops_what_follows_a_line_it_does_not_know_and_we_keep_it() {
    // Nothing in the standard lets a receiver ignore the rest of a message: an unknown segment is to be
    // skipped alone (v2.5.1 §2.8), so the PV1 behind each of these must be read.
    for odd in ["", "PID", "ZPID|1", " PID|1", "...", "text"] {
        let (ours, theirs) = segments(&format!("MSH|^~\\&|A\rEVN|1\r{odd}\rPV1|1"));
        assert_eq!(theirs, Some(2), "{odd:?}");
        let expected = if matches!(odd, "PID" | " PID|1") { 4 } else { 3 };
        assert_eq!(ours, Some(expected), "{odd:?}");
    }
}

#[test]
fn hl7_parser_takes_any_letters_for_a_segment_name_and_we_take_upper_case() {
    // v2.5.1 §2.5.2: the name is of upper-case letters and digits. In lower case it is text that begins a
    // line.
    let text = "MSH|^~\\&|A\rNTE|1||how to take it\rthe|one";
    assert_eq!(segments(text), (Some(2), Some(3)));
    assert_eq!(ours(text).unwrap()[1].1[2], [[["how to take it\rthe"]]]);
}

#[test]
fn hl7_parser_takes_four_encoding_characters_and_we_take_those_that_are_there() {
    // v2.7 §2.5.4 adds a fifth. hl7-parser reads it as a field of its own, and MSH-3 becomes MSH-4.
    let fifth = "MSH|^~\\&#|A";
    assert_eq!(ours(fifth).unwrap()[0].1[2], [[["A"]]]);
    assert_eq!(theirs(fifth).unwrap()[0].1[2], [[["#"]]]);
    // With fewer, it takes the field separator for one of them.
    let fewer = "MSH|^~|A|B";
    assert_eq!(ours(fewer).unwrap()[0].1[2], [[["A"]]]);
    assert!(theirs(fewer).is_none_or(|t| t[0].1[2] != [[["A"]]]));
}

#[test]
fn hl7_parser_sees_a_field_behind_encoding_characters_that_end_the_line() {
    // No separator follows MSH-2, so there is no MSH-3, empty or not.
    assert_eq!(ours("MSH|^~\\&\rPID|1").unwrap()[0].1.len(), 2);
    assert_eq!(theirs("MSH|^~\\&\rPID|1").unwrap()[0].1.len(), 3);
}

#[test]
fn hl7_parser_refuses_what_transports_leave_and_we_pass_over_it() {
    for around in ["\u{feff}", "\x0b", "\r\n", " "] {
        assert_eq!(segments(&format!("{around}MSH|^~\\&|A\rPID|1")), (Some(2), None), "{around:?}");
    }
}

#[test]
fn hl7_parser_takes_a_second_header_for_a_segment_and_we_refuse_it() {
    // Two messages run together would be answered once and the second one lost in the first.
    assert_eq!(segments("MSH|^~\\&|A\rPID|1\rMSH|^~\\&|B\rPID|2"), (None, Some(4)));
}

#[test]
fn hl7_parser_decodes_by_character_counts_and_we_by_bytes() {
    let separators = hl7_parser::message::Separators::default();
    let text = "MSH|^~\\&|A\rNTE|1||Zoë\\T\\Müller";
    let message = Message::parse(text).unwrap();
    assert_eq!(message.segment(1).unwrap().field(3).text(), "Zoë&Müller");
    assert_ne!(separators.decode("Zoë\\T\\Müller").to_string(), "Zoë&Müller");
    // Of other sequences it takes the escape characters away and leaves what stood between them.
    let other = Message::parse("MSH|^~\\&|A\rNTE|1||\\X41\\").unwrap();
    assert_eq!(other.segment(1).unwrap().field(3).text(), "A");
    assert_eq!(separators.decode("\\X41\\").to_string(), "X41");
}
