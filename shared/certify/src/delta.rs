//! What changed: every change is found, by as many questions as the adapter declares.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bridge_core::{
    Phi, Timestamp,
    manifest::{Delta, Poll, ResourceApi, TimeForm},
};

use crate::{
    reads,
    report::{Area, Report},
    subject::Subject,
};

/// Longer than any simulated practice has been there.
pub(crate) const LONG_AGO: Duration = Duration::from_hours(24 * 400);
/// Over several pages of every product.
const CHANGES: usize = 1_100;
/// A window is never asked for more often than this.
const MOST_WINDOWS: usize = 500;
const CLAIM: &str = "every one of 1,100 changes is found";

pub(crate) async fn run(subject: &Subject, report: &mut Report) {
    for (name, resource) in subject.resources() {
        let (Some(poll), Some(_)) = (&resource.poll, reads::of_book(name)) else { continue };
        if subject.control.is_none() {
            report.skip(Area::Changes, name, CLAIM, "only a simulator changes records when asked");
            continue;
        }
        report.add(Area::Changes, name, CLAIM, changes(subject, name, resource, poll).await);
    }
}

async fn changes(subject: &Subject, name: &str, resource: &ResourceApi, poll: &Poll) -> Result<(), String> {
    let Some(control) = &subject.control else { return Ok(()) };
    let text = |error: crate::ControlError| error.to_string();
    if name == "Patient" {
        control.seed(CHANGES, 0).await.map_err(text)?;
    } else {
        control.seed(0, CHANGES).await.map_err(text)?;
    }
    // What a queue holds, and what was just made, is not what this is about.
    reads::listed(subject, name, resource).await?;
    control.advance(Duration::from_hours(2)).await.map_err(text)?;
    let since = control.now().await.map_err(text)? - Duration::from_secs(600);
    let changed: BTreeSet<String> = control.touch(name, CHANGES).await.map_err(text)?.into_iter().collect();
    if changed.len() < CHANGES {
        return Err(format!("the simulator changed {} of {CHANGES} records", changed.len()));
    }
    control.advance(Duration::from_secs(600)).await.map_err(text)?;
    let mut found = Vec::new();
    for arguments in arguments(subject, poll, since).await? {
        let arguments = Phi::new(arguments);
        // A queue hands out what fits on a page, and the rest the next time.
        loop {
            let listed = subject.all(&poll.operation, &arguments).await.map_err(|error| error.to_string())?;
            let is_over = listed.is_empty() || !matches!(poll.delta, Delta::Queue { .. });
            for record in listed {
                found.push(subject.mapped(&resource.kind, &record)?);
            }
            if is_over {
                break;
            }
        }
    }
    let found = reads::ids(subject, name, resource, &found);
    let lost = changed.difference(&found).count();
    if lost == 0 { Ok(()) } else { Err(format!("{lost} of {} changes were not found", changed.len())) }
}

/// The questions that find what changed since then: several where the product takes no long windows.
pub(crate) async fn arguments(
    subject: &Subject,
    poll: &Poll,
    since: Timestamp,
) -> Result<Vec<BTreeMap<String, String>>, String> {
    let zone = &subject.connection().zone;
    let with = |more: Vec<(&String, String)>| {
        let mut arguments = poll.arguments.clone();
        arguments.extend(more.into_iter().map(|(name, value)| (name.clone(), value)));
        arguments
    };
    let write =
        |time: &TimeForm, at| time.write(at, zone).ok_or("a time can't be written in the manifest's form");
    match &poll.delta {
        Delta::Since { argument, time, .. } => Ok(vec![with(vec![(argument, write(time, since)?)])]),
        Delta::Window { from, to, time, longest, .. } => {
            let end = subject.now().await.map_err(|error| error.to_string())? + Duration::from_secs(60);
            let longest = Duration::from_hours((*longest).max(1));
            let (mut begin, mut windows) = (since, Vec::new());
            while begin < end && windows.len() < MOST_WINDOWS {
                let until = (begin + longest).min(end);
                windows.push(with(vec![(from, write(time, begin)?), (to, write(time, until)?)]));
                begin = until;
            }
            Ok(windows)
        }
        Delta::Queue { .. } | Delta::Newest { .. } | Delta::Whole => Ok(vec![with(Vec::new())]),
    }
}
