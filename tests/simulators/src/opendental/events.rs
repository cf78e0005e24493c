//! API events: what a subscription watches is posted as rows, a thousand at most, with the office's key as it is.

use serde_json::{Value, json};

use super::{CUSTOMER_KEY, Made, missing, refused, rows::Row, state::State, text_in};
use crate::{Answer, Delivery};

/// Rows in one event.
const MOST: usize = 1_000;

/// What can be watched.
const TABLES: [&str; 3] = ["Appointment", "AppointmentDeleted", "Patient"];

/// Somebody wants to hear of changes in a table.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    number: u64,
    url: String,
    workstation: String,
    table: &'static str,
    /// Rows that changed from here on are new to it.
    since: String,
}

impl Subscription {
    fn json(&self) -> Value {
        json!({
            "SubscriptionNum": self.number, "EndPointUrl": self.url, "Workstation": self.workstation,
            "WatchTable": self.table, "PollingSeconds": 10, "UiEventType": "", "DateTimeStart": self.since,
            "DateTimeStop": super::rows::NEVER, "Note": "",
        })
    }
}

impl State {
    pub(super) fn subscribe(&mut self, body: &Value, now: &str) -> Result<Made, Answer> {
        let url = text_in(body, "EndPointUrl").ok_or_else(|| refused("EndPointUrl is required."))?;
        let wanted = text_in(body, "WatchTable").unwrap_or_default();
        let table = TABLES.into_iter().find(|known| *known == wanted);
        let table = table.ok_or_else(|| refused("WatchTable is invalid."))?;
        let subscription = Subscription {
            number: self.next(),
            url,
            workstation: text_in(body, "Workstation").unwrap_or_default(),
            table,
            since: text_in(body, "DateTimeStart").unwrap_or_else(|| now.to_owned()),
        };
        let made = Made { number: subscription.number, row: subscription.json() };
        self.subscribed.push(subscription);
        Ok(made)
    }

    /// A subscription to each table, of what changes from now on.
    pub(super) fn subscribe_to_all(&mut self, url: &str, now: &str) {
        for table in TABLES {
            let (number, since) = (self.next(), now.to_owned());
            let (url, workstation) = (url.to_owned(), String::new());
            self.subscribed.push(Subscription { number, url, workstation, table, since });
        }
    }

    pub(super) fn subscriptions(&self) -> Answer {
        Answer::json(200, &Value::Array(self.subscribed.iter().map(Subscription::json).collect()))
    }

    pub(super) fn unsubscribe(&mut self, number: &str) -> Result<Made, Answer> {
        let at = self.subscribed.iter().position(|known| known.number.to_string() == number);
        let gone = self.subscribed.remove(at.ok_or_else(missing)?);
        Ok(Made { number: gone.number, row: Value::Null })
    }

    /// What every subscription has not heard yet.
    pub(super) fn events(&mut self, now: &str) -> Vec<Delivery> {
        fn changed<R: Row>(rows: &[R], since: &str, now: &str) -> Vec<Value> {
            let is_new = |row: &&R| row.column("DateTStamp").is_some_and(|stamp| *stamp >= *since);
            rows.iter().filter(is_new).map(|row| row.json(now)).collect()
        }
        let mut deliveries = Vec::new();
        for subscription in &self.subscribed {
            let rows = match subscription.table {
                "Patient" => changed(&self.patients, &subscription.since, now),
                "AppointmentDeleted" => changed(&self.deleted, &subscription.since, now),
                _ => changed(&self.appointments, &subscription.since, now),
            };
            deliveries.extend(rows.chunks(MOST).map(|rows| Delivery {
                url: subscription.url.clone(),
                headers: vec![
                    ("authorization".to_owned(), CUSTOMER_KEY.to_owned()),
                    ("content-type".to_owned(), "application/json".to_owned()),
                    ("workstation".to_owned(), subscription.workstation.clone()),
                    ("event-type".to_owned(), format!("WatchTable: {}", subscription.table)),
                ],
                body: Value::Array(rows.to_vec()).to_string().into_bytes(),
            }));
        }
        // Whole seconds: what changes within this one is told again.
        self.subscribed.iter_mut().for_each(|subscription| now.clone_into(&mut subscription.since));
        deliveries
    }
}
