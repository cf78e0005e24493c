use bridge_convert::*;
use bridge_hl7v2::Message;
use std::time::*;
fn best(n: usize, mut f: impl FnMut()) -> Duration {
    (0..n)
        .map(|_| {
            let s = Instant::now();
            for _ in 0..10 {
                f()
            }
            s.elapsed() / 10
        })
        .min()
        .unwrap()
}
fn main() {
    let f = std::env::args().nth(1).unwrap();
    let t = std::fs::read_to_string(f).unwrap().trim_end().replace('\n', "\r");
    let c = Converter::new(Profile::new(
        uuid::Uuid::from_u128(7),
        jiff::tz::TimeZone::get("America/Chicago").unwrap(),
        "https://fhir.example/r4",
    ));
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let m = Message::parse(&t).unwrap();
    let r = c.convert(&m, jiff::Timestamp::UNIX_EPOCH).unwrap();
    if n == 0 {
        println!("{}", String::from_utf8(r.bundle).unwrap());
        for d in r.diagnostics {
            eprintln!("{d}");
        }
        for d in r.removals {
            eprintln!("{d:?}");
        }
        return;
    }
    let a = best(n, || {
        let m = Message::parse(&t).unwrap();
        std::hint::black_box(c.convert(&m, jiff::Timestamp::UNIX_EPOCH).unwrap());
    });
    let b = best(n, || {
        std::hint::black_box(hl7_parser::Message::parse(&t).unwrap());
    });
    println!(
        "{:?} vs {:?} = {:.2}; {} bytes -> {} bytes {} resources",
        a,
        b,
        a.as_secs_f64() / b.as_secs_f64(),
        t.len(),
        r.bundle.len(),
        r.resources.len()
    );
}
