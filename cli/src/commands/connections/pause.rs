//! `bridge connections pause` and `resume`.
//!
//! While a connection is paused its work is parked, in order. To resume is to open the connection, to wait until
//! every function has read that, and then to release the lanes: released earlier, their work would be parked again.

use bridge_core::id::ConnectionId;
use bridge_pipeline::{CONFIGURATION_AGE, queries::ParkedLane};
use serde_json::json;

use crate::{
    environment,
    failure::Failure,
    output::{Out, Progress},
    system::Pipeline,
    texts::count,
};

/// The cause under which the pipeline parks the work of a paused connection.
const PAUSED: &str = "connection.paused";

/// Their arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which connection
    connection: ConnectionId,
    /// Why; kept with the version
    #[arg(long)]
    reason: String,
}

/// Pauses.
pub(crate) async fn pause(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let id = &args.connection;
    let already = super::existing(pipeline, id).await?.connection.paused;
    if !already {
        pipeline.set_paused(id, true, environment::actor(&args.reason)).await?;
    }
    out.json(&json!({"connection": id, "result": if already { "unchanged" } else { "paused" }}));
    out.text(format_args!(
        "{id} is paused: from {} seconds from now at the latest its work waits, in order",
        CONFIGURATION_AGE.as_secs()
    ));
    Ok(())
}

/// Resumes.
pub(crate) async fn resume(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let id = &args.connection;
    let paused = super::existing(pipeline, id).await?.connection.paused;
    if paused {
        pipeline.set_paused(id, false, environment::actor(&args.reason)).await?;
    }
    let progress = Progress::new(out, false);
    let waits = progress.step("functions");
    // Also where it was open already: an earlier `resume` may have been interrupted just here.
    tokio::time::sleep(CONFIGURATION_AGE).await;
    waits.done("have read the change");
    let lanes = pipeline.parked(&id.tenant(), Some(id)).await?;
    let lanes: Vec<&ParkedLane> = lanes.iter().filter(|lane| is_paused(lane)).collect();
    let tasks: usize = lanes.iter().map(|lane| lane.tasks.len()).sum();
    release(pipeline, &lanes, &args.reason).await?;
    out.json(&json!({"connection": id, "result": "resumed", "lanes": lanes.len(), "parked": tasks}));
    out.text(format_args!(
        "{id} is open; {} in {} are on their way, in order",
        count(tasks, "parked task"),
        count(lanes.len(), "lane")
    ));
    Ok(())
}

fn is_paused(lane: &ParkedLane) -> bool {
    lane.tasks.iter().any(|task| task.cause.code == PAUSED)
}

/// Parked tasks that come back a second, when many are released at once: live work is to keep its room.
const RATE: u32 = 20;

/// Asks for the parked work of lanes to be sent again.
pub(crate) async fn release(pipeline: &Pipeline, lanes: &[&ParkedLane], reason: &str) -> Result<(), Failure> {
    let lanes: Vec<_> = lanes.iter().map(|lane| (lane.key.clone(), lane.tasks.len())).collect();
    let (actor, unique) = (environment::actor(reason), crate::commands::messages::unique());
    Ok(pipeline.release_lanes(&lanes, RATE, &actor, &unique).await?)
}
