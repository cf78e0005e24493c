//! `bridge connections diff`: what applying a file would change, or what changed between two versions.

use std::path::Path;

use bridge_core::id::ConnectionId;
use serde_json::json;
use similar::{ChangeTag, TextDiff};

use super::apply::canonical;
use crate::{
    failure::Failure,
    files,
    output::{Colour, Out},
    system::Pipeline,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file, to be compared with what is applied; or a connection, whose versions are compared
    what: String,
    /// The older version [default: the one before]
    #[arg(long)]
    from: Option<u32>,
    /// The newer version [default: the current one]
    #[arg(long)]
    to: Option<u32>,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let (connection, old, new) = match args.what.parse::<ConnectionId>() {
        Ok(id) if !Path::new(&args.what).exists() => {
            let (old, new) = versions(pipeline, &id, args).await?;
            (id, old, new)
        }
        _ => file(pipeline, args).await?,
    };
    let unified = unified(&old, &new);
    out.json(&json!({"connection": connection, "from": old.0, "to": new.0, "changed": old.1 != new.1, "diff": unified}));
    if old.1 == new.1 {
        out.text(format_args!("{} and {} are the same", old.0, new.0));
    }
    for line in unified.lines() {
        let colour = match line.as_bytes().first() {
            Some(b'+') => Colour::Good,
            Some(b'-') => Colour::Bad,
            _ => Colour::Faint,
        };
        out.text(out.style.paint(colour, line));
    }
    Ok(())
}

/// A name and a text.
type Side = (String, String);

async fn versions(pipeline: &Pipeline, id: &ConnectionId, args: &Args) -> Result<(Side, Side), Failure> {
    let current = super::existing(pipeline, id).await?.version;
    let to = args.to.unwrap_or(current);
    let from = args.from.unwrap_or(to.saturating_sub(1));
    let history = pipeline.history(id).await?;
    let side = |version: u32| {
        let stored = history.iter().find(|stored| stored.version == version);
        let stored = stored.ok_or_else(|| Failure::Missing(format!("{id} has no version {version}")))?;
        Ok::<Side, Failure>((format!("{id} version {version}"), stored.yaml.clone()))
    };
    Ok((side(from)?, side(to)?))
}

async fn file(pipeline: &Pipeline, args: &Args) -> Result<(ConnectionId, Side, Side), Failure> {
    let (_, connection) = files::read_connection(Path::new(&args.what))?;
    let id = connection.connection.clone();
    let stored = pipeline.connection(&id).await?;
    let old = match stored {
        Some(stored) => (format!("{id} version {}", stored.version), canonical(&stored.connection)?),
        None => (format!("{id} is not applied yet"), String::new()),
    };
    Ok((id, old, (args.what.clone(), canonical(&connection)?)))
}

fn unified((old_name, old): &Side, (new_name, new): &Side) -> String {
    let diff = TextDiff::from_lines(old, new);
    if diff.iter_all_changes().all(|change| change.tag() == ChangeTag::Equal) {
        return String::new();
    }
    diff.unified_diff().context_radius(2).header(old_name, new_name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_shows_what_changed_and_nothing_when_nothing_did() {
        let side = |name: &str, zone: &str| {
            (name.to_owned(), format!("connection: a.b\nadapter: x\nzone: {zone}\n"))
        };
        let (old, new) = (side("a.b version 1", "America/Chicago"), side("a.yaml", "America/Denver"));
        insta::assert_snapshot!(unified(&old, &new), @r"
        --- a.b version 1
        +++ a.yaml
        @@ -1,3 +1,3 @@
         connection: a.b
         adapter: x
        -zone: America/Chicago
        +zone: America/Denver
        ");
        assert_eq!(unified(&old, &old), "");
    }
}
