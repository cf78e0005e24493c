//! Has a file been here before? Entity tags don't tell (an encrypted object's says nothing of its bytes), so its own
//! digest does. Reading it twice costs a fraction of a cent for a gigabyte; sending it twice costs trust.
//!
//! An encrypted file tells only at its end whether it was changed on its way. So it is decrypted here once for nothing but
//! that: before it is known to be genuine, nobody parses a byte of it, let alone sends one.

use bridge_core::feed::DeltaMode;
use bridge_formats::unpack::{FILE_BYTES, UnpackError};
use bridge_seal::Digest;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::{
    Job, Stopped,
    docs::{FileDoc, content_key},
};
use crate::{
    bridge::Bridge,
    ledger::{docs_read, docs_write},
    ports::{Expect, FilePorts, Files as _, Record, Store, Write, WriteError},
};

/// The first file with certain bytes.
#[derive(Serialize, Deserialize)]
struct ContentDoc {
    file: bridge_core::id::FileId,
}

impl<P: FilePorts> Bridge<P> {
    /// Takes the file's digest.
    pub(super) async fn weigh(&self, job: &mut Job) -> Result<(), Stopped> {
        let (object, size) = (job.held.doc.object(), job.held.doc.size);
        let limit = job.feed.limits.file_bytes.map_or(FILE_BYTES, std::num::NonZeroU64::get);
        if size > limit {
            return Err(UnpackError::TooLarge { limit }.into());
        }
        let mut digest = Digest::default();
        let (mut decrypting, mut clear) = (job.decrypting()?, Vec::new());
        let mut next = 0;
        while next < size {
            let to = size.min(next + job.pace.read as u64);
            let read = self.ports.files().read(&object, next..to).await?;
            let Some(bytes) = read else { return Err(Stopped::Refused(super::tell::gone())) };
            digest.update(&bytes);
            if let Some(decrypting) = &mut decrypting {
                decrypting.push(&bytes, &mut clear)?;
                clear.clear();
            }
            next = to;
            self.heard(job, false).await?;
        }
        if let Some(decrypting) = &mut decrypting {
            decrypting.finish(&mut clear)?;
        }
        let doc = &mut job.held.doc;
        let index = self.index_key(&doc.connection.tenant()).await?;
        let text = format!("{}#{}", doc.feed, HEXLOWER.encode(&digest.finish()));
        let content = index.token(&doc.connection, "content", &text);
        let known = self.ports.store().get(&content_key(&doc.connection, &doc.feed, &content)).await?;
        doc.progress.content = Some(content);
        // A snapshot that comes again after another one is news.
        let is_snapshot = job.feed.delta.mode == DeltaMode::Snapshot;
        let last = job.held.feed.snapshot.as_ref().map(|last| &last.file);
        match known.and_then(|record| docs_read::<ContentDoc>(&record).ok()) {
            Some(first) if first.file == doc.file => Ok(()),
            Some(first) if !is_snapshot || last == Some(&first.file) => Err(Stopped::Repeats(first.file)),
            _ => Ok(()),
        }
    }

    /// Keeps in mind which bytes have been read to their end.
    pub(super) async fn remember_content(&self, doc: &FileDoc, is_snapshot: bool) -> Result<(), Stopped> {
        let Some(content) = &doc.progress.content else { return Ok(()) };
        let key = content_key(&doc.connection, &doc.feed, content);
        for _ in 0..3 {
            let known = self.ports.store().get(&key).await?;
            let expect = match &known {
                // Of a snapshot the last one counts, of a file of changes the first.
                Some(_) if !is_snapshot => return Ok(()),
                Some(record) => Expect::Rev(record.rev),
                None => Expect::Absent,
            };
            let mut record = Record::new(key.clone(), docs_write(&ContentDoc { file: doc.file.clone() }));
            record.expires = Some(doc.expires);
            match self.ports.store().write(vec![Write::Put(record, expect)]).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
