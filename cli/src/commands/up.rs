//! `bridge up`: everything on this machine.

use std::path::PathBuf;

use bridge_aws::SystemClock;
use bridge_core::id::TenantId;
use bridge_emulator::Keep;
use bridge_pipeline::ports::Clock as _;
use serde_json::json;
use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    arguments::Global,
    demo::{self, traffic},
    environment,
    failure::Failure,
    local::{
        self, Running, drops,
        emulator::{self, Endpoint},
        issuer::LocalIssuer,
        mllp, outbox, server, signals,
        state::{State, System},
    },
    output::{Colour, LiveLines, Out, Progress, note},
    receiver::{PATH, Receiver},
    system,
};

/// Preferred port of the API.
const GATEWAY_PORT: u16 = 9400;
/// Where files are dropped, in the state folder.
const DROP_FOLDER: &str = "drops";
/// Where what they are sent is shown, beside it.
const OUTBOX_FOLDER: &str = "outbox";
/// Preferred port of the demo's receiver.
pub(crate) const RECEIVER_PORT: u16 = 9401;

/// Its arguments.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Port of the webhooks on loopback [default: the first free one from 9400]
    #[arg(long)]
    port: Option<u16>,
    /// Port of MLLP on loopback [default: the first free one from 2575]
    #[arg(long, value_name = "PORT")]
    mllp_port: Option<u16>,
    /// Practice whose HL7 v2 connections take messages by MLLP, can be given several times [default: sunrise]
    #[arg(long, value_name = "TENANT")]
    mllp_tenant: Vec<TenantId>,
    /// Folder for everything that is kept (the same as --state-dir)
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// No example practice and no receiver
    #[arg(long)]
    no_demo: bool,
    /// Share of the calls that the demo's receiver fails, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    receiver_fail: f64,
    /// No progress and no line per message
    #[arg(long)]
    quiet: bool,
}

/// Runs it until it is asked to stop.
pub(crate) async fn run(global: &Global, args: Args, out: Out) -> Result<(), Failure> {
    install_log(out, args.quiet);
    let state = args.state.as_deref().map_or_else(|| global.state(), State::at);
    let _lock = state.lock()?;
    let progress = Progress::new(out, args.quiet);
    let given = global.endpoint.clone().or_else(|| environment::variable("AWS_ENDPOINT_URL"));
    let endpoint = emulator::endpoint(given, state.path(), Keep::State, &progress).await?;
    let ran = serve(&state, &endpoint, &args, out, &progress).await;
    state.withdraw();
    // Whatever happened: the emulator keeps its state only when it is stopped.
    let step = progress.step("emulator");
    if endpoint.stop().await? {
        step.done("stopped, its state is kept");
    }
    ran
}

async fn serve(
    state: &State,
    endpoint: &Endpoint,
    args: &Args,
    out: Out,
    progress: &Progress,
) -> Result<(), Failure> {
    let stack = local::create(&endpoint.url, progress).await?;
    let listener = server::listen(args.port, GATEWAY_PORT).await?;
    let gateway = format!("http://{}", listener.local_addr()?);
    let mut system = System {
        pid: std::process::id(),
        since: SystemClock.now(),
        gateway: gateway.clone(),
        mllp: None,
        receiver: None,
        region: local::REGION.to_owned(),
        environment: stack.environment.clone(),
    };
    let mut running = stack.start(listener, &LocalIssuer::open(state.path())?, progress).await?;
    let mut fresh = false;
    if !args.no_demo {
        let (url, new) = start_demo(&system, &mut running, args, progress).await?;
        system.receiver = Some(url);
        fresh = new;
    }
    let tenants = match &*args.mllp_tenant {
        [] => &[demo::tenant()?],
        given => given,
    };
    let at = mllp::start(args.mllp_port, tenants, &system, &mut running, progress).await?;
    system.mllp = Some(at.to_string());
    let folder = state.path().join(DROP_FOLDER);
    std::fs::create_dir_all(&folder)?;
    let (pipeline, quiet) = (system::pipeline(&system).await, args.quiet);
    running.also(|stop| drops::watch(pipeline, folder, out, quiet, stop));
    let (pipeline, folder) = (system::pipeline(&system).await, state.path().join(OUTBOX_FOLDER));
    running.also(|stop| outbox::mirror(pipeline, folder, out, quiet, stop));
    state.announce(&system)?;
    if !args.quiet {
        greet(&system, state, out);
    }
    out.json(&json!({"event": "ready", "system": system, "state": state.path(), "try": to_try(&system)}));
    if fresh {
        send_samples(&system).await;
    }
    signals::asked_to_stop().await?;
    stop(running, out, args.quiet).await;
    Ok(())
}

/// Starts the receiver and applies the example; returns where deliveries go, and whether anything was new.
async fn start_demo(
    system: &System,
    running: &mut Running,
    args: &Args,
    progress: &Progress,
) -> Result<(String, bool), Failure> {
    let step = progress.step("example");
    let listener = server::listen(None, RECEIVER_PORT).await?;
    let url = format!("http://{}{PATH}", listener.local_addr()?);
    let receiver = Receiver::new(demo::signing_secret()?, args.receiver_fail);
    running.also(|stop| receiver.serve(listener, stop));
    let pipeline = system::pipeline(system).await;
    let seeded = demo::seed(&pipeline, &url).await?;
    let word = if seeded.new { "applied" } else { "found" };
    step.done(&format!("practice `{}` with {} connections {word}", demo::TENANT, seeded.connections));
    Ok((url, seeded.new))
}

/// A few webhooks, so that a newcomer sees something move.
async fn send_samples(system: &System) {
    let sent = async {
        let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(15)).build();
        let client = client.map_err(|error| Failure::World(error.to_string()))?;
        traffic::send(&system::pipeline(system).await, &client, &system.gateway).await
    };
    if let Err(error) = sent.await {
        tracing::warn!(%error, "the sample traffic could not be sent");
    }
}

fn greet(system: &System, state: &State, out: Out) {
    let strong = |text: &str| out.style.paint(Colour::Strong, text);
    out.text("");
    out.text(format_args!("{}  {}/webhooks/{{connection}}", strong("webhooks "), system.gateway));
    out.text(format_args!(
        "{}  {}/fhir/{{connection}}, with `bridge token`",
        strong("fhir     "),
        system.gateway
    ));
    if let Some(mllp) = &system.mllp {
        out.text(format_args!("{}  {mllp}", strong("mllp     ")));
    }
    if let Some(receiver) = &system.receiver {
        out.text(format_args!("{}  {}", strong("delivered"), receiver.trim_end_matches(PATH)));
    }
    let drops = state.path().join(DROP_FOLDER);
    out.text(format_args!("{}  {}/{{connection}}/", strong("files    "), drops.display()));
    let outbox = state.path().join(OUTBOX_FOLDER);
    out.text(format_args!("{}  {}/{{connection}}/", strong("outbox   "), outbox.display()));
    out.text(format_args!("{}  {}", strong("state    "), state.path().display()));
    if system.receiver.is_some() {
        out.text("");
        out.text("Try, in another terminal:");
        for line in to_try(system) {
            out.text(format_args!("  {line}"));
        }
    }
    out.text("");
    out.text(out.style.paint(
        Colour::Faint,
        "Ctrl-C stops and keeps everything. From here on a line for each step of a message:",
    ));
}

/// Three commands for a newcomer, as they type them: cargo tells its children that it is there.
fn to_try(system: &System) -> [String; 3] {
    let bridge = if environment::variable("CARGO").is_some() { "cargo run -q --" } else { "bridge" };
    let trace = format!("{bridge} messages trace msg_…   # an id from the list");
    [traffic::curl(&system.gateway), format!("{bridge} messages list"), trace]
}

/// Lets what was begun come to its end; a second request to stop does not wait for it.
async fn stop(running: Running, out: Out, quiet: bool) {
    if !quiet {
        out.text("\nstopping: what was begun is finished first (again Ctrl-C: at once)");
    }
    out.json(&json!({"event": "stopping"}));
    tokio::select! {
        () = running.stop() => {}
        _ = signals::asked_to_stop() => note("stopping at once: what was under way comes back after its queue's visibility time-out"),
    }
}

/// Lines of messages on stdout, worries on stderr.
fn install_log(out: Out, quiet: bool) {
    let worries = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false).with_filter(
        Targets::new()
            .with_default(tracing::Level::WARN)
            .with_target("bridge::line", tracing::level_filters::LevelFilter::OFF),
    );
    let lines = (!quiet).then(|| LiveLines::new(out));
    tracing_subscriber::registry().with(worries).with(lines).init();
}
