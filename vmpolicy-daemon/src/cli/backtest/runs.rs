//! Every series as a guest of its own, on as many processors as there are; what comes out does not depend on
//! how many.

use crate::trace::Series;
use std::io::{self, Write};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use vmpolicy_core::backtest::{BacktestError, Options, Sink, Summary, run};
use vmpolicy_core::record::View;
use vmpolicy_core::{Output, Policy};

/// What to run.
pub(super) struct Runs<'a> {
    pub policy: &'a Arc<Policy>,
    pub options: Options,
    pub series: &'a [Series],
    /// The guest's name where the trace has no series.
    pub fallback: &'a str,
}

/// The summaries in the order of the series, or the first guest that could not be run.
pub(super) type Outcome = Result<Vec<Summary>, (String, BacktestError)>;

/// The events of one guest as they are printed, and when each was.
#[derive(Default)]
struct Events {
    bytes: Vec<u8>,
    /// The time and the end of each line.
    lines: Vec<(i64, usize)>,
}

/// Writes records as lines of JSON.
struct Lines<'a, W> {
    policy: &'a Policy,
    guest: &'a str,
    to: W,
    failed: Option<io::Error>,
}

impl<W: Line> Sink for Lines<'_, W> {
    fn take(&mut self, output: &Output) {
        for view in View::all(self.policy, self.guest, output) {
            if self.failed.is_none() {
                self.failed = self.to.line(&view).err();
            }
        }
    }
}

trait Line {
    fn line(&mut self, view: &View<'_>) -> io::Result<()>;
}

impl Line for &mut dyn Write {
    fn line(&mut self, view: &View<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut *self, view)?;
        self.write_all(b"\n")
    }
}

impl Line for Events {
    fn line(&mut self, view: &View<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.bytes, view)?;
        self.bytes.push(b'\n');
        self.lines.push((view.record.at.0, self.bytes.len()));
        Ok(())
    }
}

impl Runs<'_> {
    /// Only the summaries.
    pub(super) fn without_events(&self) -> Outcome {
        self.each(|_, series| run(self.policy, &series.trace, &self.options, &mut ()))
    }

    /// The summaries, and every record in time order; at the same time, in the order of the series.
    pub(super) fn with_events(&self, mut to: &mut dyn Write) -> io::Result<Outcome> {
        if let [only] = self.series {
            let guest = self.name(only);
            let mut sink = Lines { policy: self.policy, guest, to: &mut *to, failed: None };
            let summary = run(self.policy, &only.trace, &self.options, &mut sink);
            let failed = sink.failed;
            return failed
                .map_or(Ok(()), Err)
                .map(|()| summary.map(|summary| vec![summary]).map_err(|error| (guest.to_owned(), error)));
        }
        let outcome = self.each(|guest, series| {
            let mut sink = Lines { policy: self.policy, guest, to: Events::default(), failed: None };
            let summary = run(self.policy, &series.trace, &self.options, &mut sink)?;
            Ok((summary, sink.to))
        });
        let (summaries, events): (Vec<_>, Vec<_>) = match outcome {
            Ok(all) => all.into_iter().unzip(),
            Err(error) => return Ok(Err(error)),
        };
        merge(&events, &mut to)?;
        Ok(Ok(summaries))
    }

    fn name<'s>(&'s self, series: &'s Series) -> &'s str {
        series.name.as_deref().unwrap_or(self.fallback)
    }

    /// Runs every series, and puts what comes out in their order.
    fn each<T: Send>(
        &self,
        one: impl Fn(&str, &Series) -> Result<T, BacktestError> + Sync,
    ) -> Result<Vec<T>, (String, BacktestError)> {
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(series) = self.series.get(index) else { return done };
                let name = self.name(series);
                done.push((index, one(name, series).map_err(|error| (name.to_owned(), error))));
            }
        };
        let workers = thread::available_parallelism().map_or(1, NonZero::get).min(self.series.len());
        let mut done = if workers < 2 {
            worker()
        } else {
            thread::scope(|scope| {
                let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
                threads
                    .into_iter()
                    .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                    .collect()
            })
        };
        done.sort_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

fn merge(events: &[Events], to: &mut dyn Write) -> io::Result<()> {
    let mut lines = Vec::new();
    for guest in events {
        let mut start = 0;
        for &(at, end) in &guest.lines {
            lines.push((at, &guest.bytes[start..end]));
            start = end;
        }
    }
    // Stable: at the same time the order of the series stands, and that of each guest's own records.
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().try_for_each(|(_, line)| to.write_all(line))
}
