//! Encrypted files, by a cipher of our own that is good for nothing but this: what it gives is not known to be genuine before
//! its last byte. (`functions/file-ingest/tests` has OpenPGP's.)

use std::io::Write as _;

use bridge_core::{Phi, config::Secret};
use bridge_pipeline::files::{Cipher, CipherError, FileDoc, FileState};
use bridge_testkit::{memory::lock, practice::Practice};
use flate2::{Compression, write::GzEncoder};

use crate::{crashes, fixtures::*};

const KEY: u8 = 0x5a;

/// Each byte by itself, and their sum at the end.
#[derive(Debug, Default)]
struct Toy {
    sum: u8,
    last: Option<u8>,
}

impl Cipher for Toy {
    fn push(&mut self, bytes: &[u8], room: u64, out: &mut Vec<u8>) -> Result<(), CipherError> {
        if bytes.len() as u64 > room {
            return Err(CipherError::TooMuch);
        }
        for byte in bytes {
            if let Some(before) = self.last.replace(*byte) {
                self.sum = self.sum.wrapping_add(before ^ KEY);
                out.push(before ^ KEY);
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: u64, _: &mut Vec<u8>) -> Result<(), CipherError> {
        if self.last == Some(self.sum) { Ok(()) } else { Err(CipherError::Damaged) }
    }
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    let sum = plain.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    plain.iter().map(|byte| byte ^ KEY).chain([sum]).collect()
}

pub(crate) fn practice_with_key(feed: &str, key: &str) -> Practice {
    let feed = feed.to_owned() + "openpgp: {secret-key: files}\n";
    let mut practice = practice_of(&feed, |source| {
        source.secrets.insert("files".to_owned(), Secret::One(Phi::new(key.to_owned())));
    });
    practice.decryptor = |keys, _| match keys {
        [key] if key.expose() == "right" => Ok(Box::new(Toy::default())),
        _ => Err(CipherError::NoKey),
    };
    practice
}

fn refused(doc: FileDoc) -> String {
    assert_eq!(doc.state, FileState::Refused);
    let cause = doc.cause.unwrap();
    assert_eq!(cause.code, "file.encrypted");
    cause.text.to_string()
}

#[test]
fn an_encrypted_file_is_read_as_if_it_were_not_packed_or_plain() {
    let rows = file((1..=90).map(row));
    let practice = practice_with_key(CHANGES, "right");
    let doc = drop_and_settle(&practice, "a.csv.pgp", &sealed(rows.as_bytes()));
    assert_eq!((doc.state, doc.progress.sent), (FileState::Done, 90), "{:?}", doc.cause);
    assert_once(&practice, 1..=90);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(file((91..=120).map(row)).as_bytes()).unwrap();
    let doc = drop_and_settle(&practice, "b.csv.gz.pgp", &sealed(&gzip.finish().unwrap()));
    assert_eq!((doc.state, doc.progress.sent), (FileState::Done, 30), "{:?}", doc.cause);
    assert_once(&practice, 1..=120);
    assert!(in_clear(&practice).iter().all(|text| !text.contains("Testperson")));
}

#[test]
fn nothing_of_a_file_that_was_changed_is_read_or_told() {
    for at in [0, 20, 1_000, 2_000] {
        let practice = practice_with_key(CHANGES, "right");
        let mut file = sealed(file((1..=90).map(row)).as_bytes());
        let at = at.min(file.len() - 1);
        file[at] ^= 1;
        let said = refused(drop_and_settle(&practice, "a.csv.pgp", &file));
        // Were a row parsed before, this would tell whoever changed the file what came of it.
        assert!(said.contains("was changed") && !said.contains("line"), "{said}");
        assert_once(&practice, []);
        assert!(lock(&practice.world).files.keys("outbox/").iter().all(|key| !key.contains("quarantine")));
    }
    let practice = practice_with_key(CHANGES, "right");
    let whole = sealed(file((1..=90).map(row)).as_bytes());
    refused(drop_and_settle(&practice, "short.csv.pgp", &whole[..whole.len() - 30]));
    assert_once(&practice, []);
    let corrected = drop_and_settle(&practice, "short.csv.pgp", &whole);
    assert_eq!(corrected.state, FileState::Done);
    assert_once(&practice, 1..=90);
}

#[test]
fn a_file_for_somebody_else_is_refused_until_the_key_is_there() {
    let practice = practice_with_key(CHANGES, "another");
    let said = refused(drop_and_settle(&practice, "a.csv.pgp", &sealed(file([row(1)]).as_bytes())));
    assert!(said.contains("none of the feed's keys"), "{said}");
}

#[test]
fn no_more_comes_of_a_file_than_its_feed_allows() {
    let practice = practice_with_key(&(CHANGES.to_owned() + "limits: {file-bytes: 1000}\n"), "right");
    let doc = drop_and_settle(&practice, "a.csv.pgp", &sealed(file((1..=90).map(row)).as_bytes()));
    assert_eq!(doc.state, FileState::Refused);
    assert_once(&practice, []);
}

#[test]
fn killed_before_any_call_every_row_of_an_encrypted_file_goes_on_once() {
    for seed in 500..510 {
        let practice = practice_with_key(CHANGES, "right");
        let rows = 60 + usize::try_from(seed % 50).unwrap();
        crashes::read_all(&practice, "1.csv.pgp", &sealed(file((1..=rows).map(row)).as_bytes()), seed);
        assert_once(&practice, 1..=rows);
    }
}
