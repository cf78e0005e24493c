//! What the door answers, and what is durable by then.

use bridge_core::http::{Request, Response};
use bridge_hl7v2::{
    ack::{Code, Verdict},
    batch::{Part, split},
};
use bridge_pipeline::Bridge;
use bridge_testkit::{memory::lock, sim::CONNECTION};
use data_encoding::BASE64;
use futures::executor::block_on;

use crate::site::{AGREED, Site, message};

const PID: &str = "PID|1||4711^^^NORTH^MR||Testperson^Una||19700101|F";

fn adt(control_id: &str) -> String {
    message("ADT^A08", "20260302103000", control_id, PID)
}

#[test]
fn a_message_is_durable_before_its_positive_answer() {
    let site = Site::new(AGREED);
    assert_eq!(site.send(adt("1")), Some((Code::AA, vec![])));
    assert_eq!(site.queued(), 1);
    let loaded = site.loaded();
    let prepared = block_on(site.0.bridge.prepare_hl7(&loaded, adt("2").as_bytes(), None));
    assert_eq!(site.queued(), 1, "preparing queues nothing");
    assert!(prepared.entry.is_some() && prepared.answer.is_some());
    let unavailable = String::from_utf8(prepared.unavailable.unwrap()).unwrap();
    assert!(unavailable.contains("MSA|AE|2") && unavailable.contains("207^"), "{unavailable}");
}

#[test]
fn a_repeat_is_the_same_message_and_another_time_another_one() {
    let site = Site::new(AGREED);
    site.accepted(&adt("1"));
    lock(&site.0.world).now += 3_600_000;
    site.accepted(&adt("1"));
    assert_eq!((site.messages().len(), site.0.delivered().len()), (1, 1));
    site.accepted(&message("ADT^A08", "20260302103001", "1", PID));
    assert_eq!(site.messages().len(), 2, "a counter that began again");

    let site = Site::new("identity: content");
    site.accepted(&adt("1"));
    site.accepted(&adt("1").replace("Una", "Ulla"));
    assert_eq!(site.messages().len(), 2, "control ids that are not unique");
    site.accepted(&adt("1"));
    assert_eq!(site.messages().len(), 2);
}

#[test]
fn what_is_not_agreed_is_refused_where_it_says_so_and_counted() {
    let site = Site::new("events: [ADT^A04, ADT^A08]");
    let cases: [(String, &str, &str); 6] = [
        (message("ADT^A01", "2026", "1", PID), "201 MSH-9", "hl7v2.event"),
        (message("ADT", "2026", "1", PID), "200 MSH-9", "hl7v2.event"),
        (adt("1").replace("|P|", "|T|"), "202 MSH-11", "hl7v2.processing_id"),
        ("PID|1||7\r".to_owned(), "100 ", "hl7v2.unreadable"),
        ("".to_owned(), "100 ", "hl7v2.unreadable"),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "100 ", "hl7v2.unreadable"),
    ];
    for (text, place, _) in &cases {
        let (code, places) = site.send(text).unwrap();
        assert_eq!((code, places[0].as_str()), (Code::AR, *place), "{text:?}");
        lock(&site.0.world).now += 2_000;
    }
    assert_eq!(site.queued(), 0);
    let counted = site.counted();
    for (_, _, code) in &cases {
        assert!(counted.iter().any(|(known, _)| known == code), "{code} is not counted: {counted:?}");
    }
}

#[test]
fn a_site_may_have_other_events_acknowledged_and_not_kept() {
    let site = Site::new("{events: [ADT^A04], other-events: ignore}");
    assert_eq!(site.send(adt("1")), Some((Code::AA, vec![])));
    assert_eq!((site.queued(), site.counted()), (0, vec![("hl7v2.ignored".to_owned(), 1)]));
}

#[test]
fn a_character_set_is_obeyed_agreed_or_refused() {
    let latin = |msh18: &str| {
        let text = adt("1").replace("|2.5.1\r", &format!("|2.5.1||||||{msh18}\r")).replace("Una", "Zoë");
        text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>()
    };
    let site = Site::new(AGREED);
    assert_eq!(site.send(latin("")), Some((Code::AR, vec!["102 PID-5".to_owned()])));
    assert_eq!(site.send(latin("UNICODE UTF-8")).unwrap().0, Code::AR);
    assert_eq!(site.send(latin("8859/1")).unwrap().0, Code::AA);
    site.0.settle();
    assert_eq!(site.delivered("Patient")["name"][0]["given"][0], "Zoë");
    let site = Site::new("charset: {undeclared: windows-1252}");
    assert_eq!(site.send(latin("")).unwrap().0, Code::AA);
    site.0.settle();
    assert_eq!(site.delivered("Patient")["name"][0]["given"][0], "Zoë");
}

#[test]
fn the_answer_is_the_one_that_is_asked_for() {
    let asking = |accept: &str, application: &str| {
        adt("1").replace("|2.5.1\r", &format!("|2.5.1|||{accept}|{application}\r"))
    };
    let code = |agreed: &str, text: &str| Site::new(agreed).send(text).map(|(code, _)| code);
    assert_eq!(code("{}", &asking("", "")), Some(Code::AA));
    assert_eq!(code("{}", &asking("AL", "NE")), Some(Code::CA));
    assert_eq!(code("{}", &asking("NE", "AL")), Some(Code::AA));
    assert_eq!(code("{}", &asking("NE", "NE")), None);
    assert_eq!(code("{}", &asking("ER", "NE")), None);
    assert_eq!(code("events: [SIU^*]", &asking("ER", "NE")), Some(Code::CR));
    assert_eq!(code("ack: original", &asking("NE", "NE")), Some(Code::AA));
    assert_eq!(code("ack: enhanced", &asking("", "")), Some(Code::CA));
    let site = Site::new("{}");
    site.send(asking("NE", "NE"));
    assert_eq!(site.queued(), 1, "unanswered is not unheard");
}

#[test]
fn an_acknowledgment_is_never_answered() {
    let site = Site::new("{}");
    let ack = "MSH|^~\\&|EHR|NORTH|BRIDGE|NORTH|2026||ACK^A08^ACK|9|P|2.5.1\rMSA|AA|1\r";
    assert_eq!(site.send(ack), None);
    assert_eq!((site.queued(), site.counted()), (0, vec![("hl7v2.acknowledgment".to_owned(), 1)]));
}

#[test]
fn a_batch_is_answered_by_a_batch() {
    let site = Site::new(AGREED);
    let broken = "MSH|broken\r";
    let batch = format!("FHS|^~\\&|PM\rBHS|^~\\&|PM\r{}{broken}{}BTS|3\rFTS|1\r", adt("1"), adt("2"));
    let received = site.receive(&batch);
    assert_eq!((received.verdict, received.accepted, received.refused), (Verdict::Reject, 2, 1));
    let answers = split(&received.answer).filter(|part| matches!(part, Part::Message(_))).count();
    assert!(split(&received.answer).any(|part| matches!(part, Part::BatchEnd(count) if count.agrees())));
    assert_eq!((answers, site.queued()), (3, 2));

    let truncated = format!("BHS|^~\\&|PM\r{}BTS|2\r", adt("3"));
    let received = site.receive(&truncated);
    assert_eq!((received.accepted, received.refused), (1, 1), "what came is taken, what is missing is told");
    assert!(String::from_utf8(received.answer).unwrap().contains("1 were found"));
}

#[test]
fn without_a_durable_write_there_is_no_positive_answer() {
    let site = Site::new(AGREED);
    let loaded = site.loaded();
    let world = site.0.world.clone();
    let adapters = site.0.bridge.ports().adapters_known();
    let ports = bridge_testkit::memory::MemoryPorts::new(world, Deaf, adapters, 0, 2);
    let deaf = Bridge::new(ports);
    for (text, code) in
        [(adt("1"), "MSA|AE|1"), (adt("1").replace("|2.5.1\r", "|2.5.1|||AL|NE\r"), "MSA|CE|1")]
    {
        let received = block_on(deaf.receive_hl7(&loaded, text.as_bytes(), None));
        let answer = String::from_utf8(received.answer).unwrap();
        assert!(received.verdict == Verdict::Error && answer.contains(code), "{answer}");
    }
    assert_eq!(site.queued(), 0);
    let response = block_on(deaf.receive_hl7_http(CONNECTION, &request(&[], b"")));
    assert_ne!(response.status, 200);
}

/// A world whose queue takes nothing.
struct Deaf;

impl bridge_testkit::memory::Hook for Deaf {
    async fn pause(&self) {}
    fn fault(&self, operation: &'static str) -> Option<bridge_testkit::memory::Fault> {
        (operation == "queue.send").then_some(bridge_testkit::memory::Fault::Before)
    }
    fn chance(&self) -> f64 {
        0.5
    }
}

fn request(headers: &[(&str, &str)], body: &[u8]) -> Request {
    let mut all: std::collections::BTreeMap<String, String> =
        [("content-type".to_owned(), "x-application/hl7-v2+er7; charset=utf-8".to_owned())].into();
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Request {
        method: "POST".to_owned(),
        path: format!("/hl7/{CONNECTION}"),
        query: String::new(),
        headers: all,
        source: Some([203, 0, 113, 9].into()),
        body: body.to_vec().into(),
    }
}

fn post(site: &Site, headers: &[(&str, &str)], body: &str) -> Response {
    block_on(site.0.bridge.receive_hl7_http(CONNECTION, &request(headers, body.as_bytes())))
}

#[test]
fn over_http_the_answer_is_the_body_and_the_status_says_the_same() {
    let site = Site::new("verify: {kind: token, header: x-token, secret: http}");
    let token = [("x-token", "invented")];
    let response = post(&site, &token, &adt("1"));
    assert_eq!(response.status, 200);
    assert!(
        response.body.contains("MSA|AA|1")
            && response.headers["content-type"].starts_with("x-application/hl7-v2+er7")
    );
    let refused = post(&site, &token, &message("MDM^T02", "2026", "2", PID));
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("MSA|AR|2"));
    assert_eq!(post(&site, &[("x-token", "wrong")], &adt("3")).status, 401);
    assert_eq!(post(&site, &[], &adt("3")).status, 401);
    assert_eq!(post(&site, &[token[0], ("content-type", "application/json")], &adt("3")).status, 415);
    assert_eq!(site.queued(), 1);
}

#[test]
fn over_http_the_media_types_charset_holds_where_the_message_declares_none() {
    let site = Site::new("verify: {kind: token, header: x-token, secret: http}");
    let send = |charset: &str, bytes: &[u8]| {
        let media_type = format!("x-application/hl7-v2+er7; Charset=\"{charset}\"");
        let headers = [("x-token", "invented"), ("content-type", media_type.as_str())];
        block_on(site.0.bridge.receive_hl7_http(CONNECTION, &request(&headers, bytes))).status
    };
    let latin = |text: &str| text.chars().map(|c| u8::try_from(c).unwrap()).collect::<Vec<u8>>();
    let named = |id: &str, patient: &str| adt(id).replace("Una", "Zo\u{eb}").replace("4711", patient);
    assert_eq!(send("iso-8859-1", &latin(&named("1", "1"))), 200);
    assert_eq!(send("utf-8", named("2", "2").as_bytes()), 200);
    // What the message itself declares holds.
    let declared = named("3", "3").replace("|P|2.5.1", "|P|2.5.1||||||8859/1");
    assert_eq!(send("utf-8", &latin(&declared)), 200);
    assert_eq!(send("utf-8", &latin(&named("4", "4"))), 422, "neither says Latin");
    assert_eq!(send("koi8-r", adt("5").as_bytes()), 415);
    site.0.settle();
    let bundles = site.0.delivered();
    assert_eq!(bundles.len(), 3);
    assert!(bundles.iter().all(|bundle| bundle.contains("Zo\u{eb}")), "{bundles:?}");
}

#[test]
fn a_rehearsal_answers_as_the_site_does_and_leaves_nothing() {
    let site = Site::new("{events: [ADT^A04, ADT^A08], ack: enhanced}");
    let rehearse = |text: &str| {
        let prepared = site.0.bridge.rehearse_hl7(&site.loaded(), text.as_bytes());
        assert!(prepared.entry.is_none() && prepared.message.is_none());
        String::from_utf8(prepared.answer.unwrap()).unwrap()
    };
    assert!(rehearse(&adt("1")).contains("MSA|CA|1"));
    assert!(rehearse(&message("ADT^A01", "2026", "2", PID)).contains("MSA|CR|2"));
    assert!(rehearse("MSH|broken").contains("MSA|CR|"));
    assert_eq!((site.queued(), site.counted()), (0, vec![]));
}

#[test]
fn over_http_a_name_and_a_password_will_do() {
    let site = Site::new("verify: {kind: basic, user: mirth, secret: http}");
    let basic = |text: &str| format!("Basic {}", BASE64.encode(text.as_bytes()));
    assert_eq!(post(&site, &[("authorization", &basic("mirth:invented"))], &adt("1")).status, 200);
    for wrong in ["mirth:other", "other:invented", "mirthinvented", ""] {
        assert_eq!(post(&site, &[("authorization", &basic(wrong))], &adt("1")).status, 401, "{wrong}");
    }
    assert_eq!(post(&site, &[("authorization", "Bearer invented")], &adt("1")).status, 401);
}

#[test]
fn without_a_rule_there_is_no_door_over_http() {
    let response = post(&Site::new("{}"), &[], &adt("1"));
    assert_eq!(response.status, 404);
    assert!(response.body.contains("hl7v2.no_http"));
}

#[test]
fn a_lane_is_a_patients_or_an_appointments() {
    let site = Site::new(AGREED);
    for text in [
        message("ADT^A08", "2026", "1", "PID|1||9^^^X^SS~4711^^^NORTH^MR"),
        message("ADT^A40", "2026", "2", "PID|1||4711^^^NORTH^MR\rMRG|4712^^^NORTH^MR"),
        message("SIU^S12", "2026", "3", "SCH||F1\rPID|1||4711"),
        message("SIU^S12", "2026", "4", "SCH|P1|F1"),
        message("SIU^S15", "2026", "5", "SCH|P2|F1"),
        message("ADT^A08", "2026", "6", "PID|1"),
    ] {
        assert_eq!(site.send(text).unwrap().0, Code::AA);
    }
    let lanes = site.lanes();
    assert!(lanes[..3].iter().all(|lane| lane == &lanes[0]), "one patient");
    assert_eq!(lanes[3], lanes[4], "one appointment");
    assert!(lanes[3] != lanes[0] && lanes[5] != lanes[0] && lanes[5] != lanes[3]);
}

#[test]
fn a_shared_port_finds_the_connection_that_asks_for_most() {
    let site = Site::new("{sender: {application: PM, facility: NORTH}}");
    let candidates = [CONNECTION.parse().unwrap()];
    let route = |text: &str| block_on(site.0.bridge.route_hl7(&candidates, text.as_bytes())).unwrap();
    assert!(route(&adt("1")).is_some());
    assert!(route(&format!("\u{b}{}", adt("1"))).is_some());
    assert!(route(&adt("1").replace("|NORTH|BRIDGE", "|SOUTH|BRIDGE")).is_none());
    assert!(route("hello").is_none());
    let refused = block_on(site.0.bridge.refuse_unrouted_hl7(&site.loaded(), adt("1").as_bytes()));
    let answer = String::from_utf8(refused.answer.unwrap()).unwrap();
    assert!(answer.contains("MSA|AR|1"), "{answer}");
}
