//! MLLP, the minimal lower layer protocol: `<0x0B> message <0x1C> <0x0D>` (HL7 transport
//! specification, MLLP release 1).
//!
//! Bytes in, frames out; the socket is the caller's. The decoder never loses a byte without saying so, and
//! never holds more than its limit and one read.

use memchr::{memchr2, memchr3};

use crate::error::Error;

/// The byte a frame begins with.
pub const START: u8 = 0x0b;
/// The byte a frame ends with. A carriage return follows it.
pub const END: u8 = 0x1c;

/// Appends `message` to `out` as one frame.
///
/// # Errors
/// [`Error::Unframeable`] when the message holds the end byte: the receiver would cut it there.
pub fn encode(message: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    if let Some(offset) = memchr::memchr(END, message) {
        return Err(Error::Unframeable { offset });
    }
    out.reserve(message.len() + 3);
    out.push(START);
    out.extend_from_slice(message);
    out.extend([END, b'\r']);
    Ok(())
}

/// What a decoder found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Received<'d> {
    /// A whole message. It may be empty: some senders probe a connection with an empty frame.
    Message(&'d [u8]),
    /// So many bytes outside of any frame; blanks between frames are not counted.
    Garbage {
        /// How many.
        bytes: usize,
    },
    /// A frame without an end: the next frame began, or the connection closed. The message may be cut short,
    /// so it is not one; what came of it is here to be kept and answered.
    Unterminated(&'d [u8]),
    /// A frame larger than the limit. The rest of it is passed over.
    TooLarge {
        /// Its first line, or the beginning of it: enough to answer by.
        head: &'d [u8],
    },
}

impl std::fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message(m) => write!(f, "message of {} bytes", m.len()),
            Self::Garbage { bytes } => write!(f, "{bytes} bytes outside of any frame"),
            Self::Unterminated(m) => write!(f, "unterminated frame of {} bytes", m.len()),
            Self::TooLarge { .. } => f.write_str("frame larger than the limit"),
        }
    }
}

/// Cuts a stream of bytes into messages.
///
/// It takes what senders get wrong as far as the message is surely whole:
///
/// * The end byte alone ends a frame. Waiting for the carriage return would hang a sender that leaves it out
///   and waits for its answer.
/// * Bytes before a start byte are [`Received::Garbage`], unless they are a message that only lacks the start
///   byte: from a header segment to an end byte.
/// * A start byte inside a frame begins a new one only if a header segment follows it. Otherwise it is text:
///   word processors use 0x0B as a line break.
///
/// ```
/// use bridge_hl7v2::mllp::{Decoder, Received};
///
/// let mut decoder = Decoder::new(1 << 20);
/// decoder.push(b"\x0bMSH|first\x1c\r\x0bMSH|sec");
/// assert_eq!(decoder.next_frame(), Some(Received::Message(b"MSH|first")));
/// assert_eq!(decoder.next_frame(), None);
/// decoder.push(b"ond\x1c\r");
/// assert_eq!(decoder.next_frame(), Some(Received::Message(b"MSH|second")));
/// assert_eq!(decoder.finish(), None);
/// ```
pub struct Decoder {
    limit: usize,
    buffer: Vec<u8>,
    /// What of the buffer has been given out.
    start: usize,
    /// What of the buffer has been searched; nothing is searched twice.
    searched: usize,
    state: State,
    /// Bytes outside of frames, not yet told.
    garbage: usize,
    /// What stands between frames began with garbage that is gone, so what follows it is none either.
    spoilt: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Inside,
    /// In a frame that is too large.
    Skipping,
}

/// What a search for the end of a frame came to.
enum Found {
    /// The end byte.
    End(usize),
    /// The start of another frame.
    Start(usize),
    /// Neither so far.
    Nothing,
}

impl Decoder {
    /// A decoder at the beginning of a connection. Frames of more than `limit` bytes are refused.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            state: State::Between,
            garbage: 0,
            spoilt: false,
        }
    }

    /// Takes bytes as they come from the connection, in pieces of any size. Take the frames out with
    /// [`Decoder::next_frame`] until there are none before pushing more: what is not taken out stays in
    /// memory.
    pub fn push(&mut self, bytes: &[u8]) {
        const KEPT: usize = 64 * 1024;
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        if self.buffer.len() < KEPT && self.buffer.capacity() > 16 * KEPT {
            // One large message should not hold its memory for as long as the connection lives.
            self.buffer.shrink_to(KEPT);
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next thing found in what was pushed; `None` when more bytes are needed.
    pub fn next_frame(&mut self) -> Option<Received<'_>> {
        loop {
            match self.state {
                State::Between => {
                    if let Some(found) = self.between() {
                        return Some(self.give(found));
                    }
                    if self.state == State::Between {
                        return None;
                    }
                    if self.garbage > 0 {
                        return Some(Received::Garbage { bytes: std::mem::take(&mut self.garbage) });
                    }
                }
                State::Inside => return self.inside().map(|found| self.give(found)),
                State::Skipping => match self.find() {
                    Found::End(at) => self.consume(at + 1, State::Between),
                    Found::Start(at) => self.consume(at + 1, State::Inside),
                    Found::Nothing => {
                        self.consume(self.searched, State::Skipping);
                        return None;
                    }
                },
            }
        }
    }

    /// What is left when the connection has closed: garbage, the beginning of a message, or both. Call it,
    /// like [`Decoder::next_frame`] before it, until it gives nothing more.
    pub fn finish(&mut self) -> Option<Received<'_>> {
        let rest = self.start..self.buffer.len();
        let bytes = &self.buffer[rest.clone()];
        let begun = match self.state {
            State::Inside => true,
            State::Between => !self.spoilt && begins_message(bytes),
            State::Skipping => false,
        };
        if self.state == State::Between && !begun {
            self.garbage += solid(bytes);
        }
        if !begun || self.garbage == 0 {
            self.consume(rest.end, State::Between);
        }
        match self.garbage {
            0 => begun.then(|| Received::Unterminated(&self.buffer[rest])),
            _ => Some(Received::Garbage { bytes: std::mem::take(&mut self.garbage) }),
        }
    }

    /// Whether a frame has begun and not ended: a connection may rest between frames, and inside of one only for
    /// as long as its sender is given.
    pub fn is_within_frame(&self) -> bool {
        self.state != State::Between || self.buffered() > 0
    }

    /// Bytes outside of any frame that [`Received::Garbage`] has not told of yet: it waits for the next frame.
    pub fn garbage(&self) -> usize {
        self.garbage
    }

    /// How many bytes are held.
    pub fn buffered(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Looks for a start byte, and for a message that lacks its start byte.
    fn between(&mut self) -> Option<Piece> {
        loop {
            let blank = self.buffer[self.start..].iter().take_while(|b| is_blank(**b)).count();
            self.start += blank;
            self.searched = self.searched.max(self.start);
            let run = &self.buffer[self.start..];
            let unframed = !self.spoilt && begins_message(run);
            let Some(at) = memchr2(START, END, &self.buffer[self.searched..]).map(|at| at + self.searched)
            else {
                self.searched = self.buffer.len();
                if unframed && run.len() > self.limit {
                    let head = self.head();
                    self.consume(self.searched, State::Skipping);
                    return Some(Piece::TooLarge(head));
                }
                if !unframed && (self.spoilt || !may_begin_message(run)) {
                    let spoilt = self.spoilt || !run.is_empty();
                    self.garbage += solid(run);
                    self.consume(self.searched, State::Between);
                    self.spoilt = spoilt;
                    if self.garbage > self.limit {
                        return Some(Piece::Garbage);
                    }
                }
                return None;
            };
            let message = self.start..at;
            if unframed {
                // The start byte of the next frame in place of an end byte: nothing says this one is whole.
                let (state, piece) = match self.buffer[at] {
                    _ if message.len() > self.limit => (State::Skipping, Piece::TooLarge(self.head())),
                    END => (State::Between, Piece::Message(message)),
                    _ => (State::Inside, Piece::Unterminated(message)),
                };
                let next = if matches!(piece, Piece::TooLarge(_)) { at } else { at + 1 };
                self.consume(next, state);
                return Some(piece);
            }
            self.garbage += solid(&self.buffer[message]);
            if self.buffer[at] == START {
                self.consume(at + 1, State::Inside);
                return None;
            }
            // An end byte that ends nothing.
            self.garbage += 1;
            self.consume(at + 1, State::Between);
        }
    }

    fn inside(&mut self) -> Option<Piece> {
        let (end, next, state) = match self.find() {
            Found::End(at) => (at, at + 1, State::Between),
            Found::Start(at) => (at, at + 1, State::Inside),
            Found::Nothing if self.searched - self.start > self.limit => {
                (self.searched, self.searched, State::Skipping)
            }
            Found::Nothing => return None,
        };
        let (message, head) = (self.start..end, self.head());
        let ended = state == State::Between;
        self.consume(next, state);
        Some(match message.len() > self.limit {
            true => Piece::TooLarge(head),
            false if ended => Piece::Message(message),
            false => Piece::Unterminated(message),
        })
    }

    /// Looks on for the end of the frame, or the start of the next one.
    fn find(&mut self) -> Found {
        while let Some(at) = memchr2(START, END, &self.buffer[self.searched..]).map(|at| at + self.searched) {
            if self.buffer[at] == END {
                return Found::End(at);
            }
            let after = &self.buffer[at + 1..];
            if begins_message(after) {
                return Found::Start(at);
            }
            if may_begin_message(after) {
                // Too early to tell: look at it again with the next bytes.
                self.searched = at;
                return Found::Nothing;
            }
            self.searched = at + 1;
        }
        self.searched = self.buffer.len();
        Found::Nothing
    }

    /// The first line of what is being read.
    fn head(&self) -> std::ops::Range<usize> {
        const LONGEST: usize = 1024;
        let rest = &self.buffer[self.start..];
        let rest = &rest[..rest.len().min(LONGEST)];
        self.start..self.start + memchr3(b'\r', b'\n', END, rest).unwrap_or(rest.len())
    }

    fn consume(&mut self, to: usize, state: State) {
        self.spoilt = false;
        self.start = to;
        self.searched = self.searched.max(to);
        self.state = state;
    }

    fn give(&mut self, piece: Piece) -> Received<'_> {
        match piece {
            Piece::Message(range) => Received::Message(&self.buffer[range]),
            Piece::Unterminated(range) => Received::Unterminated(&self.buffer[range]),
            Piece::TooLarge(range) => Received::TooLarge { head: &self.buffer[range] },
            Piece::Garbage => Received::Garbage { bytes: std::mem::take(&mut self.garbage) },
        }
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("limit", &self.limit).field("buffered", &self.buffered()).finish()
    }
}

/// [`Received`] by place in the buffer.
enum Piece {
    Message(std::ops::Range<usize>),
    Unterminated(std::ops::Range<usize>),
    TooLarge(std::ops::Range<usize>),
    Garbage,
}

const HEADERS: [&[u8; 3]; 3] = [b"MSH", b"FHS", b"BHS"];

fn begins_message(bytes: &[u8]) -> bool {
    HEADERS.iter().any(|h| bytes.starts_with(*h))
}

/// Whether `bytes` could turn into a header segment with more bytes.
fn may_begin_message(bytes: &[u8]) -> bool {
    bytes.len() < 3 && HEADERS.iter().any(|h| h.starts_with(bytes))
}

fn is_blank(b: u8) -> bool {
    matches!(b, b'\r' | b'\n' | b' ' | b'\t' | 0)
}

/// How many of `bytes` are not blank.
fn solid(bytes: &[u8]) -> usize {
    bytes.iter().filter(|b| !is_blank(**b)).count()
}
