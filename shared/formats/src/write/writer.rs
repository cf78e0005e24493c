//! One way to write every format.

use bridge_core::{
    export::OutColumn,
    feed::{Format, Shape},
};
use serde_json::Value;

use super::{Envelope, Unwritable, WriteFault, charset::Encoder, csv, hl7, json, xdt, xml};

/// Records become a file, a record at a time.
///
/// What it can't write as it is, it refuses: nothing is replaced, cut or left out. It keeps nothing but a count, so a file can be
/// gone on with by another, see [`Writer::resume`].
///
/// ```
/// use bridge_core::{export::OutColumn, feed::{Format, Shape}};
/// use bridge_formats::{Envelope, Writer};
///
/// let columns = [OutColumn { name: "chart".into(), header: Some("Chart No".into()) }];
/// let mut writer = Writer::new(&Shape::of(Format::Csv), &columns, Envelope::default());
/// let mut file = Vec::new();
/// writer.begin(&mut file)?;
/// writer.record(&serde_json::json!({"chart": 17}), &mut file)?;
/// writer.end(&mut file)?;
/// assert_eq!(file, b"Chart No\r\n17\r\n");
/// # Ok::<(), bridge_formats::Unwritable>(())
/// ```
#[derive(Debug, Clone)]
pub struct Writer {
    kind: Kind,
    charset: Encoder,
    records: u64,
}

#[derive(Debug, Clone)]
enum Kind {
    Csv(csv::Rows),
    Json(json::Elements),
    Lines {
        is_fhir: bool,
    },
    Xml(xml::Elements),
    Xdt,
    Hl7(Envelope),
    /// No format that is written, see `Export::problems`.
    None,
}

impl Writer {
    /// For a file of this shape. `columns` are those of delimited text, `envelope` is the one of HL7 v2.
    pub fn new(shape: &Shape, columns: &[OutColumn], envelope: Envelope) -> Self {
        let kind = match shape.format {
            Format::Csv => Kind::Csv(csv::Rows::new(&shape.csv.clone().unwrap_or_default(), columns)),
            Format::Json => {
                Kind::Json(json::Elements::new(shape.json.as_ref().map_or("", |json| json.records.as_str())))
            }
            Format::Ndjson => Kind::Lines { is_fhir: false },
            Format::FhirNdjson => Kind::Lines { is_fhir: true },
            Format::Xml => {
                Kind::Xml(xml::Elements::new(shape.xml.as_ref().map_or("", |xml| xml.records.as_str())))
            }
            Format::Xdt => Kind::Xdt,
            Format::Hl7Batch => Kind::Hl7(envelope),
            Format::FixedWidth | Format::Pit | Format::X12 | Format::FhirBundle => Kind::None,
        };
        Self { kind, charset: Encoder::new(shape.charset), records: 0 }
    }

    /// Goes on after so many records, which another has written.
    #[must_use]
    pub fn resume(mut self, records: u64) -> Self {
        self.records = records;
        self
    }

    /// How many records have been written.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Forgets the last records: their bytes have been taken back.
    pub fn go_back(&mut self, records: u64) {
        self.records = self.records.min(records);
    }

    /// What stands before the records.
    ///
    /// # Errors
    /// When a name that the declaration gives is not in the character set.
    pub fn begin(&self, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let head = match &self.kind {
            Kind::Csv(rows) => rows.begin(&self.charset)?,
            Kind::Json(elements) => elements.begin(),
            Kind::Xml(elements) => elements.begin(&self.charset)?,
            Kind::Hl7(envelope) => envelope.begin(),
            Kind::Lines { .. } | Kind::Xdt | Kind::None => String::new(),
        };
        self.charset.mark(out);
        self.charset.encode(&head, out)
    }

    /// A record. When it is refused, nothing of it is in `out`.
    ///
    /// # Errors
    /// When the format or the character set can't say it.
    pub fn record(&mut self, record: &Value, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let Value::Object(record) = record else { return Err(WriteFault::NotAnObject.at("")) };
        let text = match &self.kind {
            Kind::Csv(rows) => rows.record(record, &self.charset)?,
            Kind::Json(elements) => elements.record(record, self.records, &self.charset)?,
            Kind::Lines { is_fhir } => json::line(record, *is_fhir, &self.charset)?,
            Kind::Xml(elements) => elements.record(record, &self.charset)?,
            Kind::Xdt => xdt::record(record, &self.charset)?,
            Kind::Hl7(_) => {
                let message = record.get("message").and_then(Value::as_str).unwrap_or_default();
                let mut bytes = Vec::new();
                self.charset.check(message, || "message".to_owned())?;
                self.charset.encode(message, &mut bytes)?;
                return self.message(&bytes, out);
            }
            Kind::None => return Err(WriteFault::NotAnObject.at("")),
        };
        self.charset.encode(&text, out)?;
        self.records += 1;
        Ok(())
    }

    /// An HL7 v2 message, in whatever character set it says.
    ///
    /// # Errors
    /// When it is not one message whose segments end in CR.
    pub fn message(&mut self, message: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
        hl7::check(message)?;
        out.extend_from_slice(message);
        if !message.ends_with(b"\r") {
            out.push(b'\r');
        }
        self.records += 1;
        Ok(())
    }

    /// What stands behind the records.
    ///
    /// # Errors
    /// When a word that the declaration gives is not in the character set.
    pub fn end(&self, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let tail = match &self.kind {
            Kind::Csv(rows) => rows.end(self.records),
            Kind::Json(elements) => elements.end(),
            Kind::Xml(elements) => elements.end(),
            Kind::Hl7(_) => hl7::end(self.records),
            Kind::Lines { .. } | Kind::Xdt | Kind::None => String::new(),
        };
        self.charset.encode(&tail, out)
    }
}
