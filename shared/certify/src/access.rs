//! Credentials and tokens.

use bridge_core::{Phi, manifest::Auth, remote::CallError};
use serde_json::json;

use crate::{
    report::{Area, Report},
    subject::Subject,
};

pub(crate) async fn run(subject: &Subject, report: &mut Report) {
    let Some(api) = subject.api() else { return };
    if api.auth.needs_token() {
        let got = subject.token(true).await.map(drop).map_err(|error| error.to_string());
        report.add(Area::Access, "", "a token is given", got);
    }
    let Some(question) = question(subject) else {
        report.skip(Area::Access, "", "the credentials are taken", "nothing can be asked without arguments");
        return;
    };
    let nothing = Phi::default();
    let taken = subject.patient(&question, &nothing, None).await.map(drop);
    report.add(Area::Access, "", "the credentials are taken", taken.map_err(|error| error.to_string()));
    if api.auth != Auth::None {
        report.add(Area::Access, "", "others are refused", refused(subject, &question).await);
    }
    if api.auth.needs_token() {
        let claim = "a token that has ended is replaced";
        match &subject.control {
            None => report.skip(Area::Access, "", claim, "only a simulator forgets tokens when asked"),
            Some(control) => {
                let ended = async {
                    control.fault(json!({"fault": "expire-tokens"})).await.map_err(|e| e.to_string())?;
                    match subject.once(&question, &nothing, None).await {
                        Err(CallError::Unauthenticated(_)) => {}
                        other => return Err(told("an ended token was not told from a good one", &other)),
                    }
                    subject.token(true).await.map_err(|error| error.to_string())?;
                    let again = subject.patient(&question, &nothing, None).await;
                    again.map(drop).map_err(|error| error.to_string())
                };
                report.add(Area::Access, "", claim, ended.await);
            }
        }
    }
}

/// An operation that can be called without arguments: a list.
pub(crate) fn question(subject: &Subject) -> Option<String> {
    let of_version = subject.api()?.version.as_ref().map(|version| version.operation.clone());
    let polls = subject.resources().filter_map(|(_, resource)| resource.poll.as_ref());
    let plain = polls.filter(|poll| poll.arguments.is_empty()).map(|poll| poll.operation.clone());
    let takes_none = |operation: &String| {
        let operation = subject.api().and_then(|api| api.operations.get(operation));
        operation.is_some_and(|operation| operation.body.is_none() && !operation.path.contains("{id}"))
    };
    plain.chain(of_version).find(takes_none)
}

/// With credentials of the same form that nobody was given.
async fn refused(subject: &Subject, question: &str) -> Result<(), String> {
    let other = subject.with_secrets(|name, value| {
        // A key that signs must stay one; what is signed with it is refused by whom it names.
        if value.contains("PRIVATE KEY") { value.to_owned() } else { format!("{name}-of-nobody") }
    })?;
    let other = if other.connection().secrets == subject.connection().secrets {
        return Ok(());
    } else {
        other
    };
    match other.patient(question, &Phi::default(), None).await {
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
