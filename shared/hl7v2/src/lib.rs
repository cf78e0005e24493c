//! HL7 v2 on the wire: reading, answering, writing.
//!
//! Pure functions over bytes: no I/O, no clock, no configuration, nothing of ours underneath. Section numbers
//! in these documents are those of HL7 v2.5.1 unless a version is named.
//!
//! # Reading
//!
//! [`Message::parse`] makes one pass over the bytes and notes where segments and fields begin. Everything
//! deeper is cut when it is asked for, and text is copied only when it holds escape sequences.
//!
//! ```
//! use bridge_hl7v2::{Message, datatypes::Datatype, segments::{Obx, Pid}};
//!
//! let message = Message::parse(
//!     "MSH|^~\\&|LAB|NORTH|EHR|NORTH|20240229103000-0600||ORU^R01|77|P|2.5.1\r\
//!      PID|1||4711^^^NORTH^MR~123^^^STATE^DL||Testperson^Una^Q||19700101|F|||||\"\"\r\
//!      OBX|1|NM|2345-7^Glucose^LN||98|mg/dL|70\\S\\110||||F\r",
//! )?;
//!
//! // By number: segment, field, repetition, component, subcomponent. What is not there is empty.
//! let pid = message.named("PID").next().unwrap();
//! assert_eq!(pid.field(3).repetition(2).component(1).text(), "123");
//! assert!(pid.field(99).is_empty());
//! assert!(pid.field(13).is_null()); // `""`: remove the value
//!
//! // By name: typed views of segments and data types.
//! let pid = message.first::<Pid<'_>>().unwrap();
//! let numbers: Vec<_> = pid.identifiers().map(|cx| cx.id().text()).collect();
//! assert_eq!(numbers, ["4711", "123"]);
//! assert_eq!(pid.names().next().unwrap().family().surname().text(), "Testperson");
//! assert_eq!(pid.birth().dtm()?.unwrap().date().to_string(), "1970-01-01");
//!
//! for obx in message.all::<Obx<'_>>() {
//!     assert_eq!(obx.reference_range().text(), "70^110"); // escapes decoded
//! }
//!
//! // Every value knows its place, for diagnostics that name no content.
//! let second = pid.identifiers().nth(1).unwrap();
//! assert_eq!(second.type_code().location().to_string(), "PID-3[2].5");
//! assert_eq!(message.at(&"PID-3[2].5".parse()?).unwrap().text(), "DL");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The rules a reader can rely on:
//!
//! * Numbers count from 1, as in the standard; in MSH, field 1 is the separator and field 2 the encoding
//!   characters.
//! * [`Value::raw`] is what came, [`Value::text`] is it decoded, [`Value::content`] is the text unless it is
//!   empty or null.
//! * Empty says nothing, `""` ([`Value::is_null`]) says remove. Nothing in this crate treats one as the
//!   other.
//! * A value without a separator is its own first part: `OBX-5.1.1` of `98` is `98`. So a data type reads the
//!   same whether it stands in a field, a component or a subcomponent.
//! * Segments come in the order they were sent, each of them; grouping is the caller's. What the line breaks
//!   of a message mean is at [`Message`]; a line that is no segment is in [`Message::strays`].
//! * A message is refused only when it has no usable header, has two, or is not text in its character set;
//!   the [`Error`] says where.
//! * `Debug` and errors never show content, only places and sizes.
//!
//! A message in another character set than UTF-8 is read as MSH-18 declares it, or as the connection's
//! [`Reading`](charset::Reading) says: `Message::parse_as(bytes, reading)`.
//!
//! # Streams and files
//!
//! [`mllp::Decoder`] takes bytes as a socket gives them and gives messages; [`mllp::encode`] frames one.
//! [`batch::split`] cuts FHS/BHS batches and plain files of messages, and checks what their trailers count.
//!
//! # Answering
//!
//! [`ack::Wanted`] says which acknowledgments a message asks for, [`ack::Acknowledgment`] writes one,
//! [`ack::refuse`] answers bytes that are no message, and [`ack::Answer`] reads the one that comes back:
//!
//! ```
//! use bridge_hl7v2::{Message, ack::{Acknowledgment, Answer, Mode, Problem, ProblemCode, Verdict, Wanted}};
//!
//! let message = Message::parse("MSH|^~\\&|LAB|NORTH|EHR|SOUTH|2024||ADT^A08|77|P|2.5.1|||AL|NE\rPID|1\r")?;
//! let code = Wanted::by(&message, Mode::AsAsked).commit(Verdict::Error).unwrap();
//! let problem = Problem::error(ProblemCode::RequiredFieldMissing, Some("PID-3".parse().unwrap()), "PID-3 is empty");
//! let bytes = Acknowledgment::to(&message, code).made("20240229").control_id("A1").problem(problem).build()?;
//!
//! let answer = Message::parse(&bytes)?;
//! let answer = Answer::read(&answer)?;
//! assert!(answer.is_for("77") && answer.code.verdict() == Verdict::Error);
//! assert_eq!(answer.problems[0].location.unwrap().to_string(), "PID-3");
//! # Ok::<(), bridge_hl7v2::Error>(())
//! ```
//!
//! # Writing
//!
//! [`write::MessageBuilder`] makes messages; text is escaped as it is written, and a place that cannot hold
//! it is an error. [`write::Editor`] changes parsed ones; what is not changed comes out byte for byte as it
//! came in.
//!
//! # What it costs
//!
//! Parsing is one pass with two allocations, linear in the bytes, 1.1 to 1.3 times a bare list of delimiter
//! offsets (`cargo bench -p bridge-hl7v2`). No field allocates; text does when it holds an escape sequence.
//!
//! # What holds it
//!
//! `tests/invariants` says what is true for any bytes, and property tests, the corpus test and the fuzz
//! targets hold the crate to it. `tests/oracle.rs` compares it with hl7-parser and says who is right where
//! they differ.

pub mod ack;
pub mod batch;
pub mod charset;
pub mod datatypes;
mod delimiters;
mod error;
mod escape;
pub mod location;
mod message;
pub mod mllp;
mod scan;
mod segment;
pub mod segments;
pub mod time;
mod value;
pub mod write;

pub use delimiters::Delimiters;
pub use error::{AnswerFault, Error, HeaderFault, Instead, UnknownCharset, WriteFault};
pub use message::{Message, Stray};
pub use segment::{Segment, SegmentView};
pub use value::{Field, Pieces, Value};
