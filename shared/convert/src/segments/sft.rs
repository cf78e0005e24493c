//! SFT, the software a message came through.

use std::borrow::Cow;

use bridge_hl7v2::Segment;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{dtm, xon},
    json::Json,
};

/// MessageHeader.source.version, and the product's name: of the software nearest to the source, the first SFT.
pub(crate) fn software<'m>(c: &mut Conversion<'m>, w: &mut Json) -> Option<Cow<'m, str>> {
    let sft = c.child(c.message.header(), &["SFT"])?;
    if let Some(version) = c.text(sft, 2, "MessageHeader.source.version") {
        w.text("version", &version);
    }
    c.text(sft, 3, "MessageHeader.source.software")
}

/// A Device for each SFT.
pub(crate) fn devices<'m>(c: &mut Conversion<'m>) -> Vec<Ref> {
    let segments: Vec<_> = c.children(c.message.header(), &["SFT"]).collect();
    segments.into_iter().map(|sft| device(c, sft)).collect()
}

fn device<'m>(c: &mut Conversion<'m>, sft: Segment<'m>) -> Ref {
    let [vendor, version, product, binary] = [1, 2, 3, 4].map(|n| sft.field(n).raw());
    let id = c.id("Device", &["SFT"], &[vendor, "|", product, "|", binary, "|", version]);
    c.resource("Device", id, |c, w| {
        if let Some(vendor) = c.one(sft, 1, "Device.manufacturer").and_then(|xon| xon::string(c, xon)) {
            w.text("manufacturer", &vendor);
        }
        if let Some(name) = c.text(sft, 3, "Device.deviceName") {
            w.one("deviceName", |w| {
                w.text("name", &name);
                w.code("type", "manufacturer-name");
            });
        }
        if let Some(binary) = c.text(sft, 4, "Device.modelNumber") {
            w.text("modelNumber", &binary);
        }
        if let Some(version) = c.text(sft, 2, "Device.version") {
            w.one("version", |w| {
                if let Some(installed) = c.one(sft, 6, "Device.version") {
                    w.one_extension(
                        "http://hl7.org/fhir/5.0/StructureDefinition/extension-Device.version.installDate",
                        |w| {
                            dtm::date_time(c, w, "valueDateTime", installed);
                        },
                    );
                }
                w.text("value", &version);
            });
        }
        if let Some(note) = c.text(sft, 5, "Device.note") {
            w.one("note", |w| w.text("text", &note));
        }
    })
}
