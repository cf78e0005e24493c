//! `bridge adapters certify`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bridge_certify::{Check, Control, Report, Subject, Verdict, certify};
use bridge_core::config::Connection;
use bridge_simulators::{by_name, serve};
use serde_json::{Value, json};

use super::{adapter, catalog};
use crate::{
    environment,
    failure::Failure,
    files,
    output::{Colour, Out},
};

/// Between these two lines of a guide stands the matrix.
const BEGIN: &str = "<!-- matrix:begin -->";
const END: &str = "<!-- matrix:end -->";

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which
    adapter: String,
    /// A product to ask instead of the simulator of this program: one that answers to `/_control/`, or, with
    /// `--connection`, any
    #[arg(long, value_name = "URL")]
    against: Option<String>,
    /// A connection to the product's sandbox (YAML), where nothing steers it
    #[arg(long, value_name = "FILE", conflicts_with = "against")]
    connection: Option<PathBuf>,
    /// A folder of adapters, instead of those of this program
    #[arg(long, value_name = "FOLDER")]
    adapters: Option<PathBuf>,
    /// Write the compatibility matrix into the adapter's guide
    #[arg(long)]
    write: bool,
}

/// Runs it. Not certified is a failure.
pub(crate) async fn run(args: &Args, out: Out) -> Result<(), Failure> {
    let catalog = Arc::new(catalog(args.adapters.as_deref())?);
    adapter(&catalog, &args.adapter)?;
    // Kept while it is asked: dropped, it stops.
    let mut served = None;
    let (connection, control) = match (&args.connection, &args.against) {
        (Some(file), _) => (read(file)?, None),
        (None, against) => {
            let base = match against {
                Some(base) => base.clone(),
                None => {
                    let simulator = by_name(&args.adapter).ok_or_else(|| {
                        Failure::Missing(format!(
                            "this program has no simulator of `{}`: give one with --against URL, or a connection to a \
                             sandbox with --connection FILE",
                            args.adapter
                        ))
                    })?;
                    served.insert(serve(simulator, None).await?).base.clone()
                }
            };
            let control = Control::new(&base).map_err(|error| Failure::World(error.to_string()))?;
            (reached(&control, &args.adapter).await?, Some(control))
        }
    };
    let subject = Subject::new(catalog, connection, control).map_err(Failure::Wrong)?;
    let report = certify(&subject).await;
    for check in &report.checks {
        say(check, out);
    }
    if args.write {
        let folder = args.adapters.clone().unwrap_or_else(|| PathBuf::from("adapters"));
        write_matrix(&folder.join(&args.adapter).join("README.md"), &report)?;
    }
    let failed = report.failures().count();
    if failed > 0 {
        return Err(Failure::Unsound(format!("{} is not certified: {failed} checks failed", args.adapter)));
    }
    out.text(format_args!("{} is certified: {} checks", args.adapter, report.checks.len()));
    Ok(())
}

fn read(path: &Path) -> Result<Connection, Failure> {
    let (file, mut connection) = files::read_connection(path)?;
    files::resolve(&file, &mut connection, environment::variable).map_err(|problems| {
        Failure::Wrong(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })?;
    Ok(connection)
}

/// A connection to a simulator, as it says itself.
async fn reached(control: &Control, adapter: &str) -> Result<Connection, Failure> {
    let wrong = |error: bridge_certify::ControlError| Failure::World(error.to_string());
    // What a connection says may depend on what is there.
    control.seed(60, 120).await.map_err(wrong)?;
    control.prepare().await.map_err(wrong)?;
    let reached = control.connection().await.map_err(wrong)?;
    if reached.adapter != adapter {
        return Err(Failure::Wrong(format!("what answers there is `{}`, not `{adapter}`", reached.adapter)));
    }
    let secrets: BTreeMap<String, String> = reached.secrets;
    let connection = json!({
        "connection": "certify.product", "adapter": adapter, "zone": reached.zone,
        "settings": reached.settings, "secrets": secrets,
    });
    serde_json::from_value(connection).map_err(|error| Failure::World(error.to_string()))
}

fn say(check: &Check, out: Out) {
    let (word, colour, why) = match &check.verdict {
        Verdict::Passed => ("✓", Some(Colour::Good), ""),
        Verdict::Failed(why) => ("✗", Some(Colour::Bad), why.as_str()),
        Verdict::Skipped(why) => ("–", None, why.as_str()),
    };
    let mark = colour.map_or_else(|| word.to_owned(), |colour| out.style.paint(colour, word));
    let what = [check.area.title(), &check.resource].join(" ");
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    out.text(format_args!("{mark} {}: {}{why}", what.trim_end(), check.claim));
    let result = match &check.verdict {
        Verdict::Passed => json!("passed"),
        Verdict::Failed(why) => json!({"failed": why}),
        Verdict::Skipped(why) => json!({"skipped": why}),
    };
    let resource = if check.resource.is_empty() { Value::Null } else { json!(check.resource) };
    out.json(&json!({
        "area": check.area.title(), "resource": resource, "claim": check.claim, "result": result,
    }));
}

fn write_matrix(guide: &Path, report: &Report) -> Result<(), Failure> {
    let text = fs::read_to_string(guide)
        .map_err(|error| Failure::Wrong(format!("{} can't be read: {error}", guide.display())))?;
    let (head, rest) = text.split_once(BEGIN).ok_or_else(|| no_place(guide))?;
    let (_, tail) = rest.split_once(END).ok_or_else(|| no_place(guide))?;
    fs::write(guide, format!("{head}{BEGIN}\n{}{END}{tail}", report.matrix()))?;
    Ok(())
}

fn no_place(guide: &Path) -> Failure {
    Failure::Wrong(format!("{} has no place for the matrix: the lines {BEGIN} and {END}", guide.display()))
}
