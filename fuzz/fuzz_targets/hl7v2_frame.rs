//! A stream gives the same frames however it is cut into reads, and no more is held than the limit.
#![no_main]

#[path = "../../shared/hl7v2/tests/invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|input: (u8, u8, &[u8])| {
    let (read, limit, bytes) = input;
    invariants::framing(bytes, usize::from(read % 32) + 1, usize::from(limit));
});
