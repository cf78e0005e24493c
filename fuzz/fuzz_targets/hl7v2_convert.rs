//! Whatever can be parsed is converted or refused: no panic, the same bundle twice, and one that reads as JSON.
#![no_main]

use std::sync::LazyLock;

use bridge_convert::{Converter, Profile};
use bridge_hl7v2::Message;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use uuid::Uuid;

static CONVERTER: LazyLock<Converter> = LazyLock::new(|| {
    let profile = Profile::new(Uuid::nil(), TimeZone::UTC, "https://fhir.example/r4");
    Converter::new(profile.authority("NORTH", "https://north.example/mrn"))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::parse(bytes) else { return };
    let Ok(converted) = CONVERTER.convert(&message, Timestamp::UNIX_EPOCH) else { return };
    let again = CONVERTER.convert(&message, Timestamp::UNIX_EPOCH).expect("it was converted before");
    assert_eq!(converted.bundle, again.bundle, "the same message twice");
    let bundle: Value = serde_json::from_slice(&converted.bundle).expect("a bundle is JSON");
    assert_eq!(bundle["entry"].as_array().map(Vec::len), Some(converted.resources.len()));
});
