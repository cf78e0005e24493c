//! Parsing against its floor (a flat list of delimiter offsets in the same bytes) and against hl7-parser, in
//! one run.
//!
//! `cargo bench -p bridge-hl7v2`: compare the rows of one column, and see that `allocations` does not grow
//! with fields.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod messages;

use bridge_hl7v2::{Message, mllp};
use divan::{AllocProfiler, Bencher, counter::BytesCount};
use messages::Sample;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// The least a reader must find out: where the field separators and segment ends are.
#[divan::bench(args = messages::ALL)]
fn flat_index(bencher: Bencher<'_, '_>, sample: &Sample) {
    let text = sample.build();
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let bytes = divan::black_box(text.as_bytes());
        let mut offsets = Vec::with_capacity(bytes.len() / 8);
        offsets.extend(memchr::memchr2_iter(b'|', b'\r', bytes).map(|at| at as u32));
        offsets
    });
}

#[divan::bench(args = messages::ALL)]
fn parse(bencher: Bencher<'_, '_>, sample: &Sample) {
    let text = sample.build();
    bencher.counter(BytesCount::of_str(&text)).bench(|| Message::parse(divan::black_box(&text)).unwrap());
}

/// Parse, then read every subcomponent's text.
#[divan::bench(args = messages::ALL)]
fn parse_and_read_all(bencher: Bencher<'_, '_>, sample: &Sample) {
    let text = sample.build();
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let message = Message::parse(divan::black_box(&text)).unwrap();
        let values = message.segments().flat_map(|s| s.fields()).flat_map(|f| f.repetitions());
        values.flat_map(|r| r.parts()).flat_map(|c| c.parts()).map(|s| s.text().len()).sum::<usize>()
    });
}

#[divan::bench(args = messages::ALL)]
fn hl7_parser(bencher: Bencher<'_, '_>, sample: &Sample) {
    let text = sample.build();
    let parse = hl7_parser::parse_message_with_lenient_newlines;
    bencher.counter(BytesCount::of_str(&text)).bench(|| parse(divan::black_box(&text)).unwrap());
}

/// Linear in size: bytes per second stay the same.
#[divan::bench(args = [1_000, 10_000, 100_000, 1_000_000, 10_000_000])]
fn parse_with_obx_5_of(bencher: Bencher<'_, '_>, size: usize) {
    let text = messages::embedded(size);
    bencher.counter(BytesCount::of_str(&text)).bench(|| Message::parse(divan::black_box(&text)).unwrap());
}

/// Linear in segments.
#[divan::bench(args = [10, 100, 1_000, 10_000])]
fn parse_with_segments(bencher: Bencher<'_, '_>, segments: usize) {
    let text = messages::results(segments);
    bencher.counter(BytesCount::of_str(&text)).bench(|| Message::parse(divan::black_box(&text)).unwrap());
}

/// A stream of frames in reads of 16 KB.
#[divan::bench(args = messages::ALL)]
fn deframe(bencher: Bencher<'_, '_>, sample: &Sample) {
    let mut stream = Vec::new();
    (0..100).for_each(|_| mllp::encode(sample.build().as_bytes(), &mut stream).unwrap());
    bencher.counter(BytesCount::new(stream.len())).bench(|| {
        let mut decoder = mllp::Decoder::new(1 << 20);
        let mut frames = 0;
        for read in stream.chunks(16 * 1024) {
            decoder.push(read);
            while decoder.next_frame().is_some() {
                frames += 1;
            }
        }
        assert_eq!(frames, 100);
    });
}
