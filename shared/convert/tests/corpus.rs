//! Every message of the reference corpus is converted to a sound bundle, or refused with a place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod support;

use std::{collections::BTreeMap, fs};

use bridge_convert::{ConvertError, Converter};
use bridge_hl7v2::{
    Message,
    charset::{Charset, Reading, Undeclared},
};

/// One file may hold a batch: each MSH begins a message.
fn messages(bytes: &[u8]) -> Vec<&[u8]> {
    let starts =
        |at: usize| bytes[at..].starts_with(b"MSH") && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric());
    let line_start = |at: usize| at == 0 || matches!(bytes[at - 1], b'\r' | b'\n' | b'\x0b' | b' ' | b'\xbf');
    let mut cuts: Vec<usize> = (0..bytes.len()).filter(|at| starts(*at) && line_start(*at)).collect();
    cuts.push(bytes.len());
    cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

#[test]
fn every_message_is_converted_or_refused_with_its_place() {
    let Some(reference) = support::reference() else {
        eprintln!("no reference material: nothing checked");
        return;
    };
    let converter = Converter::new(support::profile());
    let reading = Reading::Declared { undeclared: Undeclared::Utf8Or(Charset::Windows1252) };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for file in support::files(reference.join("corpus")) {
        if file.extension().is_none_or(|e| e != "hl7") {
            continue;
        }
        let bytes = fs::read(&file).unwrap();
        for text in messages(&bytes) {
            let Ok(message) = Message::parse_as(text, reading) else {
                *counts.entry("refused by the parser".into()).or_default() += 1;
                continue;
            };
            let outcome = match converter.convert(&message, support::received()) {
                Ok(converted) => {
                    if let Err(fault) = support::structure::check(&converted) {
                        faults.push(format!("{}: {fault}", file.display()));
                    }
                    "converted".to_owned()
                }
                Err(error @ ConvertError::UnsupportedEvent { .. }) => {
                    assert!(error.to_string().starts_with("MSH-9"), "{error}");
                    "another family".to_owned()
                }
                Err(error) => error.to_string(),
            };
            *counts.entry(outcome).or_default() += 1;
        }
    }
    eprintln!("{counts:#?}");
    assert!(faults.is_empty(), "{} unsound:\n{}", faults.len(), faults.join("\n"));
    assert!(counts["converted"] > 800, "{counts:?}");
}
