//! Writes: what is written is there, once, even when its answer was lost; it can be moved and called off.

pub(crate) mod sample;

use bridge_core::{
    Phi,
    manifest::{On, ResourceApi},
    remote::{CallError, Written},
};
use serde_json::{Value, json};

use crate::{
    access::told,
    control::Control,
    reads,
    report::{Area, Report},
    subject::{Mapped, Subject},
};

/// What calls an appointment off.
const CANCELLED: &str = "cancelled";

pub(crate) async fn run(subject: &Subject, report: &mut Report) {
    for (name, resource) in subject.resources() {
        let creates = resource.write.iter().any(|write| write.on == On::Create);
        if !resource.write.is_empty() {
            let known = reads::listed(subject, name, resource).await.unwrap_or_default();
            let case = Case { subject, name, resource, known };
            if creates {
                case.run(report).await;
            } else {
                report.skip(Area::Create, name, "it is written", "the adapter does not create it");
            }
        }
    }
}

/// Writing one type of resource.
struct Case<'a> {
    subject: &'a Subject,
    name: &'a str,
    resource: &'a ResourceApi,
    known: Vec<Mapped>,
}

impl Case<'_> {
    async fn run(&self, report: &mut Report) {
        if self.known.is_empty() && self.name != "Patient" {
            report.skip(Area::Create, self.name, "it is written", "there is none to make another one of");
            return;
        }
        let created = self.created(0).await;
        let claim = "it is written, and is what was sent";
        report.add(Area::Create, self.name, claim, created.as_ref().map(drop).map_err(Clone::clone));
        let Ok((sample, written)) = created else { return };

        let again = self.again(&sample, &written).await;
        report.add(Area::Create, self.name, "sent again, it is still one", again);
        let claim = "it is one when its answer got lost";
        match &self.subject.control {
            Some(control) => report.add(Area::Create, self.name, claim, self.lost(control).await),
            None => report.skip(Area::Create, self.name, claim, "only a simulator loses answers when asked"),
        }
        let cancels = |status: &String| status == CANCELLED;
        let updates = |write: &&bridge_core::manifest::Write| write.on == On::Update;
        let mut id = written.id.clone();
        if self.resource.write.iter().filter(updates).any(|write| !write.status.iter().any(cancels)) {
            let changed = self.changed(&sample, &written).await;
            if let Ok(now) = &changed {
                id = now.id.clone();
            }
            let claim = "what is changed is changed there";
            report.add(Area::Update, self.name, claim, changed.map(drop));
        }
        if self.resource.write.iter().filter(updates).any(|write| write.status.iter().any(cancels)) {
            report.add(Area::Cancel, self.name, "it is called off there", self.cancelled(&sample, &id).await);
        }
    }

    async fn created(&self, number: u32) -> Result<(Value, Written), String> {
        let sample = sample::of(self.subject, self.name, self.resource, &self.known, number).await?;
        let held = self.held().await?;
        let written = self.subject.settled(&Phi::new(sample.clone()), None, false).await;
        let written = written.map_err(|error| error.to_string())?;
        self.one_more(held).await?;
        self.is(&sample, &written)?;
        Ok((sample, written))
    }

    async fn again(&self, sample: &Value, written: &Written) -> Result<(), String> {
        let held = self.held().await?;
        let again = self.subject.settled(&Phi::new(sample.clone()), None, true).await;
        let again = again.map_err(|error| error.to_string())?;
        if self.held().await? != held {
            return Err("the product has it twice".to_owned());
        }
        if again.id == written.id { Ok(()) } else { Err("the second time it was another record".to_owned()) }
    }

    async fn lost(&self, control: &Control) -> Result<(), String> {
        let sample = sample::of(self.subject, self.name, self.resource, &self.known, 1).await?;
        let held = self.held().await?;
        control.fault(self.at_write(json!({"fault": "lost"}))).await.map_err(|error| error.to_string())?;
        let sample = Phi::new(sample);
        match self.subject.write(&sample, None, false).await {
            Err(CallError::Unknown(_) | CallError::Retry(..)) => {}
            other => return Err(told("a lost answer was not understood", &other)),
        }
        if control.calm().await.map_err(|error| error.to_string())? > 0 {
            return Err("the write was not called where its operation says".to_owned());
        }
        self.subject.write(&sample, None, true).await.map_err(|error| error.to_string())?;
        self.one_more(held).await
    }

    async fn changed(&self, sample: &Value, written: &Written) -> Result<Written, String> {
        let changed = sample::changed(self.subject, self.name, self.resource, sample, &written.id).await?;
        let now = self.subject.settled(&Phi::new(changed.clone()), Some(&written.id), false).await;
        let now = now.map_err(|error| error.to_string())?;
        self.is(&changed, &now)?;
        Ok(now)
    }

    async fn cancelled(&self, sample: &Value, id: &Phi<String>) -> Result<(), String> {
        let system = self.subject.filled(&self.resource.identifier);
        let cancelled = sample::cancelled(sample, &system, id.expose());
        let now = self.subject.settled(&Phi::new(cancelled), Some(id), false).await;
        now.map_err(|error| error.to_string())?;
        let Some(control) = &self.subject.control else { return Ok(()) };
        let book = control.book().await.map_err(|error| error.to_string())?;
        let records = book.get("appointments").and_then(Value::as_array).into_iter().flatten();
        let mut ours = records.filter(|record| record.get("id").and_then(Value::as_str) == Some(id.expose()));
        match ours.next().and_then(|record| record.get("status")?.as_str()) {
            None | Some(CANCELLED) => Ok(()),
            Some(status) => Err(format!("there it is still {status}")),
        }
    }

    /// A trouble for the calls of the operation that creates.
    fn at_write(&self, mut fault: Value) -> Value {
        let api = self.subject.api();
        let create = self.resource.write.iter().find(|write| write.on == On::Create);
        let operation = create.zip(api).and_then(|(write, api)| api.operations.get(&write.operation));
        if let (Some(operation), Some(api)) = (operation, api) {
            let base = self.subject.filled(&api.base);
            let path = operation.path.split('{').next().unwrap_or_default();
            let address = reqwest::Url::parse(&format!("{base}{path}"));
            // An absolute path is another host's: any path will do.
            let path = address.map(|address| address.path().to_owned()).unwrap_or_default();
            let style = operation.style(api.style);
            let method = match (operation.method, style) {
                (_, bridge_core::manifest::Style::Soap | bridge_core::manifest::Style::Graphql) => {
                    json!("POST")
                }
                (method, _) => serde_json::to_value(method).unwrap_or_default(),
            };
            fault["method"] = method;
            fault["path"] = json!(path);
        }
        fault
    }

    /// How many records of the type the product holds, where it can be asked.
    async fn held(&self) -> Result<Option<usize>, String> {
        let (Some(control), Some(list)) = (&self.subject.control, counted(self.name)) else {
            return Ok(None);
        };
        let book = control.book().await.map_err(|error| error.to_string())?;
        Ok(book.get(list).and_then(Value::as_array).map(Vec::len))
    }

    async fn one_more(&self, held: Option<usize>) -> Result<(), String> {
        match (held, self.held().await?) {
            (Some(before), Some(now)) if now != before + 1 => {
                Err(format!("the product has {now} of them, and had {before} before"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the record that came back says what was sent.
    fn is(&self, sent: &Value, written: &Written) -> Result<(), String> {
        let mapped = self.subject.mapped(&self.resource.kind, written.record.expose())?;
        let system = self.subject.filled(&self.resource.identifier);
        let (resource, id) = mapped.of_type(self.name, &system).ok_or("the record has no such identifier")?;
        if id != *written.id.expose() {
            return Err("the record has another id than the write gave".to_owned());
        }
        sample::same(self.name, sent, &resource.json)
    }
}

/// Where a simulator's book counts records of a type.
fn counted(name: &str) -> Option<&'static str> {
    match name {
        "ChargeItem" | "Procedure" => Some("procedures"),
        "PaymentNotice" | "Invoice" => Some("payments"),
        other => reads::of_book(other),
    }
}
