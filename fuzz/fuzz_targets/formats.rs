//! Any bytes are read or refused in every format, the same in whatever pieces they come and wherever reading stops.
#![no_main]

#[path = "../../shared/formats/tests/invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    let (choice, bytes) = input;
    let shapes = invariants::shapes();
    invariants::holds(bytes, &shapes[usize::from(choice) % shapes.len()]);
});
