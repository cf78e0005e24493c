//! The Lambda binary: [`normalize`] over AWS.

use std::process::ExitCode;

use bridge_adapters::Catalog;
use bridge_aws::{AwsPorts, lambda};
use normalize::{Normalize, WARM};

fn main() -> ExitCode {
    lambda::main(&WARM, |aws| Ok(Normalize::new(AwsPorts::new(aws, Catalog::builtin()))))
}
