//! Steps of a preparation with the time each took; a spinner while somebody looks.

use std::{
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;

use super::{Colour, Out, print};

const FRAMES: &[&str] = &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// Shows how far a preparation is.
#[derive(Debug)]
pub(crate) struct Progress {
    out: Out,
    quiet: bool,
    spin: bool,
}

/// A step under way. Dropping it without [`Step::done`] leaves nothing behind on the screen.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    progress: &'a Progress,
    name: String,
    begun: Instant,
    spinner: Option<JoinHandle<()>>,
}

impl Progress {
    /// On stdout; nothing when `quiet`.
    pub(crate) fn new(out: Out, quiet: bool) -> Self {
        Self { out, quiet, spin: !quiet && !out.json && io::stdout().is_terminal() }
    }

    /// Begins a step.
    pub(crate) fn step(&self, name: &str) -> Step<'_> {
        let spinner = self.spin.then(|| {
            let name = name.to_owned();
            tokio::spawn(async move {
                for frame in FRAMES.iter().cycle() {
                    print(format_args!("\r{frame} {name} …"));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            })
        });
        Step { progress: self, name: name.to_owned(), begun: Instant::now(), spinner }
    }
}

impl Step<'_> {
    /// It is done; `what` says what came of it.
    pub(crate) fn done(mut self, what: &str) {
        self.clear();
        let Progress { out, quiet, .. } = self.progress;
        let millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        if *quiet {
            return;
        }
        if out.json {
            out.json(
                &serde_json::json!({"event": "prepared", "step": self.name, "what": what, "ms": millis}),
            );
            return;
        }
        let tick = out.style.paint(Colour::Good, "✓");
        let time = out.style.paint(Colour::Faint, format_args!("{:>8}", took(self.begun.elapsed())));
        print(format_args!("{tick} {:<14} {time}  {what}\n", self.name));
    }

    fn clear(&mut self) {
        if let Some(spinner) = self.spinner.take() {
            spinner.abort();
            print("\r\u{1b}[2K");
        }
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A duration for people: `7 ms`, `1.2 s`, `2 min 5 s`.
pub(crate) fn took(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        millis @ 1000..60_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        millis => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let shown = [7, 999, 1_249, 59_999, 125_000].map(|millis| took(Duration::from_millis(millis)));
        assert_eq!(shown, ["7 ms", "999 ms", "1.2 s", "59.9 s", "2 min 5 s"]);
    }
}
