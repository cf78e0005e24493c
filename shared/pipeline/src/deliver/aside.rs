//! Waiting and parking: what becomes of a delivery whose turn it is not.

use std::time::Duration;

use bridge_core::{Cause, Timestamp, config::LanePolicy};

use super::{LONGEST_WAIT, OFTEN, Work};
use crate::{
    batch::{Report, Verdict},
    ledger::{ParkRequest, Parked, ParkedTask, Subject},
    line::Line,
    payload::Purpose,
    ports::DeliverPorts,
    stage::Failure,
};

/// Why a delivery is set aside without an attempt: because of its lane alone, for a cause, or for a cause until a time.
#[derive(Debug, Default)]
pub(super) struct Aside {
    cause: Option<Cause>,
    due: Option<Timestamp>,
}

impl Aside {
    pub(super) const fn because(cause: Cause) -> Self {
        Self { cause: Some(cause), due: None }
    }
}

impl<P: DeliverPorts> Work<'_, P> {
    /// The destination is not to be called before `until`.
    pub(super) async fn held_back(&self, until: Timestamp) -> Result<Report, Failure> {
        let wait = until.since(self.bridge.now());
        let cause = Cause::new(
            "destination.waits",
            "the destination fails, or is called as often as it allows: no attempt is counted",
        );
        if wait > LONGEST_WAIT || self.record.receives >= OFTEN {
            return self.set_aside(Aside { cause: Some(cause), due: Some(until) }).await;
        }
        Ok(again(wait, self.line(0).cause(Some(cause))))
    }

    /// Parks a delivery that was not attempted.
    pub(super) async fn set_aside(&self, Aside { cause, due }: Aside) -> Result<Report, Failure> {
        let line = self.line(0).cause(cause.clone());
        let parked = self
            .bridge
            .ledger()
            .park(ParkRequest {
                lane: &self.lane,
                order: &self.order(),
                task: &self.preserved().await?,
                cause,
                policy: LanePolicy::Hold,
                due,
                subject: Subject::Delivery(self.task, self.expires),
            })
            .await?;
        match parked {
            Parked::Done => Ok(Report { verdict: Verdict::Done, line: line.outcome("parked") }),
            Parked::LaneOpen => Ok(again(Duration::ZERO, line)),
            Parked::Busy(until) => Ok(again(until.since(self.bridge.now()), line)),
            Parked::Superseded => self.settled(line.outcome("duplicate")).await,
        }
    }

    /// After the delivery is done: takes it out of its lane if it was parked there, and asks for what comes next.
    pub(super) async fn settled(&self, line: Line) -> Result<Report, Failure> {
        let (release, id) = (self.task.release.as_ref(), self.task.delivery.as_str());
        self.bridge.settle_release(&self.lane, release, id).await?;
        Ok(Report { verdict: Verdict::Done, line })
    }

    /// The task in the form in which it is parked: under a key that does not expire.
    pub(super) async fn preserved(&self) -> Result<ParkedTask, Failure> {
        let mut task = self.task.clone();
        let id = task.delivery.as_str();
        task.payload =
            self.bridge.preserved_payload(Purpose::Delivery, &task.destination, id, task.payload).await?;
        Ok(ParkedTask::Outbound(task))
    }
}

/// It is not its time: the whole group waits.
pub(super) fn again(after: Duration, line: Line) -> Report {
    Report { verdict: Verdict::Again(after.max(Duration::from_secs(1))), line: line.outcome("not yet") }
}

/// Another attempt has begun, or the work is done: what this one knows is of no use, and its record is not its to delete.
pub(super) fn fenced(line: Line) -> Report {
    Report { verdict: Verdict::Again(Duration::from_secs(1)), line: line.outcome("fenced") }
}
