//! The Lambda binary: [`export`] over AWS.

use std::process::ExitCode;

use bridge_adapters::Catalog;
use bridge_aws::{AwsPorts, MissingSettings, lambda};
use export::{Export, WARM};

fn main() -> ExitCode {
    lambda::main(&WARM, |aws| {
        let settings = aws.settings();
        let needed =
            [("FILES_BUCKET", &settings.files_bucket), ("EXPORTS_QUEUE_URL", &settings.exports_queue_url)];
        let missing: Vec<_> =
            needed.iter().filter(|(_, value)| value.is_empty()).map(|(name, _)| *name).collect();
        if !missing.is_empty() {
            return Err(MissingSettings(missing).into());
        }
        Ok(Export::new(AwsPorts::new(aws, Catalog::builtin())))
    })
}
