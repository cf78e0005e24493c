//! The Lambda binary: [`deliver`] over AWS and HTTP.

use std::process::ExitCode;

use bridge_adapters::{Catalog, Transports};
use bridge_aws::{AwsPorts, lambda};
use deliver::{Deliver, WARM};

fn main() -> ExitCode {
    lambda::main(&WARM, |aws| {
        Ok(Deliver::new(AwsPorts::new(aws, Catalog::builtin()).with_destination(Transports::new()?)))
    })
}
