//! Generated messages: a model of one, and the message built from it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unreachable_pub)]

use bridge_hl7v2::{
    Delimiters,
    charset::Charset,
    location::SegmentName,
    write::{Content, MessageBuilder},
};
use proptest::{collection::vec, prelude::*};

/// Subcomponents of components of repetitions of fields, in text.
pub type Component = Vec<String>;
pub type Repetition = Vec<Component>;
pub type FieldModel = Vec<Repetition>;

#[derive(Debug, Clone)]
pub struct Model {
    pub delimiters: Delimiters,
    /// Each segment's name and fields; the first is MSH, from field 3 on.
    pub segments: Vec<(SegmentName, Vec<FieldModel>)>,
}

impl Model {
    pub fn build(&self) -> Vec<u8> {
        let mut message = MessageBuilder::new(self.delimiters, Charset::Utf8);
        for (i, (name, fields)) in self.segments.iter().enumerate() {
            let (segment, first) = if i == 0 { (message.header(), 3) } else { (message.add(*name), 1) };
            for (n, field) in fields.iter().enumerate() {
                for repetition in field {
                    let components: Vec<Content<'_>> = repetition
                        .iter()
                        .map(|c| c.iter().map(String::as_str).collect::<Vec<_>>().into())
                        .collect();
                    segment.push(n + first, Content::from(components));
                }
            }
        }
        message.build().unwrap()
    }
}

/// Text as senders write it, with everything that has to be escaped.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        4 => "[A-Za-z0-9 .,-]{1,12}",
        2 => "[|^~&\\\\#!@%*+\r\n\t\u{b}\u{1c}A-Z.0-9]{1,12}",
        1 => any::<String>(),
    ]
}

fn delimiters() -> impl Strategy<Value = Delimiters> {
    prop_oneof![
        3 => Just(Delimiters::STANDARD),
        1 => Just(Delimiters::new(b'|', r"^~\&#").unwrap()),
        1 => Just(Delimiters::new(b'#', "!@%*").unwrap()),
        1 => Just(Delimiters::new(b'^', "|&~\\").unwrap()),
    ]
}

fn field() -> impl Strategy<Value = FieldModel> {
    let component = vec(text(), 1..3);
    let repetition = vec(component, 1..4);
    vec(repetition, 1..3)
}

fn name() -> impl Strategy<Value = SegmentName> {
    let known = prop::sample::select(vec!["PID", "PV1", "OBX", "NTE", "ZZ9", "AL1", "Z01"]);
    known.prop_map(|n| SegmentName::new(n).unwrap())
}

/// Whole messages.
pub fn model() -> impl Strategy<Value = Model> {
    let segments = vec((name(), vec(field(), 0..6)), 0..6);
    (delimiters(), vec(field(), 0..6), segments).prop_map(|(delimiters, header, mut segments)| {
        // Six fields from MSH-3 on end at MSH-8: what MSH-18 declares is left to the builder.
        segments.insert(0, (SegmentName::new("MSH").unwrap(), header));
        Model { delimiters, segments }
    })
}

/// What messages are made of, good and bad.
const PIECES: &[&[u8]] = &[
    b"\r",
    b"\n",
    b"\r\n",
    b"|",
    b"||||",
    b"^",
    b"~",
    b"&",
    b"\\",
    b"\\T\\",
    b"\\X41\\",
    b"\\.br\\",
    b"\"\"",
    b"PID|1",
    b"OBX|1|TX|",
    b"NTE",
    b"MSH|^~\\&|A",
    b"MSH",
    b"FHS|^~\\&",
    b"BHS",
    b"BTS|2",
    b"FTS|1",
    b"\x0b",
    b"\x1c",
    b"\x1c\r",
    b"\xef\xbb\xbf",
    b" ",
    b"\xfc",
    b"\xc3\xbc",
    b"8859/1",
    b"UNICODE UTF-8",
    b"20240229103000.5-0600",
    b"lower|case",
];

/// Bytes that look like HL7 often enough to get past the header.
pub fn almost_hl7() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(PIECES);
    let head = prop_oneof![
        6 => Just(&b"MSH|^~\\&|LAB|N|EHR|S|2024||ADT^A01|77|P|2.5||"[..]),
        1 => Just(&b"MSH|^~\\&|LAB|N|EHR|S|2024||ADT^A01|77|P|2.5|||AL|NE||8859/1\r"[..]),
        1 => Just(&b"MSH#!@%*#"[..]),
        1 => Just(&b"MSH|^|"[..]),
        1 => Just(&b"\x0bMSH|^~\\&|"[..]),
        1 => Just(&b""[..]),
    ];
    (head, vec(piece, 0..60)).prop_map(|(head, pieces)| [&[head], &pieces[..]].concat().concat())
}
