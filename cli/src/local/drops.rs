//! The drop folder: a file in `drops/{connection}/` of the state folder goes into the bucket as if its practice had put
//! it there, once nobody writes to it any more, and what became of it is said.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use bridge_core::id::ConnectionId;
use bridge_pipeline::files::{DROPS, FileDoc, report_json};
use serde_json::{Value, json};

use super::stop::Stop;
use crate::{
    commands::files::put::{self, Sent},
    failure::Failure,
    output::{Out, Progress},
    system::Pipeline,
};

/// How often it looks. A file that is the same twice is whole.
const LOOK: Duration = Duration::from_millis(700);
/// Where files are moved to, beside the folder that is watched.
const SENT: &str = "sent";

/// A size and a time by which a file is known to be unchanged.
type Looks = (u64, Option<SystemTime>);

/// Watches the folder until it is told to stop.
pub(crate) async fn watch(pipeline: Pipeline, folder: PathBuf, out: Out, quiet: bool, stop: Stop) {
    let mut seen: HashMap<PathBuf, Looks> = HashMap::new();
    let mut waiting: Vec<Sent> = Vec::new();
    while !stop.is_said() {
        tokio::time::sleep(LOOK).await;
        let mut now = HashMap::new();
        if let Err(error) = find(&folder, &mut now) {
            tracing::warn!(%error, "the drop folder can't be read");
            continue;
        }
        for path in now.iter().filter(|(path, looks)| seen.get(*path) == Some(looks)).map(|(path, _)| path) {
            match send(&pipeline, &folder, path, out).await {
                Ok(sent) => waiting.push(sent),
                Err(error) => tracing::warn!(%error, "a file of the drop folder could not be sent"),
            }
        }
        seen = now;
        for mut sent in std::mem::take(&mut waiting) {
            match sent.settled(&pipeline).await {
                Ok(Some(doc)) if !quiet => say(&doc, out),
                Ok(Some(_)) => {}
                Ok(None) => waiting.push(sent),
                Err(error) => {
                    tracing::warn!(%error, "what became of a file can't be seen");
                    waiting.push(sent);
                }
            }
        }
    }
}

/// All files below the folder of a connection. What is hidden, or ends in `.part`, is still being written.
fn find(folder: &Path, found: &mut HashMap<PathBuf, Looks>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name.ends_with(".part") {
            continue;
        }
        let about = entry.metadata()?;
        if about.is_dir() {
            find(&entry.path(), found)?;
        } else {
            found.insert(entry.path(), (about.len(), about.modified().ok()));
        }
    }
    Ok(())
}

/// Sends a file, and sets it aside.
async fn send(pipeline: &Pipeline, folder: &Path, path: &Path, out: Out) -> Result<Sent, Failure> {
    let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let owner = name.split('/').next().unwrap_or_default();
    let connection: ConnectionId = owner.parse().map_err(|_| {
        Failure::Wrong(format!("`{owner}` is no connection: files belong into a folder named after theirs"))
    })?;
    let key = format!("{DROPS}{name}");
    let etag = put::upload(pipeline, &key, path, &Progress::new(out, true)).await?;
    let sent = folder.with_file_name(SENT).join(&name);
    if let Some(parent) = sent.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::rename(path, sent)?;
    Ok(Sent { connection, key, etag, file: None })
}

/// The report in a line.
fn say(doc: &FileDoc, out: Out) {
    let progress = &doc.progress;
    let cause = doc.cause.as_ref().map(|cause| format!("  {cause}")).unwrap_or_default();
    out.text(format_args!(
        "          file       {:<11} {:<24}  {}  {}: {} received, {} bad, {} sent{cause}",
        doc.state.word(),
        doc.connection,
        doc.file,
        doc.name,
        progress.report.received,
        progress.bad(),
        progress.sent,
    ));
    let report: Value = serde_json::from_str(&report_json(doc)).unwrap_or_default();
    out.json(&json!({"event": "file", "report": report}));
}
