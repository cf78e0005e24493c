//! The Lambda binary: [`retry`] over AWS.

use std::process::ExitCode;

use bridge_adapters::Catalog;
use bridge_aws::{AwsPorts, lambda};
use retry::{Retry, WARM};

fn main() -> ExitCode {
    lambda::main(&WARM, |aws| {
        let sources = aws.sources();
        Ok(Retry::new(AwsPorts::new(aws, Catalog::builtin()), sources))
    })
}
