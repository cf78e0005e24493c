//! `bridge files put`.

use std::{
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    time::Duration,
};

use bridge_core::id::{ConnectionId, FileId};
use bridge_pipeline::{
    files::{DROPS, FileDoc, FileState, feed_of},
    ports::FilePorts as _,
};
use serde_json::json;

use super::report;
use crate::{
    failure::Failure,
    output::{Out, Progress, note, print},
    system::Pipeline,
};

/// How often it is looked how far the file is.
const LOOK: Duration = Duration::from_millis(500);
/// After this long somebody is told that nothing happens.
const SILENCE: u32 = 60;

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    path: PathBuf,
    /// Whose it is
    #[arg(long)]
    connection: ConnectionId,
    /// Which feed it is for [default: the one whose `keys` its name fits]
    #[arg(long)]
    feed: Option<String>,
    /// What it is called there [default: its own name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Don't wait for what becomes of it
    #[arg(long)]
    no_wait: bool,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let connection = pipeline.connection(&args.connection).await?.ok_or_else(|| {
        let id = &args.connection;
        Failure::Missing(format!(
            "there is no connection `{id}`: see `bridge connections list {}`",
            id.tenant()
        ))
    })?;
    let own = args.path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = args.name.clone().or(own).unwrap_or_default();
    let name = args.feed.as_ref().map_or_else(|| name.clone(), |feed| format!("{feed}/{name}"));
    let feeds = &connection.connection.feeds;
    let taken = feed_of(feeds, &name).filter(|feed| args.feed.as_deref().is_none_or(|asked| asked == *feed));
    if taken.is_none() {
        let known: Vec<_> = feeds.iter().map(|(name, feed)| format!("{name} ({})", feed.keys)).collect();
        let known = if known.is_empty() { "no feeds".to_owned() } else { known.join(", ") };
        let text = format!("no feed takes `{name}`: {} has {known}", args.connection);
        return Err(Failure::Wrong(text));
    }
    let progress = Progress::new(out, false);
    let key = format!("{DROPS}{}/{name}", args.connection);
    let etag = upload(pipeline, &key, &args.path, &progress).await?;
    if args.no_wait {
        out.json(&json!({"key": key, "etag": etag}));
        return Ok(());
    }
    let step = progress.step("reading");
    let doc = wait(pipeline, Sent { connection: args.connection.clone(), key, etag, file: None }).await?;
    step.done(&format!("{}: {}", doc.file, doc.state.word()));
    report::show(&doc, out);
    match doc.state {
        FileState::Refused => Err(Failure::Unsound(format!("{} was refused", doc.file))),
        _ => Ok(()),
    }
}

/// Puts a file into the bucket, with its share on the screen.
pub(crate) async fn upload(
    pipeline: &Pipeline,
    key: &str,
    path: &Path,
    progress: &Progress,
) -> Result<String, Failure> {
    let size = path.metadata().map_err(|error| Failure::Wrong(format!("{}: {error}", path.display())))?.len();
    let step = progress.step("upload");
    let looked_at = io::stdout().is_terminal() && size > 64 << 20;
    let etag = pipeline
        .ports()
        .files()
        .upload(key, path, |sent| {
            if looked_at {
                print(format_args!("\r  upload … {} %  ", sent * 100 / size.max(1)));
            }
        })
        .await?;
    step.done(&format!("{size} bytes as {key}"));
    Ok(etag)
}

/// A file that was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) connection: ConnectionId,
    pub(crate) key: String,
    pub(crate) etag: String,
    /// Once it is in the ledger.
    pub(crate) file: Option<FileId>,
}

impl Sent {
    /// What is known of it, once nothing more happens to it.
    pub(crate) async fn settled(&mut self, pipeline: &Pipeline) -> Result<Option<FileDoc>, Failure> {
        if self.file.is_none() {
            let files = pipeline.files(&self.connection, 50).await?;
            let ours = files.into_iter().find(|doc| doc.key == self.key && doc.etag == self.etag);
            self.file = ours.map(|doc| doc.file);
        }
        let Some(file) = &self.file else { return Ok(None) };
        let doc = pipeline.file(&self.connection.tenant(), file).await?;
        Ok(doc.filter(|doc| doc.state.is_final()))
    }
}

/// Waits until nothing more happens to a file.
async fn wait(pipeline: &Pipeline, mut sent: Sent) -> Result<FileDoc, Failure> {
    for look in 0_u32.. {
        if let Some(doc) = sent.settled(pipeline).await? {
            return Ok(doc);
        }
        if look == SILENCE && sent.file.is_none() {
            note("nobody has looked at the file yet: does `bridge up`, or the function file-ingest, run?");
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(Failure::World("the file was not read".to_owned()))
}
