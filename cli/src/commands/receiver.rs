//! `bridge receiver`: the demo's stand-in for Practice Studio, alone, for trying a deployed bridge or breaking a local one;
//! with `--mllp`, a receiver of HL7 v2 in its place.

use bridge_core::Phi;

use crate::{
    failure::Failure,
    hl7,
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
    #[arg(long, value_name = "SECRET", required_unless_present = "mllp", conflicts_with = "mllp")]
    secret: Option<String>,
    /// Take HL7 v2 over MLLP instead, from port 2576 on
    #[arg(long)]
    mllp: bool,
    /// Share of the calls that fail, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    fail: f64,
}

/// Runs it.
pub(crate) async fn run(args: Args, out: Out) -> Result<(), Failure> {
    let Some(secret) = args.secret else { return take_hl7(args.port, args.fail, out).await };
    let listener = server::listen(args.port, super::up::RECEIVER_PORT).await?;
    let url = format!("http://{}{PATH}", listener.local_addr()?);
    out.text(format_args!(
        "takes deliveries at {url}, and shows them there and at http://{}/",
        listener.local_addr()?
    ));
    out.json(&serde_json::json!({"event": "ready", "receiver": url}));
    let (stopper, stop) = stop::pair();
    let serving = tokio::spawn(Receiver::new(Phi::new(secret), args.fail).serve(listener, stop));
    signals::asked_to_stop().await?;
    stopper.stop();
    // A panic of the server has been printed.
    let _ = serving.await;
    Ok(())
}

/// Next to the port of the bridge's own MLLP door.
const MLLP_PORT: u16 = 2576;

async fn take_hl7(port: Option<u16>, fail: f64, out: Out) -> Result<(), Failure> {
    let listener = server::listen(port, MLLP_PORT).await?;
    let address = format!("mllp://{}", listener.local_addr()?);
    out.text(format_args!("takes HL7 v2 at {address}"));
    out.json(&serde_json::json!({"event": "ready", "receiver": address}));
    let (stopper, stop) = stop::pair();
    let serving = tokio::spawn(hl7::receiver::Receiver::new(fail.clamp(0.0, 1.0), out).serve(listener, stop));
    signals::asked_to_stop().await?;
    stopper.stop();
    // A panic of the server has been printed.
    let _ = serving.await;
    Ok(())
}
