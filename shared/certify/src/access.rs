//! Credentials and tokens.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{Phi, manifest::Auth, remote::CallError};
use serde_json::json;

use crate::{
    delta,
    report::{Area, Report},
    subject::Subject,
};

pub(crate) async fn run(subject: &Subject, report: &mut Report) {
    let Some(api) = subject.api() else { return };
    if api.auth.needs_token() {
        let got = subject.token(true).await.map(drop).map_err(|error| error.to_string());
        report.add(Area::Access, "", "a token is given", got);
    }
    let Some((question, arguments)) = question(subject).await else {
        report.skip(Area::Access, "", "the credentials are taken", "nothing is polled");
        return;
    };
    let taken = subject.patient(&question, &arguments, None).await.map(drop);
    report.add(Area::Access, "", "the credentials are taken", taken.map_err(|error| error.to_string()));
    if api.auth != Auth::None {
        report.add(Area::Access, "", "others are refused", refused(subject, &question, &arguments).await);
    }
    if api.auth.needs_token() {
        let claim = "a token that has ended is replaced";
        match &subject.control {
            None => report.skip(Area::Access, "", claim, "only a simulator forgets tokens when asked"),
            Some(control) => {
                let ended = async {
                    control.fault(json!({"fault": "expire-tokens"})).await.map_err(|e| e.to_string())?;
                    match subject.once(&question, &arguments, None).await {
                        Err(CallError::Unauthenticated(_)) => {}
                        other => return Err(told("an ended token was not told from a good one", &other)),
                    }
                    subject.token(true).await.map_err(|error| error.to_string())?;
                    let again = subject.patient(&question, &arguments, None).await;
                    again.map(drop).map_err(|error| error.to_string())
                };
                report.add(Area::Access, "", claim, ended.await);
            }
        }
    }
}

/// An operation that lists, and what it is asked with.
pub(crate) async fn question(subject: &Subject) -> Option<(String, Phi<BTreeMap<String, String>>)> {
    let poll = subject.resources().find_map(|(_, resource)| resource.poll.as_ref())?;
    let since = subject.now().await.ok()? - Duration::from_hours(1);
    let arguments = delta::arguments(subject, poll, since).await.ok()?.into_iter().next()?;
    Some((poll.operation.clone(), Phi::new(arguments)))
}

/// With credentials of the same form that nobody was given.
async fn refused(
    subject: &Subject,
    question: &str,
    arguments: &Phi<BTreeMap<String, String>>,
) -> Result<(), String> {
    let other = subject.with_secrets(|name, value| {
        // A key that signs must stay one; what is signed with it is refused by whom it names.
        if value.contains("PRIVATE KEY") { value.to_owned() } else { format!("{name}-of-nobody") }
    })?;
    let other = if other.connection().secrets == subject.connection().secrets {
        return Ok(());
    } else {
        other
    };
    match other.patient(question, arguments, None).await {
        Err(CallError::Unauthenticated(_) | CallError::Forbidden(_)) => Ok(()),
        answer => Err(told("wrong credentials were not told from good ones", &answer)),
    }
}

/// What was answered instead.
pub(crate) fn told<T>(what: &str, answer: &Result<T, CallError>) -> String {
    match answer {
        Ok(_) => format!("{what}: the call went well"),
        Err(error) => format!("{what}: {error}"),
    }
}
