//! Limits and failures: each is told from the others, so that what follows is right.

use std::collections::BTreeMap;

use bridge_core::{Phi, remote::CallError};
use serde_json::{Value, json};

use crate::{
    access::{question, told},
    control::Control,
    report::{Area, Report},
    subject::Subject,
};

/// A trouble, what holds when it is understood, and whether an error is that.
type Case = (Value, &'static str, fn(&CallError) -> bool);

pub(crate) async fn run(subject: &Subject, report: &mut Report) {
    let is_later: fn(&CallError) -> bool = |error| matches!(error, CallError::Retry(..));
    let is_lost: fn(&CallError) -> bool =
        |error| matches!(error, CallError::Retry(..) | CallError::Unknown(_));
    let cases: [Case; 5] = [
        (json!({"fault": "throttle"}), "\"too often\" is understood", |error| {
            matches!(error, CallError::Throttled(..))
        }),
        (json!({"fault": "status", "status": 503}), "an outage is not taken for a refusal", is_later),
        (
            json!({"fault": "status", "status": 500, "body": "<html>"}),
            "a failure is not taken for an answer",
            is_lost,
        ),
        (json!({"fault": "reset"}), "a broken connection is not taken for an answer", is_lost),
        (json!({"fault": "malformed"}), "half an answer is not taken for one", is_lost),
    ];
    let (Some(control), Some(question)) = (&subject.control, question(subject).await) else {
        for (_, claim, _) in cases {
            report.skip(Area::Failures, "", claim, "only a simulator fails when asked");
        }
        return;
    };
    for (fault, claim, expected) in cases {
        report.add(Area::Failures, "", claim, case(subject, control, &question, (fault, expected)).await);
    }
}

async fn case(
    subject: &Subject,
    control: &Control,
    (question, arguments): &(String, Phi<BTreeMap<String, String>>),
    (fault, expected): (Value, fn(&CallError) -> bool),
) -> Result<(), String> {
    // Nothing of what went before may be in the way: neither a limit nor a token.
    subject.patient(question, arguments, None).await.map_err(|error| error.to_string())?;
    control.advance(std::time::Duration::from_secs(120)).await.map_err(|error| error.to_string())?;
    subject.token(false).await.map_err(|error| error.to_string())?;
    control.fault(fault).await.map_err(|error| error.to_string())?;
    let answer = subject.once(question, arguments, None).await;
    control.calm().await.map_err(|error| error.to_string())?;
    match answer {
        Err(error) if expected(&error) => Ok(()),
        other => Err(told("it was not understood", &other)),
    }
}
