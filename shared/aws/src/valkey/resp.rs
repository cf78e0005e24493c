//! RESP2, the protocol of Redis and Valkey (redis.io/docs/reference/protocol-spec): commands, and the replies to two of them.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

/// Larger than anything that is put there.
const LARGEST: usize = 4 * 1024 * 1024;
/// A line of a reply that is longer is none.
const LONGEST_LINE: u64 = 4 * 1024;

/// What a server answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// `+OK`.
    Done,
    /// A value; `None` where there is none.
    Bytes(Option<Vec<u8>>),
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// No answer in time.
    #[error("no answer in time")]
    Late(#[from] tokio::time::error::Elapsed),
    /// The connection failed, or was closed.
    #[error("the connection failed: {0}")]
    Broken(#[from] io::Error),
    /// The server refused the command: the first word of why.
    #[error("the server refused the command: {0}")]
    Refused(String),
    /// Not the protocol.
    #[error("an answer that is not RESP")]
    Protocol,
    /// There can be no TLS with it.
    #[error("TLS can't be used: {0}")]
    Tls(&'static str),
}

/// A command as it is sent: an array of bulk strings.
pub(super) fn command(parts: &[&[u8]]) -> Vec<u8> {
    let size: usize = parts.iter().map(|part| part.len() + 16).sum();
    let mut bytes = Vec::with_capacity(size + 16);
    bytes.extend_from_slice(format!("*{}\r\n", parts.len()).as_bytes());
    for part in parts {
        bytes.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Reads one reply.
pub(super) async fn reply<R: tokio::io::AsyncRead + Unpin>(from: &mut BufReader<R>) -> Result<Reply, Fault> {
    let mut line = Vec::new();
    let read = (&mut *from).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
    if read == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let line =
        line.strip_suffix(b"\r\n").and_then(|line| std::str::from_utf8(line).ok()).ok_or(Fault::Protocol)?;
    let (kind, text) = line.split_at_checked(1).ok_or(Fault::Protocol)?;
    match (kind, text) {
        ("+", _) => Ok(Reply::Done),
        // The rest may hold what was sent.
        ("-", text) => Err(Fault::Refused(text.split(' ').next().unwrap_or_default().to_owned())),
        ("$", "-1") => Ok(Reply::Bytes(None)),
        ("$", size) => {
            let size: usize = size.parse().ok().filter(|size| *size <= LARGEST).ok_or(Fault::Protocol)?;
            let mut value = vec![0; size + 2];
            from.read_exact(&mut value).await?;
            if !value.ends_with(b"\r\n") {
                return Err(Fault::Protocol);
            }
            value.truncate(size);
            Ok(Reply::Bytes(Some(value)))
        }
        _ => Err(Fault::Protocol),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_command_is_an_array_of_what_may_hold_any_byte() {
        assert_eq!(command(&[b"GET", b"a\r\n"]), b"*2\r\n$3\r\nGET\r\n$3\r\na\r\n\r\n");
    }

    #[tokio::test]
    async fn replies_are_read_and_nothing_else_is_one() {
        let read = async |bytes: &[u8]| reply(&mut BufReader::new(bytes)).await;
        assert_eq!(read(b"+OK\r\n").await.unwrap(), Reply::Done);
        assert_eq!(read(b"$-1\r\n").await.unwrap(), Reply::Bytes(None));
        assert_eq!(read(b"$2\r\n\r\n\r\n").await.unwrap(), Reply::Bytes(Some(b"\r\n".to_vec())));
        let refused = read(b"-NOAUTH patient Zyxwv\r\n").await.unwrap_err().to_string();
        assert_eq!(refused, "the server refused the command: NOAUTH");
        for broken in [
            &b""[..],
            b"$5\r\nab",
            b"$2\r\nabc\r\n",
            b"$9999999999\r\n",
            b"HTTP/1.1 400\r\n",
            b"+OK",
            b":1\r\n",
        ] {
            assert!(read(broken).await.is_err(), "{broken:?}");
        }
    }
}
