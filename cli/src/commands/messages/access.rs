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
    append(state, json!({"access": "payload", "tenant": tenant, "message": message}), reason)
}

/// Records that the next file of an export is about to be shown.
///
/// # Errors
/// When it can't be recorded; the file must not be shown then.
pub(crate) fn record_of(state: &State, tenant: &TenantId, export: &str, reason: &str) -> Result<(), Failure> {
    append(state, json!({"access": "export", "tenant": tenant, "export": export}), reason)
}

fn append(state: &State, access: serde_json::Value, reason: &str) -> Result<(), Failure> {
    let actor = environment::actor(reason);
    let mut line = json!({"at": SystemClock.now()});
    if let (Some(line), serde_json::Value::Object(access)) = (line.as_object_mut(), access) {
        line.extend(access);
        line.insert("actor".to_owned(), actor.name.clone().into());
        line.insert("reason".to_owned(), actor.reason.into());
    }
    std::fs::create_dir_all(state.path())?;
    let path = state.path().join("access.jsonl");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_data()?;
    note(format_args!("this access by {} is recorded in {}", actor.name, path.display()));
    Ok(())
}
