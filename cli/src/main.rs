//! The `bridge` command.
//!
//! `bridge` alone (and so `cargo run`) is `bridge up`: everything on this machine. The other commands find that
//! bridge, or a deployed one by the environment of its functions. `docs/cli.md` explains all of them.

mod arguments;
mod commands;
mod demo;
mod environment;
mod failure;
mod files;
mod hl7;
mod local;
mod output;
mod receiver;
mod system;
mod template;
mod texts;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use output::Out;

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { global, command } = Arguments::parse();
    let out = Out::new(global.json);
    let done = match command.unwrap_or_default() {
        Command::Up(args) => commands::up::run(&global, args, out).await,
        Command::Connections { command } => commands::connections::run(&global, command, out).await,
        Command::Tenants { command } => commands::tenants::run(&global, command, out).await,
        Command::Messages { command } => commands::messages::run(&global, command, out).await,
        Command::Exports { command } => commands::exports::run(&global, command, out).await,
        Command::Polls { command } => commands::polls::run(&global, command, out).await,
        Command::Replays { command } => commands::replays::run(&global, command, out).await,
        Command::Files { command } => commands::files::run(&global, command, out).await,
        Command::Feeds { command } => commands::feeds::run(&global, command, out).await,
        Command::Adapters { command } => commands::adapters::run(command, out).await,
        Command::Keys { command } => commands::keys::run(&global, command, out).await,
        Command::Env => commands::env::run(&global, out),
        Command::Token(args) => commands::token::run(&global, &args, out),
        Command::Convert(args) => commands::convert::run(&args, out),
        Command::Send(args) => commands::send::run(&args, out).await,
        Command::Ack(args) => commands::ack::run(&global, &args, out).await,
        Command::Bench { command } => commands::bench::run(&global, command, out).await,
        Command::Receiver(args) => commands::receiver::run(args, out).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if global.json {
                out.json(
                    &serde_json::json!({"error": {"kind": failure.word(), "message": failure.to_string()}}),
                );
            } else {
                output::note(format_args!("error: {failure}"));
            }
            failure.code()
        }
    }
}
