//! Writing acknowledgments, also to messages that could not be parsed.

use super::{Code, Mode, Verdict, Wanted};
use crate::{
    Delimiters, Error, HeaderFault, Message, SegmentView,
    charset::{Charset, Reading},
    location::Location,
    mllp::END,
    segments::{Err, Msa, Msh},
    write::{Content, MessageBuilder},
};

/// What was wrong with a message, for ERR. The text goes to the sender and into its logs: it names places and
/// rules, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The error, by table 0357.
    pub code: ProblemCode,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub location: Option<Location>,
    /// What is wrong, for a person.
    pub text: String,
}

impl Problem {
    /// An error of the message.
    pub fn error(code: ProblemCode, location: Option<Location>, text: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, location, text: text.into() }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let (code, location) = match error {
            Error::NoHeader { .. } | Error::SecondHeader { .. } => (ProblemCode::SegmentSequence, None),
            Error::Header { segment: "MSH", fault } => {
                let field = u32::from(fault.field());
                let code = match fault {
                    HeaderFault::NoEncodingCharacters => ProblemCode::RequiredFieldMissing,
                    _ => ProblemCode::DataType,
                };
                (code, Some(Location::segment(Msh::NAME, 1).field(field)))
            }
            Error::Header { .. } => (ProblemCode::DataType, None),
            Error::Charset { location, .. }
            | Error::CharsetUnknown { location, .. }
            | Error::Time { location, .. } => (ProblemCode::DataType, Some(*location)),
            Error::Write { .. }
            | Error::TooLarge { .. }
            | Error::Unframeable { .. }
            | Error::Answer { .. } => (ProblemCode::Internal, None),
        };
        Self::error(code, location, error.to_string())
    }
}

/// Table 0516.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The message was not processed.
    Error,
    /// It was, with reservations.
    Warning,
    /// It was.
    Information,
}

/// Table 0357.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// 100: segments are missing or in the wrong order.
    SegmentSequence,
    /// 101: a required field is empty.
    RequiredFieldMissing,
    /// 102: a field is not of its data type.
    DataType,
    /// 103: a code is not in its table.
    TableValueNotFound,
    /// 200: the message type is not taken.
    UnsupportedMessageType,
    /// 201: the event is not taken.
    UnsupportedEvent,
    /// 202: the processing id is not taken.
    UnsupportedProcessingId,
    /// 203: the version is not taken.
    UnsupportedVersion,
    /// 204: what the message refers to is not known.
    UnknownKey,
    /// 205: what the message adds is there already.
    DuplicateKey,
    /// 206: what the message changes is locked.
    RecordLocked,
    /// 207: the receiver failed.
    Internal,
}

impl ProblemCode {
    /// The code and its meaning.
    pub fn entry(self) -> (&'static str, &'static str) {
        match self {
            Self::SegmentSequence => ("100", "Segment sequence error"),
            Self::RequiredFieldMissing => ("101", "Required field missing"),
            Self::DataType => ("102", "Data type error"),
            Self::TableValueNotFound => ("103", "Table value not found"),
            Self::UnsupportedMessageType => ("200", "Unsupported message type"),
            Self::UnsupportedEvent => ("201", "Unsupported event code"),
            Self::UnsupportedProcessingId => ("202", "Unsupported processing id"),
            Self::UnsupportedVersion => ("203", "Unsupported version id"),
            Self::UnknownKey => ("204", "Unknown key identifier"),
            Self::DuplicateKey => ("205", "Duplicate key identifier"),
            Self::RecordLocked => ("206", "Application record locked"),
            Self::Internal => ("207", "Application internal error"),
        }
    }
}

/// An acknowledgment being written.
///
/// ```
/// use bridge_hl7v2::{Message, ack::{Acknowledgment, Code}};
///
/// let message = Message::parse("MSH|^~\\&|LAB|NORTH|EHR|SOUTH|2024||ADT^A08|77|P|2.5.1\rPID|1\r")?;
/// let ack = Acknowledgment::to(&message, Code::AA).made("20240229103000").control_id("A1").build()?;
/// assert_eq!(ack, b"MSH|^~\\&|EHR|SOUTH|LAB|NORTH|20240229103000||ACK^A08^ACK|A1|P|2.5.1\rMSA|AA|77\r");
/// # Ok::<(), bridge_hl7v2::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Acknowledgment<'m> {
    /// What it answers; `None` when not even its MSH could be read.
    header: Option<&'m Message<'m>>,
    code: Code,
    made: &'m str,
    control_id: &'m str,
    problems: Vec<Problem>,
    asks_commit: bool,
}

impl<'m> Acknowledgment<'m> {
    /// An answer to `message`. For bytes that are no message there is [`refuse`].
    pub fn to(message: &'m Message<'m>, code: Code) -> Self {
        Self { header: Some(message), ..Self::to_illegible(code) }
    }

    /// An answer to something in which nothing could be read: MSA-2 stays empty.
    pub fn to_illegible(code: Code) -> Self {
        Self { header: None, code, made: "", control_id: "", problems: Vec::new(), asks_commit: false }
    }

    /// MSH-7: when it is made, as an HL7 time stamp.
    #[must_use]
    pub fn made(mut self, at: &'m str) -> Self {
        self.made = at;
        self
    }

    /// MSH-10: its own control id.
    #[must_use]
    pub fn control_id(mut self, id: &'m str) -> Self {
        self.control_id = id;
        self
    }

    /// Asks for a commit acknowledgment of its own (MSH-15 AL, MSH-16 NE), as one does that is sent by itself.
    #[must_use]
    pub fn asking_commit(mut self) -> Self {
        self.asks_commit = true;
        self
    }

    /// Adds an ERR segment.
    #[must_use]
    pub fn problem(mut self, problem: Problem) -> Self {
        self.problems.push(problem);
        self
    }

    /// The bytes, with the delimiters, version, processing id and character set of the message it answers.
    ///
    /// # Errors
    /// [`Error::Write`] when something cannot be written in that character set or with those delimiters.
    pub fn build(&self) -> Result<Vec<u8>, Error> {
        let (delimiters, charset) = match self.header {
            Some(message) => (complete(message.delimiters()), message.charset()),
            None => (Delimiters::STANDARD, Charset::Utf8),
        };
        let mut ack = MessageBuilder::new(delimiters, charset);
        let msh = self.header.map(Message::header);
        let raw = |n: u32| Content::raw(msh.map_or("", |m| m.field(n).raw()));
        let text =
            |n: u32, component: u32| msh.map(|m| m.field(n).component(component).text()).unwrap_or_default();
        let version = text(12, 1);
        let version = if version.is_empty() { "2.5".into() } else { version };
        let at_least = |wanted: &str| !older(&version, wanted);

        let header = ack.header();
        header.set(3, raw(5)).set(4, raw(6)).set(5, raw(3)).set(6, raw(4));
        header.set(7, self.made).set(10, self.control_id).set(18, raw(18));
        if self.asks_commit {
            header.set(15, "AL").set(16, "NE");
        }
        header.set(11, if msh.is_some_and(|m| !m.field(11).is_empty()) { raw(11) } else { "P".into() });
        header.set(12, if msh.is_some_and(|m| !m.field(12).is_empty()) { raw(12) } else { "2.5".into() });
        let trigger = text(9, 2);
        let structure = if at_least("2.3.1") && !trigger.is_empty() { "ACK" } else { "" };
        header.set(9, Content::from(["ACK".into(), trigger, structure.into()]));

        let msa = ack.add(Msa::NAME);
        msa.set(1, self.code.as_str()).set(2, raw(10));
        if let Some(first) = self.problems.first()
            && !at_least("2.7")
        {
            msa.set(3, first.text.as_str());
        }
        if at_least("2.5") {
            for problem in &self.problems {
                let err = ack.add(Err::NAME);
                let severity = match problem.severity {
                    Severity::Error => "E",
                    Severity::Warning => "W",
                    Severity::Information => "I",
                };
                let (code, meaning) = problem.code.entry();
                err.set(2, problem.location.map(location)).set(3, [code, meaning, "HL70357"]);
                err.set(4, severity).set(8, problem.text.as_str());
            }
        } else if !self.problems.is_empty() {
            let err = ack.add(Err::NAME);
            for problem in &self.problems {
                let (code, meaning) = problem.code.entry();
                let at = problem
                    .location
                    .map(|at| [at.segment.to_string(), at.occurrence.to_string(), number(at.field)]);
                let mut eld = at.map_or_else(Content::default, Content::from);
                eld.set(4, [code, meaning, "HL70357"]);
                err.push(1, eld);
            }
        }
        ack.build()
    }
}

/// The answer to bytes that [`Message::parse`] refused with `error`: AR, or CR when their MSH asks for a
/// commit acknowledgment, with as much of that MSH as can be read. `made` is MSH-7 and `control_id` MSH-10 of
/// the answer. `None` when the MSH wants no answer.
///
/// # Errors
/// [`Error::Write`] when `made` or `control_id` cannot be written.
pub fn refuse(
    bytes: &[u8],
    error: &Error,
    mode: Mode,
    made: &str,
    control_id: &str,
) -> Result<Option<Vec<u8>>, Error> {
    let answer = |ack: Acknowledgment<'_>| {
        ack.made(made).control_id(control_id).problem(Problem::from(error)).build().map(Some)
    };
    // Every byte is a character of this set, so the ids go back as they came.
    let reading = Reading::Always(Charset::Windows1252);
    let Some(Ok(header)) = header_line(bytes).map(|line| Message::parse_as(line, reading)) else {
        let code = if mode == Mode::Commit { Code::CR } else { Code::AR };
        return answer(Acknowledgment::to_illegible(code));
    };
    let wanted = Wanted::by(&header, mode);
    match wanted.commit(Verdict::Reject).or_else(|| wanted.application(Verdict::Reject)) {
        Some(code) => answer(Acknowledgment::to(&header, code)),
        None => Ok(None),
    }
}

/// The line that begins with MSH, if there is one where a message can begin.
fn header_line(bytes: &[u8]) -> Option<&[u8]> {
    const LONGEST: usize = 4096;
    let start = memchr::memmem::find(&bytes[..bytes.len().min(64)], b"MSH")?;
    let line = &bytes[start..bytes.len().min(start + LONGEST)];
    Some(&line[..memchr::memchr3(b'\r', b'\n', END, line).unwrap_or(line.len())])
}

/// A sender may declare fewer delimiters than an answer needs to name its errors.
fn complete(delimiters: &Delimiters) -> Delimiters {
    let short = delimiters.encoding_characters();
    let taken = |c: char| c == delimiters.field() || short.contains(c);
    let mut full = short.clone();
    for c in ['^', '~', '\\', '&', '!', '*', '%', '#'] {
        if full.len() < 4 && !taken(c) {
            full.push(c);
        }
    }
    u8::try_from(delimiters.field()).ok().and_then(|f| Delimiters::new(f, &full).ok()).unwrap_or(*delimiters)
}

/// ERL.
fn location(at: Location) -> Content<'static> {
    let rest = [at.field, at.repetition, at.component, at.subcomponent].map(number);
    let [field, repetition, component, subcomponent] = rest;
    [at.segment.to_string(), at.occurrence.to_string(), field, repetition, component, subcomponent].into()
}

fn number(n: Option<u32>) -> String {
    n.map(|n| n.to_string()).unwrap_or_default()
}

/// Compares versions such as `2.3.1` by their numbers.
fn older(version: &str, than: &str) -> bool {
    let numbers = |v: &str| v.split('.').map(|n| n.trim().parse::<u32>().unwrap_or(0)).collect::<Vec<_>>();
    numbers(version) < numbers(than)
}
