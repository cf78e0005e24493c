//! The Lambda binary: [`hl7_intake`] over AWS.

use std::process::ExitCode;

use bridge_adapters::Catalog;
use bridge_aws::{AwsPorts, lambda};
use hl7_intake::{Hl7Intake, WARM};

fn main() -> ExitCode {
    lambda::main(&WARM, |aws| Ok(Hl7Intake::new(AwsPorts::new(aws, Catalog::builtin()))))
}
