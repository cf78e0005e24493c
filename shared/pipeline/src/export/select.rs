//! What has changed, read in the order of its marks, and written as blocks of the file.

use bridge_core::Cause;
use futures::future::try_join_all;

use super::{
    Job, Stopped,
    blocks::Taken,
    docs::{Counts, RunDoc, Segment, read},
    marks::{MarkDoc, mark_key, marks_of},
    rows::{Outcome, Rows},
};
use crate::{
    bridge::Bridge,
    normalize::resources::ResourceDoc,
    ports::{FilePorts, Index, Query, Record, Store, Table},
    stage::Failure,
};

/// Resources that are read at once.
const AT_ONCE: usize = 16;
/// A resource that changes so often while it is read is left for the next run.
const LOOKS: usize = 4;
/// More than so many that can't be written are no matter of single resources.
const MOST_HELD: u64 = 1_000;

/// A block that is being filled, and where the run is once it is set aside: not before may its record say so.
struct Block {
    bytes: Vec<u8>,
    taken: Vec<Taken>,
    cursor: Option<String>,
    counts: Counts,
}

/// A mark, and the state that belongs to it.
struct Changed {
    reference: String,
    mark: u64,
    state: Option<(ResourceDoc, bridge_core::Phi<Vec<u8>>)>,
}

impl<P: FilePorts> Bridge<P> {
    /// Reads what has changed on to its end.
    pub(super) async fn select(&self, job: &mut Job) -> Result<(), Stopped> {
        let run = &job.held.run;
        let mut rows = self.rows(&job.source, &run.export, &run.run, run.to).await?;
        rows.writer = rows.writer.resume(run.counts.records);
        let (bytes, taken) = (Vec::new(), Vec::new());
        let mut block = Block { bytes, taken, cursor: run.cursor.clone(), counts: run.counts };
        if run.blocks().is_empty() {
            rows.writer.begin(&mut block.bytes).map_err(|error| {
                let text = "what stands before the records can't be written";
                Stopped::Blocked(Cause::new("export.unwritable", format!("{text}: {error}")))
            })?;
        }
        loop {
            let marks = self.page_of_marks(&job.held.run, block.cursor.as_deref(), job.pace.page).await?;
            let is_last = marks.len() < job.pace.page;
            for some in marks.chunks(AT_ONCE) {
                let states = some.iter().map(|mark| self.state_of(&job.held.run, mark));
                for changed in try_join_all(states).await?.into_iter().flatten() {
                    self.take(&mut rows, &mut block, changed).await?;
                }
                if let Some(last) = some.last() {
                    block.cursor = Some(last.key.sk.clone());
                }
                if block.bytes.len() >= job.pace.block || block.taken.len() >= job.pace.taken {
                    self.close_block(job, &mut block).await?;
                    self.export_heard(job, true).await?;
                }
            }
            if is_last {
                break;
            }
            self.export_heard(job, false).await?;
        }
        rows.writer.end(&mut block.bytes).map_err(|error| {
            let text = "what stands behind the records can't be written";
            Stopped::Blocked(Cause::new("export.unwritable", format!("{text}: {error}")))
        })?;
        self.close_block(job, &mut block).await
    }

    async fn page_of_marks(
        &self,
        run: &RunDoc,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Record>, Failure> {
        // The end of a key that nothing has.
        let after = cursor.map_or_else(String::new, |cursor| format!("{cursor}\u{1}"));
        let all = Query::prefix(Table::Ledger, Index::Main, marks_of(&run.connection, &run.export), "");
        let range = after..=all.range.end().clone();
        Ok(self.ports.store().query(Query { range, ..all }.limit(limit)).await?)
    }

    /// A mark with the state it was written with, or with one that nobody has marked since.
    async fn state_of(&self, run: &RunDoc, mark: &Record) -> Result<Option<Changed>, Failure> {
        let (reference, tenant) = (mark.key.sk.clone(), run.connection.tenant());
        let (mut rev, mut doc): (u64, MarkDoc) = (mark.rev, read(mark, "mark")?);
        for _ in 0..LOOKS {
            let Some((tag, resource, json)) = self.tagged(&tenant, &reference).await? else {
                return Ok(Some(Changed { reference, mark: rev, state: None }));
            };
            if tag != doc.tag {
                let key = mark_key(&run.connection, &run.export, &reference);
                let Some(now) = self.ports.store().get(&key).await? else { return Ok(None) };
                if now.rev != rev {
                    (rev, doc) = (now.rev, read(&now, "mark")?);
                    continue;
                }
            }
            return Ok(Some(Changed { reference, mark: rev, state: Some((resource, json)) }));
        }
        Ok(None)
    }

    async fn take(&self, rows: &mut Rows, block: &mut Block, changed: Changed) -> Result<(), Stopped> {
        let Changed { reference, mark, state } = changed;
        let outcome = match &state {
            Some((doc, json)) => self.write_rows(rows, &reference, doc, json, &mut block.bytes).await?,
            None => Outcome::LeftOut,
        };
        let counts = &mut block.counts;
        counts.resources += 1;
        let mut taken = Taken { reference, mark, records: Vec::new(), held: None };
        match outcome {
            Outcome::Written(names) => taken.records = names,
            Outcome::LeftOut => counts.left_out += 1,
            Outcome::Held(cause) => {
                counts.held += 1;
                taken.held = Some(cause);
            }
        }
        counts.records = rows.writer.records();
        if counts.held > MOST_HELD {
            let text = format!("more than {MOST_HELD} resources can't be written; the last because: ");
            let last = taken.held.map(|cause| cause.to_string()).unwrap_or_default();
            return Err(Stopped::Blocked(Cause::new("export.unwritable", text + &last)));
        }
        block.taken.push(taken);
        Ok(())
    }

    /// Sets a block aside, and notes it in the run. With the next write of the run it counts.
    async fn close_block(&self, job: &mut Job, block: &mut Block) -> Result<(), Stopped> {
        let turn = job.held.export.turns;
        let run = &mut job.held.run;
        let next =
            run.segments.last().filter(|segment| segment.turn == turn).map_or(0, |segment| segment.blocks);
        self.put_block(run, (turn, next), &block.bytes, &block.taken).await?;
        match run.segments.last_mut().filter(|segment| segment.turn == turn) {
            Some(segment) => segment.blocks += 1,
            None => run.segments.push(Segment { turn, blocks: 1 }),
        }
        (run.cursor, run.counts) = (block.cursor.clone(), block.counts);
        block.bytes.clear();
        block.taken.clear();
        Ok(())
    }
}
