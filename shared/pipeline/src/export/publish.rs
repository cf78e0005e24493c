//! The blocks become one object, at once and once: its parts are put where nobody sees them, the ledger notes that all are there,
//! and only then is it completed. Whoever comes after a crash completes the very same upload. Its manifest follows it.

use bridge_core::export::WhenEmpty;
use bridge_seal::Digest;
use data_encoding::HEXLOWER;

use super::{Job, Stopped, docs::Upload, envelope::Envelope, tell};
use crate::{
    bridge::Bridge,
    ports::{FilePorts, Files},
};

/// Where exports of a connection lie, beside what it is told of its own files.
const OUTBOX: &str = "outbox/";

impl<P: FilePorts> Bridge<P> {
    /// Puts the file where it is fetched.
    pub(super) async fn publish(&self, job: &mut Job) -> Result<(), Stopped> {
        let run = &mut job.held.run;
        let Some(export) = job.source.connection.exports.get(&run.export) else {
            return Err(Stopped::Blocked(tell::gone()));
        };
        if run.counts.records == 0 && export.when_empty == WhenEmpty::Skip {
            return Ok(());
        }
        if run.object.is_none() {
            let zone = export.zone.as_ref().unwrap_or(&job.source.connection.zone);
            let name = export.file_name(&run.export, zone, run.to, run.number, &run.run);
            run.object = Some(format!("{OUTBOX}{}/{}/{name}", run.connection, run.export));
        }
        let key = run.object.clone().unwrap_or_default();
        if run.upload.is_none() {
            let envelope = Envelope::new(export, job.encryptor)?;
            let upload = self.put_parts(job, &key, envelope).await?;
            job.held.run.upload = Some(upload);
            self.export_heard(job, true).await?;
        }
        let upload = job.held.run.upload.clone().ok_or(Stopped::Lost)?;
        if !self.ports.files().complete_upload(&key, &upload.id, &upload.parts).await? {
            // It was not completed in time, and has been cleared away.
            job.held.run.upload = None;
            self.export_heard(job, true).await?;
            return Err(Stopped::Again);
        }
        let export = job.source.connection.exports.get(&job.held.run.export);
        let manifest = tell::manifest(&job.held.run, export).into_bytes();
        Ok(self.ports.files().put(&format!("{key}.manifest.json"), manifest).await?)
    }

    async fn put_parts(&self, job: &mut Job, key: &str, mut envelope: Envelope) -> Result<Upload, Stopped> {
        let files = self.ports.files();
        let id = files.begin_upload(key).await?;
        let (mut digest, mut bytes, mut parts) = (Digest::default(), 0, Vec::new());
        for block in job.held.run.blocks() {
            envelope.push(&self.data_block(&job.held.run, block).await?)?;
            while envelope.ready() >= job.pace.part {
                let part = envelope.take(job.pace.part);
                digest.update(&part);
                bytes += part.len() as u64;
                parts.push(files.put_part(key, &id, number(&parts), part).await?);
            }
            self.export_heard(job, false).await?;
        }
        let last = envelope.finish()?;
        if !last.is_empty() || parts.is_empty() {
            digest.update(&last);
            bytes += last.len() as u64;
            parts.push(files.put_part(key, &id, number(&parts), last).await?);
        }
        Ok(Upload { id, parts, bytes, sha256: HEXLOWER.encode(&digest.finish()) })
    }
}

/// The next part's.
fn number(parts: &[String]) -> u32 {
    u32::try_from(parts.len() + 1).unwrap_or(u32::MAX)
}
