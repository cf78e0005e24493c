//! An SQS FIFO queue: order and exclusivity by group, deduplication for five minutes, visibility, receipts that
//! are no fences, and a dead letter queue.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use bridge_core::Timestamp;
use bridge_pipeline::{
    batch::Received,
    ports::{Entry, QueueName},
};

use super::World;

const DEDUP_MS: i64 = 5 * 60 * 1000;

impl World {
    /// Receives up to so many messages of a queue.
    pub fn receive(&mut self, queue: QueueName, limit: usize) -> Vec<Received> {
        self.queues.entry(queue).or_default().receive(limit, self.now)
    }

    /// Takes off a queue what was worked, but for what is to come `again`.
    pub fn done(&mut self, queue: QueueName, received: &[Received], again: &[String]) {
        let fifo = self.queues.entry(queue).or_default();
        let done = received.iter().filter(|record| !again.contains(&record.id));
        done.for_each(|record| fifo.delete(&record.receipt, self.now));
    }
}

/// A message on a queue.
#[derive(Debug, Clone)]
pub struct Message {
    /// Task, group and deduplication id.
    pub entry: Entry,
    id: u64,
    sent_at: i64,
    visible_at: i64,
    receives: u32,
    receipt: u64,
}

/// A queue.
#[derive(Debug)]
pub struct FifoQueue {
    /// How long a received message stays hidden, in milliseconds.
    pub visibility_ms: i64,
    /// After this many receives a message goes to the dead letters.
    pub max_receives: u32,
    /// Messages in order.
    pub messages: Vec<Message>,
    /// Dead letters in order.
    pub dead: Vec<Message>,
    seen: HashSet<String>,
    /// The same, oldest first, with when they were sent.
    seen_at: VecDeque<(i64, String)>,
    counter: u64,
}

impl Default for FifoQueue {
    fn default() -> Self {
        Self {
            visibility_ms: 120_000,
            max_receives: 1000,
            messages: Vec::new(),
            dead: Vec::new(),
            seen: HashSet::new(),
            seen_at: VecDeque::new(),
            counter: 0,
        }
    }
}

impl FifoQueue {
    pub(super) fn send(&mut self, entry: Entry, now: i64) {
        while let Some((_, old)) = self.seen_at.pop_front_if(|(at, _)| now - *at >= DEDUP_MS) {
            self.seen.remove(&old);
        }
        if !self.seen.insert(entry.dedup.clone()) {
            return;
        }
        self.seen_at.push_back((now, entry.dedup.clone()));
        self.counter += 1;
        let (id, receipt) = (self.counter, 0);
        self.messages.push(Message { entry, id, sent_at: now, visible_at: now, receives: 0, receipt });
    }

    /// How many messages were ever sent or received: a number that nothing has had yet.
    pub fn sent(&self) -> u64 {
        self.counter
    }

    /// Receives up to `limit` messages. A group of which something is in flight gives nothing.
    pub fn receive(&mut self, limit: usize, now: i64) -> Vec<Received> {
        self.bury(now);
        let busy: HashSet<String> =
            self.messages.iter().filter(|m| m.visible_at > now).map(|m| m.entry.group.clone()).collect();
        let mut received = Vec::new();
        for message in &mut self.messages {
            if received.len() == limit {
                break;
            }
            if busy.contains(&message.entry.group) {
                continue;
            }
            self.counter += 1;
            message.receives += 1;
            message.receipt = self.counter;
            message.visible_at = now + self.visibility_ms;
            received.push(Received {
                id: message.id.to_string(),
                receipt: message.receipt.to_string(),
                body: message.entry.body.clone(),
                group: message.entry.group.clone(),
                sequence: message.id.to_string(),
                receives: message.receives,
                sent_at: Timestamp::from_millis(message.sent_at),
            });
        }
        received
    }

    fn bury(&mut self, now: i64) {
        let limit = self.max_receives;
        let (dead, alive): (Vec<_>, Vec<_>) = std::mem::take(&mut self.messages)
            .into_iter()
            .partition(|m| m.receives >= limit && m.visible_at <= now);
        self.dead.extend(dead);
        self.messages = alive;
    }

    /// Deletes by receipt. An old receipt is answered with success, and does nothing.
    pub fn delete(&mut self, receipt: &str, now: i64) {
        let receipt = receipt.parse().unwrap_or(0);
        self.messages.retain(|m| m.receipt != receipt || m.visible_at <= now);
    }

    pub(super) fn hide(&mut self, receipt: &str, after: Duration, now: i64) {
        let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        // Whole seconds, as SQS takes them.
        let after = (after + 999) / 1000 * 1000;
        let receipt = receipt.parse().unwrap_or(0);
        let in_flight = |m: &&mut Message| m.receipt == receipt && m.visible_at > now;
        if let Some(message) = self.messages.iter_mut().find(in_flight) {
            message.visible_at = now + after;
        }
    }

    /// When the next hidden message becomes visible.
    pub fn next_visible(&self, now: i64) -> Option<i64> {
        self.messages.iter().map(|m| m.visible_at).filter(|at| *at > now).min()
    }

    /// Whether something could be received now.
    pub fn is_ready(&self, now: i64) -> bool {
        self.messages.iter().any(|m| {
            m.visible_at <= now
                && !self.messages.iter().any(|o| o.entry.group == m.entry.group && o.visible_at > now)
        })
    }
}
