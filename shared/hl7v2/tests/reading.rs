//! What a reader of messages relies on: numbering, emptiness, line breaks, strays, places.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::borrow::Cow;

use bridge_hl7v2::{
    Error, HeaderFault, Instead, Message,
    charset::{Charset, Reading},
    datatypes::Datatype,
    segments::{Obx, Pid},
};

const MSH: &str = r"MSH|^~\&|LAB|NORTH|EHR|NORTH|20240229||ORU^R01|77|P|2.5.1";

fn with(rest: &str) -> String {
    format!("{MSH}\r{rest}")
}

fn names(message: &Message<'_>) -> Vec<String> {
    message.segments().map(|s| s.name().to_string()).collect()
}

#[test]
fn msh_counts_its_separator_as_field_1() {
    let message = Message::parse(MSH).unwrap();
    let msh = message.header();
    assert_eq!(msh.field(0).raw(), "MSH");
    assert_eq!(msh.field(1).raw(), "|");
    assert_eq!(msh.field(2).raw(), r"^~\&");
    assert_eq!(msh.field(2).text(), r"^~\&", "the encoding characters are never decoded");
    assert_eq!(msh.field(2).repetitions().count(), 1, "nor cut");
    assert_eq!(msh.field(2).component(1).raw(), r"^~\&");
    assert_eq!(msh.field(3).raw(), "LAB");
    assert_eq!(msh.field(9).component(2).raw(), "R01");
    assert_eq!(msh.field(12).raw(), "2.5.1");
    assert_eq!(msh.field_count(), 12);
    assert_eq!(msh.fields().map(|f| f.raw()).collect::<Vec<_>>()[..3], ["|", r"^~\&", "LAB"]);
}

#[test]
fn what_is_not_there_is_empty_and_keeps_its_place() {
    let text = with("PID|1");
    let message = Message::parse(&text).unwrap();
    let pid = message.segment(1).unwrap();
    assert_eq!(pid.field_count(), 1);
    let absent = pid.field(5).repetition(2).component(3).subcomponent(4);
    assert!(absent.is_empty());
    assert_eq!(absent.location().to_string(), "PID-5[2].3.4");
    assert_eq!(absent.span(), text.len()..text.len());
    assert!(pid.field(0).component(0).is_empty());
}

#[test]
fn repetitions_components_and_subcomponents() {
    let text = with("PID|1||A^^^NS&1.2.3&ISO^MR~~B&C^\"\"|");
    let message = Message::parse(&text).unwrap();
    let field = message.segment(1).unwrap().field(3);
    assert_eq!(
        field.repetitions().map(|r| r.raw()).collect::<Vec<_>>(),
        ["A^^^NS&1.2.3&ISO^MR", "", "B&C^\"\""]
    );
    assert_eq!(
        field.filled().map(|r| r.location().to_string()).collect::<Vec<_>>(),
        ["PID-3[1]", "PID-3[3]"]
    );
    let authority = field.component(4);
    assert_eq!(authority.parts().map(|p| p.raw()).collect::<Vec<_>>(), ["NS", "1.2.3", "ISO"]);
    assert_eq!(authority.subcomponent(2).location().to_string(), "PID-3.4.2");
    assert_eq!(authority.component(1).raw(), authority.raw(), "a component is its own first component");
    assert_eq!(authority.component(2).raw(), "");
    let third = field.repetition(3);
    assert_eq!(third.subcomponent(2).raw(), "C", "of the first component");
    assert!(third.component(2).is_null() && third.component(2).content().is_none());
    assert!(field.repetition(0).is_empty() && field.repetition(4).is_empty());
    assert_eq!(&message.text()[authority.span()], authority.raw());
}

#[test]
fn a_value_without_separators_is_its_own_first_part_at_every_depth() {
    let text = with("OBX|1|ST|X||98");
    let message = Message::parse(&text).unwrap();
    let value = message.first::<Obx<'_>>().unwrap().values().next().unwrap();
    assert_eq!(value.component(1).subcomponent(1).raw(), "98");
    assert_eq!(value.component(1).subcomponent(1).part(1).raw(), "98");
    assert_eq!(value.subcomponent(1).raw(), "98");
}

#[test]
fn the_first_repetition_of_a_single_field_is_the_first_that_says_something() {
    let text = with("PID|1||||||~19700101|~F");
    let message = Message::parse(&text).unwrap();
    let pid = message.first::<Pid<'_>>().unwrap();
    assert_eq!(pid.birth().raw(), "19700101");
    assert_eq!(pid.sex().id().location().to_string(), "PID-8[2].1");
    assert!(pid.religion().is_empty());
}

#[test]
fn every_line_ending_gives_the_same_segments() {
    let cr = with("PID|1\rPV1|1\rZAB|x\r");
    for text in [cr.clone(), cr.replace('\r', "\n"), cr.replace('\r', "\r\n"), cr.replace('\r', "\r\r\n\n")] {
        let message = Message::parse(&text).unwrap();
        assert_eq!(names(&message), ["MSH", "PID", "PV1", "ZAB"], "{text:?}");
        assert_eq!(message.segment(3).unwrap().field(1).raw(), "x");
        assert_eq!(message.strays().len(), 0);
    }
}

#[test]
fn what_transports_leave_around_a_message_is_passed_over() {
    let bare = with("PID|1|x ");
    for text in [
        format!("\u{feff}{bare}"),
        format!("\x0b{bare}\r\x1c\r"),
        format!("\r\n\r\n  {bare}\r\n\r\n"),
        format!("\x0b\u{feff}{bare}\r\x1c"),
        format!("{bare}\0\0"),
    ] {
        let message = Message::parse(&text).unwrap();
        assert_eq!(message.text(), bare, "{text:?}");
        assert_eq!(message.segment(1).unwrap().field(2).raw(), "x ", "a space in the last field is data");
        assert_eq!(message.as_bytes(), text.as_bytes());
    }
}

#[test]
fn truncated_reordered_and_unknown_segments_are_all_there() {
    let text = with("OBX|1\rPID\rZZ9|a|b\rMSA|\rOBX|2");
    let message = Message::parse(&text).unwrap();
    assert_eq!(names(&message), ["MSH", "OBX", "PID", "ZZ9", "MSA", "OBX"]);
    assert_eq!(message.segment(2).unwrap().field_count(), 0);
    assert_eq!(message.segment(4).unwrap().field_count(), 1);
    assert!(message.segment(3).unwrap().name().is_site_defined());
    assert_eq!(message.named("OBX").map(|s| s.location().to_string()).collect::<Vec<_>>(), ["OBX", "OBX[2]"]);
    assert_eq!(message.at(&"OBX[2]-1".parse().unwrap()).unwrap().raw(), "2");
    assert!(message.at(&"OBX[3]-1".parse().unwrap()).is_none());
    assert!(message.at(&"OBX".parse().unwrap()).is_none());
}

#[test]
fn an_indented_segment_is_a_segment() {
    let text = format!("{MSH}\n    PID|1\n\t PV1|2\n   \n");
    let message = Message::parse(&text).unwrap();
    assert_eq!(names(&message), ["MSH", "PID", "PV1"]);
    assert_eq!(message.segment(2).unwrap().field(1).raw(), "2");
}

#[test]
fn a_line_that_is_no_segment_is_a_stray_and_shifts_nothing() {
    let text = with("PID|1||A\rZPID|x|y\rpv1|1\r...\rPV1|1|I");
    let message = Message::parse(&text).unwrap();
    assert_eq!(names(&message), ["MSH", "PID", "PV1"]);
    assert_eq!(message.segment(1).unwrap().field_count(), 3);
    assert_eq!(message.segment(2).unwrap().field(2).raw(), "I");
    let strays: Vec<_> = message.strays().map(|s| (s.raw(), s.position())).collect();
    assert_eq!(strays, [("ZPID|x|y", 2), ("pv1|1", 2), ("...", 2)]);
}

#[test]
fn text_broken_without_an_escape_stays_in_its_field() {
    // In OBX and NTE, whatever the message's line break is.
    for eol in ["\r", "\n", "\r\n"] {
        let text = ["OBX|1|TX|R||first line", "", "second: of 3|more|||F", "NTE|1||a", "b"].join(eol);
        let text = with("").replace('\r', eol) + &text;
        let message = Message::parse(&text).unwrap();
        assert_eq!(names(&message), ["MSH", "OBX", "NTE"], "{eol:?}");
        let obx = message.first::<Obx<'_>>().unwrap();
        let value = obx.values().next().unwrap();
        assert_eq!(value.raw(), format!("first line{eol}{eol}second: of 3"));
        assert_eq!(obx.units().id().raw(), "more");
        assert_eq!(message.segment(2).unwrap().field(3).raw(), format!("a{eol}b"));
        assert_eq!(message.strays().len(), 0);
    }
    // A word in capitals is no segment there, unless only a segment's end can stand before it.
    for (eol, expected) in
        [("\n", vec!["MSH", "NTE"]), ("\r\n", vec!["MSH", "NTE"]), ("\r", vec!["MSH", "NTE", "END"])]
    {
        let text = with("NTE|1||this is the\rEND").replace('\r', eol);
        assert_eq!(names(&Message::parse(&text).unwrap()), expected, "{eol:?}");
    }
    // Anywhere, when segments end with CR and the break is a bare LF, which the standard makes data.
    let text = with("PID|1||||||||||12 Main St\nApt 4^^Town\rPV1|1");
    let message = Message::parse(&text).unwrap();
    assert_eq!(message.at(&"PID-11.1".parse().unwrap()).unwrap().raw(), "12 Main St\nApt 4");
}

#[test]
fn custom_delimiters() {
    let text = "MSH#!@%*#LAB#NORTH\rPID#1##A!!!NS*1.2@B##O%E%%F%x\r";
    let message = Message::parse(text).unwrap();
    let pid = message.first::<Pid<'_>>().unwrap();
    let ids: Vec<_> = pid.identifiers().map(|cx| cx.id().text().into_owned()).collect();
    assert_eq!(ids, ["A", "B"]);
    assert_eq!(pid.identifiers().next().unwrap().assigning_authority().universal_id().raw(), "1.2");
    assert_eq!(message.segment(1).unwrap().field(5).text(), "O%#x");
}

#[test]
fn short_encoding_characters_cut_nothing_they_do_not_name() {
    let message = Message::parse("MSH|^|LAB\rPID|1||a~b&c^d\\F\\").unwrap();
    let field = message.segment(1).unwrap().field(3);
    assert_eq!(field.repetitions().count(), 1);
    assert_eq!(field.component(1).subcomponent(1).raw(), "a~b&c");
    assert_eq!(field.component(2).text(), "d\\F\\");
}

#[test]
fn refusals_name_the_place() {
    let refused = |text: &str| Message::parse(text).unwrap_err();
    assert_eq!(refused(""), Error::NoHeader { found: Instead::Nothing, offset: 0 });
    assert_eq!(refused(" \r\n"), Error::NoHeader { found: Instead::Nothing, offset: 3 });
    assert_eq!(refused("\x0bPID|1"), Error::NoHeader { found: Instead::OtherSegment, offset: 1 });
    assert_eq!(refused("FHS|^~\\&|"), Error::NoHeader { found: Instead::Batch, offset: 0 });
    assert_eq!(refused("hello"), Error::NoHeader { found: Instead::NoSegment, offset: 0 });
    for (text, fault, shown) in [
        ("MSH", HeaderFault::FieldSeparator, "MSH-1: the field separator must be punctuation"),
        ("MSH\r", HeaderFault::FieldSeparator, "MSH-1: the field separator must be punctuation"),
        ("MSH|", HeaderFault::NoEncodingCharacters, "MSH-2: no encoding characters"),
        ("MSH||A", HeaderFault::NoEncodingCharacters, "MSH-2: no encoding characters"),
        ("MSH|^^|A", HeaderFault::RepeatedDelimiter, "MSH-2: one character is given for two delimiters"),
        ("MSH|ab|A", HeaderFault::EncodingCharacter, "MSH-2: encoding characters must be ASCII punctuation"),
    ] {
        let error = refused(text);
        assert_eq!(error, Error::Header { segment: "MSH", fault });
        assert_eq!(error.to_string(), shown);
    }
    let error = refused(&with("PID|1\rMSH|^~\\&|A"));
    assert_eq!(error.to_string(), "segment 3 is a second MSH: split the batch before parsing");
}

#[test]
fn a_message_in_another_charset_reads_as_text() {
    let bytes = b"MSH|^~\\&|A|B|C|D|2024||ADT^A01|1|P|2.5||||||8859/1\rPID|1||||M\xfcller^J\\XF6\\rg";
    let message = Message::parse(bytes).unwrap();
    let name = message.first::<Pid<'_>>().unwrap().names().next().unwrap();
    assert_eq!(name.family().surname().text(), "Müller");
    assert_eq!(name.given().text(), "Jörg");
    assert_eq!(message.charset(), Charset::Iso8859_1);
    assert_eq!(message.as_bytes(), bytes);
    let forced = Message::parse_as(bytes, Reading::Always(Charset::Iso8859_2)).unwrap();
    assert_eq!(forced.charset(), Charset::Iso8859_2);
}

#[test]
fn messages_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let message = Message::parse(MSH).unwrap();
    shared(&message);
    shared(&message.header().field(9));
}

#[test]
fn values_are_slices_of_what_was_parsed() {
    let text = with("PID|1||4711^^^NORTH||Zoë^Una\\T\\Co");
    let message = Message::parse(&text).unwrap();
    let inside = |s: &str| text.as_bytes().as_ptr_range().contains(&s.as_ptr());
    let pid = message.first::<Pid<'_>>().unwrap();
    let name = pid.names().next().unwrap();
    assert!(inside(pid.identifiers().next().unwrap().id().raw()));
    assert!(matches!(name.family().surname().text(), Cow::Borrowed(text) if inside(text)));
    assert!(matches!(name.given().text(), Cow::Owned(text) if text == "Una&Co"), "only an escape is copied");
}

#[test]
fn debug_output_shows_no_content() {
    let text = with("PID|1||SECRET^^^SECRET||SECRET\rSECRET");
    let message = Message::parse(&text).unwrap();
    let pid = message.first::<Pid<'_>>().unwrap();
    let cx = pid.identifiers().next().unwrap();
    let shown = format!(
        "{message:?} {:?} {pid:?} {cx:?} {:?} {:?} {:?}",
        message.segment(1),
        cx.value().parts(),
        message.segment(1).unwrap().field(3),
        message.strays().next()
    );
    assert!(!shown.contains("SECRET"), "{shown}");
    assert!(shown.contains("PID-3"), "{shown}");
}

#[test]
fn ten_megabytes_in_one_field() {
    let text = with(&format!("OBX|1|ED|X||^application^pdf^Base64^{}||||||F", "QUJD".repeat(2_500_000)));
    let message = Message::parse(&text).unwrap();
    let obx = message.first::<Obx<'_>>().unwrap();
    assert_eq!(obx.values().next().unwrap().component(5).text().len(), 10_000_000);
    assert_eq!(obx.status().raw(), "F");
}
