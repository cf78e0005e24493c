//! Which connection a dropped object belongs to, and which of its feeds.

use std::collections::BTreeMap;

use bridge_core::{
    Cause,
    feed::Feed,
    id::{ConnectionId, FileId},
    task::Dropped,
};

use super::{
    DROPS,
    docs::{FileDoc, FileState, Progress},
    tell,
};
use crate::{
    bridge::Bridge,
    ports::FilePorts,
    stage::{self, Failure},
};

impl<P: FilePorts> Bridge<P> {
    /// Notes an object that was dropped: which connection's it is, and which feed's.
    pub(super) async fn admit(&self, object: &Dropped) -> Result<Option<(ConnectionId, FileId)>, Failure> {
        let path = object.key.strip_prefix(DROPS).and_then(|path| path.split_once('/'));
        let Some((owner, name)) = path.filter(|(_, name)| !name.is_empty() && !name.ends_with('/')) else {
            return Ok(None);
        };
        let connection = owner.parse::<ConnectionId>().ok();
        let known = match &connection {
            Some(connection) => self.connection(connection).await?,
            None => None,
        };
        let (Some(connection), Some(source)) = (connection, known) else {
            let cause = Cause::new(
                "file.connection",
                "no connection has this folder: apply it, and drop the file again",
            );
            self.count_rejection(None, &cause, None).await;
            return Ok(None);
        };
        let index = self.index_key(&connection.tenant()).await?;
        let version =
            object.version.clone().unwrap_or_else(|| format!("{}#{}", object.etag, object.sequencer));
        let feed = feed_of(&source.connection.feeds, name);
        let doc = FileDoc {
            file: index.file(&connection, &object.key, &version),
            connection: connection.clone(),
            feed: feed.unwrap_or_default().to_owned(),
            name: name.to_owned(),
            key: object.key.clone(),
            version: object.version.clone(),
            etag: object.etag.clone(),
            sequencer: object.sequencer.clone(),
            size: object.size,
            dropped_at: object.at,
            state: if feed.is_some() { FileState::Waiting } else { FileState::Refused },
            updated_at: self.now(),
            cause: feed.is_none().then(tell::no_feed_takes_it),
            progress: Progress::start(),
            expires: stage::expires(object.at, &source),
        };
        self.note_file(&doc).await?;
        self.note_newest(&doc).await?;
        Ok(Some((connection, doc.file)))
    }
}

/// The feed that takes a file: the one whose name its folder has, or the first whose pattern it fits.
pub fn feed_of<'a>(feeds: &'a BTreeMap<String, Feed>, name: &str) -> Option<&'a str> {
    let folder = name.split_once('/').and_then(|(folder, _)| feeds.get_key_value(folder));
    let found = folder.or_else(|| feeds.iter().find(|(_, feed)| feed.takes(name)));
    found.map(|(name, _)| name.as_str())
}
