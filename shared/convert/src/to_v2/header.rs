//! MSH and EVN.

use bridge_hl7v2::{Delimiters, charset::Charset, write::MessageBuilder};
use jiff::Timestamp;

use super::{Outgoing, Writing, segment};

/// Who the message is from and for: a connection's settings.
#[derive(Debug, Clone)]
pub struct Header {
    /// MSH-3.
    pub sending_application: String,
    /// MSH-4.
    pub sending_facility: String,
    /// MSH-5.
    pub receiving_application: String,
    /// MSH-6.
    pub receiving_facility: String,
    /// MSH-11: `P` in production, `T` in training, `D` in debugging.
    pub processing_id: String,
    /// MSH-12.
    pub version: String,
    /// MSH-1 and MSH-2.
    pub delimiters: Delimiters,
    /// MSH-18, and the bytes.
    pub charset: Charset,
}

impl Default for Header {
    /// Version 2.5.1 in production, with the standard delimiters, in UTF-8; from nobody to nobody.
    fn default() -> Self {
        Self {
            sending_application: String::new(),
            sending_facility: String::new(),
            receiving_application: String::new(),
            receiving_facility: String::new(),
            processing_id: "P".into(),
            version: "2.5.1".into(),
            delimiters: Delimiters::STANDARD,
            charset: Charset::Utf8,
        }
    }
}

pub(super) fn write(message: &mut MessageBuilder<'_>, header: &Header, outgoing: &Outgoing<'_>) {
    message
        .header()
        .set(3, header.sending_application.clone())
        .set(4, header.sending_facility.clone())
        .set(5, header.receiving_application.clone())
        .set(6, header.receiving_facility.clone())
        .set(7, moment(outgoing.sent))
        .set(9, outgoing.event.message_type())
        .set(10, outgoing.control_id.to_owned())
        .set(11, header.processing_id.clone())
        .set(12, header.version.clone());
}

/// EVN: when it was recorded, which is when it is sent.
pub(super) fn event(writing: &mut Writing<'_>, outgoing: &Outgoing<'_>) {
    let mut evn = segment("EVN");
    let [_, trigger, _] = outgoing.event.message_type();
    evn.set(1, trigger).set(2, moment(outgoing.sent));
    writing.add(evn);
}

/// A moment to the second, in UTC.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y%m%d%H%M%S+0000").to_string()
}
