//! Writing: builders, editors, and that what was not changed stays as it was.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bridge_hl7v2::{
    Delimiters, Error, Message, SegmentView, WriteFault,
    charset::Charset,
    location::{Location, SegmentName},
    segments::{Nte, Obx, Pid},
    write::{Content, Editor, MessageBuilder, SegmentBuilder},
};

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn at(place: &str) -> Location {
    place.parse().unwrap()
}

fn fault<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, WriteFault) {
    match result.unwrap_err() {
        Error::Write { location, fault } => (location.to_string(), fault),
        other => panic!("{other}"),
    }
}

#[test]
fn empty_things_are_left_out_at_every_depth() {
    let mut message = MessageBuilder::default();
    message
        .add(Pid::NAME)
        .set(1, "")
        .set(3, ["", "a", ""])
        .push(3, "")
        .set(5, Content::default().with(2, Content::default().with(3, "c").with(5, "")))
        .push(11, "")
        .push(11, "second")
        .set(13, None::<&str>)
        .set(40, "");
    message.add(Nte::NAME);
    assert_eq!(text(message.build().unwrap()), "MSH|^~\\&\rPID|||^a||^&&c||||||~second\rNTE\r");
}

#[test]
fn text_is_escaped_and_reads_back() {
    let hostile = "a|b^c&d~e\\f\r\ng\x0b\x1ch";
    let mut message = MessageBuilder::default();
    message.add(Obx::NAME).set(5, hostile).push(5, [hostile, hostile]).set(6, Content::raw("x^y"));
    let bytes = message.build().unwrap();
    let parsed = Message::parse(&bytes).unwrap();
    assert_eq!(parsed.segment_count(), 2);
    let obx = parsed.segment(1).unwrap();
    assert_eq!(obx.field(5).repetition(1).text(), hostile);
    assert_eq!(obx.field(5).repetition(2).component(2).text(), hostile);
    assert_eq!(obx.field(6).component(2).raw(), "y");
}

#[test]
fn the_charset_is_declared_when_it_matters() {
    let mut message = MessageBuilder::new(Delimiters::STANDARD, Charset::Iso8859_1);
    message.add(Pid::NAME).set(5, "Müller");
    assert_eq!(message.build().unwrap(), b"MSH|^~\\&||||||||||||||||8859/1\rPID|||||M\xfcller\r");
    message.header().set(18, "ISO-8859-1");
    assert!(message.build().unwrap().ends_with(b"|ISO-8859-1\rPID|||||M\xfcller\r"));
    message.add(Nte::NAME).set(3, "日");
    assert_eq!(fault(message.build()), ("NTE-3".into(), WriteFault::NotInCharset(Charset::Iso8859_1)));
}

#[test]
fn what_the_delimiters_cannot_say_is_refused_with_its_place() {
    let short = Delimiters::new(b'|', "^").unwrap();
    let built = |n: usize, content: Content<'static>| {
        let mut message = MessageBuilder::new(short, Charset::Utf8);
        message.add(Nte::NAME);
        message.add(Nte::NAME).push(n, "x").push(n, content);
        message.build()
    };
    assert_eq!(fault(built(3, "y".into())), ("NTE[2]-3[2]".into(), WriteFault::NoSeparator));
    let mut message = MessageBuilder::new(short, Charset::Utf8);
    message.add(Nte::NAME).set(3, "a|b");
    assert_eq!(fault(message.build()), ("NTE-3[1]".into(), WriteFault::NoEscape));
    let mut message = MessageBuilder::new(short, Charset::Utf8);
    message.add(Nte::NAME).set(3, Content::default().with(2, ["a", "b"]));
    assert_eq!(fault(message.build()), ("NTE-3.2".into(), WriteFault::NoSeparator));
    // Four levels deep is one too many in any message.
    let mut message = MessageBuilder::default();
    let deep = Content::default().with(1, Content::default().with(2, ["a", "b"]));
    message.add(Nte::NAME).set(3, deep);
    assert_eq!(fault(message.build()), ("NTE-3.1.2".into(), WriteFault::NoSeparator));
    let mut message = MessageBuilder::default();
    message.add(SegmentName::new("MSH").unwrap());
    assert_eq!(fault(message.build()), ("MSH[2]".into(), WriteFault::SecondHeader));
}

#[test]
fn the_delimiter_fields_cannot_be_set() {
    let mut message = MessageBuilder::default();
    message.header().set(0, "x").set(1, "x").set(2, "x").push(2, "x").set(3, "A");
    assert_eq!(text(message.build().unwrap()), "MSH|^~\\&|A\r");
    let source = Message::parse("MSH|^~\\&|A").unwrap();
    let mut edit = Editor::new(&source);
    assert_eq!(fault(edit.set(&at("MSH-2"), "x")).1, WriteFault::Header);
    assert_eq!(fault(edit.remove(&at("MSH"))).1, WriteFault::Header);
}

/// One edit of a message that has every oddity: what comes out.
fn edited(place: &str, content: impl Into<Content<'static>>) -> String {
    let source =
        "\x0b\u{feff}MSH|^~\\&|A|||\r\n\n  PID|1||x^y~z||||\r\nstray\r\nNTE|1||first\r\nZZZ|last\x1c\r";
    let message = Message::parse(source).unwrap();
    let mut edit = Editor::new(&message);
    assert_eq!(text(edit.finish().unwrap()), source, "nothing changed yet");
    edit.set(&at(place), content).unwrap();
    text(edit.finish().unwrap())
}

#[test]
fn an_edit_changes_its_place_and_nothing_else() {
    let around = |pid: &str| {
        format!("\x0b\u{feff}MSH|^~\\&|A|||\r\n\n  {pid}\r\nstray\r\nNTE|1||first\r\nZZZ|last\x1c\r")
    };
    for (place, expected) in [
        ("PID-1", "PID|NEW||x^y~z||||"),
        ("PID-2", "PID|1|NEW|x^y~z||||"),
        ("PID-3", "PID|1||NEW||||"),
        ("PID-3[1]", "PID|1||NEW~z||||"),
        ("PID-3.2", "PID|1||x^NEW~z||||"),
        ("PID-3[2].1", "PID|1||x^y~NEW||||"),
        ("PID-3[2].3", "PID|1||x^y~z^^NEW||||"),
        ("PID-3[4].2.2", "PID|1||x^y~z~~^&NEW||||"),
        ("PID-3.1.2", "PID|1||x&NEW^y~z||||"),
        ("PID-7", "PID|1||x^y~z||||NEW"),
        ("PID-9.2", "PID|1||x^y~z||||||^NEW"),
    ] {
        assert_eq!(edited(place, "NEW"), around(expected), "{place}");
    }
    assert_eq!(edited("PID-3", Content::default()), around("PID|1||||||"));
    assert_eq!(edited("PID-3", Content::null()), around("PID|1||\"\"||||"));
    assert_eq!(edited("PID-3[2]", ["a|", "b"]), around("PID|1||x^y~a\\F\\^b||||"));
    assert!(edited("ZZZ-2", "NEW").ends_with("ZZZ|last|NEW\x1c\r"));
    assert!(edited("MSH-3", "NEW").starts_with("\x0b\u{feff}MSH|^~\\&|NEW|||\r\n"));
    assert!(edited("MSH-9", "NEW").starts_with("\x0b\u{feff}MSH|^~\\&|A||||||NEW\r\n"));
}

#[test]
fn segments_are_added_and_removed() {
    let source = "MSH|^~\\&|A\nPID|1\nstray\nNTE|1\nNTE|2";
    let message = Message::parse(&source).unwrap();
    // A line that follows NTE is its text, so the stray stands before it.
    assert_eq!(message.strays().len(), 1);
    let mut edit = Editor::new(&message);
    edit.remove(&at("NTE")).unwrap();
    assert_eq!(text(edit.finish().unwrap()), "MSH|^~\\&|A\nPID|1\nstray\nNTE|2");
    let mut note = SegmentBuilder::new(Nte::NAME);
    note.set(1, "3");
    edit.insert_after(&at("NTE"), &note).unwrap().insert_after(&at("MSH"), &note).unwrap();
    assert_eq!(text(edit.finish().unwrap()), "MSH|^~\\&|A\nNTE|3\nPID|1\nstray\nNTE|2\nNTE|3");
    edit.remove(&at("PID")).unwrap();
    assert_eq!(text(edit.finish().unwrap()), "MSH|^~\\&|A\nNTE|3\nstray\nNTE|2\nNTE|3");
    edit.set(&at("NTE[2]-1"), "x").unwrap();
    assert_eq!(text(edit.finish().unwrap()), "MSH|^~\\&|A\nNTE|3\nstray\nNTE|x\nNTE|3");
}

#[test]
fn an_edit_of_what_is_not_there_is_refused() {
    let message = Message::parse("MSH|^|A\rPID|1").unwrap();
    let mut edit = Editor::new(&message);
    assert_eq!(fault(edit.set(&at("OBX-1"), "x")).1, WriteFault::NoSuchSegment);
    assert_eq!(fault(edit.set(&at("PID[2]-1"), "x")), ("PID[2]-1".into(), WriteFault::NoSuchSegment));
    assert_eq!(fault(edit.set(&at("PID"), "x")).1, WriteFault::NotAPlace);
    assert_eq!(fault(edit.set(&at("PID-10000"), "x")).1, WriteFault::NotAPlace);
    assert_eq!(fault(edit.set(&Location::segment(Pid::NAME, 1).field(0), "x")).1, WriteFault::NotAPlace);
    assert_eq!(fault(edit.set(&at("PID-3[2]"), "x")).1, WriteFault::NoSeparator);
    assert_eq!(fault(edit.set(&at("PID-3.1.2"), "x")).1, WriteFault::NoSeparator);
    assert_eq!(fault(edit.set(&at("PID-3"), "a|b")).1, WriteFault::NoEscape);
    assert_eq!(fault(edit.remove(&at("OBX"))).1, WriteFault::NoSuchSegment);
    assert_eq!(text(edit.finish().unwrap()), "MSH|^|A\rPID|1");
    assert!(edit.set(&at("PID-3[1].1.1"), "x").is_ok(), "the first of what is not cut is the whole");
    assert_eq!(text(edit.finish().unwrap()), "MSH|^|A\rPID|1||x");
}

#[test]
fn an_edited_message_keeps_its_charset() {
    let source = b"MSH|^~\\&|A|||||||||||||||8859/1\rPID|1||||M\xfcller\r";
    let message = Message::parse(source).unwrap();
    let mut edit = Editor::new(&message);
    assert_eq!(edit.finish().unwrap(), source);
    edit.set(&at("PID-6"), "Größe").unwrap();
    assert_eq!(edit.finish().unwrap(), b"MSH|^~\\&|A|||||||||||||||8859/1\rPID|1||||M\xfcller|Gr\xf6\xdfe\r");
    edit.set(&at("PID-6"), "日").unwrap();
    assert_eq!(fault(edit.finish()), ("PID-6".into(), WriteFault::NotInCharset(Charset::Iso8859_1)));
}

#[test]
fn debug_output_shows_no_content() {
    let mut message = MessageBuilder::default();
    message.add(Pid::NAME).set(5, "SECRET").push(5, ["SECRET"]).push(5, Content::raw("SECRET"));
    let source = Message::parse("MSH|^~\\&|A\rPID|SECRET").unwrap();
    let shown = format!("{message:?} {:?}", Editor::new(&source));
    assert!(!shown.contains("SECRET"), "{shown}");
}
