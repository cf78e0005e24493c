//! Any bytes are parsed or refused, split, edited and written without a panic, and nothing in them is lost.
#![no_main]

#[path = "../../shared/hl7v2/tests/invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    invariants::parsing(bytes);
    invariants::splitting(bytes);
    // The same bytes choose an edit: where, and what.
    let field = u32::from(bytes.last().copied().unwrap_or(0));
    let text = String::from_utf8_lossy(&bytes[bytes.len() - bytes.len().min(24)..]);
    invariants::editing(bytes, field, &text);
});
