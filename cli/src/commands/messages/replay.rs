//! `bridge messages replay`: one message, a lane, or everything that is parked. Says first what it would do.

use bridge_core::{
    id::{ConnectionId, LaneId, MessageId, TenantId},
    task::Command,
};
use bridge_pipeline::{
    ledger::{MessageState, ParkedTask},
    queries::ParkedLane,
};
use serde_json::json;

use super::unique;
use crate::{
    commands::connections::release,
    environment,
    failure::Failure,
    output::{Out, Table},
    system::Pipeline,
    texts::count,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["message", "lane", "all_parked"]))]
pub(crate) struct Args {
    /// One message: a finished one is delivered again, a parked one is released with its lane
    message: Option<MessageId>,
    /// Everything parked in this lane
    #[arg(long)]
    lane: Option<LaneId>,
    /// Everything that is parked
    #[arg(long)]
    all_parked: bool,
    /// Only lanes that are held by this cause, for example mapping.failed
    #[arg(long, requires = "all_parked")]
    cause: Option<String>,
    /// Only lanes of this connection
    #[arg(long)]
    connection: Option<ConnectionId>,
    /// Of which practice
    #[arg(long, default_value = "sunrise")]
    tenant: TenantId,
    /// Why; kept in the ledger
    #[arg(long)]
    reason: String,
    /// Do it; without this it only says what it would do
    #[arg(long)]
    yes: bool,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    if let Some(message) = &args.message {
        let one = pipeline.message(&args.tenant, message).await?;
        let one = one
            .ok_or_else(|| Failure::Missing(format!("{message} is not in the ledger of {}", args.tenant)))?;
        let parked = |lane: &ParkedLane| lane.tasks.iter().any(|task| message_of(&task.task) == message);
        let lanes: Vec<_> = lanes(pipeline, args).await?.into_iter().filter(parked).collect();
        // What is parked keeps its place: it goes on with its lane.
        if one.message.state == MessageState::Parked || !lanes.is_empty() {
            return release_all(pipeline, args, &lanes, out).await;
        }
        return replay_one(pipeline, args, one.message.connection, message, out).await;
    }
    let wanted = |lane: &ParkedLane| {
        args.lane.as_ref().is_none_or(|id| *id == lane.key.lane)
            && args.cause.as_ref().is_none_or(|code| lane.tasks.iter().any(|task| task.cause.code == *code))
    };
    let lanes: Vec<_> = lanes(pipeline, args).await?.into_iter().filter(wanted).collect();
    release_all(pipeline, args, &lanes, out).await
}

async fn lanes(pipeline: &Pipeline, args: &Args) -> Result<Vec<ParkedLane>, Failure> {
    Ok(pipeline.parked(&args.tenant, args.connection.as_ref()).await?)
}

fn message_of(task: &ParkedTask) -> &MessageId {
    match task {
        ParkedTask::Inbound(task) => &task.message,
        ParkedTask::Outbound(task) => &task.message,
    }
}

async fn replay_one(
    pipeline: &Pipeline,
    args: &Args,
    connection: ConnectionId,
    message: &MessageId,
    out: Out,
) -> Result<(), Failure> {
    if args.yes {
        let actor = environment::actor(&args.reason);
        let command = Command::ReplayMessage { connection, message: message.clone(), actor };
        pipeline.command(&command, unique()).await?;
    }
    out.json(&json!({"messages": [message], "lanes": [], "done": args.yes}));
    if args.yes {
        out.text(format_args!("{message} is being sent through again: `bridge messages trace {message}`"));
    } else {
        out.text(format_args!(
            "would normalize {message} again and deliver the result anew: add --yes to do it"
        ));
    }
    Ok(())
}

async fn release_all(
    pipeline: &Pipeline,
    args: &Args,
    lanes: &[ParkedLane],
    out: Out,
) -> Result<(), Failure> {
    let tasks: usize = lanes.iter().map(|lane| lane.tasks.len()).sum();
    let mut table = Table::new(&["lane", "stage", "connection", "parked", "since", "cause of the first"]);
    for lane in lanes {
        let Some(first) = lane.tasks.first() else { continue };
        table.row([
            lane.key.lane.to_string(),
            lane.key.stage.as_str().to_owned(),
            lane.key.connection.to_string(),
            lane.tasks.len().to_string(),
            first.at.to_string(),
            first.cause.to_string(),
        ]);
    }
    if args.yes {
        release(pipeline, &lanes.iter().collect::<Vec<_>>(), &args.reason).await?;
    }
    let lane = |lane: &ParkedLane| {
        json!({"lane": lane.key.lane, "stage": lane.key.stage, "connection": lane.key.connection,
               "parked": lane.tasks.len(), "cause": lane.tasks.first().map(|task| &task.cause)})
    };
    let messages: Vec<&MessageId> =
        lanes.iter().flat_map(|lane| &lane.tasks).map(|t| message_of(&t.task)).collect();
    let shown: Vec<_> = lanes.iter().map(lane).collect();
    out.json(&json!({"messages": messages, "lanes": shown, "done": args.yes}));
    if lanes.is_empty() {
        out.text("nothing of that is parked");
        return Ok(());
    }
    for line in table.lines() {
        out.text(line);
    }
    let what = format!("{} in {}", count(tasks, "parked task"), count(lanes.len(), "lane"));
    match args.yes {
        true => out.text(format_args!("{what}: released, each lane in its order")),
        false => out.text(format_args!("would release {what}, each in its order: add --yes to do it")),
    }
    Ok(())
}
