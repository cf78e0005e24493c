//! What commands say. Text for people, JSON for programs; colours only where somebody looks.

mod line;
mod progress;
mod style;
mod table;

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

pub(crate) use line::LiveLines;
pub(crate) use progress::Progress;
use serde_json::Value;
pub(crate) use style::{Colour, Style};
pub(crate) use table::Table;

use crate::environment;

/// Where a command's answer goes: stdout, as text or as JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    /// JSON documents, one a line, with stable field names.
    pub(crate) json: bool,
    /// How text is coloured.
    pub(crate) style: Style,
}

impl Out {
    /// For this process's stdout.
    pub(crate) fn new(json: bool) -> Self {
        // https://no-color.org
        let plain = json || environment::variable("NO_COLOR").is_some();
        Self { json, style: Style::new(!plain && io::stdout().is_terminal()) }
    }

    /// A line of text; nothing with `--json`.
    pub(crate) fn text(self, line: impl Display) {
        if !self.json {
            print(format_args!("{line}\n"));
        }
    }

    /// A JSON document on a line of its own; nothing without `--json`.
    pub(crate) fn json(self, document: &Value) {
        if self.json {
            print(format_args!("{document}\n"));
        }
    }
}

/// Writes to stdout. A reader that has gone away (`| head`) has seen what it wanted.
pub(crate) fn print(text: impl Display) {
    let mut stdout = io::stdout().lock();
    let _ = write!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// Writes a line to stderr.
pub(crate) fn note(text: impl Display) {
    // Nobody is left to tell when stderr is gone.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
