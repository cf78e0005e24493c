//! What a run asks for, where it ends, and where the next one begins. Pure.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{
    Cause, Phi, Timestamp, Zone,
    manifest::{Delta, Extract, Mark, Poll, TimeForm},
    remote::Answer,
};
use serde_json::Value;

use super::docs::{Aim, CursorDoc, Run};

const HOUR: Duration = Duration::from_hours(1);
/// What a read-once queue handed out is asked for again with so much before and after: its clock is not ours.
const AROUND: Duration = Duration::from_mins(5);
/// A window is never shorter than this behind what is known.
const LEAST_WINDOW: Duration = Duration::from_mins(1);

fn hours(count: u64) -> Duration {
    HOUR * u32::try_from(count).unwrap_or(u32::MAX)
}

/// The next run of a turn that began at `turn`, if there is anything left to do in it.
pub(super) fn next_run(doc: &CursorDoc, poll: &Poll, turn: Timestamp, now: Timestamp) -> Option<Run> {
    let new = |aim| Run::new(doc.runs + 1, aim, now);
    let is_asked = doc.asked_at.is_some_and(|at| at >= turn);
    let run = match &poll.delta {
        Delta::Since { first, .. } | Delta::Newest { first, .. } if !is_asked => {
            Some(Run { from: doc.mark.or(Some(now - hours(*first))), ..new(Aim::Changes) })
        }
        Delta::Window { first, longest, overlap, .. } => {
            let mark = doc.mark.unwrap_or(now - hours(*first));
            let end = mark - Duration::from_secs(*overlap) + hours(*longest);
            let to = end.max(mark + LEAST_WINDOW).min(now);
            (mark < turn || !is_asked).then(|| Run { from: Some(mark), to: Some(to), ..new(Aim::Changes) })
        }
        Delta::Queue { again: Some(_), .. } if doc.unsafe_since.is_some() => {
            let from = doc.unsafe_since.map(|at| at - AROUND);
            Some(Run { from, to: Some(now + AROUND), ..new(Aim::Again) })
        }
        Delta::Queue { .. } if !is_asked => Some(new(Aim::Changes)),
        Delta::Whole if !is_asked => Some(new(Aim::Everything)),
        _ => None,
    };
    run.or_else(|| {
        let reconcile = poll.reconcile.as_ref()?;
        let is_due = doc.listing.is_none_or(|listing| now.since(listing.at) >= hours(reconcile.every));
        is_due.then(|| new(Aim::Everything))
    })
}

/// An operation, and what it is asked with.
type Question<'a> = (&'a str, Phi<BTreeMap<String, String>>);

/// The operation and the arguments of a run's question.
///
/// # Errors
/// When the manifest's form of a time can't be written.
pub(super) fn question<'a>(run: &Run, poll: &'a Poll, zone: &Zone) -> Result<Question<'a>, Cause> {
    if let (Aim::Everything, Some(reconcile)) = (run.aim, &poll.reconcile) {
        return Ok((&reconcile.operation, Phi::new(reconcile.arguments.clone())));
    }
    let mut operation = &poll.operation;
    let mut arguments = poll.arguments.clone();
    let mut put = |name: &str, at: Option<Timestamp>, time: &TimeForm| {
        let Some(at) = at else { return Ok(()) };
        let text = time.write(at, zone).ok_or_else(|| {
            Cause::new("poll.time-form", "the adapter's form of a time can't be written").at(name)
        })?;
        arguments.insert(name.to_owned(), text);
        Ok(())
    };
    match &poll.delta {
        Delta::Since { argument, time, overlap, .. } => {
            put(argument, run.from.map(|from| from - Duration::from_secs(*overlap)), time)?;
        }
        Delta::Window { from, to, time, overlap, .. } => {
            put(from, run.from.map(|from| from - Duration::from_secs(*overlap)), time)?;
            put(to, run.to, time)?;
        }
        Delta::Queue { again: Some(again), .. } if run.aim == Aim::Again => {
            operation = again.operation.as_ref().unwrap_or(operation);
            put(&again.from, run.from, &again.time)?;
            put(&again.to, run.to, &again.time)?;
        }
        Delta::Queue { .. } | Delta::Newest { .. } | Delta::Whole => {}
    }
    Ok((operation, Phi::new(arguments)))
}

/// What a page says about where the next run begins; and whether this one has come to what was known.
pub(super) fn learn(run: &mut Run, poll: &Poll, answer: &Answer, zone: &Zone) -> bool {
    if run.aim != Aim::Changes {
        return false;
    }
    let records = answer.records.expose();
    match &poll.delta {
        Delta::Since { mark: Some(Mark::Answer { answer: place }), time, .. } if run.pages == 0 => {
            run.mark = answered(place, answer, time, zone);
            false
        }
        Delta::Since { mark: Some(Mark::Record { record: place }), time, .. } => {
            run.mark = run.mark.max(times(records, place, time, zone).max());
            false
        }
        Delta::Newest { changed, time, overlap, .. } => {
            run.mark = run.mark.max(times(records, changed, time, zone).max());
            let known = run.from.map(|from| from - Duration::from_secs(*overlap));
            times(records, changed, time, zone)
                .min()
                .is_some_and(|oldest| known.is_some_and(|at| oldest < at))
        }
        _ => false,
    }
}

fn times<'a>(
    records: &'a [Value],
    place: &'a Extract,
    time: &'a TimeForm,
    zone: &'a Zone,
) -> impl Iterator<Item = Timestamp> + 'a {
    records.iter().filter_map(|record| time.read(&place.find_in(record)?, zone))
}

/// Whether a queue has handed out as much as it does at a time, so that there may be more.
pub(super) fn is_full(run: &Run, poll: &Poll, records: u64) -> bool {
    run.aim == Aim::Changes && matches!(poll.delta, Delta::Queue { full: Some(full), .. } if records >= full)
}

/// A time that the answer itself names.
fn answered(place: &Extract, answer: &Answer, time: &TimeForm, zone: &Zone) -> Option<Timestamp> {
    let text = place.find(answer.body.expose(), |name| answer.headers.get(name).map(String::as_str))?;
    match place {
        // RFC 9110, section 5.6.7: the form of RFC 5322, in GMT.
        Extract::Header { header, .. } if header == "date" => {
            let at = jiff::fmt::rfc2822::parse(&text).ok()?.timestamp();
            Some(Timestamp::from_millis(at.as_millisecond()))
        }
        _ => time.read(&text, zone),
    }
}

/// A run for changes is over: moves the mark. It never goes back, and never past when the run began: what is stamped later
/// by a clock ahead of ours is asked for once more.
///
/// # Errors
/// When the product did not say what it was to say; the mark is then where it was.
pub(super) fn conclude(doc: &mut CursorDoc, run: &Run, poll: &Poll) -> Result<(), Cause> {
    let found = match &poll.delta {
        Delta::Since { mark: None, .. } => Some(run.began),
        Delta::Since { mark: Some(Mark::Answer { .. }), .. } if run.mark.is_none() => {
            doc.mark = doc.mark.or(run.from);
            let text = "the product's answer does not say its time: everything is asked for since the last time it did";
            return Err(Cause::new("poll.no-mark", text));
        }
        Delta::Since { .. } | Delta::Newest { .. } => run.mark.or(run.from),
        Delta::Window { .. } => run.to,
        Delta::Queue { .. } | Delta::Whole => None,
    };
    doc.mark = doc.mark.max(found.map(|at| at.min(run.began)));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use serde_json::json;

    use super::*;

    fn poll(delta: &str) -> Poll {
        serde_norway::from_str(&format!("{{operation: list, delta: {delta}}}")).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn utc() -> Zone {
        "UTC".parse().unwrap()
    }

    fn answer(headers: &[(&str, &str)], records: Value) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let records = Phi::new(records.as_array().unwrap().clone());
        Answer { records, headers, ..Answer::default() }
    }

    #[test]
    fn since_asks_with_its_overlap_and_goes_on_by_the_products_clock() {
        let poll = poll("{kind: since, argument: after, overlap: 60, mark: {answer: {header: date}}}");
        let (mut doc, now) = (CursorDoc::default(), at("2026-11-20T10:00:00Z"));
        let mut run = next_run(&doc, &poll, now, now).unwrap();
        let (_, arguments) = question(&run, &poll, &utc()).unwrap();
        assert_eq!(arguments.expose()["after"], "2026-11-19T09:59:00Z");
        let page = answer(&[("date", "Fri, 20 Nov 2026 09:58:30 GMT")], json!([]));
        learn(&mut run, &poll, &page, &utc());
        conclude(&mut doc, &run, &poll).unwrap();
        assert_eq!(doc.mark, Some(at("2026-11-20T09:58:30Z")));
        // An answer without it moves nothing, and says so.
        let run = next_run(&doc, &poll, now, now).unwrap();
        assert_eq!(conclude(&mut doc, &run, &poll).unwrap_err().code, "poll.no-mark");
        assert_eq!(doc.mark, Some(at("2026-11-20T09:58:30Z")));
    }

    #[test]
    fn a_stamp_in_the_future_does_not_carry_the_mark_away() {
        let poll = poll("{kind: since, argument: after, overlap: 60, mark: {record: /changed}}");
        let (mut doc, now) = (CursorDoc::default(), at("2026-11-20T10:00:00Z"));
        let mut run = next_run(&doc, &poll, now, now).unwrap();
        learn(&mut run, &poll, &answer(&[], json!([{"changed": "2062-01-01T00:00:00Z"}])), &utc());
        conclude(&mut doc, &run, &poll).unwrap();
        assert_eq!(doc.mark, Some(now));
    }

    #[test]
    fn a_long_absence_is_made_up_for_window_by_window() {
        let poll = poll("{kind: window, from: a, to: b, overlap: 600, longest: 24}");
        let now = at("2026-11-20T10:00:00Z");
        let mut doc = CursorDoc { mark: Some(at("2026-11-17T10:00:00Z")), ..CursorDoc::default() };
        let mut windows = Vec::new();
        while let Some(run) = next_run(&doc, &poll, now, now) {
            let (_, arguments) = question(&run, &poll, &utc()).unwrap();
            windows.push((arguments.expose()["a"].clone(), arguments.expose()["b"].clone()));
            conclude(&mut doc, &run, &poll).unwrap();
            doc.asked_at = Some(run.began);
        }
        assert_eq!(windows.len(), 4);
        assert_eq!(windows[0], ("2026-11-17T09:50:00Z".to_owned(), "2026-11-18T09:50:00Z".to_owned()));
        assert_eq!(windows[3].1, "2026-11-20T10:00:00Z");
        assert!(windows.windows(2).all(|two| two[1].0 < two[0].1), "they overlap");
    }

    #[test]
    fn what_a_queue_may_have_handed_out_to_the_dead_is_asked_for_first() {
        let poll = poll("{kind: queue, again: {operation: handed-out, from: a, to: b}, full: 3}");
        let (turn, now) = (at("2026-11-20T10:00:00Z"), at("2026-11-20T10:00:01Z"));
        let unsafe_since = Some(at("2026-11-20T09:00:00Z"));
        let mut doc = CursorDoc { unsafe_since, ..CursorDoc::default() };
        let run = next_run(&doc, &poll, turn, now).unwrap();
        assert_eq!(run.aim, Aim::Again);
        assert!(!is_full(&run, &poll, 3), "its pages say whether there is more");
        let (operation, arguments) = question(&run, &poll, &utc()).unwrap();
        assert_eq!(operation, "handed-out");
        assert_eq!(arguments.expose()["a"], "2026-11-20T08:55:00Z");
        doc.unsafe_since = None;
        let run = next_run(&doc, &poll, turn, now).unwrap();
        assert_eq!((run.aim, question(&run, &poll, &utc()).unwrap().0), (Aim::Changes, "list"));
        assert!(is_full(&run, &poll, 3) && !is_full(&run, &poll, 2));
        doc.asked_at = Some(now);
        assert_eq!(next_run(&doc, &poll, turn, now), None);
    }

    #[test]
    fn newest_stops_where_it_was() {
        let poll = poll("{kind: newest, changed: /at, overlap: 60}");
        let (now, mark) = (at("2026-11-20T10:00:00Z"), at("2026-11-20T09:00:00Z"));
        let doc = CursorDoc { mark: Some(mark), ..CursorDoc::default() };
        let mut run = next_run(&doc, &poll, now, now).unwrap();
        let page = |text: &str| answer(&[], json!([{"at": text}]));
        assert!(!learn(&mut run, &poll, &page("2026-11-20T09:30:00Z"), &utc()));
        assert!(!learn(&mut run, &poll, &page("2026-11-20T08:59:30Z"), &utc()), "read again");
        assert!(learn(&mut run, &poll, &page("2026-11-20T08:58:30Z"), &utc()));
        assert_eq!(run.mark, Some(at("2026-11-20T09:30:00Z")));
    }
}
