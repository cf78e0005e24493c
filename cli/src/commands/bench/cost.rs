//! `bridge bench cost`: sends webhooks through the real functions on an emulator, counts every AWS call, and prices
//! them. What an emulator can't tell is said to be assumed.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use bridge_aws::Tally;
use bridge_emulator::Keep;
use serde_json::json;

use super::{messages::Content, prices, workload};
use crate::{
    arguments::Global,
    environment,
    failure::Failure,
    local::{self, Running, emulator, issuer::LocalIssuer, server, state::System},
    output::{Out, Progress, Table},
    receiver::{Counter, PATH, Receiver},
    system,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many webhooks
    #[arg(long, default_value_t = 1_000)]
    messages: usize,
    /// How large each is, in bytes
    #[arg(long, default_value_t = 2_048)]
    bytes: usize,
    /// What they are like
    #[arg(long, value_enum, default_value = "events")]
    content: Content,
    /// Assumed duration of an invocation of webhook-intake on Lambda, in milliseconds
    #[arg(long, default_value_t = 12.0)]
    intake_ms: f64,
    /// Assumed duration of an invocation of another function per record on Lambda, in milliseconds
    #[arg(long, default_value_t = 15.0)]
    record_ms: f64,
    /// Assumed size of what is logged about a message, in bytes
    #[arg(long, default_value_t = 900.0)]
    log_bytes: f64,
}

/// Sent before counting begins: data keys are fetched, connections opened.
const WARM_UP: usize = 20;
/// Nothing takes longer on the slowest of machines.
const PATIENCE: Duration = Duration::from_mins(20);
/// infra/template.yaml: MemorySize.
const MEMORY_GB: f64 = 0.5;

/// Runs it.
pub(crate) async fn run(global: &Global, args: &Args, out: Out) -> Result<(), Failure> {
    let progress = Progress::new(out, false);
    let home = global.state().path().join("bench");
    let given = global.endpoint.clone().or_else(|| environment::variable("AWS_ENDPOINT_URL"));
    let endpoint = emulator::endpoint(given, &home, Keep::Nothing, &progress).await?;
    let counted = count(&endpoint.url, &home, args, &progress).await;
    endpoint.stop().await?;
    // What is left there is of no use.
    let _ = std::fs::remove_dir_all(&home);
    report(&counted?, args, out);
    Ok(())
}

/// What was counted.
struct Counted {
    calls: BTreeMap<String, Tally>,
    /// Invocations by function.
    invocations: BTreeMap<String, u64>,
}

async fn count(endpoint: &str, home: &Path, args: &Args, progress: &Progress) -> Result<Counted, Failure> {
    let stack = local::create(endpoint, progress).await?;
    let gateway = server::listen(None, 0).await?;
    let listener = server::listen(None, 0).await?;
    let receiver = Receiver::new(workload::secret(), 0.0);
    let arrived = receiver.counter();
    let url = format!("http://{}{PATH}", listener.local_addr()?);
    let system = System {
        pid: std::process::id(),
        since: bridge_core::Timestamp::default(),
        gateway: format!("http://{}", gateway.local_addr()?),
        mllp: None,
        receiver: Some(url.clone()),
        region: local::REGION.to_owned(),
        environment: stack.environment.clone(),
    };
    let mut running = stack.start(gateway, &LocalIssuer::open(home)?, progress).await?;
    running.also(|stop| receiver.serve(listener, stop));
    workload::configure(&system::pipeline(&system).await, &url).await?;
    let counted = measure(&running, &system.gateway, &arrived, args, progress).await;
    running.stop().await;
    counted
}

async fn measure(
    running: &Running,
    gateway: &str,
    arrived: &Counter,
    args: &Args,
    progress: &Progress,
) -> Result<Counted, Failure> {
    let step = progress.step("warm-up");
    workload::send(gateway, args.content, 0, WARM_UP, args.bytes).await?;
    wait_for(arrived, WARM_UP).await?;
    step.done(&format!("{WARM_UP} webhooks"));
    let step = progress.step("webhooks");
    let before = running.functions.invocations();
    running.idle.reset();
    running.meter.start();
    workload::send(gateway, args.content, WARM_UP, WARM_UP + args.messages, args.bytes).await?;
    wait_for(arrived, WARM_UP + args.messages).await?;
    // The last deliveries are still to be recorded and deleted.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut calls = running.meter.stop();
    // A queue without work is asked every few seconds: a cost of time, not of messages.
    if let Some(receives) = calls.get_mut("sqs.ReceiveMessage") {
        receives.calls = receives.calls.saturating_sub(running.idle.count());
    }
    step.done(&format!("{} delivered", args.messages));
    let invocations = running.functions.invocations().into_iter();
    let invocations =
        invocations.map(|(id, count)| (before.get(&id).map_or(count, |known| count - known), id));
    Ok(Counted { calls, invocations: invocations.map(|(count, id)| (id, count)).collect() })
}

async fn wait_for(arrived: &Counter, count: usize) -> Result<(), Failure> {
    let begun = Instant::now();
    while arrived.count() < count {
        if begun.elapsed() > PATIENCE {
            return Err(Failure::World(format!("{} of {count} webhooks were delivered", arrived.count())));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// One line of the bill, for a million messages.
struct Item {
    what: String,
    /// Per message.
    calls: f64,
    /// Billed units per message.
    units: f64,
    unit: &'static str,
    usd: f64,
}

fn bill(counted: &Counted, args: &Args) -> Vec<Item> {
    let messages = args.messages as f64;
    let item = |what: &str, calls: f64, units: f64, price: prices::Price| Item {
        what: what.to_owned(),
        calls,
        units,
        unit: price.unit,
        usd: units * price.per_million,
    };
    let mut items = vec![item("API Gateway (HTTP API)", 1.0, 1.0, prices::HTTP_API)];
    let invoked = counted.invocations.values().sum::<u64>() as f64 / messages;
    items.push(item("Lambda invocations", invoked, invoked, prices::INVOCATION));
    // Two more functions work each message once: normalize and deliver.
    let seconds = (args.intake_ms + 2.0 * args.record_ms) / 1_000.0;
    items.push(item("Lambda duration (assumed)", 0.0, seconds * MEMORY_GB, prices::GB_SECOND));
    for (call, tally) in &counted.calls {
        let Some(price) = prices::price(call) else { continue };
        let calls = tally.calls as f64 / messages;
        // Where no size is known, each call is one unit.
        let units = if price.by_units && tally.units > 0.0 { tally.units / messages } else { calls };
        items.push(item(call, calls, units, price));
    }
    let logs = args.log_bytes / 1_000.0;
    items.push(Item {
        what: "Logs (assumed)".to_owned(),
        calls: 0.0,
        units: logs,
        unit: "KB",
        usd: logs * prices::LOG_GB,
    });
    items
}

fn report(counted: &Counted, args: &Args, out: Out) {
    let items = bill(counted, args);
    let total: f64 = items.iter().map(|item| item.usd).sum();
    let rounded = |value: f64| (value * 10_000.0).round() / 10_000.0;
    let line = |item: &Item| {
        json!({"what": item.what, "calls_per_message": rounded(item.calls), "units_per_message": rounded(item.units),
               "unit": item.unit, "usd_per_million": rounded(item.usd)})
    };
    out.json(&json!({
        "messages": args.messages, "bytes": args.bytes, "usd_per_million": rounded(total),
        "prices": {"region": "us-east-1", "as_of": prices::AS_OF}, "items": items.iter().map(line).collect::<Vec<_>>(),
    }));
    let mut table = Table::new(&["per message", "calls", "billed", "unit", "USD per million"]);
    for item in &items {
        table.row([
            item.what.clone(),
            if item.calls > 0.0 { format!("{:.3}", item.calls) } else { String::new() },
            format!("{:.3}", item.units),
            item.unit.to_owned(),
            format!("{:>6.2}", item.usd),
        ]);
    }
    out.text("");
    for line in table.lines() {
        out.text(line);
    }
    out.text(format_args!(
        "\n{total:.2} USD per million webhooks of {} bytes (us-east-1, list prices as of {}); assumed: {} + 2 × {} ms \
         of Lambda at {MEMORY_GB} GB, {} bytes of logs",
        args.bytes, prices::AS_OF, args.intake_ms, args.record_ms, args.log_bytes
    ));
}
