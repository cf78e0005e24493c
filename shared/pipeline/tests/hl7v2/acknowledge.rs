//! What MSH-16 asks for: the acknowledgment of what became of a message, in a message of its own.

use bridge_core::{config::Connection, task::Command};
use bridge_hl7v2::{Message, ack::Code};
use bridge_testkit::{memory::lock, practice::actor, sim::CONNECTION};
use futures::executor::block_on;

use crate::site::{AGREED, Site, message};

const ANSWERS: &str =
    "{connection: sim.answers, adapter: hl7v2-out, zone: UTC, settings: {send-to: 'mllp://127.0.0.1:2575'}}";
const PATIENT: &str = "PID|1||4711^^^NORTH^MR||Test^Una";

/// A site with a way for answers.
fn site(agreed: &str) -> Site {
    let site = Site::new(&format!("{{{agreed}, acknowledge-to: sim.answers}}"));
    let answers: Connection = serde_norway::from_str(ANSWERS).unwrap();
    block_on(site.0.bridge.apply_connection(answers, actor())).unwrap();
    site
}

/// A message that asks for these acknowledgments in MSH-15 and MSH-16.
fn asking(accept: &str, application: &str, control_id: &str, rest: &str) -> String {
    let plain = message("ADT^A08", "20260302103000", control_id, rest);
    plain.replacen("|P|2.5.1\r", &format!("|P|2.5.1|||{accept}|{application}\r"), 1)
}

/// What went to where answers go.
fn answers(site: &Site) -> Vec<String> {
    let world = lock(&site.0.world);
    let effects = world.receiver.effects.iter();
    effects.filter(|one| one.destination.as_str() == "sim.answers").map(|one| one.body.clone()).collect()
}

fn at(message: &str, place: &str) -> String {
    let message = Message::parse(message).unwrap();
    message.at(&place.parse().unwrap()).map(|value| value.text().into_owned()).unwrap_or_default()
}

/// Sends it and lets everything come to rest; how the door answered.
fn sent(site: &Site, text: &str) -> Option<Code> {
    let answer = site.send(text);
    site.0.settle();
    answer.map(|(code, _)| code)
}

#[test]
fn the_door_commits_and_the_application_answers_when_it_is_done() {
    let site = site(AGREED);
    assert_eq!(sent(&site, &asking("AL", "AL", "C1", PATIENT)), Some(Code::CA));
    let answers = answers(&site);
    assert_eq!(answers.len(), 1);
    let expected = [
        ("MSH-9.1", "ACK"),
        ("MSH-9.2", "A08"),
        ("MSH-3", "BRIDGE"),
        ("MSH-5", "PM"),
        ("MSH-15", "AL"),
        ("MSH-16", "NE"),
        ("MSA-1", "AA"),
        ("MSA-2", "C1"),
    ];
    for (place, value) in expected {
        assert_eq!(at(&answers[0], place), value, "{place}");
    }
    assert!(!at(&answers[0], "MSH-10").is_empty() && !at(&answers[0], "MSH-7").is_empty());
}

#[test]
fn it_is_sent_when_it_is_asked_for_and_once() {
    let fine = |accept, application| {
        let site = site(AGREED);
        let text = asking(accept, application, "C1", PATIENT);
        let code = sent(&site, &text);
        sent(&site, &text);
        (code, answers(&site).len())
    };
    assert_eq!(fine("AL", "SU"), (Some(Code::CA), 1));
    assert_eq!(fine("SU", "AL"), (Some(Code::CA), 1));
    assert_eq!(fine("AL", "ER"), (Some(Code::CA), 0));
    assert_eq!(fine("AL", "NE"), (Some(Code::CA), 0));
    assert_eq!(fine("AL", ""), (Some(Code::CA), 0));
    // Where no commit acknowledgment is wanted, the application's is the answer.
    assert_eq!(fine("NE", "AL"), (Some(Code::AA), 0));
    assert_eq!(fine("ER", "AL"), (Some(Code::AA), 0));
    assert_eq!(fine("", ""), (Some(Code::AA), 0));
}

#[test]
fn what_nothing_could_be_made_of_is_told_with_its_place() {
    let site = site(&format!("{AGREED}, park-on: [wrong-time]"));
    let wrong = format!("{PATIENT}||1970-31-31|F");
    assert_eq!(sent(&site, &asking("AL", "SU", "C1", &wrong)), Some(Code::CA));
    assert_eq!(answers(&site), Vec::<String>::new(), "success alone is to be told");
    assert_eq!(sent(&site, &asking("AL", "ER", "C2", &wrong.replace("4711", "4712"))), Some(Code::CA));
    let told = answers(&site);
    assert_eq!(told.len(), 1);
    assert_eq!((at(&told[0], "MSA-1"), at(&told[0], "MSA-2")), ("AE".to_owned(), "C2".to_owned()));
    assert_eq!((at(&told[0], "ERR-2.1"), at(&told[0], "ERR-2.3")), ("PID".to_owned(), "7".to_owned()));
    assert!(!told[0].contains("1970-31-31"), "the place, and not what stands there");
}

#[test]
fn a_message_that_waits_is_acknowledged_when_its_turn_has_come() {
    let site = site(&format!("{AGREED}, park-on: [wrong-time]"));
    sent(&site, &asking("AL", "AL", "C1", &format!("{PATIENT}||1970-31-31|F")));
    sent(&site, &asking("AL", "AL", "C2", PATIENT));
    let codes = |site: &Site| -> Vec<_> {
        answers(site).iter().map(|answer| (at(answer, "MSA-1"), at(answer, "MSA-2"))).collect()
    };
    let pair = |code: &str, id: &str| (code.to_owned(), id.to_owned());
    assert_eq!(codes(&site), [pair("AE", "C1")], "the second waits behind the first");
    site.agree(&format!("{{{AGREED}, acknowledge-to: sim.answers}}"), &[]);
    site.release("1");
    let mut all = codes(&site);
    all.sort();
    assert_eq!(all, [pair("AA", "C1"), pair("AA", "C2"), pair("AE", "C1")]);
}

#[test]
fn a_replay_is_no_news_to_the_sender() {
    let site = site(AGREED);
    sent(&site, &asking("AL", "AL", "C1", PATIENT));
    let message = site.messages()[0]["message"].as_str().unwrap().parse().unwrap();
    let connection = CONNECTION.parse().unwrap();
    let command = Command::ReplayMessage { connection, message, actor: actor() };
    block_on(site.0.bridge.command(&command, "1".to_owned())).unwrap();
    site.0.settle();
    assert_eq!(
        (site.0.delivered().len(), answers(&site).len()),
        (3, 1),
        "the resources twice, the answer once"
    );
}

#[test]
fn a_way_that_leads_nowhere_is_noted() {
    let site = Site::new(&format!("{{{AGREED}, acknowledge-to: sim.nobody}}"));
    assert_eq!(sent(&site, &asking("AL", "AL", "C1", PATIENT)), Some(Code::CA));
    let record = site.messages().remove(0);
    let notes = record["notes"].to_string();
    assert!(notes.contains("sim.nobody: no AA was sent"), "{notes}");
}
