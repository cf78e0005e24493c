//! HL7 v2 batches: FHS and BHS in front, BTS and FTS with their counts behind (HL7 v2.5.1 §2.10.3).

use super::{Unwritable, WriteFault};

/// What the headers of a batch say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// FHS-3 to FHS-6: sending application and facility, receiving application and facility.
    pub parties: [String; 4],
    /// FHS-7, as HL7 writes a time.
    pub made: String,
    /// FHS-11 and BHS-11.
    pub control_id: String,
}

impl Envelope {
    pub(super) fn begin(&self) -> String {
        let Self { parties, made, control_id } = self;
        let rest = format!(r"|^~\&|{}|{made}||||{control_id}", parties.join("|"));
        format!("FHS{rest}\rBHS{rest}\r")
    }
}

pub(super) fn end(records: u64) -> String {
    format!("BTS|{records}\rFTS|1\r")
}

/// A message as it was written, whatever its character set; its segments end in CR.
pub(super) fn check(message: &[u8]) -> Result<(), Unwritable> {
    let segments = || message.strip_suffix(b"\r").unwrap_or(message).split(|b| *b == b'\r');
    let is_around = |segment: &[u8]| {
        [b"FHS".as_slice(), b"BHS", b"BTS", b"FTS", b"MSH"].iter().any(|name| segment.starts_with(name))
    };
    let is_plain = |segment: &[u8]| {
        segment.first().is_some_and(u8::is_ascii_alphanumeric)
            && segment.len() >= 3
            && !segment.iter().any(|b| matches!(b, b'\n' | 0x0b | 0x1c | 0))
    };
    let has_header = message.starts_with(b"MSH") && message.get(3).is_some_and(u8::is_ascii_punctuation);
    let fits = has_header && segments().all(is_plain) && !segments().skip(1).any(is_around);
    if fits { Ok(()) } else { Err(WriteFault::Hl7Message.at("message")) }
}
