//! The outbox folder: what practices are sent, and told of their own files, lies in `outbox/` of the state folder as it lies in the
//! bucket, for whoever would fetch it.

use std::{
    collections::HashMap,
    fs,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use bridge_pipeline::ports::{FilePorts as _, Files as _, PortError};
use serde_json::json;

use super::stop::Stop;
use crate::{output::Out, system::Pipeline};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(2);
/// Where it lies in the bucket.
const OUTBOX: &str = "outbox/";
/// A file of an export is known by what lies beside it.
const MANIFEST: &str = ".manifest.json";

/// Keeps the folder as the bucket is, until it is told to stop.
pub(crate) async fn mirror(pipeline: Pipeline, folder: PathBuf, out: Out, quiet: bool, stop: Stop) {
    let mut seen: HashMap<String, String> = HashMap::new();
    while !stop.is_said() {
        tokio::time::sleep(LOOK).await;
        if let Err(error) = look(&pipeline, &folder, &mut seen, out, quiet).await {
            tracing::warn!(%error, "the outbox can't be shown in its folder");
        }
    }
}

async fn look(
    pipeline: &Pipeline,
    folder: &Path,
    seen: &mut HashMap<String, String>,
    out: Out,
    quiet: bool,
) -> Result<(), PortError> {
    let files = pipeline.ports().files();
    for (key, tag) in files.list(OUTBOX).await? {
        if seen.get(&key) == Some(&tag) {
            continue;
        }
        let name = Path::new(key.strip_prefix(OUTBOX).unwrap_or(&key));
        // A name that a practice has given must not lead out of the folder.
        let is_inside = name.components().all(|part| matches!(part, Component::Normal(_)));
        if is_inside && let Some(bytes) = files.get(&key).await? {
            let path = folder.join(name);
            let is_new = fs::read(&path).map_or(true, |known| known != bytes);
            if is_new {
                write(&path, &bytes)
                    .map_err(|error| PortError { operation: "write", reason: error.to_string() })?;
            }
            if is_new
                && !quiet
                && let Some(file) = key.strip_suffix(MANIFEST)
            {
                let file = folder.join(file.strip_prefix(OUTBOX).unwrap_or(file));
                out.text(format_args!("          export     {}", file.display()));
                out.json(&json!({"event": "export", "file": file}));
            }
        }
        seen.insert(key, tag);
    }
    Ok(())
}

/// Whoever sees a file sees all of it.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    fs::write(&part, bytes)?;
    fs::rename(part, path)
}
