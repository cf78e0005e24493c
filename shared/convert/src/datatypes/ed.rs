//! ED, data in the message itself: a PDF, a picture, a scanned page.

use bridge_hl7v2::Value;
use data_encoding::{BASE64, HEXUPPER_PERMISSIVE};

use crate::{conversion::Conversion, json::Json, parts::Parts, report::Reason};

/// The members of an Attachment. The data are base64 in FHIR: what comes as base64 is checked and passed on, other
/// encodings (ED-4: `A` as text, `Hex`) are encoded.
pub(crate) fn attachment<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let ed = Parts::<5>::of(c, value, &[2, 3, 4, 5, 1]);
    let (kind, subtype) = (ed.text(2), ed.text(3));
    if subtype.is_none()
        && let Some(kind) = &kind
    {
        w.one_extension("http://hl7.org/fhir/StructureDefinition/alternate-codes", |w| {
            w.object("valueCodeableConcept", |w| {
                w.one("coding", |w| {
                    w.code("system", "http://terminology.hl7.org/CodeSystem/v2-0191");
                    w.text("code", kind);
                });
            });
        });
    }
    if let Some(subtype) = subtype {
        content_type(w, kind.as_deref().unwrap_or_default(), &subtype);
    }
    if let Some(application) = ed.value(1).part(1).content() {
        w.text("title", application.trim());
    }
    data(c, w, &ed);
}

/// The media type: ED-3 is one already, or the second half of one, or a name of table 0291.
fn content_type(w: &mut Json, kind: &str, subtype: &str) {
    if subtype.contains('/') {
        return w.text("contentType", subtype);
    }
    let lower = subtype.to_ascii_lowercase();
    let main = match (lower.as_str(), kind.to_ascii_lowercase().as_str()) {
        ("pdf" | "rtf" | "octet-stream" | "postscript" | "json" | "xml", _) => "application/",
        ("jpeg" | "png" | "gif" | "tiff", _) => "image/",
        ("html" | "sgml" | "plain", _) => "text/",
        (_, "text" | "ft") => "text/",
        (_, "image" | "im" | "si") => "image/",
        (_, "audio" | "au") => "audio/",
        (_, "application" | "ap" | "multipart") => "application/",
        _ => "",
    };
    w.joined("contentType", &[main, if main.is_empty() { subtype } else { &lower }]);
}

fn data<'m>(c: &mut Conversion<'m>, w: &mut Json, ed: &Parts<'m, 5>) {
    let raw = ed.raw(5);
    if raw.is_empty() {
        return;
    }
    match ed.raw(4).to_ascii_lowercase().as_str() {
        "a" => w.code("data", &BASE64.encode(ed.value(5).text().as_bytes())),
        "hex" => match HEXUPPER_PERMISSIVE.decode(raw.trim().as_bytes()) {
            Ok(bytes) => w.code("data", &BASE64.encode(&bytes)),
            Err(_) => c.note(ed.value(5), Reason::NotEncoded("hexadecimal")),
        },
        _ => base64(c, w, ed),
    }
}

/// Base64 as it came, without the line breaks senders put in it.
fn base64<'m>(c: &mut Conversion<'m>, w: &mut Json, ed: &Parts<'m, 5>) {
    let text = ed.value(5).text();
    let is_blank = |b: &u8| matches!(b, b' ' | b'\r' | b'\n' | b'\t');
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let body = text.trim_end_matches(|ch: char| ch == '=' || ch.is_ascii_whitespace());
    if body.bytes().any(|b| !is_digit(&b) && !is_blank(&b)) {
        return c.note(ed.value(5), Reason::NotEncoded("base64"));
    }
    let digits = body.bytes().filter(is_digit).count();
    if digits % 4 == 1 {
        return c.note(ed.value(5), Reason::NotEncoded("base64"));
    }
    if digits == 0 {
        return;
    }
    w.key("data");
    w.push(b"\"");
    if digits == body.len() {
        w.push(&body.as_bytes()[..body.len() - 1]);
    } else {
        let kept: Vec<u8> = body.bytes().filter(is_digit).collect();
        w.push(&kept[..kept.len() - 1]);
    }
    w.push(&[last_digit(body, digits)]);
    w.push(&b"=="[..(4 - digits % 4) % 4]);
    w.push(b"\"");
}

/// The last digit without the bits that are no data: cut-off text leaves some, and strict readers refuse them.
fn last_digit(body: &str, digits: usize) -> u8 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let last = body.bytes().next_back().unwrap_or(b'A');
    let value = ALPHABET.iter().position(|digit| *digit == last).unwrap_or(0);
    let unused = match digits % 4 {
        2 => 4,
        3 => 2,
        _ => 0,
    };
    ALPHABET[value >> unused << unused]
}
