//! What shapes an answer: totals, orders, parts, and what belongs to the matches.

use serde_json::{Value, json};

use crate::{
    asking::{BASE, Caller, caller, code},
    reading::{TEN, appointment, book},
};

fn ids(bundle: &Value, mode: &str) -> Vec<String> {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    let fitting = entries.filter(|entry| entry["search"]["mode"] == mode);
    fitting.map(|entry| entry["resource"]["id"].as_str().unwrap_or_default().to_owned()).collect()
}

fn many(caller: &Caller, number: usize) {
    for n in 0..number {
        let name = format!("Name{:02}", (n * 7) % 31);
        caller
            .pms
            .get()
            .patients
            .insert(format!("Q{n:02}"), json!({"id": format!("Q{n:02}"), "name": name, "updated": "1"}));
    }
}

#[test]
fn a_total_is_told_where_it_is_known_and_counted_where_it_is_asked_for() {
    let caller = caller();
    many(&caller, 23);
    assert_eq!(caller.get("Patient?_count=3").1["total"], 25, "the product's list is one page");
    caller.pms.get().page = 10;
    caller.pass(60);
    let (_, bundle) = caller.get("Patient?_count=3");
    assert_eq!((bundle.get("total"), ids(&bundle, "match").len()), (None, 3), "nobody has counted");
    let (_, bundle) = caller.get("Patient?_count=3&_total=accurate");
    assert_eq!((&bundle["total"], ids(&bundle, "match").len()), (&json!(25), 3));
    for path in ["Patient?_summary=count", "Patient?_count=0"] {
        let (_, bundle) = caller.get(path);
        assert_eq!((&bundle["total"], bundle.get("entry")), (&json!(25), None), "{path}");
        assert_eq!(bundle["link"][0]["url"], format!("{BASE}/{path}"));
        assert_eq!(bundle["link"].as_array().unwrap().len(), 1);
    }
    caller.pms.get().page = 0;
    assert_eq!(caller.get("Patient?_total=none").1.get("total"), None);
    caller.pms.get().page = 2;
    let response = caller.send("GET", "Patient?_summary=count", &[], "");
    assert_eq!(code(&response), (400, "too-costly".to_owned()), "eleven pages and more");
}

#[test]
fn a_sorted_search_is_paged_in_its_order() {
    let caller = caller();
    many(&caller, 23);
    caller.pms.get().page = 10;
    let (mut path, mut names) = ("Patient?_sort=-family&_count=7".to_owned(), Vec::new());
    loop {
        let (status, bundle) = caller.get(&path);
        assert_eq!(status, 200, "{bundle}");
        let entries = bundle["entry"].as_array().unwrap();
        names.extend(
            entries.iter().map(|entry| entry["resource"]["name"][0]["family"].as_str().unwrap().to_owned()),
        );
        let links = bundle["link"].as_array().unwrap();
        let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
        path = next["url"].as_str().unwrap().strip_prefix(BASE).unwrap()[1..].to_owned();
    }
    let mut sorted = names.clone();
    sorted.sort_by(|one, other| other.cmp(one));
    assert_eq!((names.len(), &names), (25, &sorted));
    let other = caller.send("GET", &path.replace("_sort=-family", "_sort=family"), &[], "");
    assert_eq!(code(&other).0, 400, "a place in one order is none in another");
}

#[test]
fn parts_say_that_they_are_and_are_not_written_back() {
    let caller = caller();
    let id = book(&caller, TEN);
    let (_, bundle) = caller.get("Appointment?_elements=start");
    let part = &bundle["entry"][0]["resource"];
    assert!(part.get("end").is_none() && part["start"] == TEN && part["status"] == "booked", "{part}");
    assert_eq!(part["meta"]["tag"][0]["code"], "SUBSETTED");
    let path = format!("Appointment/{id}");
    let (_, read) = caller.get(&format!("{path}?_elements=start"));
    assert_eq!(&read, part);
    let refused = caller.send("PUT", &path, &[], &read.to_string());
    assert_eq!(code(&refused), (422, "business-rule".to_owned()));
    let sorted = caller.send("GET", &format!("{path}?_sort=start"), &[], "");
    assert_eq!(code(&sorted), (400, "not-supported".to_owned()), "a read has no order");
}

#[test]
fn what_the_matches_refer_to_and_what_refers_to_them_comes_along() {
    let caller = caller();
    let (first, second) = (book(&caller, TEN), book(&caller, "2026-03-02T12:00:00Z"));
    let patient = caller.patient("P1");
    for include in ["Appointment:patient", "Appointment:patient:Patient", "Appointment:*"] {
        let (status, bundle) = caller.get(&format!("Appointment?_include={include}"));
        assert_eq!(status, 200, "{bundle}");
        assert_eq!(ids(&bundle, "match").len(), 2);
        assert_eq!(ids(&bundle, "include"), std::slice::from_ref(&patient), "once, whoever refers to it");
        assert_eq!(bundle["total"], 2, "only matches are counted");
    }
    let (_, bundle) = caller.get("Patient?_revinclude=Appointment:patient&_sort=family");
    let mut included = ids(&bundle, "include");
    included.sort();
    let mut expected = vec![first, second];
    expected.sort();
    assert_eq!((ids(&bundle, "match").len(), included), (2, expected));
    let full: Vec<&Value> =
        bundle["entry"].as_array().unwrap().iter().map(|entry| &entry["fullUrl"]).collect();
    assert!(full[2].as_str().unwrap().starts_with(&format!("{BASE}/Appointment/")), "{full:?}");
    let lenient = [("prefer", "handling=lenient")];
    let response = caller.send("GET", "Patient?_include=Patient:organization", &lenient, "");
    let bundle: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!(bundle["link"][0]["url"], format!("{BASE}/Patient"), "left out, and told so");
    let (_, statement) = caller.get("metadata");
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let of = |kind: &str| resources.iter().find(|resource| resource["type"] == kind).unwrap();
    assert_eq!(of("Appointment")["searchInclude"], json!(["Appointment:patient"]));
    assert_eq!(of("Patient")["searchRevInclude"], json!(["Appointment:patient"]));
}

#[test]
fn nothing_is_included_that_the_token_does_not_cover() {
    let mut caller = caller();
    book(&caller, TEN);
    caller.who.scope = "system/Appointment.rs".to_owned();
    let refused = caller.send("GET", "Appointment?_include=Appointment:patient", &[], "");
    assert_eq!(code(&refused), (403, "forbidden".to_owned()));
    caller.who.scope = "system/Patient.rs".to_owned();
    let refused = caller.send("GET", "Patient?_revinclude=Appointment:patient", &[], "");
    assert_eq!(code(&refused), (403, "forbidden".to_owned()));
}

#[test]
fn a_page_with_many_matches_says_what_was_not_looked_for() {
    let caller = caller();
    many(&caller, 12);
    let response = appointment(&caller, TEN);
    assert_eq!(response["status"], "booked");
    let (_, bundle) = caller.get("Patient?_revinclude=Appointment:patient");
    let outcome = bundle["entry"].as_array().unwrap().last().unwrap();
    assert_eq!(outcome["search"]["mode"], "outcome");
    assert_eq!(outcome["resource"]["issue"][0]["details"]["text"], "include.cut");
}
