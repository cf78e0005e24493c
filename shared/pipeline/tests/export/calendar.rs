//! Schedules through changes of the clocks, ends of months, pauses and nights without power.

use bridge_testkit::memory::lock;

use crate::fixtures::*;

fn names(export: &str, zone: &str, from: &str, to: &str, minutes: i64) -> Vec<String> {
    let practice = practice(export, zone);
    begin(&practice, from);
    let mut state = 0;
    let until = to.parse::<bridge_core::Timestamp>().unwrap();
    while now(&practice) < until {
        state += 1;
        change(&practice, 1, &format!("s{state}"));
        lock(&practice.world).now += minutes * 60_000;
        tick(&practice);
        // Schedules say it again and again, and by more than one clock.
        tick(&practice);
    }
    assert!(sent(&practice).values().all(|count| *count == 1));
    assert_whole(&practice);
    files(&practice).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn the_night_that_lacks_the_time_has_its_file_and_the_one_that_has_it_twice_has_one() {
    let named = NIGHTLY.replace("{date}-{number}", "{date}-{time}-{number}");
    let spring = names(&named, "America/Chicago", "2026-03-07T06:00:00Z", "2026-03-10T12:00:00Z", 30);
    assert_eq!(
        spring,
        [
            "patients-2026-03-07-0230-000001.csv",
            "patients-2026-03-08-0330-000002.csv",
            "patients-2026-03-09-0230-000003.csv",
            "patients-2026-03-10-0230-000004.csv",
        ]
    );
    let named = named.replace("02:30", "01:30");
    let autumn = names(&named, "America/Chicago", "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z", 20);
    assert_eq!(autumn, ["patients-2026-11-01-0130-000001.csv", "patients-2026-11-02-0130-000002.csv"]);
}

#[test]
fn every_quarter_of_an_hour_is_one_also_while_the_clocks_go_back() {
    let often = NIGHTLY.replace("{at: \"02:30\"}", "{every-minutes: 15}").replace("{date}-{number}", "{at}");
    let names = names(&often, "America/Chicago", "2026-11-01T05:00:00Z", "2026-11-01T09:00:00Z", 5);
    assert_eq!(names.len(), 16);
    assert_eq!(names[0], "patients-20261101T051500.000Z.csv");
    assert_eq!(names[15], "patients-20261101T090000.000Z.csv");
}

#[test]
fn a_month_ends_on_its_own_last_day() {
    let monthly = NIGHTLY.replace("{at: \"02:30\"}", "{at: \"23:45\", month-days: [31]}");
    let names = names(&monthly, "Europe/Berlin", "2028-01-20T00:00:00Z", "2028-05-02T00:00:00Z", 360);
    let days: Vec<&str> = names.iter().map(|name| &name[9..19]).collect();
    assert_eq!(days, ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]);
}

#[test]
fn nights_that_were_missed_come_as_one_file_and_the_next_comes_in_time() {
    let practice = practice(NIGHTLY, "America/Chicago");
    begin(&practice, "2026-06-01T12:00:00Z");
    change(&practice, 1, "a");
    pass(&practice, "2026-06-02T12:00:00Z", 60);
    change(&practice, 1, "b");
    set_time(&practice, "2026-06-06T12:00:00Z");
    tick(&practice);
    change(&practice, 1, "c");
    pass(&practice, "2026-06-07T12:00:00Z", 60);
    let files = files(&practice);
    let names: Vec<&str> = files.iter().map(|(name, _)| &name[9..19]).collect();
    assert_eq!(names, ["2026-06-02", "2026-06-06", "2026-06-07"]);
    let runs = runs(&practice);
    assert_eq!(runs[1].from, Some(runs[0].to));
    assert_eq!(runs[1].to.to_string(), "2026-06-06T07:30:00.000Z");
}

#[test]
fn a_pause_holds_files_back_and_loses_nothing() {
    let practice = practice(NIGHTLY, "America/Chicago");
    set_time(&practice, "2026-06-01T12:00:00Z");
    apply(&practice, |source| source.paused = true);
    lock(&practice.world).now += 1_000;
    pass(&practice, "2026-06-03T12:00:00Z", 60);
    assert_eq!(runs(&practice).len(), 0);
    apply(&practice, |source| source.paused = false);
    change(&practice, 1, "a");
    pass(&practice, "2026-06-03T13:00:00Z", 10);
    assert_eq!(sent(&practice).into_keys().collect::<Vec<_>>(), ["1,a"]);
}
