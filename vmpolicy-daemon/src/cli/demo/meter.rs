//! The demonstration's indicator and the load that moves it.
//!
//! The load average is no use here: it takes a minute to follow. What it averages can be read directly.

use crate::probe::{Failure, PROC, Source};
use rustix::time::{ClockId, clock_gettime};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use vmpolicy_core::input::Absence;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meter {
    /// How many tasks of this machine want a processor at this moment.
    Runnable,
    /// How much processor time this program itself takes, in per cent of one processor. For machines that
    /// hide the other number, or where it jumps about so much that nothing would be seen.
    Own,
}

impl Meter {
    /// Its name as an indicator.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Runnable => "load",
            Self::Own => "cpu",
        }
    }

    /// A source of it.
    pub(super) fn source(self) -> Box<dyn Source> {
        match self {
            Self::Runnable => Box::new(Runnable { path: PathBuf::from(PROC).join("stat") }),
            Self::Own => Box::new(Own { before: own_time() }),
        }
    }
}

/// How many looks make a reading, and how far apart they are: a single one is a matter of luck.
const LOOKS: u32 = 6;
const LOOK_EVERY: Duration = Duration::from_millis(25);

struct Runnable {
    path: PathBuf,
}

impl Source for Runnable {
    fn sample(&mut self) -> Result<f64, Failure> {
        let mut sum = 0.0;
        for _ in 0..LOOKS {
            let text = std::fs::read_to_string(&self.path)
                .map_err(|error| Failure::new(Absence::Missing, error.to_string()))?;
            let running = text.lines().find_map(|line| line.strip_prefix("procs_running "));
            let running: f64 =
                running.and_then(|number| number.trim().parse().ok()).ok_or(Absence::Unparsable)?;
            // The thread that looks is running, too.
            sum += (running - 1.0).max(0.0);
            thread::sleep(LOOK_EVERY);
        }
        Ok((sum / f64::from(LOOKS) * 10.0).round() / 10.0)
    }
}

struct Own {
    before: (Duration, Instant),
}

impl Source for Own {
    fn sample(&mut self) -> Result<f64, Failure> {
        let now = own_time();
        let (before, at) = std::mem::replace(&mut self.before, now);
        let (used, passed) = (now.0.saturating_sub(before), now.1.duration_since(at));
        if passed < Duration::from_millis(1) {
            return Err(Absence::Missing.into());
        }
        Ok((100.0 * used.as_secs_f64() / passed.as_secs_f64()).round())
    }
}

fn own_time() -> (Duration, Instant) {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    (Duration::try_from(time).unwrap_or_default(), Instant::now())
}

/// Threads that keep processors busy until they are dropped.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// So many threads; fewer where the system does not give them.
    pub(super) fn of(threads: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let spin = || {
            let stop = Arc::clone(&stop);
            thread::Builder::new().name("load".to_owned()).spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    (0..1_000).for_each(|_| std::hint::spin_loop());
                }
            })
        };
        let threads = (0..threads).filter_map(|_| spin().ok()).collect();
        Self { stop, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It does nothing that could panic.
            let _ = thread.join();
        }
    }
}

/// What a meter shows without the load and with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) meter: Meter,
    pub(super) quiet: f64,
    pub(super) loud: f64,
    /// How many threads make it loud.
    pub(super) threads: usize,
}

impl Range {
    /// A point on the way from quiet to loud, with as many figures as are worth reading.
    pub(super) fn at(self, share: f64) -> f64 {
        let point = self.quiet + share * (self.loud - self.quiet);
        (point * 10.0).round() / 10.0
    }
}

/// Readings of several meters, a list for each.
fn measure(sources: &mut [Box<dyn Source>]) -> Vec<Vec<f64>> {
    let mut read = vec![Vec::new(); sources.len()];
    // What the first one saw began before.
    for turn in 0..=READINGS {
        for (source, read) in sources.iter_mut().zip(&mut read) {
            if let (Ok(value), true) = (source.sample(), turn > 0) {
                read.push(value);
            }
        }
        thread::sleep(APART);
    }
    read
}

const READINGS: usize = 4;
const APART: Duration = Duration::from_millis(40);

/// More would be a nuisance on a machine that others use, too.
const THREADS_MAX: usize = 32;

/// Measures without and with load, for about two seconds, and takes the first of these meters that can tell
/// them apart.
pub(super) fn calibrate(meters: &[Meter], processors: usize) -> Range {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let mut sources: Vec<_> = meters.iter().map(|meter| meter.source()).collect();
    let quiet = measure(&mut sources);
    // Where others keep the machine busy, the load has to stand out from theirs.
    let others = meters.iter().zip(&quiet).find(|(meter, _)| **meter == Meter::Runnable);
    let others = others.map_or(0.0, |(_, values)| most(values));
    let threads = (2 * processors).max((2.0 * others).ceil() as usize).clamp(4, THREADS_MAX);
    let load = Load::of(threads);
    thread::sleep(APART);
    let loud = measure(&mut sources);
    drop(load);
    let ranges = meters.iter().zip(quiet.iter().zip(&loud)).map(|(&meter, (quiet, loud))| {
        let range = Range { meter, quiet: mean(quiet), loud: mean(loud), threads };
        // Nothing in between was seen in either: a threshold in between means something.
        let clear = !quiet.is_empty()
            && !loud.is_empty()
            && most(quiet) < range.at(0.3)
            && least(loud) > range.at(0.6)
            && range.loud > range.quiet + 1.0;
        (range, clear)
    });
    let ranges: Vec<_> = ranges.collect();
    let chosen = ranges.iter().find(|(_, clear)| *clear).or(ranges.last());
    chosen.map_or(Range { meter: Meter::Own, quiet: 0.0, loud: 100.0, threads }, |(range, _)| *range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_time_follows_the_load_and_ends_with_it() {
        let range = calibrate(&[Meter::Own], 2);
        assert!(range.loud > range.quiet, "{range:?}");
    }

    #[test]
    fn points_of_a_range() {
        let range = Range { meter: Meter::Own, quiet: 2.0, loud: 12.0, threads: 4 };
        assert_eq!((range.at(0.0), range.at(0.6), range.at(1.0)), (2.0, 8.0, 12.0));
    }
}
