//! What holds for any bytes at all. Plain functions, so that property tests, the corpus test and the fuzz
//! targets hold the crate to the same things. A broken one panics.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unreachable_pub)]

use bridge_hl7v2::{
    Message, Value,
    ack::{Acknowledgment, Answer, Code, Mode, Verdict, refuse},
    batch::{self, Part},
    charset::{Charset, Reading, Undeclared},
    mllp::{Decoder, Received, encode},
    segments::{Msh, Obx, Pid},
    write::{Content, Editor},
};

const READINGS: [Reading; 4] = [
    Reading::Declared { undeclared: Undeclared::As(Charset::Utf8) },
    Reading::Declared { undeclared: Undeclared::Refuse },
    Reading::Declared { undeclared: Undeclared::Utf8Or(Charset::Windows1252) },
    Reading::Always(Charset::Iso8859_15),
];

/// Any bytes are parsed or refused, and what is parsed is all there, in its place, and comes out as it came
/// in.
pub fn parsing(bytes: &[u8]) {
    for reading in READINGS {
        match Message::parse_as(bytes, reading) {
            Ok(message) => whole(&message),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                if let Some(ack) = refuse(bytes, &error, Mode::AsAsked, "20240229", "1").unwrap() {
                    let ack = Message::parse_as(&ack, Reading::Always(Charset::Windows1252)).unwrap();
                    assert_eq!(Answer::read(&ack).unwrap().code.verdict(), Verdict::Reject);
                }
            }
        }
    }
}

/// A parsed message accounts for each of its bytes.
fn whole(message: &Message<'_>) {
    assert_eq!(Editor::new(message).finish().unwrap(), message.as_bytes(), "unchanged means the same bytes");
    assert_eq!(message.header().field(1).raw().as_bytes(), &message.text().as_bytes()[3..4]);

    // Segments and strays cover everything that is not blank, without overlap.
    let solid = |text: &str| text.chars().filter(|c| !matches!(c, '\r' | '\n' | ' ' | '\t')).count();
    let lines = message.segments().map(|s| s.raw()).chain(message.strays().map(|s| s.raw()));
    assert_eq!(lines.map(solid).sum::<usize>(), solid(message.text()));

    // Looking places up is linear in the segments, so not for all of a large message.
    let mut lookups = 200;
    for segment in message.segments() {
        let separator = message.delimiters().field().to_string();
        // In a header, field 1 is the separator itself.
        let skipped = usize::from(segment.field(1).raw() == separator);
        let fields = segment.fields().skip(skipped).map(|f| f.raw().to_owned());
        let rejoined: Vec<_> = std::iter::once(segment.name().to_string()).chain(fields).collect();
        assert_eq!(rejoined.join(&separator), segment.raw());
        for field in segment.fields() {
            for repetition in field.repetitions() {
                consistent(message, repetition, &mut lookups);
                for component in repetition.parts() {
                    consistent(message, component, &mut lookups);
                    component.parts().for_each(|sub| consistent(message, sub, &mut lookups));
                }
            }
        }
    }
    typed(message);
    let ack = Acknowledgment::to(message, Code::AA).build().unwrap();
    let ack = Message::parse_as(&ack, Reading::Always(message.charset())).unwrap();
    assert_eq!(Answer::read(&ack).unwrap().code, Code::AA);
}

/// A value knows where it stands, and reads in all ways without a panic.
fn consistent(message: &Message<'_>, value: Value<'_>, lookups: &mut u32) {
    assert_eq!(&message.text()[value.span()], value.raw());
    let _ = (value.text(), value.content(), value.dtm(), value.tm(), value.integer());
    if *lookups > 0 {
        *lookups -= 1;
        let place = value.location();
        assert_eq!(place.to_string().parse(), Ok(place));
        assert_eq!(message.at(&place).unwrap().raw(), value.raw(), "{place}");
    }
}

fn typed(message: &Message<'_>) {
    let _ = message.first::<Msh<'_>>().unwrap().message_type().trigger().text();
    for pid in message.all::<Pid<'_>>() {
        let _ =
            pid.identifiers().map(|cx| cx.assigning_authority().universal_id().text().len()).sum::<usize>();
    }
    for obx in message.all::<Obx<'_>>() {
        let _ = obx.values().map(|v| v.text().len()).sum::<usize>();
    }
}

/// An edit that puts a value at some place is read back from there, and everything else stays.
pub fn editing(bytes: &[u8], field: u32, text: &str) {
    let Ok(message) = Message::parse(bytes) else { return };
    let last = message.segment(message.segment_count() - 1).unwrap();
    if message.strays().len() > 0 || last.raw().contains(['\r', '\n']) {
        // What a raw line break means depends on what stands around it: a stray behind a segment without
        // fields becomes text of the first field it is given, a name alone at the end of a text becomes a
        // segment.
        return;
    }
    let place = last.location().field(3 + field % 60).repetition(1 + field % 3).component(1 + field % 4);
    let mut edit = Editor::new(&message);
    if edit.set(&place, Content::text(text)).is_err() {
        return;
    }
    let Ok(edited) = edit.finish() else { return };
    let edited = Message::parse_as(&edited, Reading::Always(message.charset())).unwrap();
    assert_eq!(edited.at(&place).unwrap().text(), text, "{place}");
    for (before, after) in message.segments().zip(edited.segments()) {
        for field in before.fields() {
            let at = field.location();
            if before.position() != last.position() || at.field != place.field {
                assert_eq!(after.field(at.field.unwrap()).raw(), field.raw(), "{at}");
            }
        }
    }
}

/// The same bytes give the same frames however they are cut into reads, none is lost, and memory stays
/// bounded.
pub fn framing(bytes: &[u8], read: usize, limit: usize) {
    let whole = frames(bytes, bytes.len().max(1), limit);
    assert_eq!(frames(bytes, read.max(1), limit), whole);
    // What came out goes in again.
    let messages = |frames: Vec<(&'static str, Vec<u8>)>| -> Vec<Vec<u8>> {
        frames.into_iter().filter(|(kind, _)| *kind == "message").map(|(_, message)| message).collect()
    };
    let found = messages(whole);
    let mut stream = Vec::new();
    found.iter().for_each(|message| encode(message, &mut stream).unwrap());
    assert_eq!(messages(frames(&stream, read.max(1), limit)), found);
}

fn frames(bytes: &[u8], read: usize, limit: usize) -> Vec<(&'static str, Vec<u8>)> {
    let mut decoder = Decoder::new(limit);
    let mut seen: Vec<(&'static str, Vec<u8>)> = Vec::new();
    let mut garbage = 0;
    let mut take = |received: Received<'_>, seen: &mut Vec<(&'static str, Vec<u8>)>| match received {
        Received::Message(m) => seen.push(("message", m.to_vec())),
        Received::Unterminated(m) => seen.push(("unterminated", m.to_vec())),
        // How much of a refused frame has come when it is refused depends on the reads.
        Received::TooLarge { .. } => seen.push(("too large", Vec::new())),
        Received::Garbage { bytes } => garbage += bytes,
    };
    for piece in bytes.chunks(read) {
        decoder.push(piece);
        while let Some(received) = decoder.next_frame() {
            take(received, &mut seen);
        }
        assert!(decoder.buffered() <= limit + read + 3, "held {} of {limit}", decoder.buffered());
    }
    while let Some(received) = decoder.finish() {
        take(received, &mut seen);
    }
    seen.push(("garbage", vec![0; garbage]));
    seen
}

/// A file is cut into parts in order, and every message in it begins with MSH.
pub fn splitting(bytes: &[u8]) {
    let mut line = 0;
    let mut end = 0;
    for part in batch::split(bytes) {
        let lines = match part {
            Part::Message(lines) => {
                assert!(lines.bytes.starts_with(b"MSH"));
                lines
            }
            Part::File(lines) | Part::Batch(lines) | Part::Stray(lines) => lines,
            Part::BatchEnd(count) | Part::FileEnd(count) => {
                assert!(count.line > line);
                line = count.line;
                continue;
            }
        };
        assert!(lines.line > line);
        line = lines.line;
        let start = lines.bytes.as_ptr() as usize - bytes.as_ptr() as usize;
        assert!(start >= end && !lines.bytes.is_empty());
        end = start + lines.bytes.len();
        let _ = (lines.field(11), lines.delimiters());
    }
}
