//! What is free on a day, and what is not.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{Clinic, Visit};

/// The first hour at which patients are seen, and the one at which nobody is any more.
const OPEN: std::ops::Range<i8> = 9..17;

impl Clinic {
    /// The first appointment of a practitioner that these minutes would cut into, of those that `counts`; `except` is
    /// the one that is being moved.
    #[must_use]
    pub fn clash(
        &self,
        practitioner: u64,
        start: Timestamp,
        minutes: i64,
        except: Option<u64>,
        counts: impl Fn(&Visit) -> bool,
    ) -> Option<u64> {
        let end = start.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX);
        self.visits
            .values()
            .filter(|visit| {
                visit.practitioner == practitioner && Some(visit.id) != except && !visit.is_deleted
            })
            .find(|visit| visit.start < end && start < visit.end() && counts(visit))
            .map(|visit| visit.id)
    }

    /// The half hours of a local day at which a practitioner could see somebody for so many minutes.
    #[must_use]
    pub fn free(
        &self,
        practitioner: u64,
        place: u64,
        day: Date,
        minutes: i64,
        counts: impl Fn(&Visit) -> bool,
    ) -> Vec<Timestamp> {
        let zone = self.zone(place);
        let taken: Vec<&Visit> = self
            .visits
            .values()
            .filter(|visit| visit.practitioner == practitioner && !visit.is_deleted && counts(visit))
            .collect();
        let closes = day.at(OPEN.end, 0, 0, 0).to_zoned(zone.clone()).map(|end| end.timestamp());
        OPEN.flat_map(|hour| [(hour, 0), (hour, 30)])
            .filter_map(|(hour, minute)| day.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok())
            .map(|start| start.timestamp())
            .filter(|start| {
                let end = start.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX);
                closes.as_ref().is_ok_and(|closes| end <= *closes)
                    && !taken.iter().any(|visit| visit.start < end && *start < visit.end())
            })
            .collect()
    }
}
