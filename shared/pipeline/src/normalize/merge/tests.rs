//! The rules of a merge, one test each.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

/// What is known after these messages: of each its version, what it says, and what it removes.
fn after(messages: &[(&str, Value, &[&'static str])]) -> Value {
    let mut state = State::default();
    for (version, said, removals) in messages {
        let removals = removals.iter().map(|path| ("Patient/1".to_owned(), *path)).collect();
        state.merge(&patient(said), &Asides { removals, defaults: Vec::new() }, version);
        // As a record keeps it.
        state = State::of(&state.json("Patient", "1"), &state.said(), "9");
    }
    let mut json = state.json("Patient", "1");
    json.as_object_mut().unwrap().retain(|name, _| name != "resourceType" && name != "id");
    json
}

fn patient(said: &Value) -> Value {
    let mut json = json!({"resourceType": "Patient", "id": "1"});
    json.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
    json
}

#[test]
fn what_is_said_replaces_and_what_is_not_said_stays() {
    let first = json!({"gender": "female", "address": [{"city": "A"}], "name": [{"family": "Old"}]});
    let second = json!({"name": [{"family": "New"}]});
    assert_eq!(
        after(&[("1", first, &[]), ("2", second, &[])]),
        json!({"address": [{"city": "A"}], "gender": "female", "name": [{"family": "New"}]})
    );
}

#[test]
fn messages_give_the_same_state_in_any_order_and_however_often_they_come() {
    let one = ("1", json!({"gender": "female", "birthDate": "1970-01-01"}), &[] as &[&'static str]);
    let two =
        ("2", json!({"gender": "male"}), &["Patient.birthDate", "Patient.maritalStatus"] as &[&'static str]);
    let three = ("3", json!({"maritalStatus": {"text": "M"}}), &[] as &[&'static str]);
    let expected = json!({"gender": "male", "maritalStatus": {"text": "M"}});
    let all = [one, two, three];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let messages: Vec<_> = order.iter().chain(&order).map(|n| all[*n].clone()).collect();
        assert_eq!(after(&messages), expected, "{order:?}");
    }
}

#[test]
fn a_choice_has_one_type_and_an_absence_no_value() {
    assert_eq!(
        after(&[
            ("1", json!({"deceasedBoolean": true}), &[]),
            ("2", json!({"deceasedDateTime": "2026-01-01"}), &[])
        ]),
        json!({"deceasedDateTime": "2026-01-01"})
    );
    assert_eq!(
        after(&[("1", json!({"deceasedBoolean": true}), &[]), ("2", json!({}), &["Patient.deceased"])]),
        json!({})
    );
    let mut state = State::default();
    let observation = |said: Value| {
        let mut json = json!({"resourceType": "Observation", "id": "1"});
        json.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        json
    };
    state.merge(&observation(json!({"dataAbsentReason": {"text": "pending"}})), &Asides::default(), "1");
    state.merge(&observation(json!({"valueString": "x"})), &Asides::default(), "2");
    assert_eq!(state.json("Observation", "1"), observation(json!({"valueString": "x"})));
}

#[test]
fn fields_that_share_a_list_speak_for_their_part_of_it() {
    let number = |value: &str, use_: &str| json!({"value": value, "use": use_});
    let known = json!({
        "telecom": [number("1", "home"), number("2", "work")],
        "identifier": [{"value": "7"}, {"type": {"coding": [{"code": "SS"}]}, "value": "9"}],
        "extension": [{"url": "urn:a", "valueString": "a"}, {"url": "urn:b", "valueString": "b"}],
    });
    let said = json!({
        "telecom": [number("3", "work")], "identifier": [{"value": "8"}],
        "extension": [{"url": "urn:a", "valueString": "c"}],
    });
    assert_eq!(
        after(&[("1", known.clone(), &[]), ("2", said, &[])]),
        json!({
            "extension": [{"url": "urn:a", "valueString": "c"}, {"url": "urn:b", "valueString": "b"}],
            "identifier": [{"value": "8"}, {"type": {"coding": [{"code": "SS"}]}, "value": "9"}],
            "telecom": [number("1", "home"), number("3", "work")],
        })
    );
    let removals: &[&'static str] = &[
        "Patient.telecom.where(use = 'home')",
        "Patient.identifier.where(type.coding.code = 'SS')",
        "Patient.extension('urn:b')",
    ];
    assert_eq!(
        after(&[("1", known.clone(), &[]), ("2", json!({}), removals)]),
        json!({
            "extension": [{"url": "urn:a", "valueString": "a"}],
            "identifier": [{"value": "7"}],
            "telecom": [number("2", "work")],
        })
    );
    let all: &[&'static str] = &["Patient.telecom", "Patient.identifier", "Patient.extension"];
    assert_eq!(after(&[("1", known, &[]), ("2", json!({}), all)]), json!({}));
}

#[test]
fn a_part_of_an_element_is_removed_from_what_is_known() {
    let known = json!({"address": [{"city": "A", "district": "B"}, {"district": "C"}]});
    assert_eq!(
        after(&[("1", known, &[]), ("2", json!({}), &["Patient.address.district"])]),
        json!({"address": [{"city": "A"}, {}]})
    );
}

#[test]
fn a_default_never_replaces_what_was_said() {
    let encounter = |said: Value| {
        let mut json = json!({"resourceType": "Encounter", "id": "1"});
        json.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        json
    };
    let default = Asides { removals: Vec::new(), defaults: vec![("Encounter.class", "AMB".to_owned())] };
    let mut state = State::default();
    state.merge(&encounter(json!({"class": {"code": "AMB"}})), &default, "5");
    assert_eq!(state.json("Encounter", "1")["class"]["code"], "AMB");
    state.merge(&encounter(json!({"class": {"code": "IMP"}})), &Asides::default(), "1");
    assert_eq!(state.json("Encounter", "1")["class"]["code"], "IMP", "even an older word is a word");
    state.merge(&encounter(json!({"class": {"code": "AMB"}})), &default, "6");
    assert_eq!(state.json("Encounter", "1")["class"]["code"], "IMP");
    state.merge(&encounter(json!({"class": {"code": "AMB"}})), &Asides::default(), "7");
    assert_eq!(state.json("Encounter", "1")["class"]["code"], "AMB", "this time it was said");
}

#[test]
fn merges_to_and_fro_close_no_circle() {
    let link = |other: &str, kind: &str| json!({"link": [{"other": {"reference": other}, "type": kind}]});
    let gone = |other: &str| {
        let mut said = link(other, "replaced-by");
        said["active"] = json!(false);
        said
    };
    // Patient 1 is replaced, then replaces who replaced it.
    assert_eq!(
        after(&[("1", gone("Patient/2"), &[]), ("2", link("Patient/2", "replaces"), &[])]),
        link("Patient/2", "replaces"),
        "it is active again"
    );
    // A longer way around: 2 replaces 1, 3 replaces 2, 1 replaces 3.
    assert_eq!(
        after(&[("1", gone("Patient/2"), &[]), ("3", link("Patient/3", "replaces"), &[])]),
        link("Patient/3", "replaces")
    );
    let both = after(&[("1", link("Patient/2", "replaces"), &[]), ("2", link("Patient/3", "replaces"), &[])]);
    assert_eq!(both["link"].as_array().unwrap().len(), 2, "a patient may replace several");
}

#[test]
fn a_message_that_says_nothing_any_more_is_superseded() {
    let mut state = State::default();
    state.merge(&patient(&json!({"gender": "male"})), &Asides::default(), "1");
    assert!(state.has_of("1"));
    state.merge(&patient(&json!({"gender": "female"})), &Asides::default(), "2");
    assert!(!state.has_of("1") && state.has_of("2"));
}

#[test]
fn what_another_source_stored_whole_is_of_its_version() {
    let mut state = State::of(&patient(&json!({"gender": "male"})), &Said::new(), "5");
    state.merge(&patient(&json!({"gender": "female", "birthDate": "1970"})), &Asides::default(), "4");
    assert_eq!(state.json("Patient", "1"), patient(&json!({"birthDate": "1970", "gender": "male"})));
}
