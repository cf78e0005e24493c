#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::{Value, json};

use super::{super::shape::of_json, *};

/// A sketch that is shown a message an hour.
struct Story {
    sketch: Sketch,
    now: Timestamp,
    told: Vec<String>,
}

impl Story {
    fn new() -> Self {
        Self { sketch: Sketch::default(), now: Timestamp::from_millis(1_790_000_000_000), told: Vec::new() }
    }

    fn show(&mut self, times: u16, document: impl Fn(u16) -> Value) {
        for n in 0..times {
            self.now = self.now + Duration::from_hours(1);
            let places = of_json(&document(n), false);
            self.sketch.take(Sample { kind: "patient", hl7v2: false, places, lane: n % 40 }, self.now);
            let told = self.sketch.notice(self.now);
            self.told
                .extend(told.iter().map(|one| format!("{} {} {}", one.differs.word(), one.place, one.is)));
        }
    }

    fn usual() -> Self {
        let mut story = Self::new();
        story.show(120, usual);
        assert!(story.sketch.known()[0].learned);
        story
    }
}

fn usual(n: u16) -> Value {
    let mut usual = json!({"id": n, "name": {"last": "x", "first": "y"}, "phones": [{"number": "5"}]});
    if n.is_multiple_of(2) {
        usual["note"] = json!("sometimes");
    }
    usual
}

#[test]
fn what_comes_while_it_learns_and_what_is_usual_is_no_news() {
    let mut story = Story::usual();
    story.show(500, usual);
    assert_eq!(story.told, [] as [&str; 0]);
    assert!(story.sketch.drifts().is_empty());
}

#[test]
fn a_new_place_is_told_once_with_what_is_in_it_when_three_patients_have_it() {
    let mut story = Story::usual();
    let with = |n| {
        let mut document = usual(n);
        document["insurance"] = json!({"plan": "a", "member": {"id": 1}});
        document
    };
    story.show(2, with);
    assert_eq!(story.told, [] as [&str; 0], "two patients");
    story.show(40, with);
    assert_eq!(story.told, ["new insurance parts"]);
    story.sketch.accept();
    story.show(40, with);
    assert_eq!((story.told.len(), story.sketch.drifts().len()), (1, 0), "it was accepted");
}

#[test]
fn another_type_is_told_at_once() {
    let mut story = Story::usual();
    story.show(1, |n| json!({"id": n.to_string(), "name": {"last": null, "first": "y"}, "phones": []}));
    assert_eq!(story.told, ["retyped id text or number"], "null is no type");
    assert_eq!(story.sketch.drifts()[0].was, "number");
}

#[test]
fn what_does_not_come_any_more_is_told_with_its_topmost_place_and_ends_when_it_comes_back() {
    let mut story = Story::usual();
    let without = |n| json!({"id": n, "phones": [{"number": "5"}]});
    story.show(19, without);
    assert_eq!(story.told, [] as [&str; 0], "too few to say");
    story.show(20, without);
    story.told.sort();
    assert_eq!(story.told, ["missing name ", "missing note "]);
    story.show(1, usual);
    assert!(story.sketch.drifts().is_empty(), "it is back");
    story.show(40, without);
    story.sketch.accept();
    story.show(40, without);
    assert!(story.sketch.drifts().is_empty());
    story.show(3, usual);
    assert!(
        story.told.contains(&"new name parts".to_owned()),
        "what was accepted as gone is new when it comes"
    );
}

#[test]
fn a_map_by_somebodys_name_shows_nobody() {
    let names = ["Zillerbach", "Ottokrug", "Wanders", "Pfeilschmidt", "Quandt", "Ypsilanti", "Uhlenhorst"];
    let mut story = Story::usual();
    story.show(3_000, |n| {
        let name = format!("{}{}", names[usize::from(n) % names.len()], ["a", "b", "c"][usize::from(n) % 3]);
        let sub = format!("{name}{}", char::from(b'a' + u8::try_from(n % 26).unwrap()));
        let mut document = usual(n);
        document["by_name"] = json!({sub: {"amount": 1}});
        document
    });
    let text = serde_json::to_string(&story.sketch).unwrap();
    for name in names {
        assert!(!text.contains(name), "{name} is kept");
    }
    assert_eq!(story.told, ["new by_name parts"]);
    assert!(text.contains("by_name.*.amount"), "{text}");
}

#[test]
fn it_does_not_grow_beyond_its_bounds() {
    let mut sketch = Sketch::default();
    let now = Timestamp::from_millis(1_790_000_000_000);
    for round in 0..200_u32 {
        let kind = format!("kind{round}");
        let document: Value = (0..50)
            .map(|outer| {
                let inner: serde_json::Map<_, _> = (0..50).map(|n| (format!("i{n}"), json!(1))).collect();
                (format!("o{outer}"), Value::from(inner))
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        let places = of_json(&document, false);
        sketch.take(Sample { kind: &kind, hl7v2: false, places, lane: 0 }, now);
    }
    let places: usize = sketch.kinds.values().map(|kind| kind.places.len()).sum();
    assert!(places <= PLACES && sketch.kinds.len() <= KINDS, "{places}");
    assert!(serde_json::to_string(&sketch).unwrap().len() < 300_000, "a record has 400 KB");
}

#[test]
fn a_wide_row_is_no_map() {
    let mut story = Story::new();
    let row = |_: u16| {
        (0..180).map(|n| (format!("column_{n}"), json!("x"))).collect::<serde_json::Map<_, _>>().into()
    };
    story.show(120, row);
    assert_eq!(story.sketch.known()[0].places, 180);
}
