//! `bridge token`: a token for the FHIR interface of the bridge on this machine.

use bridge_core::id::TenantId;
use serde_json::json;

use crate::{
    arguments::Global,
    demo,
    failure::Failure,
    local::issuer::{LIFETIME, LocalIssuer},
    output::Out,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Practice whose connections are asked [default: sunrise]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
    /// Scopes of SMART App Launch 2.2, separated by blanks
    #[arg(long, value_name = "SCOPES", default_value = "system/*.cruds")]
    scope: String,
}

/// Prints it.
pub(crate) fn run(global: &Global, args: &Args, out: Out) -> Result<(), Failure> {
    let tenant = match &args.tenant {
        Some(tenant) => tenant.clone(),
        None => demo::tenant()?,
    };
    let token = LocalIssuer::find(global.state().path())?.token(&tenant, &args.scope)?;
    out.text(&token);
    out.json(
        &json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME, "scope": args.scope}),
    );
    Ok(())
}
