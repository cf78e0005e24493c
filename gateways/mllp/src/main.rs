//! The process: [`mllp_gateway`] over AWS, until SIGTERM.

use std::{
    error::Error,
    io::{self, Write as _},
    net::Ipv6Addr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use bridge_adapters::Catalog;
use bridge_aws::{
    Aws, AwsPorts, SystemClock,
    lambda::{self, Warm},
};
use bridge_pipeline::ports::{Clock as _, QueueName};
use mllp_gateway::{Gateway, Metrics, health, pipeline::Pipeline, settings::Settings};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

type BoxError = Box<dyn Error + Send + Sync>;

/// How often metrics are written, and certificates looked at that may have changed.
const EVERY: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() -> ExitCode {
    lambda::install_log();
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tracing::error!(%error, "the gateway can't start");
            ExitCode::FAILURE
        }
    }
}

/// Serves; whether everything that was begun was finished in the end.
async fn run() -> Result<bool, BoxError> {
    let settings = Settings::read(variable)?;
    let aws = Aws::from_env().await?;
    aws.warm_up(&[Warm::Tables, Warm::Keys, Warm::Sending(QueueName::Inbound)]).await;
    let sink = Arc::new(Pipeline::new(AwsPorts::new(aws, Catalog::builtin())));

    let mut gateway = Gateway::new(sink, settings.limits);
    for door in &settings.doors {
        gateway.open(door, listen(door.port).await?, &settings.identity)?;
    }
    let followed = settings
        .tls_folder
        .clone()
        .map(|folder| tokio::spawn(gateway.renewal().follow(folder, settings.identity.clone(), EVERY)));
    let metrics = gateway.metrics();
    let (stopper, stopping) = watch::channel(false);
    let healthy =
        tokio::spawn(health::serve(listen(settings.health_port).await?, Arc::clone(&metrics), stopping));
    let measured = tokio::spawn(measure(Arc::clone(&metrics), settings.service.clone()));

    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tracing::info!(doors = settings.doors.len(), "ready");
    let finished = gateway
        .serve(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!(open = metrics.open(), "stopping: what was begun is finished first");
            stopper.send_replace(true);
        })
        .await;
    measured.abort();
    followed.inspect(JoinHandle::abort);
    healthy.abort();
    write(&metrics, &settings.service);
    Ok(finished)
}

/// On all addresses, of IPv4 too.
async fn listen(port: u16) -> Result<TcpListener, BoxError> {
    let at = (Ipv6Addr::UNSPECIFIED, port);
    match TcpListener::bind(at).await {
        Ok(listener) => Ok(listener),
        // A host without IPv6.
        Err(_) => TcpListener::bind(("0.0.0.0", port))
            .await
            .map_err(|error| format!("port {port} can't be used: {error}").into()),
    }
}

async fn measure(metrics: Arc<Metrics>, service: String) {
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    every.tick().await;
    loop {
        every.tick().await;
        write(&metrics, &service);
    }
}

/// Past the log's levels and filters: CloudWatch reads the line.
fn write(metrics: &Metrics, service: &str) {
    // Nothing can be said where nothing can be written.
    let _ = writeln!(io::stdout().lock(), "{}", metrics.line(service, SystemClock.now()));
}

#[expect(
    clippy::disallowed_methods,
    reason = "here the process is wired; everybody else is handed its settings"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
