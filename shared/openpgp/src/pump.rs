//! Something that pulls bytes and writes bytes, made into something that bytes are pushed into.
//!
//! It runs on a thread of its own, in turns with whoever pushes: either it works, or it waits for bytes. So pushing gives the
//! same results each time, whatever the machine does.

use std::{
    fmt,
    io::{self, Read, Write},
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread,
};

use bridge_formats::cipher::{Cipher, CipherError};

/// What the worker may be ahead of whoever takes its bytes, in writes: those of [`PIECE`].
const AHEAD: usize = 2;
/// Bytes that are written at once.
pub(crate) const PIECE: usize = 64 << 10;

/// What the worker says.
enum Said {
    /// It waits for bytes.
    Hungry,
    /// It has written.
    Bytes(Vec<u8>),
    /// It has come to its end.
    Ended(Result<(), CipherError>),
}

/// A worker with bytes going in and out.
pub(crate) struct Pump {
    /// `None` once there are no more bytes.
    to: Option<Sender<Vec<u8>>>,
    from: Receiver<Said>,
    /// The worker waits for bytes.
    is_hungry: bool,
    ended: Option<Result<(), CipherError>>,
}

impl fmt::Debug for Pump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pump")
    }
}

/// Where the worker reads.
pub(crate) struct Inlet {
    bytes: io::Cursor<Vec<u8>>,
    /// `None` once there are no more: whoever asks again is told so at once, and waits for nothing.
    from: Option<Receiver<Vec<u8>>>,
    say: SyncSender<Said>,
}

impl fmt::Debug for Inlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inlet")
    }
}

impl Read for Inlet {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.bytes.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let Some(from) = &self.from else { return Ok(0) };
            self.say.send(Said::Hungry).map_err(|_| io::ErrorKind::BrokenPipe)?;
            match from.recv() {
                Ok(bytes) => self.bytes = io::Cursor::new(bytes),
                Err(_) => self.from = None,
            }
        }
    }
}

/// Where the worker writes.
pub(crate) struct Outlet {
    say: SyncSender<Said>,
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let now = bytes.get(..PIECE.min(bytes.len())).unwrap_or_default();
        self.say.send(Said::Bytes(now.to_vec())).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Pump {
    /// Starts a worker.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        work: impl FnOnce(Inlet, Outlet) -> Result<(), CipherError> + Send + 'static,
    ) -> Result<Self, CipherError> {
        let ((to, taken), (say, from)) = (channel(), sync_channel(AHEAD));
        let (inlet, outlet) = (
            Inlet { bytes: io::Cursor::default(), from: Some(taken), say: say.clone() },
            Outlet { say: say.clone() },
        );
        let run = move || {
            let ended = work(inlet, outlet);
            // Nobody may be there any more to hear it.
            let _ = say.send(Said::Ended(ended));
        };
        thread::Builder::new().name("openpgp".to_owned()).spawn(run).map_err(|_| CipherError::System)?;
        Ok(Self { to: Some(to), from, is_hungry: false, ended: None })
    }

    /// Takes what is written until the worker waits or ends.
    fn take(&mut self, mut room: u64, out: &mut Vec<u8>) -> Result<(), CipherError> {
        while !self.is_hungry && self.ended.is_none() {
            match self.from.recv() {
                Ok(Said::Hungry) => self.is_hungry = true,
                Ok(Said::Bytes(bytes)) => {
                    room = room.checked_sub(bytes.len() as u64).ok_or(CipherError::TooMuch)?;
                    out.extend_from_slice(&bytes);
                }
                Ok(Said::Ended(ended)) => self.ended = Some(ended),
                // It panicked, on bytes that nobody sends but on purpose.
                Err(_) => self.ended = Some(Err(CipherError::Damaged)),
            }
        }
        self.ended.unwrap_or(Ok(()))
    }
}

impl Cipher for Pump {
    fn push(&mut self, bytes: &[u8], room: u64, out: &mut Vec<u8>) -> Result<(), CipherError> {
        let before = out.len();
        self.take(room, out)?;
        if bytes.is_empty() {
            return Ok(());
        }
        // A worker that has ended has no use for more.
        let to = self.to.as_ref().filter(|_| self.ended.is_none()).ok_or(CipherError::Damaged)?;
        to.send(bytes.to_vec()).map_err(|_| CipherError::Damaged)?;
        self.is_hungry = false;
        self.take(room - (out.len() - before) as u64, out)
    }

    fn finish(&mut self, room: u64, out: &mut Vec<u8>) -> Result<(), CipherError> {
        let before = out.len();
        self.take(room, out)?;
        (self.to, self.is_hungry) = (None, false);
        self.take(room - (out.len() - before) as u64, out)?;
        // Only the worker knows whether all is well.
        self.ended.unwrap_or(Err(CipherError::Damaged))
    }
}
