//! One job, run by a helper: what the helper is told, and what it says.

use crate::process::keep_own_variables;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The first argument of the daemon's program when it is a helper.
pub(crate) const HELPER: &str = "run-job";

/// How much longer than its limits allow a helper may take before it is given up.
const MARGIN: Duration = Duration::from_secs(60);

/// What a helper says is some lines.
const SAID_BYTES_MAX: usize = 64 * 1024;

/// What a job's program reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stdin {
    /// Nothing.
    Nothing,
    /// A file.
    File(PathBuf),
    /// A text.
    Text(String),
}

/// What a helper is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// What it reads.
    pub stdin: Stdin,
    /// The file for what it prints.
    pub output: Option<PathBuf>,
    /// How much of that is kept.
    pub output_max: u64,
    /// How long it may take.
    pub limit_ms: u64,
    /// How long it has to end once it is told to.
    pub grace_ms: u64,
    /// The file that a helper holds while its job runs; another one waits for it.
    pub lock: PathBuf,
}

/// What a helper says, a line each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Said {
    /// The job runs, as this process and the group of the same number.
    Began(i32),
    /// The job has ended.
    Ended(Ended),
}

/// How a job has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) ran: Ran,
    /// How much it has printed.
    pub(super) printed: u64,
    /// What kept its output from being written.
    pub(super) unwritten: Option<String>,
}

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ran {
    /// It ended by itself, with this status.
    Status(i32),
    /// Something killed it, by this signal.
    Signal(i32),
    /// Its limit has passed, and it was ended.
    TimedOut,
    /// It can't be run as it is, whoever tries: it can't be read, or is more than a program can be told.
    Unfit(String),
    /// It could not be started; nothing has happened.
    NotStarted(String),
    /// Nobody knows how far it came: it was ended because the daemon did, or its helper was killed.
    Lost(String),
}

impl Ended {
    pub(super) const fn unstarted(ran: Ran) -> Self {
        Self { ran, printed: 0, unwritten: None }
    }
}

/// Runs a job to its end by `helper`, the daemon's own program.
pub(super) fn run(helper: &Path, order: &Order) -> Ended {
    let mut command = Command::new(helper);
    command.arg(HELPER).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    keep_own_variables(&mut command);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ended::unstarted(Ran::NotStarted(format!("no helper: {error}"))),
    };
    // The helper's input stays open for as long as the daemon lives: its end is the daemon's.
    let stdin = child.stdin.take();
    let limit =
        Duration::from_millis(order.limit_ms.saturating_add(order.grace_ms.saturating_mul(2))) + MARGIN;
    let ended = tell(stdin.as_ref(), order).and_then(|()| listen(&mut child, limit));
    drop(stdin);
    let ended = ended.unwrap_or_else(|error| Ended::unstarted(Ran::Lost(error.to_string())));
    end(&mut child);
    ended
}

fn tell(stdin: Option<&std::process::ChildStdin>, order: &Order) -> io::Result<()> {
    let mut line = serde_json::to_vec(order)?;
    line.push(b'\n');
    stdin.map_or(Ok(()), |mut stdin| stdin.write_all(&line))
}

/// What the helper says, to its end.
fn listen(child: &mut Child, limit: Duration) -> io::Result<Ended> {
    let Some(mut stdout) = child.stdout.take() else { return Err(io::Error::other("the helper is mute")) };
    let until = Instant::now() + limit;
    let (mut said, mut job) = (Vec::new(), None);
    let ended = loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break Err(io::Error::other("the helper does not end"));
        }
        let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 3_600, tv_nsec: 0 });
        let ready = match poll(&mut [PollFd::new(&stdout, PollFlags::IN)], Some(&timeout)) {
            Ok(ready) => ready > 0,
            Err(rustix::io::Errno::INTR) => false,
            Err(error) => break Err(error.into()),
        };
        if !ready {
            continue;
        }
        let mut bytes = [0; 4_096];
        match stdout.read(&mut bytes) {
            Ok(0) => break Err(io::Error::other("the helper was killed")),
            Ok(count) => said.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => break Err(error),
        }
        let mut ended = None;
        while let Some(at) = said.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = said.drain(..=at).collect();
            match serde_json::from_slice(&line) {
                Ok(Said::Began(pid)) => job = Some(pid),
                Ok(Said::Ended(how)) => ended = Some(how),
                Err(error) => tracing::debug!("a helper says what it should not: {error}"),
            }
        }
        if let Some(ended) = ended {
            return Ok(ended);
        }
        if said.len() > SAID_BYTES_MAX {
            break Err(io::Error::other("the helper talks nonsense"));
        }
    };
    // A helper that is gone can't end its job any more.
    if let Some(pid) = job.and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
    ended
}

/// Has the helper gone. One that has said its last ends at once.
fn end(child: &mut Child) {
    let until = Instant::now() + Duration::from_secs(2);
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
