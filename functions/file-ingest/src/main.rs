//! The Lambda binary: [`file_ingest`] over AWS.

use std::process::ExitCode;

use bridge_adapters::Catalog;
use bridge_aws::{AwsPorts, MissingSettings, lambda};
use file_ingest::{FileIngest, WARM};

fn main() -> ExitCode {
    lambda::main(&WARM, |aws| {
        if aws.settings().files_bucket.is_empty() {
            return Err(MissingSettings(vec!["FILES_BUCKET"]).into());
        }
        Ok(FileIngest::new(AwsPorts::new(aws, Catalog::builtin())))
    })
}
