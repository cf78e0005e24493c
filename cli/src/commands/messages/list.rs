//! `bridge messages list`.

use bridge_core::id::{ConnectionId, TenantId};
use bridge_pipeline::{
    ledger::DeliveryState,
    queries::{Overview, Selection, Standing},
};
use serde_json::json;

use super::{connections, now};
use crate::{
    failure::Failure,
    output::{Out, Table},
    system::Pipeline,
    texts::{self, When},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of which practice
    #[arg(long, default_value = "sunrise")]
    tenant: TenantId,
    /// Of one connection [default: all of the practice]
    #[arg(long)]
    connection: Option<ConnectionId>,
    /// Received since then: how long ago (2h), or a time
    #[arg(long, default_value = "24h", value_parser = texts::when, value_name = "WHEN")]
    since: When,
    /// Received before then
    #[arg(long, value_parser = texts::when, value_name = "WHEN")]
    until: Option<When>,
    /// In this state: parked, waiting, queued, delivered or normalized
    #[arg(long, value_parser = texts::standing)]
    state: Option<Standing>,
    /// Of this kind, in the adapter's words
    #[arg(long)]
    kind: Option<String>,
    /// Found by an identifier that the adapter lists, for example patient=4711
    #[arg(long, value_parser = texts::pair, value_name = "NAME=VALUE")]
    find: Option<(String, String)>,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let now = now();
    let tenant = args.connection.as_ref().map_or_else(|| args.tenant.clone(), ConnectionId::tenant);
    let index = pipeline.index_key(&tenant).await?;
    let mut found: Vec<Overview> = Vec::new();
    for connection in connections(pipeline, &tenant, args.connection.as_ref()).await? {
        let find = args.find.as_ref().map(|(name, value)| index.token(&connection, name, value));
        let selection = Selection {
            connection,
            since: args.since.before(now),
            until: args.until.map_or(now, |until| until.before(now)),
            kind: args.kind.clone(),
            standing: args.state,
            find,
            limit: args.limit,
        };
        found.extend(pipeline.messages(&selection).await?);
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.message.received_at));
    found.truncate(args.limit);
    show(&found, out);
    Ok(())
}

fn show(found: &[Overview], out: Out) {
    let mut table = Table::new(&["received", "message", "connection", "kind", "state", "what"]);
    for one in found {
        let message = &one.message;
        out.json(&json!({
            "message": message.message, "connection": message.connection, "kind": message.kind,
            "lane": message.lane, "state": one.standing.word(), "received_at": message.received_at,
            "resources": message.resources, "destinations": message.destinations, "cause": cause(one),
            "deliveries": one.deliveries.iter().map(|delivery| &delivery.delivery).collect::<Vec<_>>(),
        }));
        table.row([
            message.received_at.to_string(),
            message.message.to_string(),
            message.connection.to_string(),
            message.kind.clone(),
            one.standing.word().to_owned(),
            cause(one).map_or_else(|| message.resources.join(", "), |cause| cause.to_string()),
        ]);
    }
    if found.is_empty() {
        out.text("no messages: look further back with --since 7d, or post one");
        return;
    }
    for line in table.lines() {
        out.text(line);
    }
}

/// Why it is parked or waits.
fn cause(one: &Overview) -> Option<&bridge_core::Cause> {
    let waiting = |state| {
        matches!(
            state,
            DeliveryState::Parked { .. }
                | DeliveryState::Waiting { .. }
                | DeliveryState::Deferred { .. }
                | DeliveryState::Unconfirmed { .. }
                | DeliveryState::Refused { .. }
        )
    };
    let of_delivery =
        one.deliveries.iter().find(|delivery| waiting(delivery.state)).and_then(|d| d.cause.as_ref());
    one.message.cause.as_ref().or(of_delivery)
}
