//! `steal`: the share of processor time that the hypervisor gave to others.

use super::{Failure, Source, head_of};
use std::path::{Path, PathBuf};
use vmpolicy_core::input::Absence;

/// The share of all processor time since the reading before that was stolen, in per cent, from
/// `/proc/stat`. The first reading is Missing: there is nothing to compare it with.
///
/// Read by hand: the `procfs` crate reads the whole file, of which one line is wanted.
#[derive(Clone, Debug)]
pub struct StealProbe {
    path: PathBuf,
    before: Option<Ticks>,
}

#[derive(Clone, Copy, Debug)]
struct Ticks {
    stolen: u64,
    all: u64,
}

impl StealProbe {
    /// A probe of stolen time; `proc` is `/proc` but in tests.
    #[must_use]
    pub fn new(proc: &Path) -> Self {
        Self { path: proc.join("stat"), before: None }
    }
}

impl Source for StealProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let now = head_of(&self.path).and_then(|head| Ok(parse(&head.bytes)?));
        let before = std::mem::replace(&mut self.before, now.as_ref().ok().copied());
        let now = now?;
        let before =
            before.ok_or_else(|| Failure::new(Absence::Missing, "the first reading is a baseline"))?;
        // The kernel's counters can go back a little when a processor is taken away.
        match (now.stolen.checked_sub(before.stolen), now.all.checked_sub(before.all)) {
            (Some(stolen), Some(all)) if all > 0 => Ok(100.0 * stolen as f64 / all as f64),
            (Some(_), Some(_)) => {
                Err(Failure::new(Absence::Missing, "no tick has passed since the last reading"))
            }
            _ => Err(Absence::CounterReset.into()),
        }
    }
}

/// The first line: `cpu user nice system idle iowait irq softirq steal guest guest_nice`, in ticks. The
/// guests' time is part of user and nice and not added again.
fn parse(text: &[u8]) -> Result<Ticks, Absence> {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| Absence::Unparsable)?;
    let mut words = line.split_ascii_whitespace();
    if words.next() != Some("cpu") {
        return Err(Absence::Unparsable);
    }
    let mut ticks = [0_u64; 8];
    for place in &mut ticks {
        // Before Linux 2.6.11 there is no eighth.
        let word = words.next().ok_or(Absence::Missing)?;
        *place = word.parse().map_err(|_| Absence::Unparsable)?;
    }
    let all = ticks.iter().fold(0_u64, |sum, ticks| sum.saturating_add(*ticks));
    Ok(Ticks { stolen: ticks[7], all })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_time_between_two_readings() {
        let folder = tempfile::tempdir().unwrap();
        let mut probe = StealProbe::new(folder.path());
        let mut read = |content: &str| {
            std::fs::write(folder.path().join("stat"), content).unwrap();
            probe.sample().map_err(|failure| failure.absence)
        };
        assert_eq!(read("cpu  100 0 100 800 0 0 0 0 50 0\ncpu0 1\n"), Err(Absence::Missing));
        assert_eq!(read("cpu  150 0 110 815 0 0 0 25 90 0\n"), Ok(25.0));
        assert_eq!(read("cpu  150 0 110 815 0 0 0 25 90 0\n"), Err(Absence::Missing));
        assert_eq!(read("cpu  150 0 110 915 0 0 0 25 90 0\n"), Ok(0.0));
        assert_eq!(read("cpu  1 0 1 1 0 0 0 0 0 0\n"), Err(Absence::CounterReset));
        assert_eq!(read("cpu  1 0 1 2 0 0 0 1 0 0\n"), Ok(50.0));
        assert_eq!(read("cpu 1 2 3\n"), Err(Absence::Missing));
        assert_eq!(read("cpu 1 2 3 x 5 6 7 8\n"), Err(Absence::Unparsable));
        assert_eq!(read("intr 1\n"), Err(Absence::Unparsable));
        assert_eq!(read(&format!("cpu {0} {0} {0} {0} {0} {0} {0} {0}", u64::MAX)), Err(Absence::Missing));
        assert_eq!(read(&"9".repeat(3_000_000)), Err(Absence::Unparsable));
        assert!(parse(&std::fs::read("/proc/stat").unwrap()).is_ok());
    }
}
