//! One way to read every format.

use std::io::Read;

use bridge_core::feed::{Column, Format, Shape};

use crate::{
    csv, error::Error, fixed, hl7, json, limits::Limits, pit, place::Checkpoint, record::Record, x12, xdt,
    xml,
};

/// The records of a file, one after the other.
pub struct Reader<R: Read> {
    kind: Kind<R>,
    is_done: bool,
}

enum Kind<R: Read> {
    Csv(csv::Rows<R>),
    Fixed(fixed::Rows<R>),
    Json(json::Elements<R>),
    Lines(json::Lines<R>),
    Xml(Box<xml::Elements<R>>),
    Xdt(xdt::Records<R>),
    Pit(pit::Reports<R>),
    X12(x12::Transactions<R>),
    Hl7(hl7::Messages<R>),
}

impl<R: Read> Reader<R> {
    /// Begins to read a file.
    ///
    /// `columns` are the feed's: they give a format of fixed width its layout, name the columns of delimited text
    /// without a header, and rename those of a header.
    ///
    /// # Errors
    /// When the file's beginning is already wrong: its byte order mark, its header, what is around its records.
    pub fn open(source: R, shape: &Shape, columns: &[Column], limits: Limits) -> Result<Self, Error> {
        let charset = shape.charset;
        let kind = match shape.format {
            Format::Csv => {
                let csv = shape.csv.clone().unwrap_or_default();
                Kind::Csv(csv::Rows::open(source, charset, &csv, columns, limits)?)
            }
            Format::FixedWidth => Kind::Fixed(fixed::Rows::open(source, charset, columns, limits)?),
            Format::Ndjson | Format::FhirNdjson => {
                let is_fhir = shape.format == Format::FhirNdjson;
                Kind::Lines(json::Lines::open(source, charset, is_fhir, limits)?)
            }
            Format::Json | Format::FhirBundle => {
                let (path, is_bundle) = path_of(shape);
                Kind::Json(json::Elements::open(source, charset, &path, is_bundle, limits)?)
            }
            Format::Xml => {
                Kind::Xml(Box::new(xml::Elements::open(source, charset, xml_path(shape), limits)?))
            }
            Format::Xdt => {
                Kind::Xdt(xdt::Records::open(source, charset, shape.xdt.unwrap_or_default(), limits)?)
            }
            Format::Pit => Kind::Pit(pit::Reports::open(source, charset, limits)?),
            Format::X12 => Kind::X12(x12::Transactions::open(source, charset, limits)?),
            Format::Hl7Batch => Kind::Hl7(hl7::Messages::open(source, charset, limits)?),
        };
        Ok(Self { kind, is_done: false })
    }

    /// Goes on where a reader with the same settings stopped: `source` begins at the checkpoint's offset.
    pub fn resume(
        source: R,
        checkpoint: Checkpoint,
        shape: &Shape,
        columns: &[Column],
        limits: Limits,
    ) -> Self {
        let kind = match shape.format {
            Format::Csv => {
                let csv = shape.csv.clone().unwrap_or_default();
                Kind::Csv(csv::Rows::resume(source, checkpoint, &csv, columns, limits))
            }
            Format::FixedWidth => Kind::Fixed(fixed::Rows::resume(source, &checkpoint, columns, limits)),
            Format::Ndjson | Format::FhirNdjson => {
                let is_fhir = shape.format == Format::FhirNdjson;
                Kind::Lines(json::Lines::resume(source, &checkpoint, is_fhir, limits))
            }
            Format::Json | Format::FhirBundle => {
                let (path, is_bundle) = path_of(shape);
                Kind::Json(json::Elements::resume(source, checkpoint, &path, is_bundle, limits))
            }
            Format::Xml => {
                Kind::Xml(Box::new(xml::Elements::resume(source, &checkpoint, xml_path(shape), limits)))
            }
            Format::Xdt => {
                let xdt = shape.xdt.unwrap_or_default();
                Kind::Xdt(xdt::Records::resume(source, &checkpoint, shape.charset, xdt, limits))
            }
            Format::Pit => Kind::Pit(pit::Reports::resume(source, checkpoint, limits)),
            Format::X12 => Kind::X12(x12::Transactions::resume(source, checkpoint, limits)),
            Format::Hl7Batch => Kind::Hl7(hl7::Messages::resume(source, &checkpoint, limits)),
        };
        Self { kind, is_done: false }
    }

    /// The next record; `None` after the last.
    ///
    /// # Errors
    /// When the next record is bad. Unless the error [spares the rest](Error::spares_the_rest), the file ends there.
    #[expect(
        clippy::should_implement_trait,
        reason = "a record borrows from its reader, as no iterator's item may"
    )]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        if self.is_done {
            return Ok(None);
        }
        let next = match &mut self.kind {
            Kind::Csv(rows) => rows.next(),
            Kind::Fixed(rows) => rows.next(),
            Kind::Json(elements) => elements.next(),
            Kind::Lines(lines) => lines.next(),
            Kind::Xml(elements) => elements.next(),
            Kind::Xdt(records) => records.next(),
            Kind::Pit(reports) => reports.next(),
            Kind::X12(transactions) => transactions.next(),
            Kind::Hl7(messages) => messages.next(),
        };
        self.is_done = match &next {
            Ok(record) => record.is_none(),
            Err(error) => !error.spares_the_rest(),
        };
        next
    }

    /// The columns of rows, as the feed calls them; none where records are trees.
    pub fn columns(&self) -> &[String] {
        match &self.kind {
            Kind::Csv(rows) => rows.columns(),
            Kind::Fixed(rows) => rows.columns(),
            _ => &[],
        }
    }

    /// Where reading can go on, after the last record that was given or found bad.
    pub fn checkpoint(&self) -> Checkpoint {
        match &self.kind {
            Kind::Csv(rows) => rows.checkpoint(),
            Kind::Fixed(rows) => rows.checkpoint(),
            Kind::Json(elements) => elements.checkpoint(),
            Kind::Lines(lines) => lines.checkpoint(),
            Kind::Xml(elements) => elements.checkpoint(),
            Kind::Xdt(records) => records.checkpoint(),
            Kind::Pit(reports) => reports.checkpoint(),
            Kind::X12(transactions) => transactions.checkpoint(),
            Kind::Hl7(messages) => messages.checkpoint(),
        }
    }
}

/// Where a document's array is, and whether the document must be a Bundle.
fn path_of(shape: &Shape) -> (String, bool) {
    match shape.format {
        Format::FhirBundle => ("entry".to_owned(), true),
        _ => (shape.json.as_ref().map(|json| json.records.clone()).unwrap_or_default(), false),
    }
}

fn xml_path(shape: &Shape) -> &str {
    shape.xml.as_ref().map_or("", |xml| xml.records.as_str())
}
