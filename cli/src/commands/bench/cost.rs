//! `bridge bench cost`: sends webhooks, or the rows of a file, through the real functions on an emulator, counts every AWS call, and prices
//! them. What an emulator can't tell is said to be assumed.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use bridge_aws::Tally;
use bridge_emulator::Keep;
use serde_json::json;

use super::{messages::Content, prices, rows, workload};
use crate::{
    arguments::Global,
    environment,
    failure::Failure,
    local::{self, Running, emulator, issuer::LocalIssuer, server, state::System},
    output::{Out, Progress, Table},
    receiver::{Counter, PATH, Receiver},
    system::{self, Pipeline},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many webhooks, or rows
    #[arg(long, default_value_t = 1_000)]
    messages: usize,
    /// How large each webhook is, in bytes
    #[arg(long, default_value_t = 2_048)]
    bytes: usize,
    /// What they are like
    #[arg(long, value_enum, default_value = "events")]
    content: Content,
    /// Assumed duration of an invocation of webhook-intake on Lambda, in milliseconds
    #[arg(long, default_value_t = 12.0)]
    intake_ms: f64,
    /// Assumed time of file-ingest for a row on Lambda, in milliseconds
    #[arg(long, default_value_t = 0.1)]
    row_ms: f64,
    /// Assumed duration of an invocation of another function per record on Lambda, in milliseconds
    #[arg(long, default_value_t = 15.0)]
    record_ms: f64,
    /// Assumed time of normalize for each further record of a message on Lambda, in milliseconds
    #[arg(long, default_value_t = 1.5)]
    further_ms: f64,
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
/// The same of file-ingest.
const FILE_MEMORY_GB: f64 = 1.75;

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
    /// Messages that arrived.
    arrived: usize,
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
    let pipeline = system::pipeline(&system).await;
    workload::configure(&pipeline, &url).await?;
    let bench =
        Bench { running: &running, gateway: &system.gateway, pipeline: &pipeline, arrived: &arrived, args };
    let counted = bench.measure(progress).await;
    running.stop().await;
    counted
}

/// A practice that is ready, and what is sent to it.
struct Bench<'a> {
    running: &'a Running,
    gateway: &'a str,
    pipeline: &'a Pipeline,
    arrived: &'a Counter,
    args: &'a Args,
}

impl Bench<'_> {
    async fn measure(&self, progress: &Progress) -> Result<Counted, Failure> {
        let running = self.running;
        let step = progress.step("warm-up");
        self.send(true).await?;
        step.done("data keys are fetched, connections open");
        let step = progress.step(if self.args.content.is_file() { "file" } else { "webhooks" });
        let (before, so_far) = (running.functions.invocations(), self.arrived.count());
        running.idle.reset();
        running.meter.start();
        self.send(false).await?;
        // The last deliveries are still to be recorded and deleted.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut calls = running.meter.stop();
        // A queue without work is asked every few seconds: a cost of time, not of messages.
        if let Some(receives) = calls.get_mut("sqs.ReceiveMessage") {
            receives.calls = receives.calls.saturating_sub(running.idle.count());
        }
        step.done(&format!("{} delivered", self.arrived.count()));
        let invocations = running.functions.invocations().into_iter();
        let invocations =
            invocations.map(|(id, count)| (before.get(&id).map_or(count, |known| count - known), id));
        let arrived = self.arrived.count() - so_far;
        Ok(Counted { calls, invocations: invocations.map(|(count, id)| (id, count)).collect(), arrived })
    }

    /// Sends what warms up, or what is counted, and waits until all of it has arrived.
    async fn send(&self, is_warm_up: bool) -> Result<(), Failure> {
        let Args { messages, bytes, content, .. } = *self.args;
        let so_far = self.arrived.count();
        let (file, text, expected) = match (content, is_warm_up) {
            (Content::Events | Content::Noise, _) => {
                let (from, to) = if is_warm_up { (0, WARM_UP) } else { (WARM_UP, WARM_UP + messages) };
                workload::send(self.gateway, content, from, to, bytes).await?;
                return wait_for(self.arrived, so_far + to - from).await;
            }
            (Content::Rows, true) => ("rows-1.csv", rows::list(0..WARM_UP, 0), WARM_UP),
            (Content::Rows, false) => ("rows-2.csv", rows::list(WARM_UP..WARM_UP + messages, 0), messages),
            (Content::Batches, true) => ("batches-1.csv", rows::list(0..WARM_UP, 0), WARM_UP),
            (Content::Batches, false) => {
                ("batches-2.csv", rows::list(WARM_UP..WARM_UP + messages, 0), messages)
            }
            (Content::Snapshot, true) => ("list-1.csv", rows::list(0..messages, 0), messages),
            (Content::Snapshot, false) => {
                ("list-2.csv", rows::list(0..messages, 1), messages.div_ceil(rows::ONE_IN))
            }
        };
        rows::drop_file(self.pipeline, file, text).await?;
        if content != Content::Batches {
            wait_for(self.arrived, so_far + expected).await?;
        }
        let begun = Instant::now();
        while rows::delivered(self.pipeline, file).await? < expected as u64 {
            if begun.elapsed() > PATIENCE {
                return Err(Failure::World(format!("not all of {expected} rows were delivered")));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }
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
    let is_file = args.content.is_file();
    let mut items = Vec::new();
    if !is_file {
        items.push(item("API Gateway (HTTP API)", 1.0, 1.0, prices::HTTP_API));
    }
    let invoked = counted.invocations.values().sum::<u64>() as f64 / messages;
    items.push(item("Lambda invocations", invoked, invoked, prices::INVOCATION));
    // Two more functions work each message once: normalize and deliver. Of a snapshot, what has changed.
    let share = counted.arrived as f64 / messages;
    let further = if args.content == Content::Batches { (1.0 - share) * args.further_ms } else { 0.0 };
    let door = if is_file { args.row_ms * FILE_MEMORY_GB } else { args.intake_ms * MEMORY_GB };
    let gb_seconds = (door + (share * 2.0 * args.record_ms + further) * MEMORY_GB) / 1_000.0;
    items.push(item("Lambda duration (assumed)", 0.0, gb_seconds, prices::GB_SECOND));
    for (call, tally) in &counted.calls {
        let Some(price) = prices::price(call) else { continue };
        let calls = tally.calls as f64 / messages;
        // Where no size is known, each call is one unit.
        let units = if price.by_units && tally.units > 0.0 { tally.units / messages } else { calls };
        items.push(item(call, calls, units, price));
    }
    let logs = share * args.log_bytes / 1_000.0;
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
    let (what, door) = match args.content {
        Content::Events | Content::Noise => (format!("webhooks of {} bytes", args.bytes), args.intake_ms),
        Content::Rows => ("rows".to_owned(), args.row_ms),
        Content::Batches => {
            let together = args.messages as f64 / counted.arrived.max(1) as f64;
            (format!("rows, {together:.0} to a message"), args.row_ms)
        }
        Content::Snapshot => (format!("rows, one in {} of them changed", rows::ONE_IN), args.row_ms),
    };
    out.text(format_args!(
        "\n{total:.2} USD per million {what} (us-east-1, list prices as of {}); assumed: {door} ms of Lambda at the door, \
         2 × {} ms behind it at {MEMORY_GB} GB, {} bytes of logs",
        prices::AS_OF, args.record_ms, args.log_bytes
    ));
}
