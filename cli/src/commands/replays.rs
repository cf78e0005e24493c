//! `bridge replays`: finished messages of a connection, many at a time, through again.

use bridge_aws::SystemClock;
use bridge_core::id::{ConnectionId, TenantId};
use bridge_pipeline::{
    ports::Clock as _,
    queries::Standing,
    replays::{ReplayDoc, ReplayFilter},
};
use serde_json::json;

use crate::{
    arguments::Global,
    environment,
    failure::Failure,
    output::{Out, Table},
    system::{self, Pipeline},
    texts::{self, When, count},
};

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Send the finished messages of a connection through again, in the order in which they came
    Start(StartArgs),
    /// List replays: how far each is, who asked and why
    List {
        /// Of which practice
        #[arg(long, default_value = "sunrise")]
        tenant: TenantId,
    },
    /// Stop a replay; what was sent before goes its way
    Cancel {
        /// Its id
        replay: String,
        /// Of which practice
        #[arg(long, default_value = "sunrise")]
        tenant: TenantId,
        /// Why; kept in the ledger
        #[arg(long)]
        reason: String,
    },
}

/// What to replay.
#[derive(Debug, clap::Args)]
pub(crate) struct StartArgs {
    /// Of which connection
    #[arg(long)]
    connection: ConnectionId,
    /// Received since then: how long ago (2h), or a time
    #[arg(long, value_parser = texts::when, value_name = "WHEN")]
    since: When,
    /// Received before then [default: now]
    #[arg(long, value_parser = texts::when, value_name = "WHEN")]
    until: Option<When>,
    /// Of this kind, in the adapter's words
    #[arg(long)]
    kind: Option<String>,
    /// That went to this destination; all destinations of a message get it again
    #[arg(long)]
    destination: Option<ConnectionId>,
    /// In this state: parked, waiting, queued, delivered or normalized; what is parked goes on with its lane
    #[arg(long, value_parser = texts::standing)]
    state: Option<Standing>,
    /// That wait, are parked or were refused by this cause, for example http.422
    #[arg(long)]
    cause: Option<String>,
    /// Messages a second, at most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// Why; kept in the ledger
    #[arg(long)]
    reason: String,
    /// Do it; without this it only says what it would do
    #[arg(long)]
    yes: bool,
}

/// Runs one.
pub(crate) async fn run(global: &Global, command: Command, out: Out) -> Result<(), Failure> {
    let pipeline = system::find(&global.state(), global.endpoint.as_deref())?.pipeline().await;
    match command {
        Command::Start(args) => start(&pipeline, args, out).await,
        Command::List { tenant } => {
            show(&pipeline.replays(&tenant).await?, out);
            Ok(())
        }
        Command::Cancel { replay, tenant, reason } => {
            let missing = || Failure::Missing(format!("there is no replay `{replay}` of {tenant}"));
            let actor = environment::actor(&reason);
            let doc = pipeline.cancel_replay(&tenant, &replay, actor).await?.ok_or_else(missing)?;
            show(&[doc], out);
            Ok(())
        }
    }
}

async fn start(pipeline: &Pipeline, args: StartArgs, out: Out) -> Result<(), Failure> {
    let now = SystemClock.now();
    let filter = ReplayFilter {
        connection: args.connection,
        since: args.since.before(now),
        until: args.until.map_or(now, |until| until.before(now)),
        kind: args.kind,
        destination: args.destination,
        state: args.state,
        cause: args.cause,
    };
    if args.yes {
        let id = format!("{}-{}", now.as_millis(), std::process::id());
        let actor = environment::actor(&args.reason);
        let doc = pipeline.begin_replay(&id, filter, args.rate, actor).await?;
        show(&[doc], out);
        return Ok(());
    }
    let preview = pipeline.preview_replay(&filter).await?;
    out.json(&json!({"preview": preview, "filter": filter}));
    out.text(format_args!(
        "would send {} through again, and let {} that are parked go on with their lanes: {} in all, at most {} a second. \
         {} of them have been delivered before and will be delivered anew: add --yes to do it",
        count(preview.messages, "message"),
        preview.parked,
        count(preview.lanes, "lane"),
        args.rate,
        preview.delivered_before
    ));
    Ok(())
}

fn show(replays: &[ReplayDoc], out: Out) {
    let mut table =
        Table::new(&["replay", "connection", "state", "seen", "sent", "released", "asked", "by", "why"]);
    for doc in replays {
        out.json(&json!({"replay": doc}));
        table.row([
            doc.id.clone(),
            doc.filter.connection.to_string(),
            format!("{:?}", doc.state).to_lowercase(),
            doc.seen.to_string(),
            doc.sent.to_string(),
            doc.released.to_string(),
            doc.asked_at.to_string(),
            doc.actor.name.clone(),
            doc.actor.reason.clone(),
        ]);
    }
    if replays.is_empty() {
        out.text("there are no replays");
        return;
    }
    for line in table.lines() {
        out.text(line);
    }
}
