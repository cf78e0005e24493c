//! Files that GnuPG encrypted, whole and damaged; and ours, read by GnuPG where it is installed.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{fs, path::Path, process::Command};

use bridge_core::Phi;
use bridge_openpgp::{CipherError, decryptor, encryptor};

const OPEN: &str = include_str!("gnupg/open.secret.asc");
const LOCKED: &str = include_str!("gnupg/locked.secret.asc");
const PASSPHRASE: &str = "synthetic-passphrase";
const PUBLIC: [&str; 2] = [include_str!("gnupg/open.public.asc"), include_str!("gnupg/locked.public.asc")];
const PLAIN: &[u8] = include_bytes!("gnupg/plain.gpg");
const COMPRESSED: &[u8] = include_bytes!("gnupg/compressed.gpg");
const SIGNED: &[u8] = include_bytes!("gnupg/signed.asc");

/// What every file of GnuPG's holds.
fn rows() -> String {
    let row = |n: usize| format!("{n},Testperson {n},1980-02-{:02}\n", n % 28 + 1);
    "chart,name,born\n".to_owned() + &(1..=1500).map(row).collect::<String>()
}

fn phi(texts: &[&str]) -> Vec<Phi<String>> {
    texts.iter().map(|text| Phi::new((*text).to_owned())).collect()
}

/// What comes of a file in pieces of `size` bytes, with these keys.
fn decrypted(file: &[u8], keys: &[&str], size: usize, room: u64) -> Result<Vec<u8>, CipherError> {
    let mut cipher = decryptor(&phi(keys), &phi(&[PASSPHRASE]))?;
    let mut out = Vec::new();
    for piece in file.chunks(size) {
        cipher.push(piece, room - out.len() as u64, &mut out)?;
    }
    cipher.finish(room - out.len() as u64, &mut out)?;
    Ok(out)
}

const ROOM: u64 = 1 << 24;

fn open(file: &[u8]) -> Result<Vec<u8>, CipherError> {
    decrypted(file, &[OPEN], 4096, ROOM)
}

#[test]
fn files_of_gnupg_are_read_in_pieces_of_any_size() {
    for file in [PLAIN, COMPRESSED, SIGNED] {
        for size in [1, 13, 4096, 1 << 20] {
            assert_eq!(decrypted(file, &[OPEN], size, ROOM).unwrap(), rows().as_bytes());
        }
    }
    assert_eq!(decrypted(SIGNED, &[LOCKED], 999, ROOM).unwrap(), rows().as_bytes(), "the other recipient");
    assert_eq!(
        decrypted(PLAIN, &[LOCKED, OPEN], 999, ROOM).unwrap(),
        rows().as_bytes(),
        "a key before the current one"
    );
}

#[test]
fn no_changed_byte_goes_unnoticed() {
    for (file, step) in [(PLAIN, 997), (COMPRESSED, 199)] {
        for at in (0..file.len()).step_by(step).chain(file.len() - 25..file.len()) {
            let mut changed = file.to_vec();
            changed[at] ^= 1;
            assert!(open(&changed).is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_file_that_was_cut_short_or_goes_on_is_damaged() {
    for length in [0, 1, 50, PLAIN.len() / 2, PLAIN.len() - 20, PLAIN.len() - 1] {
        assert!(open(&PLAIN[..length]).is_err(), "{length} bytes");
    }
    assert_eq!(open(&[PLAIN, b"1501,Somebody,1980-01-01\n"].concat()), Err(CipherError::Damaged));
    assert_eq!(open(&[PLAIN, PLAIN].concat()), Err(CipherError::Damaged));
    assert_eq!(open(&[SIGNED, b"\r\n\n"].concat()).unwrap(), rows().as_bytes(), "a mail's blank lines");
    assert_eq!(open(&[SIGNED, b"\nRegards"].concat()).unwrap(), rows().as_bytes(), "what a mail says below");
}

#[test]
fn what_is_not_encrypted_for_the_feed_is_refused_with_a_reason() {
    assert_eq!(open(rows().as_bytes()), Err(CipherError::NotEncrypted));
    assert_eq!(open(include_bytes!("gnupg/only-signed.gpg")), Err(CipherError::NotEncrypted));
    assert_eq!(decrypted(PLAIN, &[LOCKED], 4096, ROOM), Err(CipherError::NoKey));
    // The packet of encrypted data as it was before it was protected (RFC 4880 §5.7): another tag, and no version.
    let begin = 2 + usize::from(PLAIN[1]);
    assert_eq!((PLAIN[0], PLAIN[begin]), (0x84, 0xd2), "a session key, then protected data");
    let mut old = PLAIN.to_vec();
    old[begin] = 0xc9;
    assert_eq!(open(&old), Err(CipherError::Unprotected));
}

#[test]
fn keys_that_can_not_be_used_are_told_of_before_a_file_comes() {
    let reason = |keys: &[&str], passphrases: &[&str]| match decryptor(&phi(keys), &phi(passphrases)) {
        Err(CipherError::Key(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert!(reason(&[LOCKED], &[]).contains("passphrase"));
    assert!(reason(&[LOCKED], &["wrong"]).contains("passphrase"));
    assert!(reason(&[PUBLIC[0]], &[]).contains("secret"));
    assert!(reason(&["nonsense"], &[]).contains("secret"));
    assert!(reason(&[], &[]).contains("secret"));
    assert!(decryptor(&phi(&[LOCKED]), &phi(&["wrong", PASSPHRASE])).is_ok());
    for recipients in [&[][..], &["nonsense"], &[OPEN]] {
        assert!(matches!(encryptor(recipients), Err(CipherError::Key(_))), "{recipients:?}");
    }
}

#[test]
fn no_more_comes_of_a_file_than_there_is_room_for() {
    let whole = rows().len() as u64;
    assert_eq!(decrypted(COMPRESSED, &[OPEN], 4096, whole - 1), Err(CipherError::TooMuch));
    assert_eq!(decrypted(COMPRESSED, &[OPEN], 4096, whole).unwrap().len() as u64, whole);
}

#[test]
fn a_file_given_up_in_the_middle_leaves_no_thread_behind() {
    let threads = || fs::read_dir("/proc/self/task").unwrap().count();
    let before = threads();
    for _ in 0..100 {
        let mut cipher = decryptor(&phi(&[OPEN]), &[]).unwrap();
        cipher.push(&PLAIN[..10_000], ROOM, &mut Vec::new()).unwrap();
    }
    let patience = std::time::Instant::now();
    while threads() > before + 20 && patience.elapsed().as_secs() < 10 {
        std::thread::yield_now();
    }
    assert!(threads() <= before + 20, "{} threads", threads());
}

/// `plain` for both recipients, in pieces.
fn encrypted(plain: &[u8], size: usize) -> Vec<u8> {
    let mut cipher = encryptor(&PUBLIC).unwrap();
    let mut out = Vec::new();
    plain.chunks(size).for_each(|piece| cipher.push(piece, ROOM, &mut out).unwrap());
    cipher.finish(ROOM, &mut out).unwrap();
    out
}

#[test]
fn what_is_encrypted_here_each_recipient_reads() {
    for plain in [&b""[..], b"x", rows().as_bytes(), &[7; 300_000]] {
        for key in [OPEN, LOCKED] {
            assert_eq!(decrypted(&encrypted(plain, 7_777), &[key], 5_555, ROOM).unwrap(), plain);
        }
    }
    let gnupg = Command::new("gpg").arg("--version").output();
    if !gnupg.is_ok_and(|output| output.status.success()) {
        println!("skipped: no gpg");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let gpg = |arguments: &[&str], file: &Path| {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", home.path()).args(["--batch", "--quiet", "--pinentry-mode", "loopback"]);
        let output = command.args(["--passphrase", PASSPHRASE]).args(arguments).arg(file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let file = home.path().join("file");
    for key in [OPEN, LOCKED] {
        fs::write(&file, key).unwrap();
        gpg(&["--import"], &file);
        fs::write(&file, encrypted(rows().as_bytes(), 10_000)).unwrap();
        assert_eq!(gpg(&["--decrypt"], &file), rows().as_bytes());
    }
    // GnuPG's agent outlives the test otherwise.
    let _ = Command::new("gpgconf").env("GNUPGHOME", home.path()).args(["--kill", "gpg-agent"]).status();
}
