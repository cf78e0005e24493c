//! Who looked at PHI, when and why: a line in `access.jsonl` of the state folder, written before anything is shown.

use std::{fs::OpenOptions, io::Write as _};

use bridge_aws::SystemClock;
use bridge_core::id::{MessageId, TenantId};
use bridge_pipeline::ports::Clock as _;
use serde_json::json;

use crate::{environment, failure::Failure, local::state::State, output::note};

/// Records that a message's payload is about to be shown.
///
/// # Errors
/// When it can't be recorded; the payload must not be shown then.
pub(crate) fn record(
    state: &State,
    tenant: &TenantId,
    message: &MessageId,
    reason: &str,
) -> Result<(), Failure> {
    let actor = environment::actor(reason);
    let line = json!({
        "at": SystemClock.now(), "access": "payload", "tenant": tenant, "message": message,
        "actor": actor.name, "reason": actor.reason,
    });
    std::fs::create_dir_all(state.path())?;
    let path = state.path().join("access.jsonl");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_data()?;
    note(format_args!("this access by {} is recorded in {}", actor.name, path.display()));
    Ok(())
}
