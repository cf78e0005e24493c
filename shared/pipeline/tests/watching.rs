//! Connections that should speak: told when they are silent, and when they speak again, by a clock that the test turns.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::time::Duration;

use bridge_core::{Timestamp, config::Connection};
use bridge_pipeline::{ports::Clock as _, watch::WatchDoc};
use bridge_testkit::{
    memory::lock,
    practice::{Practice, actor},
    sim::{CONNECTION, DESTINATION},
};
use futures::executor::block_on;

const MINUTE: i64 = 60_000;

/// A practice in Chicago, with somebody who sends notes and a schedule that is called every five minutes.
struct Office {
    practice: Practice,
    notes: u32,
    /// Since when it was silent, and until when, in local time; the last may be open.
    silences: Vec<(String, String)>,
}

impl Office {
    fn new(expects: &str, start: &str) -> Self {
        let practice = Practice::with_source(Practice::source());
        let mut office = Self { practice, notes: 0, silences: Vec::new() };
        lock(&office.practice.world).now = start.parse::<Timestamp>().unwrap().as_millis();
        office.apply(expects);
        office
    }

    fn connection(&self) -> Connection {
        Practice::source()
    }

    fn apply(&mut self, expects: &str) {
        let mut connection = self.connection();
        connection.zone = "America/Chicago".parse().unwrap();
        connection.expects = serde_norway::from_str(expects).unwrap();
        block_on(self.practice.bridge.apply_connection(connection, actor())).unwrap();
    }

    fn watch(&self) -> WatchDoc {
        let id = CONNECTION.parse().unwrap();
        block_on(self.practice.bridge.watch_of(&id)).unwrap().unwrap()
    }

    /// The time on the wall, `Thu 2026-11-26 09:05`.
    fn wall(&self) -> String {
        let now = self.practice.bridge.ports().now();
        let there =
            jiff::Timestamp::from_millisecond(now.as_millis()).unwrap().in_tz("America/Chicago").unwrap();
        there.strftime("%a %Y-%m-%d %H:%M").to_string()
    }

    fn speak(&mut self) {
        self.notes += 1;
        let note = format!(r#"{{"patient":"p{}","tag":"t-{}"}}"#, self.notes % 7, self.notes);
        assert_eq!(self.practice.post(&[("x-token", "t")], note.as_bytes()).status, 202);
        self.practice.settle();
    }

    /// Lets time pass until it is `end` on the wall. A note comes every half hour in which `speaks` is true of the wall.
    fn until(&mut self, end: &str, speaks: impl Fn(&str) -> bool) {
        for step in 0.. {
            let wall = self.wall();
            if wall.split_once(' ').unwrap().1 >= end {
                return;
            }
            if step % 6 == 0 && speaks(&wall) {
                self.speak();
            }
            self.look();
            lock(&self.practice.world).now += 5 * MINUTE;
        }
    }

    fn look(&mut self) {
        let bridge = &self.practice.bridge;
        let deadline = bridge.ports().now() + Duration::from_secs(60);
        block_on(bridge.watch_due(deadline)).unwrap();
        let was = self.silences.last().is_some_and(|(_, end)| end.is_empty());
        match (was, self.watch().silent.is_some()) {
            (false, true) => self.silences.push((self.wall(), String::new())),
            (true, false) => self.silences.last_mut().unwrap().1 = self.wall(),
            _ => {}
        }
    }

    /// Another process: nothing that this one remembers counts.
    fn restart(&mut self) {
        self.practice.bridge.forget_configuration();
        let world = self.practice.world.clone();
        let fresh = Practice::with_source(Practice::source());
        let adapters = fresh.bridge.ports().adapters_known();
        let ports = bridge_testkit::memory::MemoryPorts::new(
            world.clone(),
            bridge_testkit::memory::Calm,
            adapters,
            0,
            2,
        );
        self.practice = Practice { world, bridge: bridge_pipeline::Bridge::new(ports), ..fresh };
    }
}

/// Weekdays from eight to five.
fn working_hours(wall: &str) -> bool {
    let hour: u8 = wall[15..17].parse().unwrap();
    !wall.starts_with('S') && (8..17).contains(&hour)
}

fn is_day(wall: &str, day: &str) -> bool {
    wall.contains(day)
}

const DECLARED: &str =
    "{every-minutes: 60, hours: 08:00-17:00, days: [mon, tue, wed, thu, fri], holidays: ['2026-11-26']}";

#[test]
fn a_declared_rhythm_is_missed_within_its_time_and_neither_at_night_nor_on_holidays() {
    // From the week before Thanksgiving on; the clocks went back on 1 November.
    let mut office = Office::new(DECLARED, "2026-10-28T12:00:00Z");
    office.until("2026-11-30 00:00", |wall| working_hours(wall) && !is_day(wall, "11-26"));
    assert_eq!(office.silences, [], "weekends, nights, a holiday and the end of summer time are no silence");
    office.until("2026-12-01 12:00", |wall| working_hours(wall) && wall < "Mon 2026-11-30 10:00");
    // The last note came at half past nine.
    assert_eq!(office.silences, [("Mon 2026-11-30 10:35".to_owned(), String::new())]);
    office.until("2026-12-01 18:00", working_hours);
    assert_eq!(office.silences[0].1, "Tue 2026-12-01 12:00", "it ended when the connection spoke");
    assert_eq!(office.silences.len(), 1);
}

#[test]
fn what_never_spoke_is_not_missed_and_a_pause_is_no_silence() {
    let mut office = Office::new(DECLARED, "2026-11-02T14:00:00Z");
    office.until("2026-11-04 12:00", |_| false);
    assert_eq!(office.silences, []);
    office.speak();
    office.look();
    let id = CONNECTION.parse().unwrap();
    let pause = |office: &Office, paused| {
        block_on(office.practice.bridge.set_paused(&id, paused, actor())).unwrap();
    };
    pause(&office, true);
    office.until("2026-11-06 12:00", |_| false);
    assert_eq!(office.silences, [], "it is paused");
    pause(&office, false);
    office.until("2026-11-06 12:55", |_| false);
    assert_eq!(office.silences, [], "it gets its hour from when it was resumed");
    office.until("2026-11-06 13:30", |_| false);
    assert_eq!(office.silences, [("Fri 2026-11-06 13:05".to_owned(), String::new())]);
    pause(&office, true);
    assert_eq!(office.watch().silent, None, "who pauses it knows");
}

#[test]
fn a_rhythm_is_learned_with_its_weekends_and_survives_restarts() {
    let mut office = Office::new("{holidays: ['2026-11-26']}", "2026-10-05T12:00:00Z");
    office.until("2026-10-19 00:00", |wall| working_hours(wall) && !is_day(wall, "10-15"));
    assert_eq!(office.silences, [], "a day of silence within the first weeks is part of learning");
    office.restart();
    office.until("2026-12-02 00:00", |wall| working_hours(wall) && !is_day(wall, "11-26"));
    assert_eq!(office.silences, [], "neither weekends, nor the clocks, nor the declared holiday");
    assert!(office.watch().profile.expected_hours() >= 40);
    office.restart();
    office.until("2026-12-03 15:00", |wall| working_hours(wall) && !is_day(wall, "12-03"));
    let [(begun, end)] = office.silences.as_slice() else { panic!("{:?}", office.silences) };
    assert!(("Thu 2026-12-03 11:00"..="Thu 2026-12-03 13:20").contains(&begun.as_str()), "{begun}");
    assert_eq!(end, "");
    office.speak();
    office.until("2026-12-03 15:10", |_| false);
    assert_eq!(office.silences[0].1, "Thu 2026-12-03 15:00");
}

#[test]
fn nothing_is_expected_of_who_is_excused_or_never_sends() {
    let mut office = Office::new("{nothing: true}", "2026-10-05T12:00:00Z");
    office.until("2026-10-06 18:00", working_hours);
    office.until("2026-10-09 18:00", |_| false);
    assert_eq!(office.silences, []);
    assert!(office.watch().heard.is_some(), "when it last spoke is known all the same");
    let studio = DESTINATION.parse().unwrap();
    assert!(block_on(office.practice.bridge.watch_of(&studio)).unwrap().is_none());
}

#[test]
fn a_connection_that_is_not_due_costs_nothing() {
    let mut office = Office::new(DECLARED, "2026-11-02T14:00:00Z");
    office.speak();
    office.look();
    let before = office.watch();
    lock(&office.practice.world).now += 5 * MINUTE;
    let deadline = office.practice.bridge.ports().now() + Duration::from_secs(60);
    let watched = block_on(office.practice.bridge.watch_due(deadline)).unwrap();
    assert_eq!((watched.connections, office.watch()), (0, before));
}

/// A note with these fields beside the usual ones.
fn note(n: u32, more: &str) -> String {
    format!(
        r#"{{"patient":"p{}","tag":"t-{n}","visit":{{"room":{n},"reason":"Marker-Value"}}{more}}}"#,
        n % 7
    )
}

#[test]
fn payloads_that_change_are_noticed_by_their_shape_and_nothing_of_them_is_kept() {
    let mut office = Office::new("{nothing: true}", "2026-10-05T12:00:00Z");
    let id = CONNECTION.parse().unwrap();
    let shape = |office: &Office| block_on(office.practice.bridge.shape(&id)).unwrap();
    // A map by somebody's name, and one by number, among what is usual.
    let more = |n: u32| {
        let who = ["Markermann", "Markerova", "Markerson"][n as usize % 3];
        format!(r#","by":{{"{who}{}":1,"55501{n:02}":2}}"#, char::from(b'a' + (n % 26) as u8))
    };
    let show = |office: &mut Office, n: u32, text: &str| {
        assert_eq!(office.practice.post(&[("x-token", "t")], text.as_bytes()).status, 202, "{n}");
        office.practice.settle();
        lock(&office.practice.world).now += 20 * MINUTE;
        office.look();
    };
    (0..250).for_each(|n| show(&mut office, n, &note(n, &more(n))));
    let known = shape(&office);
    assert!(known.kinds[0].learned && known.drifts.is_empty(), "{known:?}");
    for n in 250..300 {
        let text = note(n, &(more(n) + r#","insurance":{"plan":"Marker-Plan"}"#));
        show(&mut office, n, &text.replace(&format!(r#""room":{n}"#), r#""room":"Marker-Room""#));
    }
    let drifts = shape(&office).drifts;
    let said: Vec<_> =
        drifts.iter().map(|one| format!("{} {}: {}", one.differs.word(), one.place, one.is)).collect();
    assert_eq!(said, ["new insurance: parts", "retyped visit.room: text or number"]);
    let world = lock(&office.practice.world);
    let kept: Vec<_> = world.tables.iter().filter(|record| record.key.pk.ends_with("#watch")).collect();
    assert_eq!(kept.len(), 2);
    for record in kept {
        let blob = String::from_utf8_lossy(record.blob.as_deref().unwrap_or_default()).into_owned();
        assert!(!format!("{record:?}{blob}").contains("Marker"), "nothing of a payload in clear");
    }
    drop(world);
    let accepted = block_on(office.practice.bridge.accept_drift(&id, &actor())).unwrap();
    assert_eq!((accepted, shape(&office).drifts), (2, vec![]));
}
