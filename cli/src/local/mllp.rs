//! MLLP on loopback: the gateway in this process, with one door that the connections of some practices share.

use std::{net::SocketAddr, sync::Arc};

use bridge_adapters::Catalog;
use bridge_aws::{Aws, AwsPorts};
use bridge_core::id::TenantId;
use mllp_gateway::{
    Gateway, Limits,
    door::{Door, Tls},
    pipeline::Pipeline,
    tls::Identity,
};

use super::{Running, server, state::System};
use crate::{failure::Failure, output::Progress, system::settings};

/// The port that is registered for HL7.
const PORT: u16 = 2575;

/// Opens the door on `port`, or on the first free one from 2575 on, for the connections of `tenants`.
///
/// # Errors
/// When the port that was asked for is taken.
pub(crate) async fn start(
    port: Option<u16>,
    tenants: &[TenantId],
    system: &System,
    running: &mut Running,
    progress: &Progress,
) -> Result<SocketAddr, Failure> {
    let step = progress.step("mllp");
    let listener = server::listen_as("--mllp-port", port, PORT).await?;
    let at = listener.local_addr()?;
    let aws = Aws::new(settings(&system.environment, &system.region)).await;
    let sink = Arc::new(Pipeline::new(AwsPorts::new(aws, Catalog::builtin())));
    let mut gateway = Gateway::new(sink, Limits::default());
    let door = Door {
        port: at.port(),
        tls: Tls::Off,
        connection: None,
        tenants: tenants.to_vec(),
        certificates: Vec::new(),
    };
    gateway.open(&door, listener, &Identity::default()).map_err(|error| Failure::Wrong(error.to_string()))?;
    running.also(|mut stop| async move {
        // What was not finished in time has not been answered: its senders send it again.
        let _finished = gateway.serve(async move { stop.said().await }).await;
    });
    let names: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
    let moved = if port.is_none() && at.port() != PORT {
        format!("; {PORT} is taken, choose with --mllp-port")
    } else {
        String::new()
    };
    step.done(&format!("{at}, for the connections of {}{moved}", names.join(", ")));
    Ok(at)
}
