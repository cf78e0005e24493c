//! The messages the benchmarks run on are what their names say, and whole.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../benches/messages/mod.rs"]
#[allow(dead_code)]
mod messages;

use bridge_hl7v2::Message;

#[test]
fn samples_are_messages_of_the_size_they_claim() {
    let sizes = [1_400..1_600, 3_300..3_500, 1_100..1_300, 5_000..7_000];
    for (sample, size) in messages::ALL.iter().zip(sizes) {
        let text = sample.build();
        assert!(size.contains(&text.len()), "{sample}: {}", text.len());
        let message = Message::parse(&text).unwrap();
        assert_eq!(message.strays().len(), 0);
        assert_eq!(message.segment_count(), text.matches('\r').count());
    }
    assert_eq!(Message::parse(&messages::ALL[3].build()).unwrap().segment_count(), 33);
}
