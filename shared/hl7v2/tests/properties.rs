//! Properties of generated messages and of arbitrary bytes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod generate;
mod invariants;

use bridge_hl7v2::{Message, write::Editor};
use generate::{FieldModel, almost_hl7, model, text};
use proptest::prelude::*;

/// A field as a reader sees it: text of all subcomponents, trailing empty ones left out at each level.
fn trimmed(field: &FieldModel) -> FieldModel {
    let mut field: FieldModel = field.clone();
    for repetition in &mut field {
        for component in repetition.iter_mut() {
            while component.len() > 1 && component.last().is_some_and(String::is_empty) {
                component.pop();
            }
        }
        while repetition.len() > 1 && repetition.last() == Some(&vec![String::new()]) {
            repetition.pop();
        }
    }
    while field.len() > 1 && field.last() == Some(&vec![vec![String::new()]]) {
        field.pop();
    }
    field
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_is_what_is_read(model in model()) {
        let bytes = model.build();
        let message = Message::parse(&bytes).unwrap();
        prop_assert_eq!(message.segment_count(), model.segments.len());
        prop_assert_eq!(message.strays().len(), 0);
        prop_assert_eq!(*message.delimiters(), model.delimiters);
        for (segment, (name, fields)) in message.segments().zip(&model.segments) {
            prop_assert_eq!(segment.name(), *name);
            let first = if *name == "MSH" { 3 } else { 1 };
            for (n, expected) in (first..).zip(fields) {
                if n == 18 && first == 3 {
                    continue; // filled in by the builder
                }
                let read: FieldModel = segment
                    .field(n)
                    .repetitions()
                    .map(|r| r.parts().map(|c| c.parts().map(|s| s.text().into_owned()).collect()).collect())
                    .collect();
                prop_assert_eq!(read, trimmed(expected));
            }
            let beyond = first + u32::try_from(fields.len()).unwrap();
            prop_assert!(segment.field(beyond).is_empty() || (first == 3 && beyond <= 18));
        }
    }

    #[test]
    fn unchanged_messages_come_out_as_they_came_in(model in model()) {
        let bytes = model.build();
        let message = Message::parse(&bytes).unwrap();
        prop_assert_eq!(Editor::new(&message).finish().unwrap(), bytes);
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in any::<Vec<u8>>()) {
        invariants::parsing(&bytes);
        invariants::splitting(&bytes);
    }

    #[test]
    fn bytes_close_to_hl7_are_parsed_or_refused(bytes in almost_hl7()) {
        invariants::parsing(&bytes);
        invariants::splitting(&bytes);
    }

    #[test]
    fn edits_are_read_back(bytes in almost_hl7(), field in any::<u32>(), text in text()) {
        invariants::editing(&bytes, field, &text);
    }

    #[test]
    fn frames_do_not_depend_on_the_reads(bytes in almost_hl7(), read in 1_usize..20, limit in 10_usize..200) {
        invariants::framing(&bytes, read, limit);
    }
}
