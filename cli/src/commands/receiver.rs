//! `bridge receiver`: the demo's stand-in for Practice Studio, alone, for trying a deployed bridge or breaking a local one.

use bridge_core::Phi;

use crate::{
    failure::Failure,
    local::{server, signals, stop},
    output::Out,
    receiver::{PATH, Receiver},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Port on loopback [default: the first free one from 9401]
    #[arg(long)]
    port: Option<u16>,
    /// Signing secret of its deliveries, `whsec_…`
    #[arg(long, value_name = "SECRET")]
    secret: String,
    /// Share of the calls that fail, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    fail: f64,
}

/// Runs it.
pub(crate) async fn run(args: Args, out: Out) -> Result<(), Failure> {
    let listener = server::listen(args.port, super::up::RECEIVER_PORT).await?;
    let url = format!("http://{}{PATH}", listener.local_addr()?);
    out.text(format_args!(
        "takes deliveries at {url}, and shows them there and at http://{}/",
        listener.local_addr()?
    ));
    out.json(&serde_json::json!({"event": "ready", "receiver": url}));
    let (stopper, stop) = stop::pair();
    let serving = tokio::spawn(Receiver::new(Phi::new(args.secret), args.fail).serve(listener, stop));
    signals::asked_to_stop().await?;
    stopper.stop();
    // A panic of the server has been printed.
    let _ = serving.await;
    Ok(())
}
