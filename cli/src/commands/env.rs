//! `bridge env`: the environment of a running bridge's functions, for a shell: `eval "$(bridge env)"`, and then
//! `cargo lambda watch`.

use serde_json::json;

use crate::{
    arguments::Global,
    failure::Failure,
    output::Out,
    system::{self, local_credentials},
};

/// Prints it.
pub(crate) fn run(global: &Global, out: Out) -> Result<(), Failure> {
    let found = system::find(&global.state(), global.endpoint.as_deref())?;
    let Some(system) = found.system else {
        return Err(Failure::Wrong("the environment is set already: LEDGER_TABLE has a value".to_owned()));
    };
    let (mut environment, credentials) = (system.environment, local_credentials());
    environment.insert("AWS_REGION".to_owned(), system.region);
    environment.insert("AWS_ACCESS_KEY_ID".to_owned(), credentials.id);
    environment.insert("AWS_SECRET_ACCESS_KEY".to_owned(), credentials.secret);
    for (name, value) in &environment {
        // What we put there ourselves: names, addresses and numbers. A quote in it would be a defect of ours.
        out.text(format_args!("export {name}='{}'", value.replace('\'', "")));
    }
    out.json(&json!(environment));
    Ok(())
}
