//! Which entries may be sent now: one of each lane at a time, lanes in the order in which they became free.
//!
//! SQS may take a later entry of a request and refuse an earlier one. A lane with an entry on its way therefore waits
//! for its outcome, and an entry that fails takes with it what waits behind it: their senders are told to send them
//! again, in order, rather than that the second of two is safe and the first is not.

use std::collections::{HashMap, VecDeque};

use bridge_pipeline::ports::Entry;
use tokio::{sync::oneshot, time::Instant};

/// An entry, and who waits for it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) entry: Entry,
    /// Told `true` once the entry is durable. Dropped without a word, it was not.
    pub(crate) done: oneshot::Sender<bool>,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Job>,
    busy: bool,
}

/// All entries that are not durable yet.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: HashMap<String, Lane>,
    /// Lanes whose first entry may be sent, and since when.
    ready: VecDeque<(String, Instant)>,
}

impl Lanes {
    /// Puts a job behind what waits in its lane.
    pub(crate) fn push(&mut self, job: Job, now: Instant) {
        let group = job.entry.group.clone();
        let lane = self.lanes.entry(group.clone()).or_default();
        if !lane.busy && lane.waiting.is_empty() {
            self.ready.push_back((group, now));
        }
        lane.waiting.push_back(job);
    }

    /// How many lanes have something to send.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Since when the first of them has.
    pub(crate) fn ready_since(&self) -> Option<Instant> {
        self.ready.front().map(|(_, since)| *since)
    }

    /// Takes the first entry of at most `most` lanes, each of which then waits for [`Lanes::settle`].
    pub(crate) fn take(&mut self, most: usize) -> Vec<Job> {
        let mut taken = Vec::with_capacity(most.min(self.ready.len()));
        while taken.len() < most
            && let Some((group, _)) = self.ready.pop_front()
        {
            let Some(lane) = self.lanes.get_mut(&group) else { continue };
            lane.busy = true;
            taken.extend(lane.waiting.pop_front());
        }
        taken
    }

    /// The outcome of what was taken from a lane; gives back what fails with it.
    pub(crate) fn settle(&mut self, group: &str, stored: bool, now: Instant) -> VecDeque<Job> {
        let Some(lane) = self.lanes.get_mut(group) else { return VecDeque::new() };
        lane.busy = false;
        let failed = if stored { VecDeque::new() } else { std::mem::take(&mut lane.waiting) };
        if lane.waiting.is_empty() {
            self.lanes.remove(group);
        } else {
            self.ready.push_back((group.to_owned(), now));
        }
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(group: &str, dedup: &str) -> Job {
        let entry = Entry { body: String::new(), group: group.to_owned(), dedup: dedup.to_owned() };
        Job { entry, done: oneshot::channel().0 }
    }

    fn names<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> Vec<&'a str> {
        jobs.into_iter().map(|job| job.entry.dedup.as_str()).collect()
    }

    fn lanes(jobs: &[(&str, &str)]) -> Lanes {
        let mut lanes = Lanes::default();
        jobs.iter().for_each(|(group, dedup)| lanes.push(job(group, dedup), Instant::now()));
        lanes
    }

    #[test]
    fn a_lane_has_one_entry_on_its_way_and_keeps_its_order() {
        let mut lanes = lanes(&[("a", "1"), ("a", "2"), ("b", "3"), ("a", "4")]);
        assert_eq!(names(&lanes.take(10)), ["1", "3"]);
        assert_eq!(lanes.ready(), 0);
        lanes.push(job("b", "5"), Instant::now());
        assert!(lanes.settle("a", true, Instant::now()).is_empty());
        assert_eq!(names(&lanes.take(10)), ["2"]);
        assert!(lanes.settle("b", true, Instant::now()).is_empty());
        assert!(lanes.settle("a", true, Instant::now()).is_empty());
        assert_eq!(names(&lanes.take(1)), ["5"]);
        assert_eq!(names(&lanes.take(1)), ["4"]);
    }

    #[test]
    fn what_waits_behind_a_failure_fails_with_it_and_the_lane_is_free_again() {
        let mut lanes = lanes(&[("a", "1"), ("a", "2"), ("b", "3"), ("a", "4")]);
        assert_eq!(lanes.take(10).len(), 2);
        assert_eq!(names(&lanes.settle("a", false, Instant::now())), ["2", "4"]);
        assert!(lanes.settle("b", true, Instant::now()).is_empty());
        lanes.push(job("a", "5"), Instant::now());
        assert_eq!(names(&lanes.take(10)), ["5"]);
    }

    #[test]
    fn nothing_is_kept_of_a_lane_that_is_done() {
        let mut lanes = lanes(&[("a", "1")]);
        assert_eq!(lanes.take(10).len(), 1);
        assert!(lanes.settle("a", true, Instant::now()).is_empty());
        assert!(lanes.lanes.is_empty() && lanes.ready.is_empty());
    }
}
