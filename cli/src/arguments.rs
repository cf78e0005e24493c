//! What stands on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{
    commands::{
        ack, adapters, bench, connections, convert, exports, feeds, files, keys, messages, polls, receiver,
        replays, send, tenants, token, up,
    },
    environment,
    local::state::State,
};

/// An integration engine between practice management systems and Practice Studio.
///
/// Exit codes: 0 done; 1 something outside failed, try again; 2 wrong input; 3 not there; 4 no bridge runs;
/// 5 looked at and found wanting.
#[derive(Debug, Parser)]
#[command(name = "bridge", version)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What all commands have.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Folder of a bridge on this machine [default: BRIDGE_STATE, or the nearest `.bridge`]
    #[arg(long, global = true, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    /// Something that speaks AWS's protocols [default: AWS_ENDPOINT_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Answer in JSON, a document a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Global {
    /// The state folder.
    pub(crate) fn state(&self) -> State {
        let asked =
            self.state_dir.clone().or_else(|| environment::variable("BRIDGE_STATE").map(PathBuf::from));
        State::find(asked.as_deref(), &environment::folder())
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on this machine (the default)
    Up(up::Args),
    /// Configure the links to systems
    Connections {
        #[command(subcommand)]
        command: connections::Command,
    },
    /// Configure practices
    Tenants {
        #[command(subcommand)]
        command: tenants::Command,
    },
    /// Follow messages, and send them through again
    Messages {
        #[command(subcommand)]
        command: messages::Command,
    },
    /// Ask products what has changed, and see how far that is
    Polls {
        #[command(subcommand)]
        command: polls::Command,
    },
    /// Send many finished messages through again
    Replays {
        #[command(subcommand)]
        command: replays::Command,
    },
    /// Send files, and see what became of them
    Files {
        #[command(subcommand)]
        command: files::Command,
    },
    /// See what files practices are sent, have one written now, or what was set aside again
    Exports {
        #[command(subcommand)]
        command: exports::Command,
    },
    /// Try a feed on a sample, or propose one
    Feeds {
        #[command(subcommand)]
        command: feeds::Command,
    },
    /// See what is known of products, and prove it
    Adapters {
        #[command(subcommand)]
        command: adapters::Command,
    },
    /// Make, rotate and withdraw the keys by which products know the bridge
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Print the environment of the functions, for `cargo lambda watch`
    Env,
    /// Print a token for the FHIR interface of the bridge on this machine
    Token(token::Args),
    /// Show the FHIR that HL7 v2 messages become, or the messages that FHIR becomes
    Convert(convert::Args),
    /// Send HL7 v2 messages, over MLLP or HTTP
    Send(send::Args),
    /// Show the acknowledgments that HL7 v2 messages get
    Ack(ack::Args),
    /// Measure what a message costs
    Bench {
        #[command(subcommand)]
        command: bench::Command,
    },
    /// Run the stand-in for Practice Studio alone, or a receiver of HL7 v2
    Receiver(receiver::Args),
}

impl Default for Command {
    fn default() -> Self {
        Self::Up(up::Args::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }

    #[test]
    fn alone_it_runs_everything() {
        let alone = Arguments::parse_from(["bridge"]).command.unwrap_or_default();
        assert!(matches!(alone, Command::Up(_)));
    }
}
