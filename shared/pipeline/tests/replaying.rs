//! Replays of many messages, chosen by where they stand and why: what is parked goes on with its lane, in its place, and what
//! was delivered goes through again.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use bridge_core::Timestamp;
use bridge_pipeline::{
    queries::Standing,
    replays::{Preview, ReplayDoc, ReplayFilter, ReplayState},
};
use bridge_testkit::{
    memory::lock,
    practice::{Practice, actor},
    sim::CONNECTION,
};
use futures::executor::block_on;
use serde_json::json;

/// The first of one patient is refused, the second waits behind it; another patient's is delivered.
fn practice() -> Practice {
    let practice = Practice::with_source(Practice::source());
    lock(&practice.world).receiver.rejects = Some("unwanted".to_owned());
    for (patient, tag) in [("p1", "unwanted-1"), ("p1", "behind-2"), ("p2", "other-3")] {
        let note = json!({"patient": patient, "tag": tag, "odd": false});
        assert_eq!(practice.post(&[("x-token", "t")], note.to_string().as_bytes()).status, 202);
        practice.settle();
    }
    assert_eq!(tags(&practice), ["other-3"]);
    practice
}

/// What had an effect, in order.
fn tags(practice: &Practice) -> Vec<&'static str> {
    let tag =
        |body: &String| ["unwanted-1", "behind-2", "other-3"].into_iter().find(|tag| body.contains(tag));
    practice.delivered().iter().map(|body| tag(body).expect("one of the notes")).collect()
}

fn all(practice: &Practice) -> ReplayFilter {
    ReplayFilter {
        connection: CONNECTION.parse().unwrap(),
        since: Timestamp::default(),
        until: Timestamp::from_millis(lock(&practice.world).now + 1),
        kind: None,
        destination: None,
        state: None,
        cause: None,
    }
}

fn preview(practice: &Practice, filter: &ReplayFilter) -> (usize, usize) {
    let Preview { messages, parked, .. } = block_on(practice.bridge.preview_replay(filter)).unwrap();
    (messages, parked)
}

fn replayed(practice: &Practice, id: &str, filter: ReplayFilter) -> ReplayDoc {
    block_on(practice.bridge.begin_replay(id, filter, 100, actor())).unwrap();
    practice.settle();
    let replays = block_on(
        practice.bridge.replays(&CONNECTION.parse::<bridge_core::id::ConnectionId>().unwrap().tenant()),
    );
    replays.unwrap().into_iter().find(|doc| doc.id == id).unwrap()
}

#[test]
fn what_is_chosen_by_state_or_cause_is_told_before() {
    let practice = practice();
    let with = |state, cause: Option<&str>| {
        preview(&practice, &ReplayFilter { state, cause: cause.map(str::to_owned), ..all(&practice) })
    };
    assert_eq!(with(Some(Standing::Parked), None), (0, 2));
    assert_eq!(with(Some(Standing::Delivered), None), (1, 0));
    assert_eq!(with(Some(Standing::Waiting), None), (0, 0));
    assert_eq!(with(None, Some("http.422")), (0, 1), "the one behind it waits for another reason");
    assert_eq!(with(None, Some("lane.held")), (0, 1));
    assert_eq!(with(Some(Standing::Delivered), Some("http.422")), (0, 0));
    let elsewhere = ReplayFilter {
        destination: Some("sim.elsewhere".parse().unwrap()),
        state: Some(Standing::Parked),
        ..all(&practice)
    };
    assert_eq!(preview(&practice, &elsewhere), (0, 0));
}

#[test]
fn what_is_parked_goes_on_in_its_place_and_once() {
    let practice = practice();
    lock(&practice.world).receiver.rejects = None;
    let parked = ReplayFilter { cause: Some("http.422".to_owned()), ..all(&practice) };
    let doc = replayed(&practice, "parked", parked);
    assert_eq!((doc.state, doc.seen, doc.sent, doc.released), (ReplayState::Done, 3, 0, 1));
    assert_eq!(tags(&practice), ["other-3", "unwanted-1", "behind-2"], "its lane follows it");

    let delivered = ReplayFilter { state: Some(Standing::Delivered), ..all(&practice) };
    let doc = replayed(&practice, "again", delivered);
    assert_eq!((doc.sent, doc.released), (3, 0));
    let again = ["behind-2", "other-3"];
    assert_eq!(tags(&practice)[3..], again, "what has been overtaken since stays so");
}
