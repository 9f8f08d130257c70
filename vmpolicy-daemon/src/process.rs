//! Running somebody else's program: no shell, a time limit, and an end that is certain.
//!
//! A program can hang, fork, print without end, or leave a grandchild behind that holds its output open.
//! None of that holds up the caller beyond the limit: the end of the *program* is waited for (through a
//! pidfd), not the end of its output, and at the limit its whole process group is killed.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How much of an output is kept; the rest is read and thrown away.
pub const KEPT_BYTES_MAX: usize = 64 * 1024;

/// How long to wait for a killed program to be gone before it is left to the system.
const REAP: Duration = Duration::from_millis(200);

/// The variables that hold secrets of the daemon's own; no program that it starts gets them.
const SECRETS: [&str; 1] = [crate::probe::PASSWORD_VARIABLE];

/// Hands on no variable that is the daemon's own: secrets, and what its unit tells it alone.
pub(crate) fn keep_own_variables(command: &mut Command) {
    for variable in SECRETS.into_iter().chain(crate::systemd::VARIABLES) {
        command.env_remove(variable);
    }
}

/// A program that came to an end within its limit.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// The beginning of its standard output.
    pub stdout: Vec<u8>,
    /// Whether there was more than that.
    pub cut: bool,
    /// The first line of its standard error, for a log.
    pub complaint: String,
}

/// Why a program did not come to an end of its own.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started; nothing has happened.
    #[error("can't start {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Its limit ran out, and it was killed with its process group.
    #[error("not done within {0:?}, killed")]
    TimedOut(Duration),
    /// It was started and could not be followed to its end.
    #[error("lost sight of it: {0}")]
    Lost(io::Error),
}

/// Runs `argv` to its end, for at most `limit`.
///
/// # Errors
///
/// Where it could not be started, or did not end in time.
pub fn run<S: AsRef<OsStr>>(argv: &[S], limit: Duration) -> Result<Finished, RunError> {
    let Some((program, args)) = argv.split_first() else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "no program named");
        return Err(RunError::Spawn { program: String::new(), source });
    };
    let end = Instant::now() + limit;
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    keep_own_variables(&mut command);
    let mut child = command.spawn().map_err(|source| RunError::Spawn {
        program: program.as_ref().to_string_lossy().into_owned(),
        source,
    })?;
    let followed = follow(&mut child, end);
    match followed {
        Ok(Some(finished)) => Ok(finished),
        Ok(None) => {
            kill(&mut child);
            Err(RunError::TimedOut(limit))
        }
        Err(error) => {
            kill(&mut child);
            Err(RunError::Lost(error))
        }
    }
}

/// Reads what the child prints until it has ended; None where the time ran out.
fn follow(child: &mut Child, end: Instant) -> io::Result<Option<Finished>> {
    let pid = pid_of(child)?;
    let ended = pidfd_open(pid, PidfdFlags::empty())?;
    let mut stdout = Tap::new(child.stdout.take().map(OwnedFd::from))?;
    let mut stderr = Tap::new(child.stderr.take().map(OwnedFd::from))?;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        let (has_ended, out_ready, err_ready) = {
            let mut fds = vec![PollFd::new(&ended, PollFlags::IN)];
            let taps = [&stdout, &stderr];
            for tap in taps.iter().filter_map(|tap| tap.pipe.as_ref()) {
                fds.push(PollFd::new(tap, PollFlags::IN));
            }
            wait(&mut fds, left)?;
            let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
            let has_ended = ready.next() == Some(true);
            let out_ready = stdout.pipe.is_some() && ready.next() == Some(true);
            let err_ready = stderr.pipe.is_some() && ready.next() == Some(true);
            (has_ended, out_ready, err_ready)
        };
        if has_ended {
            // What it printed before its end is in the pipes by now. A grandchild may go on printing, so
            // only what is there is read.
            stdout.drain(end)?;
            stderr.drain(end)?;
            let status = child.wait()?;
            let complaint = first_line(&stderr.kept);
            return Ok(Some(Finished { status, stdout: stdout.kept, cut: stdout.cut, complaint }));
        }
        if out_ready {
            stdout.read_once()?;
        }
        if err_ready {
            stderr.read_once()?;
        }
    }
}

fn pid_of(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("the system gave a process id out of range"))
}

/// Waits until something is ready; an interrupted or spurious wait is no error.
fn wait(fds: &mut [PollFd<'_>], left: Duration) -> io::Result<()> {
    let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 3_600, tv_nsec: 0 });
    match poll(fds, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Kills the child's process group and reaps the child, unless the system holds on to it.
fn kill(child: &mut Child) {
    if let Ok(pid) = pid_of(child) {
        // Where the group is gone already there is nothing left to kill.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let end = Instant::now() + REAP;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// One output of the child.
struct Tap {
    pipe: Option<std::fs::File>,
    kept: Vec<u8>,
    cut: bool,
}

impl Tap {
    fn new(pipe: Option<OwnedFd>) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            rustix::io::ioctl_fionbio(pipe.as_fd(), true)?;
        }
        Ok(Self { pipe: pipe.map(Into::into), kept: Vec::new(), cut: false })
    }

    /// Reads one bufferful; `false` where there is nothing more for now.
    fn read_once(&mut self) -> io::Result<bool> {
        let Some(pipe) = &mut self.pipe else { return Ok(false) };
        let mut buffer = [0_u8; 8 * 1024];
        match pipe.read(&mut buffer) {
            Ok(0) => {
                self.pipe = None;
                Ok(false)
            }
            Ok(count) => {
                let room = KEPT_BYTES_MAX - self.kept.len();
                self.kept.extend_from_slice(&buffer[..count.min(room)]);
                self.cut |= count > room;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn drain(&mut self, end: Instant) -> io::Result<()> {
        while !self.cut && Instant::now() < end && self.read_once()? {}
        Ok(())
    }
}

/// The first line with something on it, without control characters, cut to a length fit for a log.
#[must_use]
pub fn first_line(text: &[u8]) -> String {
    const CHARS_MAX: usize = 200;
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * CHARS_MAX)]);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit_ms: u64) -> (Result<Finished, RunError>, Duration) {
        let began = Instant::now();
        let ran = run(&["/bin/sh", "-c", script], Duration::from_millis(limit_ms));
        (ran, began.elapsed())
    }

    #[test]
    fn output_status_and_complaint() {
        let (ran, _) = sh("echo 42; echo; echo sorry >&2; exit 3", 5_000);
        let finished = ran.unwrap();
        assert_eq!(finished.status.code(), Some(3));
        assert_eq!(finished.stdout, b"42\n\n");
        assert_eq!(finished.complaint, "sorry");
        assert!(!finished.cut);
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let script = format!("sleep 600 & echo $! > {0}; sleep 600", pids.display());
        let (ran, took) = sh(&script, 300);
        assert!(matches!(ran, Err(RunError::TimedOut(_))), "{ran:?}");
        assert!(took < Duration::from_secs(2), "{took:?}");
        let child: i32 = std::fs::read_to_string(pids).unwrap().trim().parse().unwrap();
        let gone = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat"));
            // In a container without an init nobody reaps the orphan: a zombie is as good as gone.
            stat.map_or(true, |stat| stat.contains(") Z ") || stat.contains(") X "))
        });
        assert!(gone, "the child {child} outlived its process group");
    }

    #[test]
    fn a_grandchild_that_holds_the_pipe_holds_nobody_up() {
        let (ran, took) = sh("setsid sleep 30 & echo 7", 5_000);
        assert_eq!(ran.unwrap().stdout, b"7\n");
        assert!(took < Duration::from_secs(3), "{took:?}");
    }

    #[test]
    fn closed_outputs_are_no_end() {
        let (ran, took) = sh("exec >&- 2>&-; sleep 0.3; exit 4", 5_000);
        assert_eq!(ran.unwrap().status.code(), Some(4));
        assert!(took >= Duration::from_millis(300));
    }

    #[test]
    fn endless_output_is_bounded_and_ends_at_the_limit() {
        let (ran, took) = sh("yes 1234567890", 300);
        assert!(matches!(ran, Err(RunError::TimedOut(_))));
        assert!(took < Duration::from_secs(2), "{took:?}");
        let (ran, _) = sh("head -c 3000000 /dev/zero", 10_000);
        let finished = ran.unwrap();
        assert_eq!(finished.stdout.len(), KEPT_BYTES_MAX);
        assert!(finished.cut);
    }

    #[test]
    fn what_can_t_be_started_has_not_happened() {
        let ran = run(&["/nonexistent/program"], Duration::from_secs(1));
        assert!(matches!(ran, Err(RunError::Spawn { .. })));
        assert!(matches!(run::<&str>(&[], Duration::from_secs(1)), Err(RunError::Spawn { .. })));
    }

    #[test]
    fn a_complaint_fits_a_log_line() {
        assert_eq!(first_line(b"\n\n \x1b[31mred\x1b[0m\nmore"), "[31mred[0m");
        assert_eq!(first_line(&[b'x'; 100_000]).len(), 200);
        assert_eq!(first_line(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }
}
