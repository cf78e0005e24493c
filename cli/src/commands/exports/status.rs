//! `bridge exports status`.

use serde_json::json;

use super::Which;
use crate::{
    failure::Failure,
    output::{Out, Table},
    system::Pipeline,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// At most so many runs, and so many of what was set aside
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let Which { connection, export } = &args.which;
    let doc = args.which.find(pipeline).await?;
    let mut table = Table::new(&[
        "period to",
        "run",
        "state",
        "changed",
        "records",
        "left out",
        "held",
        "accepted",
        "rejected",
        "file",
    ]);
    let runs = pipeline.export_runs(connection, export, args.limit).await?;
    for run in &runs {
        out.json(&json!({"run": run}));
        let counts = &run.counts;
        let answered = |count: fn(&bridge_pipeline::export::Answers) -> u64| {
            run.answers.as_ref().map(|answers| count(answers).to_string()).unwrap_or_default()
        };
        let name = run.object.as_deref().and_then(|key| key.rsplit('/').next());
        table.row([
            run.to.to_string(),
            run.run.to_string(),
            run.state.word().to_owned(),
            counts.resources.to_string(),
            counts.records.to_string(),
            counts.left_out.to_string(),
            counts.held.to_string(),
            answered(|answers| answers.accepted),
            answered(|answers| answers.rejected),
            name.unwrap_or("no file").to_owned(),
        ]);
    }
    match runs.is_empty() {
        true => out.text(format_args!("no run yet; the first is due {}", doc.due)),
        false => table.lines().into_iter().for_each(|line| out.text(line)),
    }
    if let Some(cause) = &doc.cause {
        out.text(format_args!("it can't go on: {cause}"));
    }
    let problems = pipeline.export_problems(connection, export).await?;
    for problem in problems.iter().take(args.limit) {
        out.json(&json!({"set_aside": problem}));
        out.text(format_args!("set aside  {}  {}  {}", problem.reference, problem.run, problem.cause));
    }
    if let Some(more) = problems.len().checked_sub(args.limit).filter(|more| *more > 0) {
        out.text(format_args!("and {more} more"));
    }
    Ok(())
}
