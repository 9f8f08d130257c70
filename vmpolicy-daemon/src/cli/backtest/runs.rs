//! Every policy on every series, on as many processors as there are; what comes out does not depend on how many.

use super::candidate::Candidate;
use super::progress::Bar;
use crate::trace::Series;
use rayon::prelude::*;
use std::io::{self, Write};
use vmpolicy_core::backtest::{BacktestError, Run, Sink, Summary, polls_at_most};
use vmpolicy_core::record::View;
use vmpolicy_core::time::{Span, Wall};
use vmpolicy_core::{Output, Policy};

/// How far a run goes before it says how far it is.
const POLLS_A_WORD: u64 = 1 << 20;

/// How many polls all runs together make before their records are put in order and written: what is held in memory
/// is the records of so many, however long the recording.
const POLLS_A_STRETCH: u64 = 1 << 16;

/// How much time all runs together pass through before that, where polls are rare: the edges of windows make records
/// too.
const TIME_A_STRETCH: Span = Span::from_hours(24 * 400);

/// What to run.
#[derive(Clone, Copy)]
pub(super) struct Runs<'a> {
    pub candidates: &'a [Candidate],
    pub series: &'a [Series],
}

/// What came of it: by policy, and in it by series.
pub(super) type Summaries = Vec<Vec<Summary>>;

/// Which policy could not be run on which guest, and why.
#[derive(Debug)]
pub(super) struct Impossible {
    pub policy: String,
    pub guest: String,
    pub why: BacktestError,
}

impl<'a> Runs<'a> {
    /// Every policy with every series, in the order in which records at the same time are told.
    fn pairs(self) -> impl Iterator<Item = (&'a Candidate, &'a Series)> {
        self.candidates.iter().flat_map(move |one| self.series.iter().map(move |series| (one, series)))
    }

    /// A bar for all polls that there will be at most. Afterwards every run is known to be possible.
    pub(super) fn bar(self) -> Result<Bar, Impossible> {
        let (mut total, mut longest, mut most) = (0_u64, None, 0);
        for (candidate, series) in self.pairs() {
            let polls =
                polls_at_most(&candidate.policy, &series.trace, &candidate.options).map_err(|why| {
                    let guest = candidate.guest(series).to_owned();
                    Impossible { policy: candidate.file.clone(), guest, why }
                })?;
            total = total.saturating_add(polls);
            if polls > most {
                (most, longest) = (polls, Some((candidate, series)));
            }
        }
        Ok(Bar::polls(total, || {
            let Some((candidate, series)) = longest else { return String::new() };
            let lasts = series.trace.span().map_or(Span::ZERO, |(from, to)| to.since(from));
            let every = candidate.fed().every;
            format!("`{}` lasts {lasts}, polled every {every}", candidate.guest(series))
        }))
    }

    /// Only the summaries.
    pub(super) fn without_events(self, bar: &Bar) -> Result<Summaries, Impossible> {
        let runs = self.begin()?;
        let done = runs.into_par_iter().map(|mut run| {
            let stretch = run.every.times(POLLS_A_WORD);
            while let Some(next) = run.run.next_at() {
                run.advance(next.plus(stretch), bar, &mut ());
            }
            run.run.finish()
        });
        Ok(self.by_candidate(done.collect()))
    }

    /// The summaries, and every record in time order; at the same time, in the order of the policies and series.
    pub(super) fn with_events(
        self,
        bar: &Bar,
        to: &mut dyn Write,
    ) -> Result<io::Result<Summaries>, Impossible> {
        let mut runs = self.begin()?;
        Ok(self.write_events(&mut runs, bar, to).map(|()| {
            let done: Vec<_> = runs.into_iter().map(|run| run.run.finish()).collect();
            self.by_candidate(done)
        }))
    }

    fn write_events(self, runs: &mut [OneRun<'a>], bar: &Bar, to: &mut dyn Write) -> io::Result<()> {
        let mut order = Vec::new();
        loop {
            let ahead = runs.iter().filter_map(|run| Some((run.run.next_at()?, run.every)));
            let (mut start, mut every, mut active) = (None, Span::from_millis(u64::MAX), 0);
            for (next, its) in ahead {
                start = Some(start.map_or(next, |start: Wall| start.min(next)));
                every = every.min(its);
                active += 1;
            }
            let Some(start) = start else { return Ok(()) };
            let rare = Span::from_millis(TIME_A_STRETCH.millis() / active);
            let upto = start.plus(every.times((POLLS_A_STRETCH / active).max(1)).min(rare));
            runs.par_iter_mut().for_each(|run| {
                if run.run.next_at().is_some_and(|next| next <= upto) {
                    run.tell(upto, bar);
                }
            });
            order.clear();
            for (index, run) in runs.iter().enumerate() {
                order.extend(run.lines.ends.iter().enumerate().map(|(line, &(at, _))| (at, index, line)));
            }
            // The same as a stable sort by time alone.
            order.sort_unstable();
            order.iter().try_for_each(|&(_, index, line)| to.write_all(runs[index].lines.line(line)))?;
            runs.iter_mut().for_each(|run| run.lines.clear());
        }
    }

    fn begin(self) -> Result<Vec<OneRun<'a>>, Impossible> {
        let names_the_policy = self.candidates.len() > 1;
        let begin = |(candidate, series): (&'a Candidate, &'a Series)| {
            let guest = candidate.guest(series);
            let run = Run::new(&candidate.policy, &series.trace, &candidate.options);
            let run = run.map_err(|why| Impossible {
                policy: candidate.file.clone(),
                guest: guest.to_owned(),
                why,
            })?;
            Ok(OneRun {
                run,
                policy: &candidate.policy,
                named: names_the_policy.then_some(candidate.file.as_str()),
                guest,
                every: candidate.fed().every,
                told: 0,
                from: series.trace.span().map_or(Wall(0), |span| span.0),
                lines: Lines::default(),
            })
        };
        self.pairs().map(begin).collect()
    }

    fn by_candidate(self, done: Vec<Summary>) -> Summaries {
        let mut done = done.into_iter();
        self.candidates.iter().map(|_| done.by_ref().take(self.series.len()).collect()).collect()
    }
}

/// One policy on one series.
struct OneRun<'a> {
    run: Run<'a>,
    policy: &'a Policy,
    /// The policy's name, where its records are to bear it.
    named: Option<&'a str>,
    guest: &'a str,
    every: Span,
    from: Wall,
    /// How many polls the bar knows of.
    told: u64,
    /// Records that are not written yet.
    lines: Lines,
}

impl OneRun<'_> {
    fn advance<S: Sink>(&mut self, upto: Wall, bar: &Bar, sink: &mut S) {
        self.run.advance(upto, sink);
        let reached =
            self.run.next_at().unwrap_or(upto).since(self.from).millis() / self.every.millis().max(1);
        bar.more(reached.saturating_sub(self.told));
        self.told = self.told.max(reached);
    }

    /// Goes on, and keeps the records.
    fn tell(&mut self, upto: Wall, bar: &Bar) {
        let mut lines = std::mem::take(&mut self.lines);
        let (policy, guest, named) = (self.policy, self.guest, self.named);
        self.advance(upto, bar, &mut |output: &Output| {
            for view in View::all(policy, guest, output) {
                lines.push(&view, named);
            }
        });
        self.lines = lines;
    }
}

/// Records as they are printed.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    /// The time and the end of each line.
    ends: Vec<(i64, usize)>,
}

impl Lines {
    fn push(&mut self, view: &View<'_>, named: Option<&str>) {
        let start = self.bytes.len();
        if let Some(name) = named {
            self.json(&Named { policy: name });
            // The object goes on with what the record has: its brace becomes a comma.
            self.bytes.pop();
        }
        let joint = self.bytes.len();
        self.json(view);
        if joint > start {
            self.bytes[joint] = b',';
        }
        self.bytes.push(b'\n');
        self.ends.push((view.record.at.0, self.bytes.len()));
    }

    fn json(&mut self, value: &impl serde::Serialize) {
        // Memory takes everything, and every key of a record is text.
        let written = serde_json::to_writer(&mut self.bytes, value);
        debug_assert!(written.is_ok(), "{written:?}");
    }

    fn line(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before].1);
        &self.bytes[start..self.ends[index].1]
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// What stands before a record where several policies are told.
#[derive(serde::Serialize)]
struct Named<'a> {
    policy: &'a str,
}
