//! The helper that stands between the daemon and a job: `vmpolicyd run-job`, started by the daemon for each job.
//!
//! It runs the job's program in a process group of its own, keeps what it prints, ends it at its limit, and ends it
//! when the daemon is gone, however that came: the daemon holds the other end of the helper's input. What the
//! program leaves behind, in its group or outside of it, is killed when it has ended. So a job ends with the
//! daemon, with or without systemd, and a daemon that starts anew finds no job of the one before still running:
//! a file is held while a job runs, and the next helper waits for it.

use super::run::{Ended, Order, Ran, Said};
use crate::lock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, kill_process_group, pidfd_open,
    set_child_subreaper, wait,
};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub(crate) use super::run::HELPER;

/// How often the helper before is looked for.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// How long a killed process may take to be gone before it is left to the system.
const REAP: Duration = Duration::from_secs(2);

/// The helper's whole life: an order from standard input, what becomes of it to standard output.
#[must_use]
pub fn main() -> ExitCode {
    let mut stdin = BufReader::new(io::stdin());
    let mut line = String::new();
    let read = stdin.read_line(&mut line);
    let Some(order) = read.ok().and_then(|_| serde_json::from_str::<Order>(&line).ok()) else {
        let _ = writeln!(io::stderr(), "vmpolicyd {HELPER}: the daemon starts this for each job of a queue");
        return ExitCode::from(2);
    };
    let ended = Watch::new().and_then(|watch| serve(&order, &watch));
    let ended = ended.unwrap_or_else(|error| Ended::unstarted(Ran::NotStarted(error.to_string())));
    say(&Said::Ended(ended));
    ExitCode::SUCCESS
}

fn say(said: &Said) {
    if let Ok(mut line) = serde_json::to_vec(said) {
        line.push(b'\n');
        // The daemon may be gone: then nobody is told.
        let _ = io::stdout().write_all(&line).and_then(|()| io::stdout().flush());
    }
}

/// What tells the helper that it is to end.
struct Watch {
    signals: UnixStream,
}

impl Watch {
    fn new() -> io::Result<Self> {
        let (signals, sender) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT] {
            signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
        }
        Ok(Self { signals })
    }

    /// Whether the daemon is gone, or somebody wants an end.
    fn is_over(&self) -> bool {
        let stdin = io::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
    }
}

fn serve(order: &Order, watch: &Watch) -> io::Result<Ended> {
    let lost = || Ended::unstarted(Ran::Lost("the daemon has ended".to_owned()));
    // What the program leaves behind becomes this process's child.
    let _ = set_child_subreaper(Some(getpid()));
    let _lock = loop {
        match lock::hold(&order.lock)? {
            Some(lock) => break lock,
            None if watch.is_over() => return Ok(lost()),
            None => std::thread::sleep(LOCK_PAUSE),
        }
    };
    let mut kept = Kept::open(order.output.as_deref(), order.output_max)?;
    let (out, child) = match start(order) {
        Ok(started) => started,
        Err(Unstarted::Unfit(words)) => return Ok(Ended::unstarted(Ran::Unfit(words))),
        Err(Unstarted::Failed(error)) => return Err(error),
    };
    say(&Said::Began(i32::try_from(child.id()).unwrap_or(0)));
    let mut job = Job { child, out: Some(out), order };
    let followed = job.follow(watch, &mut kept);
    job.sweep();
    job.drain(&mut kept);
    let ran = match followed {
        Ok((_, Some(Why::Late))) => Ran::TimedOut,
        Ok((_, Some(Why::Over))) => return Ok(lost()),
        Ok((Some(status), None)) => match (status.code(), status.signal()) {
            (Some(code), _) => Ran::Status(code),
            (None, signal) => Ran::Signal(signal.unwrap_or(0)),
        },
        Ok((None, None)) => Ran::Lost("it does not end".to_owned()),
        Err(error) => Ran::Lost(error.to_string()),
    };
    Ok(Ended { ran, printed: kept.printed, unwritten: kept.close() })
}

/// Why a program was not started.
enum Unstarted {
    /// Because of the job itself.
    Unfit(String),
    /// Because of something else.
    Failed(io::Error),
}

impl From<io::Error> for Unstarted {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Starts the program; what it prints, to both of its outputs, comes out of one pipe.
fn start(order: &Order) -> Result<(PipeReader, Child), Unstarted> {
    let Some((program, args)) = order.argv.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program named").into());
    };
    let (out, into) = io::pipe()?;
    rustix::io::ioctl_fionbio(&out, true).map_err(io::Error::from)?;
    let mut command = Command::new(program);
    command.args(args).process_group(0).stdout(into.try_clone()?).stderr(into);
    let text = match &order.stdin {
        super::Stdin::Nothing => {
            command.stdin(Stdio::null());
            None
        }
        super::Stdin::File(path) => {
            let file = File::open(path);
            command.stdin(file.map_err(|error| Unstarted::Unfit(told(path, &error).to_string()))?);
            None
        }
        super::Stdin::Text(text) => {
            command.stdin(Stdio::piped());
            Some(text.clone())
        }
    };
    let spawned = command.spawn();
    let mut child = spawned.map_err(|error| {
        let words = format!("can't start {program}: {error}");
        match error.kind() {
            // It is told more than a program can be told, or a NUL.
            io::ErrorKind::ArgumentListTooLong | io::ErrorKind::InvalidInput => Unstarted::Unfit(words),
            _ => Unstarted::Failed(io::Error::other(words)),
        }
    })?;
    // The writing ends in this process.
    drop(command);
    if let (Some(text), Some(mut stdin)) = (text, child.stdin.take()) {
        let feed = move || {
            // A program need not read what it is told.
            let _ = stdin.write_all(text.as_bytes());
        };
        std::thread::Builder::new().name("stdin".to_owned()).spawn(feed)?;
    }
    Ok((out, child))
}

/// Why a job is ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Its limit has passed.
    Late,
    /// The daemon is gone, or somebody wants an end.
    Over,
}

struct Job<'a> {
    child: Child,
    out: Option<PipeReader>,
    order: &'a Order,
}

impl Job<'_> {
    /// Until the program has ended, by itself or not: how, and why it was ended.
    fn follow(&mut self, watch: &Watch, kept: &mut Kept) -> io::Result<(Option<ExitStatus>, Option<Why>)> {
        let gone = pidfd_open(self.pid()?, PidfdFlags::empty())?;
        let began = Instant::now();
        let grace = Duration::from_millis(self.order.grace_ms);
        let mut until = began.checked_add(Duration::from_millis(self.order.limit_ms));
        let (mut why, mut killed) = (None, false);
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                match why {
                    None => why = Some(Why::Late),
                    Some(_) if killed => return Ok((None, why)),
                    Some(_) => killed = true,
                }
                self.signal(if killed { Signal::KILL } else { Signal::TERM });
                until = Instant::now().checked_add(if killed { REAP } else { grace });
                continue;
            }
            if self.wait_for(&gone, watch, left, why.is_none())? && why.is_none() {
                why = Some(Why::Over);
                self.signal(Signal::TERM);
                until = Instant::now().checked_add(grace);
            }
            if let Some(out) = &mut self.out
                && !kept.take(out)?
            {
                self.out = None;
            }
            if let Some(status) = self.child.try_wait()? {
                return Ok((Some(status), why));
            }
        }
    }

    /// Waits until something has happened; whether it is that the helper is to end.
    fn wait_for(
        &self,
        gone: &OwnedFd,
        watch: &Watch,
        left: Option<Duration>,
        watches: bool,
    ) -> io::Result<bool> {
        let stdin = io::stdin();
        let mut fds = vec![PollFd::new(gone, PollFlags::IN)];
        fds.extend(self.out.as_ref().map(|out| PollFd::new(out, PollFlags::IN)));
        if watches {
            fds.push(PollFd::new(&stdin, PollFlags::IN));
            fds.push(PollFd::new(&watch.signals, PollFlags::IN));
        }
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        Ok(watches && fds.iter().rev().take(2).any(|fd| !fd.revents().is_empty()))
    }

    fn pid(&self) -> io::Result<Pid> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        id.ok_or_else(|| io::Error::other("the system gave a process id out of range"))
    }

    /// To the program and all that it has started in its group.
    fn signal(&self, signal: Signal) {
        if let Ok(pid) = self.pid() {
            // Where the group is gone already there is nothing left to end.
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Kills what the program has left behind: its group, and what has left the group and is now a child of this
    /// process, as it takes in what its descendants leave.
    fn sweep(&self) {
        self.signal(Signal::KILL);
        let until = Instant::now() + REAP;
        loop {
            let left = children();
            for pid in &left {
                let _ = kill_process(*pid, Signal::KILL);
            }
            while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
            if left.is_empty() || Instant::now() > until {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What is in the pipe when nobody is left to print.
    fn drain(&mut self, kept: &mut Kept) {
        let Some(out) = &mut self.out else { return };
        // What can't be read is not kept; the job has ended all the same.
        let _ = kept.take(out);
    }
}

/// The processes whose parent this one is.
fn children() -> Vec<Pid> {
    let own = getpid().as_raw_nonzero().get();
    let is_ours = |pid: i32| {
        // `PID (NAME) STATE PARENT ..`, and the name may hold anything (proc_pid_stat(5)).
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let rest = stat.rsplit_once(')').map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split_whitespace().nth(1)?.parse::<i32>().ok()) == Some(own)
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|&pid| is_ours(pid)).filter_map(Pid::from_raw).collect()
}

/// What a job has printed, as far as it is kept.
struct Kept {
    file: Option<(File, PathBuf)>,
    room: u64,
    printed: u64,
    error: Option<String>,
}

impl Kept {
    /// The file begins anew; what an earlier run of the job has printed is beside it, with `.1` behind its name.
    fn open(path: Option<&Path>, room: u64) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self { file: None, room, printed: 0, error: None }) };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
        }
        let mut before = path.as_os_str().to_owned();
        before.push(".1");
        match fs::rename(path, before) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(path, &error)),
            _ => {}
        }
        let file = File::create_new(path).map_err(|error| told(path, &error))?;
        Ok(Self { file: Some((file, path.to_owned())), room, printed: 0, error: None })
    }

    /// Takes what is in the pipe now; `false` where nobody can print any more.
    fn take(&mut self, out: &mut PipeReader) -> io::Result<bool> {
        // A job that prints without end must not keep its limit from being seen.
        const CHUNKS_MAX: u32 = 64;
        let mut bytes = [0; 16 * 1024];
        for _ in 0..CHUNKS_MAX {
            match out.read(&mut bytes) {
                Ok(0) => return Ok(false),
                Ok(count) => self.keep(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.printed += bytes.len() as u64;
        let count = usize::try_from(self.room).unwrap_or(usize::MAX).min(bytes.len());
        let Some((file, path)) = &mut self.file else { return };
        match file.write_all(&bytes[..count]) {
            Ok(()) => self.room -= count as u64,
            // The job goes on: it is worth more than what it prints.
            Err(error) => {
                self.error = Some(told(path, &error).to_string());
                self.file = None;
            }
        }
    }

    /// On the disk with it; what kept it from being there.
    fn close(self) -> Option<String> {
        let synced = self.file.map(|(file, path)| file.sync_all().map_err(|error| told(&path, &error)));
        self.error.or(synced.and_then(Result::err).map(|error| error.to_string()))
    }
}

fn told(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
