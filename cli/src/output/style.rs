//! Colours, by ANSI escapes (ECMA-48) or not at all.

use std::fmt::Display;

/// The colours that are used, by what they mean here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// It went well.
    Good,
    /// It waits.
    Waits,
    /// Somebody must look.
    Bad,
    /// Beside the point.
    Faint,
    /// What to look at.
    Strong,
}

/// Whether to colour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    on: bool,
}

impl Style {
    /// With colours, or without.
    pub(crate) const fn new(on: bool) -> Self {
        Self { on }
    }

    /// The text in a colour.
    pub(crate) fn paint(self, colour: Colour, text: impl Display) -> String {
        let code = match colour {
            Colour::Good => "32",
            Colour::Waits => "33",
            Colour::Bad => "31",
            Colour::Faint => "2",
            Colour::Strong => "1",
        };
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }

    /// The colour of an outcome's or state's word.
    pub(crate) fn outcome(self, word: &str, text: impl Display) -> String {
        let colour = match word {
            "delivered" | "normalized" | "accepted" | "released" | "replayed" | "open" => Colour::Good,
            "retry" | "waiting" | "unknown" | "not yet" | "duplicate" | "attempting" | "queued" => {
                Colour::Waits
            }
            "parked" | "rejected" | "refused" | "failed" | "panicked" | "unreadable" => Colour::Bad,
            _ => return text.to_string(),
        };
        self.paint(colour, text)
    }
}
