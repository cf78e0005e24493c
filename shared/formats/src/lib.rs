//! Files of practice systems, read as a stream of records.
//!
//! [`Reader`] takes bytes from any [`std::io::Read`] and gives one [`Record`] after the other: a JSON object with its
//! [`Place`]. Whatever the size of a file, one record and one read are held. A record that is bad does not stop the
//! file ([`Error::spares_the_rest`]), and reading can go on in another process from a [`Checkpoint`].
//!
//! ```
//! use bridge_core::feed::{Format, Shape};
//! use bridge_formats::{Limits, Reader};
//!
//! let file = b"Chart,Name\r\n17,\"Sample, Sam\"\r\n".as_slice();
//! let mut reader = Reader::open(file, &Shape::of(Format::Csv), &[], Limits::default())?;
//! while let Some(record) = reader.next()? {
//!     assert_eq!(record.place.line, 2);
//!     assert_eq!(record.to_json(), r#"{"Chart":"17","Name":"Sample, Sam"}"#);
//! }
//! # Ok::<(), bridge_formats::Error>(())
//! ```
//!
//! [`Intake`] adds what a feed declares: the types of columns, what must be there, and what is done about bad rows.
//!
//! [`Arriving`] is an intake for bytes that come when they come; [`unpack`] takes gzip, Zstandard and zip apart.
//!
//! [`Writer`] goes the other way: records become a file that these readers read back as they were.
//!
//! Nothing here opens a file, reads a clock, or knows what a record means.

mod arriving;
mod charset;
mod check;
pub mod cipher;
mod csv;
pub mod delta;
mod error;
mod fixed;
mod hl7;
mod input;
mod intake;
mod json;
mod limits;
mod pit;
mod place;
mod reader;
mod record;
mod report;
pub mod unpack;
mod words;
mod write;
mod x12;
mod xdt;
mod xml;

pub use arriving::{Arriving, Reached};
pub use check::{Checker, MissingColumns, RowFault, Rule};
pub use error::{CsvFault, Error, Fault, Hl7Fault, JsonFault, PitFault, X12Fault, XdtFault, XmlFault};
pub use intake::{Intake, Step, Stop};
pub use limits::Limits;
pub use place::{Checkpoint, Memory, Place};
pub use reader::Reader;
pub use record::{Body, Record, Row};
pub use report::{Quarantined, Report};
pub use write::{Envelope, Unwritable, WriteFault, Writer};
