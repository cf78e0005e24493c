//! Acknowledgments: which one is sent, what it says, and reading it back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bridge_hl7v2::{
    Error, Message,
    ack::{Acknowledgment, Answer, Code, Mode, Problem, ProblemCode, Verdict, Wanted, refuse},
};

const VERDICTS: [Verdict; 3] = [Verdict::Accept, Verdict::Error, Verdict::Reject];

fn message(msh15: &str, msh16: &str) -> String {
    format!("MSH|^~\\&|LAB|NORTH|EHR|SOUTH|2024||ADT^A08|77|P|2.5.1|||{msh15}|{msh16}\rPID|1\r")
}

/// The commit and application codes sent for accept, error and reject.
fn sent(msh15: &str, msh16: &str, mode: Mode) -> [[Option<Code>; 3]; 2] {
    let text = message(msh15, msh16);
    let wanted = Wanted::by(&Message::parse(&text).unwrap(), mode);
    [VERDICTS.map(|v| wanted.commit(v)), VERDICTS.map(|v| wanted.application(v))]
}

#[test]
fn original_mode_answers_once() {
    use Code::*;
    let once = [[None; 3], [Some(AA), Some(AE), Some(AR)]];
    assert_eq!(sent("", "", Mode::AsAsked), once);
    assert_eq!(sent("\"\"", "\"\"", Mode::AsAsked), once);
    assert_eq!(sent("AL", "AL", Mode::Original), once);
}

#[test]
fn enhanced_mode_answers_as_msh_15_and_16_ask() {
    use Code::*;
    let commits = [Some(CA), Some(CE), Some(CR)];
    assert_eq!(sent("AL", "NE", Mode::AsAsked), [commits, [None; 3]]);
    assert_eq!(sent("AL", "", Mode::AsAsked), [commits, [None; 3]]);
    assert_eq!(sent("", "AL", Mode::AsAsked), [[None; 3], [Some(AA), Some(AE), Some(AR)]]);
    assert_eq!(sent("NE", "NE", Mode::AsAsked), [[None; 3]; 2]);
    assert_eq!(sent("ER", "NE", Mode::AsAsked), [[None, Some(CE), Some(CR)], [None; 3]]);
    assert_eq!(sent("SU", "NE", Mode::AsAsked), [[Some(CA), None, None], [None; 3]]);
    // What was refused at the door is answered once.
    assert_eq!(sent("AL", "AL", Mode::AsAsked), [commits, [Some(AA), None, None]]);
    assert_eq!(sent("SU", "AL", Mode::AsAsked), [[Some(CA), None, None], [Some(AA), Some(AE), Some(AR)]]);
    assert_eq!(sent("", "", Mode::Commit), [commits, [None; 3]]);
    assert_eq!(sent("??", "NE", Mode::AsAsked), [commits, [None; 3]], "an unknown condition means always");
}

#[test]
fn what_a_commit_acknowledgment_leaves_open_is_owed() {
    use Code::*;
    let owed = |msh15, msh16, mode| {
        let text = message(msh15, msh16);
        let wanted = Wanted::by(&Message::parse(&text).unwrap(), mode);
        [Verdict::Accept, Verdict::Error].map(|verdict| wanted.deferred(verdict))
    };
    assert_eq!(owed("AL", "AL", Mode::AsAsked), [Some(AA), Some(AE)]);
    assert_eq!(owed("SU", "ER", Mode::AsAsked), [None, Some(AE)]);
    assert_eq!(owed("AL", "SU", Mode::AsAsked), [Some(AA), None]);
    for (msh15, msh16, mode) in [
        ("", "", Mode::AsAsked),
        ("AL", "NE", Mode::AsAsked),
        ("AL", "", Mode::AsAsked),
        // The application's was the answer.
        ("NE", "AL", Mode::AsAsked),
        ("ER", "AL", Mode::AsAsked),
        ("AL", "AL", Mode::Original),
        ("AL", "AL", Mode::Commit),
    ] {
        assert_eq!(owed(msh15, msh16, mode), [None; 2], "{msh15} {msh16} {mode:?}");
    }
}

#[test]
fn an_acknowledgment_of_its_own_asks_for_one_in_return() {
    let text = message("AL", "AL");
    let bytes =
        Acknowledgment::to(&Message::parse(&text).unwrap(), Code::AA).asking_commit().build().unwrap();
    let wanted = Wanted::by(&Message::parse(&bytes).unwrap(), Mode::AsAsked);
    assert_eq!((wanted.commit(Verdict::Accept), wanted.deferred(Verdict::Accept)), (Some(Code::CA), None));
}

#[test]
fn an_answer_reads_back() {
    let text = message("", "");
    let sent = Message::parse(&text).unwrap();
    let problem = Problem::error(
        ProblemCode::RequiredFieldMissing,
        Some("PID-3[2].4.1".parse().unwrap()),
        "PID-3 names no authority | at all",
    );
    let bytes = Acknowledgment::to(&sent, Code::AE)
        .made("20240229103000")
        .control_id("A1")
        .problem(problem)
        .problem(Problem::error(ProblemCode::Internal, None, "later"))
        .build()
        .unwrap();
    assert_eq!(
        String::from_utf8(bytes.clone()).unwrap(),
        "MSH|^~\\&|EHR|SOUTH|LAB|NORTH|20240229103000||ACK^A08^ACK|A1|P|2.5.1\r\
         MSA|AE|77|PID-3 names no authority \\F\\ at all\r\
         ERR||PID^1^3^2^4^1|101^Required field missing^HL70357|E||||PID-3 names no authority \\F\\ at all\r\
         ERR|||207^Application internal error^HL70357|E||||later\r"
    );
    let ack = Message::parse(&bytes).unwrap();
    let answer = Answer::read(&ack).unwrap();
    assert_eq!(
        (answer.code, answer.code.verdict(), answer.code.is_commit()),
        (Code::AE, Verdict::Error, false)
    );
    assert!(answer.is_for("77") && answer.is_for(" 77 ") && !answer.is_for("7") && !answer.is_for(""));
    assert_eq!(answer.problems.len(), 2);
    let first = &answer.problems[0];
    assert_eq!((first.code.as_ref(), first.severity.as_ref()), ("101", "E"));
    assert_eq!(first.location.unwrap().to_string(), "PID-3[2].4.1");
    assert_eq!(first.text, "PID-3 names no authority | at all");
    assert_eq!(answer.problems[1].location, None);
}

#[test]
fn the_form_follows_the_version_of_the_message() {
    let ack = |version: &str| {
        let text = format!("MSH|^~\\&|LAB|NORTH|EHR|SOUTH|2024||ADT^A08|77|T|{version}\rPID|1\r");
        let problem = Problem::error(ProblemCode::DataType, Some("PID-7".parse().unwrap()), "no date");
        let sent = Message::parse(&text).unwrap();
        let bytes = Acknowledgment::to(&sent, Code::AR).problem(problem).control_id("A").build().unwrap();
        let ack = Message::parse(&bytes).unwrap();
        let answer = Answer::read(&ack).unwrap();
        assert_eq!(answer.problems[0].location.unwrap().to_string(), "PID-7", "{version}");
        assert_eq!(answer.problems[0].code, "102");
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(
        ack("2.2"),
        "MSH|^~\\&|EHR|SOUTH|LAB|NORTH|||ACK^A08|A|T|2.2\rMSA|AR|77|no date\rERR|PID^1^7^102&Data type error&HL70357\r"
    );
    assert!(ack("2.3.1").contains("|ACK^A08^ACK|"));
    assert!(ack("2.7").contains("\rMSA|AR|77\r"), "MSA-3 was withdrawn in v2.7");
    assert!(ack("2.10").contains("\rMSA|AR|77\r"));
}

#[test]
fn delimiters_and_charset_are_those_of_the_message() {
    let sent = Message::parse("MSH#*+#LAB#NORTH#EHR*x#SOUTH###ADT*A08#7 7#P#2.4\rPID#1\r").unwrap();
    let problem = Problem::error(ProblemCode::DataType, None, "a # b");
    let bytes = Acknowledgment::to(&sent, Code::AR).problem(problem).build().unwrap();
    let ack = Message::parse(&bytes).unwrap();
    assert_eq!(ack.delimiters().encoding_characters(), "*+^~", "completed, as an answer may need to escape");
    assert_eq!(ack.header().field(3).component(2).raw(), "x");
    assert_eq!(Answer::read(&ack).unwrap().text, "a # b");

    let latin = b"MSH|^~\\&|M\xfcller|B|C|D|||ADT^A08|77|P|2.5||||||8859/1\rPID|1\r";
    let sent = Message::parse(latin).unwrap();
    let ack = Acknowledgment::to(&sent, Code::AA).build().unwrap();
    assert!(ack.starts_with(b"MSH|^~\\&|C|D|M\xfcller|B|") && memchr_8859(&ack), "{ack:?}");
}

fn memchr_8859(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|w| w == b"8859/1")
}

#[test]
fn what_cannot_be_parsed_is_answered_by_what_can_be_read_of_it() {
    let answer = |bytes: &[u8], mode| {
        let error = Message::parse(bytes).unwrap_err();
        let ack = refuse(bytes, &error, mode, "2024", "A").unwrap();
        ack.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let two = b"MSH|^~\\&|LAB|N|EHR|S|||ADT^A08|77|P|2.5.1\rMSH|^~\\&|LAB\r";
    let ack = answer(two, Mode::AsAsked).unwrap();
    assert!(ack.starts_with(
        "MSH|^~\\&|EHR|S|LAB|N|2024||ACK^A08^ACK|A|P|2.5.1\rMSA|AR|77|segment 2 is a second MSH"
    ));
    assert!(
        ack.contains("\rERR|||100^Segment sequence error^HL70357|E||||segment 2 is a second MSH"),
        "{ack}"
    );
    assert!(answer(two, Mode::Commit).unwrap().contains("\rMSA|CR|77|"));

    let undecodable = b"\x0bMSH|^~\\&|LAB|N|EHR|S|||ADT^A08|7\xff7|P|2.5.1|||AL|NE\rPID|1||\xff\r\x1c\r";
    let error = Message::parse(undecodable).unwrap_err();
    let bytes = refuse(undecodable, &error, Mode::AsAsked, "", "").unwrap().unwrap();
    assert!(bytes.windows(11).any(|w| w == b"MSA|CR|7\xff7|"), "the control id goes back byte for byte");

    let unwanted = b"MSH|^~\\&|LAB|N|EHR|S|||ADT^A08|77|P|2.5.1|||NE|NE\rMSH|^~\\&|\r";
    assert_eq!(answer(unwanted, Mode::AsAsked), None);

    for nothing in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", b"MSH", b"MSH|^^|LAB", b"PID|1||MSH"] {
        let ack = answer(nothing, Mode::AsAsked).unwrap();
        assert!(ack.starts_with("MSH|^~\\&|||||2024||ACK|A|P|2.5\rMSA|AR||"), "{ack}");
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    let error = |text: &str| Answer::read(&Message::parse(text).unwrap()).unwrap_err().to_string();
    assert_eq!(error("MSH|^~\\&|A\rPID|1"), "MSA: the answer has no such segment");
    assert_eq!(error("MSH|^~\\&|A\rMSA|OK|77"), "MSA-1[1]: no acknowledgment code of table 0008");
    assert_eq!(error("MSH|^~\\&|A\rMSA"), "MSA-1[1]: no acknowledgment code of table 0008");
}

#[test]
fn an_answers_debug_output_shows_no_text() {
    let ack = Message::parse("MSH|^~\\&|A\rMSA|AE|1|SECRET\rERR||PID^1^5|101^SECRET|E||||SECRET").unwrap();
    let shown = format!("{:?}", Answer::read(&ack).unwrap());
    assert!(!shown.contains("SECRET") && shown.contains("PID"), "{shown}");
}

#[test]
fn every_parse_error_becomes_a_problem_that_says_where() {
    for bytes in [&b"MSH|^~\\&|A\rPID|1|\xff"[..], b"MSH|ab|A", b"MSH||", b"hello"] {
        let error: Error = Message::parse(bytes).unwrap_err();
        let problem = Problem::from(&error);
        assert_eq!(problem.text, error.to_string());
        assert_eq!(problem.location.is_none(), bytes == b"hello");
    }
}
