//! When a practice is open, and so how long a silence has lasted that counts. Pure.

use std::time::Duration;

use bridge_core::{
    Timestamp,
    config::{Connection, Expects},
};
use jiff::{
    ToSpan as _,
    civil::{Date, Time},
    tz::TimeZone,
};

/// A practice that is not open within so many days is closed for good.
const FURTHEST: usize = 400;

/// Opening times in a zone.
#[derive(Debug)]
pub(super) struct Calendar<'a> {
    expects: &'a Expects,
    zone: TimeZone,
}

impl<'a> Calendar<'a> {
    /// Of a connection.
    pub(super) fn of(connection: &'a Connection) -> Self {
        let expects = &connection.expects;
        let zone = expects.zone.as_ref().unwrap_or(&connection.zone);
        Self { expects, zone: zone.rules().unwrap_or(TimeZone::UTC) }
    }

    /// Whether the practice is open at `at`.
    pub(super) fn is_open(&self, at: Timestamp) -> bool {
        let today = self.date(at);
        let spans = [today.yesterday().ok(), Some(today)];
        spans
            .into_iter()
            .flatten()
            .filter_map(|day| self.span(day))
            .any(|(open, close)| open <= at && at < close)
    }

    /// When so much open time will have passed since `from`; `None` for a practice that does not open.
    pub(super) fn after_open_time(&self, from: Timestamp, time: Duration) -> Option<Timestamp> {
        let mut missing = time;
        let first = self.date(from).yesterday().ok()?;
        for (open, close) in first.series(1.day()).take(FURTHEST).filter_map(|day| self.span(day)) {
            let open = open.max(from);
            let here = close.since(open);
            if here >= missing {
                return Some(open + missing);
            }
            missing -= here;
        }
        None
    }

    /// The hour of the week at `at`, as clocks on the wall show it: 0 for Monday at midnight to 167.
    pub(super) fn hour_of_week(&self, at: Timestamp) -> usize {
        let there = instant(at).to_zoned(self.zone.clone());
        let day = usize::try_from(there.weekday().to_monday_zero_offset()).unwrap_or(0);
        day * 24 + usize::try_from(there.hour()).unwrap_or(0)
    }

    fn date(&self, at: Timestamp) -> Date {
        instant(at).to_zoned(self.zone.clone()).date()
    }

    /// From when to when it is open on a day; the end may be on the next one.
    fn span(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let Expects { days, holidays, hours, .. } = self.expects;
        let weekday = day.weekday().to_monday_zero_offset();
        let works =
            days.is_empty() || days.iter().any(|open| i8::try_from(open.from_monday()) == Ok(weekday));
        let is_holiday = holidays.iter().any(|holiday| {
            holiday.year.is_none_or(|year| year == day.year())
                && (holiday.month, holiday.day) == (day.month(), day.day())
        });
        if !works || is_holiday {
            return None;
        }
        let next = day.tomorrow().ok()?;
        let (open, close) = hours.map_or((0, 24 * 60), |hours| (hours.open, hours.close));
        let end = if close > open { day } else { next };
        Some((self.at(day, open)?, if close == 24 * 60 { self.at(next, 0)? } else { self.at(end, close)? }))
    }

    /// An instant on the wall. What the clocks skip is as much later; of what they repeat it is the first.
    fn at(&self, day: Date, minutes: u16) -> Option<Timestamp> {
        let time =
            Time::new(i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?, 0, 0).ok()?;
        let there = self.zone.to_zoned(day.to_datetime(time)).ok()?;
        Some(Timestamp::from_millis(there.timestamp().as_millisecond()))
    }
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn after(expects: &str, from: &str, minutes: u64) -> String {
        let expects: Expects = serde_norway::from_str(expects).unwrap();
        let zone = expects.zone.as_ref().unwrap().rules().unwrap();
        let calendar = Calendar { expects: &expects, zone };
        let at = calendar.after_open_time(from.parse().unwrap(), Duration::from_mins(minutes));
        at.map(|at| at.to_string()).unwrap_or_default()
    }

    const OFFICE: &str = "{zone: America/Chicago, hours: 08:00-17:00, days: [mon, tue, wed, thu, fri], holidays: ['2026-11-26']}";

    #[test]
    fn only_open_time_counts() {
        // Friday 16:50 to Monday: ten minutes are left on Friday.
        assert_eq!(after(OFFICE, "2026-11-20T22:50:00Z", 30), "2026-11-23T14:20:00.000Z");
        assert_eq!(after(OFFICE, "2026-11-23T15:00:00Z", 30), "2026-11-23T15:30:00.000Z");
        // The Wednesday before Thanksgiving; Friday is a working day.
        assert_eq!(after(OFFICE, "2026-11-25T22:59:00Z", 30), "2026-11-27T14:29:00.000Z");
        assert_eq!(after("{zone: UTC}", "2026-11-20T22:50:00Z", 90), "2026-11-21T00:20:00.000Z");
    }

    #[test]
    fn a_night_practice_is_open_past_midnight() {
        let night = "{zone: UTC, hours: 22:00-06:00, days: [fri]}";
        assert_eq!(after(night, "2026-11-21T05:30:00Z", 20), "2026-11-21T05:50:00.000Z");
        assert_eq!(after(night, "2026-11-21T05:30:00Z", 40), "2026-11-27T22:10:00.000Z");
    }

    #[test]
    fn the_clocks_change_and_the_hours_stay_on_the_wall() {
        // 8 March 2026: 02:00 becomes 03:00 in Chicago. Opening at 08:00 is an hour earlier in UTC from then on.
        let all = "{zone: America/Chicago, hours: 08:00-17:00}";
        assert_eq!(after(all, "2026-03-07T22:30:00Z", 60), "2026-03-08T13:30:00.000Z");
        // 1 November 2026: 02:00 becomes 01:00. The day has 25 hours, all of them open.
        assert_eq!(
            after("{zone: America/Chicago}", "2026-11-01T05:00:00Z", 25 * 60),
            "2026-11-02T06:00:00.000Z"
        );
        // Opening within the hour that is skipped: as much later.
        let odd = "{zone: America/Chicago, hours: 02:30-06:00}";
        assert_eq!(after(odd, "2026-03-08T00:00:00Z", 10), "2026-03-08T08:40:00.000Z");
    }

    #[test]
    fn a_practice_that_never_opens_is_never_late() {
        let holidays: Vec<String> = (1..=7).map(|day| format!("'2026-11-{day:02}'")).collect();
        let closed = format!("{{zone: UTC, days: [sun], holidays: [{}]}}", holidays.join(", "));
        assert_eq!(after(&closed, "2026-11-01T00:00:00Z", 10), "2026-11-08T00:10:00.000Z");
    }
}
