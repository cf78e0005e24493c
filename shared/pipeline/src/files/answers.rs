//! Rows that are answers: what a receiver says of the records of an export's file. None of them becomes a message.

use bridge_core::Cause;
use bridge_formats::{Place, Quarantined};
use serde_json::Value;

use super::{Job, Stopped, pass::Takes};
use crate::{bridge::Bridge, export::Asked, ports::FilePorts};

/// Notes what rows say.
pub(super) struct Answering {
    pub(super) asked: Asked,
    rows: Vec<(Place, String)>,
    bad: Vec<Quarantined>,
}

impl Answering {
    pub(super) fn to(asked: Asked) -> Self {
        Self { asked, rows: Vec::new(), bad: Vec::new() }
    }
}

impl<P: FilePorts> Takes<P> for Answering {
    fn good(&mut self, place: Place, json: &str, _key: &str) {
        self.rows.push((place, json.to_owned()));
    }

    fn bad(&mut self, rows: Vec<Quarantined>) {
        self.bad.extend(rows);
    }

    async fn settle(&mut self, bridge: &Bridge<P>, job: &mut Job, _is_end: bool) -> Result<bool, Stopped> {
        let index = bridge.index_key(&job.held.doc.connection.tenant()).await?;
        for (place, json) in std::mem::take(&mut self.rows) {
            let row: Value = serde_json::from_str(&json).unwrap_or_default();
            let progress = &mut job.held.doc.progress;
            let wrong = match self.asked.read(&row, &index, (&job.held.doc.file, place.row)) {
                Ok(said) if bridge.note_answer(&self.asked, &said).await? => {
                    progress.sent += 1;
                    continue;
                }
                Ok(_) => "no file that waits for its answers has a record of this name",
                Err(wrong) => wrong,
            };
            progress.turned_away += 1;
            self.bad.push(Quarantined { place, column: String::new(), reason: wrong.to_owned() });
        }
        if !self.bad.is_empty() {
            bridge.quarantine_rows(job, std::mem::take(&mut self.bad)).await?;
        }
        let (at_most, bad) = (u64::from(job.feed.bad_rows.at_most), job.held.doc.progress.turned_away);
        if bad > at_most {
            let text = format!("more than {at_most} rows answer for nothing that was sent");
            return Err(Stopped::Refused(Cause::new("file.bad_rows", text)));
        }
        Ok(true)
    }
}
