//! What a run has selected: blocks of the file, and beside each what was taken for it. Sealed, as both are PHI.

use bridge_core::{Cause, id::BlindToken};
use bridge_seal::Binding;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Stopped, docs::RunDoc};
use crate::{
    bridge::Bridge,
    keys::{Keep, KeyError},
    ledger::docs_write,
    ports::{FilePorts, Files},
};

const PURPOSE: &str = "export";

/// A resource that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Taken {
    /// `Type/id`.
    pub(super) reference: String,
    /// The revision of its mark.
    pub(super) mark: u64,
    /// The names of its records, as keyed hashes, where the receiver is to answer for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) records: Vec<BlindToken>,
    /// Why it is set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) held: Option<Cause>,
}

fn name(run: &RunDoc, what: &str, (turn, block): (u64, u32)) -> (String, String) {
    let id = format!("{}#{what}-{turn:06}-{block:05}", run.run);
    (format!("work/{}/{}/{what}-{turn:06}-{block:05}", run.connection, run.run), id)
}

impl<P: FilePorts> Bridge<P> {
    /// Sets a block of the file aside, with what was taken for it.
    pub(super) async fn put_block(
        &self,
        run: &RunDoc,
        block: (u64, u32),
        bytes: &[u8],
        taken: &[Taken],
    ) -> Result<(), Stopped> {
        let taken = docs_write(&taken);
        for (what, plain) in [("data", bytes), ("taken", taken.as_bytes())] {
            let (key, id) = name(run, what, block);
            let binding = Binding { connection: &run.connection, purpose: PURPOSE, id: &id };
            let sealed = self.seal(binding, Keep::Lasting, plain).await?;
            self.ports.files().put(&key, sealed).await?;
        }
        Ok(())
    }

    /// A block of the file.
    pub(super) async fn data_block(&self, run: &RunDoc, block: (u64, u32)) -> Result<Vec<u8>, Stopped> {
        self.get_block(run, "data", block).await
    }

    /// What was taken for it.
    pub(super) async fn taken_block(&self, run: &RunDoc, block: (u64, u32)) -> Result<Vec<Taken>, Stopped> {
        parse(&self.get_block(run, "taken", block).await?)
    }

    async fn get_block(&self, run: &RunDoc, what: &str, block: (u64, u32)) -> Result<Vec<u8>, Stopped> {
        let (key, id) = name(run, what, block);
        let Some(sealed) = self.ports.files().get(&key).await? else { return Err(Stopped::Lost) };
        let opened =
            self.open(Binding { connection: &run.connection, purpose: PURPOSE, id: &id }, &sealed).await?;
        Ok(opened.expose().clone())
    }
}

fn parse<T: DeserializeOwned>(plain: &[u8]) -> Result<T, Stopped> {
    serde_json::from_slice(plain).map_err(|_| KeyError::Seal(bridge_seal::SealError::Format).into())
}
