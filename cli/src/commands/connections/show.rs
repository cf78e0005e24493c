//! `bridge connections show`: never a secret's value, only its name and a fingerprint to compare by.

use std::time::Duration;

use bridge_aws::SystemClock;
use bridge_core::{
    config::{Role, Serves},
    id::ConnectionId,
};
use bridge_pipeline::{ports::Clock as _, resilience::EndpointState};
use serde_json::json;

use crate::{
    failure::Failure,
    output::{Colour, Out},
    system::Pipeline,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which connection
    connection: ConnectionId,
}

const REJECTIONS_OF: Duration = Duration::from_hours(24);

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let id = &args.connection;
    let loaded = super::existing(pipeline, id).await?;
    let index = pipeline.index_key(&id.tenant()).await?;
    let mut secrets = Vec::new();
    for (name, secret) in &loaded.connection.secrets {
        // Under the tenant's key: nobody can try values against it elsewhere.
        let print = |value: &bridge_core::Phi<String>| {
            let token = index.token(id, &format!("fingerprint of {name}"), value.expose());
            token.as_str().trim_start_matches("ix_").chars().take(8).collect::<String>()
        };
        secrets.push((name.clone(), secret.values().iter().map(print).collect::<Vec<_>>()));
    }
    let history = pipeline.history(id).await?;
    let rejections = pipeline.rejections(Some(id), SystemClock.now() - REJECTIONS_OF).await?;
    let yaml = super::apply::canonical(&loaded.connection)?;
    let endpoints =
        pipeline.endpoint_states(&loaded).await.map_err(|error| Failure::World(error.to_string()))?;
    out.json(&json!({
        "connection": id, "version": loaded.version, "yaml": yaml,
        "secrets": secrets.iter().map(|(name, prints)| json!({"name": name, "fingerprints": prints})).collect::<Vec<_>>(),
        "versions": history.iter().map(|v| json!({"version": v.version, "applied_at": v.applied_at, "actor": v.actor})).collect::<Vec<_>>(),
        "rejections": rejections, "endpoints": endpoints,
    }));
    let heading = |text: &str| out.style.paint(Colour::Strong, text);
    out.text(heading(&format!("{id}, version {}", loaded.version)));
    out.text(yaml.trim_end());
    out.text(heading("secrets (fingerprints)"));
    for (name, prints) in secrets {
        out.text(format_args!("  {name}: {}", prints.join(", ")));
    }
    if !endpoints.is_empty() {
        out.text(heading("endpoints"));
    }
    for endpoint in &endpoints {
        out.text(format_args!("  {}", line(endpoint)));
    }
    out.text(heading("versions"));
    for version in history.iter().rev() {
        let reason = if version.actor.reason.is_empty() { "no reason given" } else { &version.actor.reason };
        out.text(format_args!(
            "  {:>3}  {}  {}  {reason}",
            version.version, version.applied_at, version.actor.name
        ));
    }
    out.text(heading("turned away in the last 24 hours"));
    if rejections.is_empty() {
        out.text("  nothing");
    }
    for rejected in rejections {
        out.text(format_args!("  {:>5} ×  {}  (last {})", rejected.count, rejected.cause, rejected.last));
    }
    Ok(())
}

/// `west (deliveries, standby)  failing since 2026-01-05T15:00:00.000Z`
fn line(endpoint: &EndpointState) -> String {
    let EndpointState { endpoint: name, serves, role, state, at, .. } = endpoint;
    let side = match serves {
        Serves::Deliveries => "deliveries",
        Serves::Interface => "interface",
    };
    let what = match (name.is_empty(), role) {
        (true, _) => side.to_owned(),
        (false, Role::Primary) => format!("{name} ({side})"),
        (false, Role::Standby) => format!("{name} ({side}, standby)"),
    };
    match (at, *state) {
        (Some(at), "quiet") => format!("{what}  asked for quiet until {at}"),
        (Some(at), state) => format!("{what}  {state} since {at}"),
        (None, state) => format!("{what}  {state}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_says_where_it_is_and_how_it_stands() {
        let endpoint = EndpointState {
            endpoint: "west".to_owned(),
            serves: Serves::Deliveries,
            role: Role::Standby,
            weight: 1,
            state: "failing",
            at: Some(bridge_core::Timestamp::from_millis(0)),
        };
        assert_eq!(line(&endpoint), "west (deliveries, standby)  failing since 1970-01-01T00:00:00.000Z");
        let only = EndpointState {
            endpoint: String::new(),
            state: "healthy",
            at: None,
            role: Role::Primary,
            ..endpoint
        };
        assert_eq!(line(&only), "deliveries  healthy");
    }
}
