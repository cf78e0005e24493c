//! MiniStack as a child process.

use std::{
    fs::{self, File, TryLockError},
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, test_kill_process, waitpid};

use crate::{EmulatorError, Progress, Python, tail};

/// It starts in about a second on an idle machine.
const TO_START: Duration = Duration::from_mins(1);
/// It saves its state while it stops.
const TO_STOP: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(20);

/// What becomes of the emulator's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The next start in the same folder finds it. The emulator outlives a crash of this process: the next start
    /// then takes it over as it is.
    State,
    /// Nobody needs it: the emulator ends with this process.
    Nothing,
}

/// A running emulator. Dropping it stops it.
#[derive(Debug)]
pub struct Emulator {
    port: u16,
    pid: Pid,
    /// `None` for one that an earlier process left running.
    child: Option<Child>,
    stopped: bool,
    /// Held as long as this process uses the folder.
    _lock: File,
}

impl Emulator {
    /// Starts the emulator, with its log and its state in `home`, or takes over the one that is running there.
    ///
    /// # Errors
    /// When another process uses `home`, or the emulator does not answer.
    pub fn start(
        python: &Python,
        home: &Path,
        keep: Keep,
        mut progress: impl FnMut(Progress),
    ) -> Result<Self, EmulatorError> {
        fs::create_dir_all(home).map_err(EmulatorError::at(home))?;
        let lock = lock(home)?;
        let running = home.join("running");
        let last = read_running(&running);
        if let Some((pid, port)) = last
            && test_kill_process(pid).is_ok()
            && is_ready(port)
        {
            return Ok(Self { port, pid, child: None, stopped: false, _lock: lock });
        }
        progress(Progress::Starting);
        // What is kept names the port in places: the same one again, if it is free.
        let port =
            last.map(|(_, port)| port).filter(|port| free_port(*port).is_some()).or_else(|| free_port(0));
        let port = port.ok_or_else(|| no_port(home))?;
        let log = home.join("emulator.log");
        let mut child = command(python, home, port, keep, &log)?
            .spawn()
            .map_err(EmulatorError::at(&python.interpreter))?;
        let pid = Pid::from_child(&child);
        fs::write(&running, format!("{} {port}", pid.as_raw_nonzero()))
            .map_err(EmulatorError::at(&running))?;
        let deadline = Instant::now() + TO_START;
        while !is_ready(port) {
            if Instant::now() > deadline || child.try_wait().is_ok_and(|ended| ended.is_some()) {
                let _already_ended = child.kill().and_then(|()| child.wait().map(drop));
                let tail = tail(&fs::read_to_string(&log).unwrap_or_default());
                return Err(EmulatorError::NotStarted { log, tail });
            }
            sleep();
        }
        Ok(Self { port, pid, child: Some(child), stopped: false, _lock: lock })
    }

    /// Where it listens, for example `http://127.0.0.1:4566`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Stops it, and waits until it has saved what it keeps.
    ///
    /// # Errors
    /// When it had to be killed.
    pub fn stop(mut self) -> Result<(), EmulatorError> {
        self.end()
    }

    /// Leaves it running for the next start in its folder, as a crash of this process would.
    pub fn leave(mut self) {
        self.stopped = true;
    }

    fn end(&mut self) -> Result<(), EmulatorError> {
        if std::mem::replace(&mut self.stopped, true) {
            return Ok(());
        }
        let _gone = kill_process(self.pid, Signal::TERM);
        let deadline = Instant::now() + TO_STOP;
        while self.is_alive() {
            if Instant::now() > deadline {
                let _gone = kill_process(self.pid, Signal::KILL);
                return Err(EmulatorError::Killed(TO_STOP.as_secs()));
            }
            sleep();
        }
        Ok(())
    }

    fn is_alive(&mut self) -> bool {
        match &mut self.child {
            Some(child) => child.try_wait().is_ok_and(|ended| ended.is_none()),
            // Somebody else's child, unless this process has left it.
            None => match waitpid(Some(self.pid), WaitOptions::NOHANG) {
                Ok(Some(_ended)) => false,
                Ok(None) => true,
                Err(_not_ours) => test_kill_process(self.pid).is_ok(),
            },
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _killed = self.end();
    }
}

#[expect(clippy::disallowed_methods, reason = "this crate blocks, and says so")]
fn sleep() {
    thread::sleep(TICK);
}

fn lock(home: &Path) -> Result<File, EmulatorError> {
    let path = home.join("lock");
    let file = File::create(&path).map_err(EmulatorError::at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EmulatorError::InUse(home.to_owned())),
        Err(TryLockError::Error(error)) => Err(EmulatorError::at(path)(error)),
    }
}

/// Process and port of the last start.
fn read_running(path: &Path) -> Option<(Pid, u16)> {
    let text = fs::read_to_string(path).ok()?;
    let (pid, port) = text.split_once(' ')?;
    Some((Pid::from_raw(pid.parse().ok()?)?, port.parse().ok()?))
}

fn free_port(port: u16) -> Option<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .and_then(|listener| listener.local_addr())
        .ok()
        .map(|at| at.port())
}

fn no_port(home: &Path) -> EmulatorError {
    EmulatorError::NotStarted {
        log: home.join("emulator.log"),
        tail: "no port is free on 127.0.0.1".to_owned(),
    }
}

fn command(
    python: &Python,
    home: &Path,
    port: u16,
    keep: Keep,
    log: &Path,
) -> Result<Command, EmulatorError> {
    let temporary = home.join("tmp");
    fs::create_dir_all(&temporary).map_err(EmulatorError::at(&temporary))?;
    let out = File::create(log).map_err(EmulatorError::at(log))?;
    let err = out.try_clone().map_err(EmulatorError::at(log))?;
    let mut command = Command::new(&python.interpreter);
    command
        .args(["-m", "ministack"])
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        // Nothing of our environment, least of all credentials.
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("TMPDIR", temporary)
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("LOG_LEVEL", "WARNING")
        // Without these it listens on more ports, on every interface.
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0");
    if keep == Keep::State {
        command
            .env("PERSIST_STATE", "1")
            .env("STATE_DIR", home.join("state"))
            .env("S3_PERSIST", "1")
            .env("S3_DATA_DIR", home.join("s3"))
            // Ctrl-C is for us: the emulator is stopped in order, after those who use it.
            .process_group(0);
    }
    Ok(command)
}

/// Whether it answers, and has restored what it kept.
fn is_ready(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let answer = || {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream
            .write_all(b"GET /_ministack/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).map(|()| status)
    };
    answer().is_ok_and(|status: [u8; 12]| status == *b"HTTP/1.1 200")
}
