//! The Lambda binary: [`fhir_api`] over AWS, products' interfaces and the configured issuer.

use std::process::ExitCode;

use bridge_adapters::{Catalog, OpenId, Transports};
use bridge_aws::{AwsPorts, IssuerSettings, Valkey, lambda};
use bridge_pipeline::fhir_api::access::{Access, Issuer};
use fhir_api::{FhirApi, IssuerKeys, WARM};

fn main() -> ExitCode {
    lambda::main(&WARM, |aws| {
        let IssuerSettings { issuer, audience, tenant_claim, address } = IssuerSettings::from_env()?;
        let keys = IssuerKeys(OpenId::new(&issuer)?);
        let access = Access::new(Issuer { issuer, audience, tenant_claim }, keys);
        let ports = AwsPorts::new(aws, Catalog::builtin()).with_destination(Transports::new()?);
        let ports = ports.with_cache(Valkey::from_env()?);
        Ok(FhirApi::new(ports, access, address))
    })
}
