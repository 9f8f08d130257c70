//! `exec`: the first number that a program prints.

use super::{Failure, Source};
use crate::number::first_number;
use crate::process::{RunError, run};
use std::time::Duration;
use vmpolicy_core::input::Absence;

/// The first number on a program's standard output. The program is run by its argv, without a shell, and
/// killed with its process group at the limit.
#[derive(Clone, Debug)]
pub struct ExecProbe {
    argv: Vec<String>,
    limit: Duration,
}

impl ExecProbe {
    /// A probe that runs this.
    #[must_use]
    pub const fn new(argv: Vec<String>, limit: Duration) -> Self {
        Self { argv, limit }
    }
}

impl Source for ExecProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let finished = run(&self.argv, self.limit).map_err(|error| {
            let absence = match &error {
                RunError::TimedOut(_) => Absence::TimedOut,
                RunError::Spawn { .. } | RunError::Lost(_) => Absence::Unreachable,
            };
            Failure::new(absence, error.to_string())
        })?;
        if !finished.status.success() {
            // What it printed before it failed is not to be trusted.
            let failure = Failure::new(Absence::Missing, finished.status.to_string());
            return Err(failure.printing(finished.complaint));
        }
        first_number(&finished.stdout, finished.cut)
            .map_err(|absence| Failure::new(absence, "no usable number in its output"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn read(script: &str) -> Result<f64, Absence> {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        ExecProbe::new(argv, Duration::from_millis(400)).sample().map_err(|failure| failure.absence)
    }

    #[test]
    fn programs_good_and_hostile() {
        assert_eq!(read("echo queue 12 jobs"), Ok(12.0));
        assert_eq!(read("echo 12; exit 1"), Err(Absence::Missing));
        assert_eq!(read("true"), Err(Absence::Missing));
        assert_eq!(read("echo none"), Err(Absence::Unparsable));
        assert_eq!(read("echo 5; kill -9 $$"), Err(Absence::Missing));
        assert_eq!(read("head -c 3000000 /dev/urandom | tr -d 0-9; echo 1"), Err(Absence::Unparsable));
        let began = Instant::now();
        assert_eq!(read("echo 5; sleep 100"), Err(Absence::TimedOut));
        assert_eq!(read("trap '' TERM INT; while :; do :; done"), Err(Absence::TimedOut));
        assert_eq!(read("yes & yes & yes"), Err(Absence::TimedOut));
        assert!(began.elapsed() < Duration::from_secs(5));
        let nowhere = ExecProbe::new(vec!["/nonexistent".to_owned()], Duration::from_secs(1)).sample();
        assert_eq!(nowhere.unwrap_err().absence, Absence::Unreachable);
    }

    #[test]
    fn no_secret_is_handed_on() {
        // Set for the test's own child, which runs this test again with the variable in place.
        if std::env::var_os(super::super::PASSWORD_VARIABLE).is_some() {
            assert_eq!(read("echo ${VMPOLICY_MYSQL_PASSWORD:-0}"), Ok(0.0));
            assert_eq!(read("echo ${MALLOC_ARENA_MAX:-0}"), Ok(0.0));
            return;
        }
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "probe::exec::tests::no_secret_is_handed_on"])
            .env(super::super::PASSWORD_VARIABLE, "7")
            .env("MALLOC_ARENA_MAX", "7")
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    }
}
