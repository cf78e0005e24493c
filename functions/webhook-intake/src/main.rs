//! The Lambda binary: [`webhook_intake`] over AWS.

use std::process::ExitCode;

use bridge_adapters::Catalog;
use bridge_aws::{AwsPorts, lambda};
use webhook_intake::{WARM, WebhookIntake};

fn main() -> ExitCode {
    lambda::main(&WARM, |aws| Ok(WebhookIntake::new(AwsPorts::new(aws, Catalog::builtin()))))
}
