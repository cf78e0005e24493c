//! `bridge connections shadow`: what a change of a connection, or another version of its adapter, would make of the
//! messages that were received. Nothing is written and nothing is sent.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use bridge_core::{
    Phi, Timestamp,
    config::Connection,
    id::{ConnectionId, MessageId},
};
use bridge_pipeline::{
    KeyError,
    queries::{QueryError, Selection},
    shadow::{Difference, Differs, Rehearsed, differences},
};
use serde_json::{Value, json};

use crate::{
    commands::{
        adapters,
        messages::{access, now},
    },
    failure::Failure,
    files,
    local::state::State,
    output::{Out, Table},
    system::{Found, Pipeline},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The changed connection's file; or a connection as it is applied, with --adapters
    what: String,
    /// A folder of adapters, instead of those of this program
    #[arg(long, value_name = "FOLDER")]
    adapters: Option<PathBuf>,
    /// How many messages, the newest
    #[arg(long, value_name = "N", default_value_t = 200)]
    last: usize,
    /// Show what the elements say: protected health information. The access is recorded
    #[arg(long, requires = "reason")]
    reveal: bool,
    /// Why it is looked at
    #[arg(long)]
    reason: Option<String>,
}

/// What came of the messages.
#[derive(Debug, Default)]
struct Tally {
    same: usize,
    differ: usize,
    /// They would be parked, and were not.
    broken: usize,
    /// They were parked, and would not be.
    mended: usize,
    /// Parked either way.
    parked: usize,
    /// Their retention is over.
    gone: usize,
    /// In how many messages an element differs in a way.
    elements: BTreeMap<(String, Differs), usize>,
    /// Why messages would be parked, and how many.
    causes: BTreeMap<String, usize>,
}

/// Runs it.
pub(crate) async fn run(
    pipeline: &Pipeline,
    found: &Found,
    state: &State,
    args: &Args,
    out: Out,
) -> Result<(), Failure> {
    let (id, candidate) = candidate(args)?;
    let today = super::existing(pipeline, &id).await?;
    let changed = adapters::catalog(args.adapters.as_deref())?;
    let changed = found.pipeline_with(changed).await;
    let tomorrow = match candidate {
        Some(connection) => changed
            .candidate(connection)
            .map(Arc::new)
            .ok_or_else(|| Failure::Wrong(format!("the adapter that {} names is not there", args.what)))?,
        None => super::existing(&changed, &id).await?,
    };
    let selection = Selection {
        connection: id.clone(),
        since: Timestamp::from_millis(0),
        until: now(),
        kind: None,
        standing: None,
        find: None,
        limit: args.last,
    };
    let mut tally = Tally::default();
    for one in pipeline.messages(&selection).await? {
        let doc = &one.message;
        let received = match pipeline.reveal(&id.tenant(), &doc.message).await {
            Ok(Some(received)) => received,
            Ok(None) | Err(QueryError::Key(KeyError::Expired)) => {
                tally.gone += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let before = pipeline.rehearse(doc, &received, &today).await?;
        let after = changed.rehearse(doc, &received, &tomorrow).await?;
        let found = tally.take(&before, &after);
        if args.reveal && !found.is_empty() {
            access::record(state, &id.tenant(), &doc.message, args.reason.as_deref().unwrap_or_default())?;
            found.iter().for_each(|difference| reveal(&doc.message, difference, out));
        }
    }
    tally.say(out);
    Ok(())
}

/// The connection, and how it would be; nothing where only its adapter changes.
fn candidate(args: &Args) -> Result<(ConnectionId, Option<Connection>), Failure> {
    let path = PathBuf::from(&args.what);
    if !path.exists() {
        let id: Result<ConnectionId, _> = args.what.parse();
        return match (id, &args.adapters) {
            (Ok(id), Some(_)) => Ok((id, None)),
            (Ok(id), None) => Err(Failure::Wrong(format!(
                "{id} is as it is applied: name a changed file, or other adapters with --adapters"
            ))),
            (Err(_), _) => Err(Failure::Missing(format!("there is no file {}", path.display()))),
        };
    }
    let (_, connection) = files::read_connection(&path)?;
    Ok((connection.connection.clone(), Some(connection)))
}

impl Tally {
    /// Counts a message; where its results differ.
    fn take(&mut self, before: &Rehearsed, after: &Rehearsed) -> Vec<Difference> {
        let (before, after) = match (before, after) {
            (Ok(before), Ok(after)) => (before, after),
            (Ok(_), Err(cause)) => {
                self.broken += 1;
                *self.causes.entry(cause.to_string()).or_default() += 1;
                return Vec::new();
            }
            (Err(_), Ok(_)) => {
                self.mended += 1;
                return Vec::new();
            }
            (Err(_), Err(_)) => {
                self.parked += 1;
                return Vec::new();
            }
        };
        let found = differences(before, after);
        if found.is_empty() {
            self.same += 1;
        } else {
            self.differ += 1;
        }
        let mut elements: Vec<_> = found.iter().map(|one| (one.path.clone(), one.differs)).collect();
        elements.sort();
        elements.dedup();
        for element in elements {
            *self.elements.entry(element).or_default() += 1;
        }
        found
    }

    fn say(&self, out: Out) {
        let Self { same, differ, broken, mended, parked, gone, .. } = self;
        out.json(&json!({
            "same": same, "differ": differ, "broken": broken, "mended": mended, "parked": parked, "gone": gone,
        }));
        out.text(format_args!(
            "{same} the same, {differ} different, {broken} would be parked that are not, {mended} would not be parked \
             that are, {parked} parked either way, {gone} no longer kept"
        ));
        let mut table = Table::new(&["element", "is", "in messages"]);
        for ((path, differs), messages) in &self.elements {
            out.json(&json!({"element": path, "is": differs.word(), "messages": messages}));
            table.row([path.clone(), differs.word().to_owned(), messages.to_string()]);
        }
        for line in table.lines().into_iter().filter(|_| !self.elements.is_empty()) {
            out.text(line);
        }
        for (cause, messages) in &self.causes {
            out.json(&json!({"parked": cause, "messages": messages}));
            out.text(format_args!("{messages} parked: {cause}"));
        }
    }
}

fn reveal(message: &MessageId, difference: &Difference, out: Out) {
    let side = |value: &Phi<Option<Value>>| {
        value.expose().as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string)
    };
    let (before, after) = (side(&difference.before), side(&difference.after));
    out.json(&json!({"message": message, "element": difference.path, "before": before, "after": after}));
    out.text(format_args!("{message}  {}: {before} → {after}", difference.path));
}

#[cfg(test)]
mod tests {
    use bridge_core::Cause;

    use super::*;

    #[test]
    fn messages_are_counted_by_what_becomes_of_them() {
        let parked = || Err(Cause::new("mapping.failed", "no"));
        let mut tally = Tally::default();
        tally.take(&Ok(Vec::new()), &Ok(Vec::new()));
        tally.take(&Ok(Vec::new()), &parked());
        tally.take(&parked(), &Ok(Vec::new()));
        tally.take(&parked(), &parked());
        let Tally { same, broken, mended, parked, differ, .. } = tally;
        assert_eq!((same, broken, mended, parked, differ), (1, 1, 1, 1, 0));
    }
}
