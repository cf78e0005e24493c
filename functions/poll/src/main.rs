//! The Lambda binary: [`poll`] over AWS and HTTP.

use std::process::ExitCode;

use bridge_adapters::{Catalog, Transports};
use bridge_aws::{AwsPorts, lambda};
use poll::{Poll, WARM};

fn main() -> ExitCode {
    lambda::main(&WARM, |aws| {
        Ok(Poll::new(AwsPorts::new(aws, Catalog::builtin()).with_destination(Transports::new()?)))
    })
}
