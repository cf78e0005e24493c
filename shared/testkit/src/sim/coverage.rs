//! What a run has met.

/// What happened in a run, to see that the seeds reach everything.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// Processes killed.
    pub kills: u64,
    /// Batches that were received again while still being worked.
    pub held_back: u64,
    /// Tasks found parked by the operator.
    pub parked: u64,
    /// Lanes released.
    pub releases: u64,
    /// Messages replayed.
    pub replays: u64,
    /// Pauses of the destination.
    pub pauses: u64,
    /// Requests that were repeated.
    pub repeats: u64,
    /// Notes accepted.
    pub notes: u64,
    /// Times that the receiver was down.
    pub outages: u64,
    /// Times that its breaker opened.
    pub opened: u64,
    /// Calls that were probes.
    pub probes: u64,
    /// Times that its breaker closed.
    pub closed: u64,
    /// Replays of many.
    pub many: u64,
    /// Those of them that were cancelled.
    pub cancelled: u64,
    /// Lanes that were deferred, and released when they were due.
    pub due: u64,
    /// Times that a named endpoint was left for another one.
    pub failovers: u64,
    /// Times that it came back.
    pub returns: u64,
    /// Times that an endpoint was asked whether it is there.
    pub knocks: u64,
    /// Deliveries that somebody else got instead.
    pub instead: u64,
    /// Those of them that are files in the outbox.
    pub outbox: u64,
    /// Runs with a limited receiver.
    pub limited: u64,
    /// Limits that made somebody wait.
    pub waited: u64,
    /// Calls to the receiver.
    pub calls: u64,
    /// Choices made.
    pub choices: u64,
}

impl Coverage {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.held_back += other.held_back;
        self.parked += other.parked;
        self.releases += other.releases;
        self.replays += other.replays;
        self.pauses += other.pauses;
        self.repeats += other.repeats;
        self.notes += other.notes;
        self.outages += other.outages;
        self.opened += other.opened;
        self.probes += other.probes;
        self.closed += other.closed;
        self.many += other.many;
        self.cancelled += other.cancelled;
        self.due += other.due;
        self.failovers += other.failovers;
        self.returns += other.returns;
        self.knocks += other.knocks;
        self.instead += other.instead;
        self.outbox += other.outbox;
        self.limited += other.limited;
        self.waited += other.waited;
        self.calls += other.calls;
        self.choices += other.choices;
    }

    /// Whether everything that can happen did.
    pub fn reaches_everything(&self) -> bool {
        let faults = [self.kills, self.held_back, self.repeats, self.outages];
        let operator = [self.parked, self.releases, self.replays, self.pauses, self.many, self.cancelled];
        let breaker = [self.opened, self.probes, self.closed];
        let limits = [self.limited, self.waited, self.due];
        // Some went to the outbox, others to a connection.
        let dropped = self.instead.saturating_sub(self.outbox);
        let ways = [self.failovers, self.returns, self.knocks, dropped, self.outbox];
        let all = faults.iter().chain(&operator).chain(&breaker).chain(&limits).chain(&ways);
        all.copied().all(|count| count > 0)
    }
}
