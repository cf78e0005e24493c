//! What one process knows of a limit, and who in it wants calls. Whoever asks the shared records asks for all who wait by
//! then, so that a process takes what it needs in one write, and nothing that it doesn't.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bridge_core::Timestamp;

use super::bucket::{Bucket, Lease, Share, Wish};

/// What somebody is told: leave for calls, or when to come back.
pub(super) type Answer = Result<Lease, Timestamp>;

/// One shard as this process last saw it.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) rev: u64,
    pub(super) bucket: Bucket,
}

#[derive(Debug, Default)]
struct Contents {
    shards: BTreeMap<u32, Seen>,
    /// Leave that nobody here uses yet.
    spare: Vec<Lease>,
    /// In the order in which they came.
    wishes: BTreeMap<u64, Wish>,
    answers: HashMap<u64, Answer>,
    came: u64,
}

/// One limit in one process.
#[derive(Debug, Default)]
pub(super) struct Pocket {
    /// Held by the one who asks for all.
    pub(super) asking: futures::lock::Mutex<()>,
    contents: Mutex<Contents>,
}

impl Pocket {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leave that is left over from another's.
    pub(super) fn spare(&self, wish: &Wish, now: Timestamp) -> Option<Lease> {
        let spare = &mut self.contents().spare;
        let begin = now.max(wish.not_before);
        spare.retain(|lease| lease.until > now && lease.calls > 0);
        let lease = spare.iter_mut().find(|lease| lease.calls >= wish.calls && lease.until > begin)?;
        lease.calls -= wish.calls;
        Some(Lease { calls: wish.calls, from: lease.from.max(begin), until: lease.until })
    }

    /// Puts leave back that is not used after all.
    pub(super) fn give_back(&self, lease: Lease) {
        self.contents().spare.push(lease);
    }

    /// Joins those who wait.
    pub(super) fn join(&self, wish: Wish) -> Ticket<'_> {
        let mut contents = self.contents();
        let id = contents.came;
        contents.came += 1;
        contents.wishes.insert(id, wish);
        Ticket { pocket: self, id }
    }

    /// Whether nobody waits without an answer.
    pub(super) fn is_quiet(&self) -> bool {
        self.contents().wishes.is_empty()
    }

    pub(super) fn seen(&self, shard: u32) -> Option<Seen> {
        self.contents().shards.get(&shard).cloned()
    }

    pub(super) fn see(&self, shard: u32, seen: Seen) {
        self.contents().shards.insert(shard, seen);
    }

    /// What a shard says to those who wait: who waited before comes first. It is only told who has to come back where the
    /// shard `is_last` to be asked.
    pub(super) fn serve(&self, bucket: &mut Bucket, share: &Share, now: Timestamp, is_last: bool) -> Served {
        let wishes: Vec<(u64, Wish)> = self.contents().wishes.iter().map(|(id, wish)| (*id, *wish)).collect();
        let mut served = Served::default();
        for first in [false, true] {
            for (id, wish) in wishes.iter().filter(|(_, wish)| wish.first == first) {
                let mut after = bucket.clone();
                let answer = after.take(share, now, wish);
                if answer.is_ok() || is_last {
                    *bucket = after;
                    served.answers.push((*id, answer));
                }
            }
        }
        if !served.answers.is_empty() {
            served.spare = bucket.take_more(share, now);
        }
        served
    }

    /// Tells them.
    pub(super) fn tell(&self, served: Served) {
        let contents = &mut *self.contents();
        contents.spare.extend(served.spare);
        for (id, answer) in served.answers {
            // Whoever has gone meanwhile leaves what was theirs.
            match (contents.wishes.remove(&id), answer) {
                (Some(_), answer) => drop(contents.answers.insert(id, answer)),
                (None, Ok(lease)) => contents.spare.push(lease),
                (None, Err(_)) => {}
            }
        }
    }
}

/// What a shard has to say.
#[derive(Debug, Default)]
pub(super) struct Served {
    pub(super) answers: Vec<(u64, Answer)>,
    spare: Option<Lease>,
}

/// A place among those who wait, for as long as it is kept.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    pocket: &'a Pocket,
    id: u64,
}

impl Ticket<'_> {
    /// What somebody was told who asked for all.
    pub(super) fn answer(&self) -> Option<Answer> {
        self.pocket.contents().answers.remove(&self.id)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let contents = &mut *self.pocket.contents();
        contents.wishes.remove(&self.id);
        if let Some(Ok(lease)) = contents.answers.remove(&self.id) {
            contents.spare.push(lease);
        }
    }
}
