//! What a tuning is fed: the policy, and recordings cut in two.

use super::report::Recording;
use super::{Args, wrong};
use crate::cli::Exit;
use crate::cli::backtest::recording::Named;
use crate::cli::given::Given;
use crate::cli::outputs::is_dash;
use crate::cli::terminal::complain;
use crate::policy_files::PolicyFiles;
use crate::trace::Series;
use crate::zones::SystemZones;
use std::path::Path;
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::backtest::{Options, Trace};
use vmpolicy_core::file::Loaded;
use vmpolicy_core::tune::{Trial, TrialError, Yardstick};

/// A policy, and the files that it was read from.
pub(super) struct Input {
    pub files: PolicyFiles,
    pub loaded: Loaded,
    pub policy: Arc<Policy>,
    pub zones: SystemZones,
}

impl Input {
    /// Reads a policy file; all its errors are told.
    pub(super) fn read(path: &Path) -> Result<Self, Exit> {
        let Given { files, loaded, zones, .. } = Given::read(path)?;
        let policy = Arc::new(loaded.policy.clone());
        Ok(Self { files, loaded, policy, zones })
    }
}

/// Recordings, ready to try candidates on.
pub(super) struct Recordings {
    pub trial: Trial,
    pub options: Options,
    /// What counts as a breach, in words.
    pub breach: String,
    pub rows: Vec<Recording>,
}

impl Recordings {
    pub(super) fn read(input: &Input, args: &Args) -> Result<Self, Exit> {
        let policy = &input.policy;
        let named = || args.trace.iter().map(|trace| Named::new(trace));
        if named().filter(|one| one.is_stdin()).count() + usize::from(is_dash(&args.file)) > 1 {
            return Err(wrong("only one of the policy and the recordings can be standard input"));
        }
        let options = args.wanted.options(policy).map_err(wrong)?;
        let indicator = options.indicator;
        let yardstick = match &args.breach {
            Some(text) => Yardstick::given(text, &input.loaded.file, policy, &input.zones, indicator),
            None => Yardstick::present(policy, indicator),
        };
        let yardstick = yardstick.map_err(|error| match &args.breach {
            Some(_) => wrong(format!("--breach: {error}")),
            None => wrong(format!("{error}; say it, such as --breach 'load > 50'")),
        })?;

        let mut all: Vec<(String, Series)> = Vec::new();
        for one in named() {
            let shown = args.reading.shown(one);
            let traces = args.reading.read(one, policy.indicators()[indicator].every)?;
            for note in &traces.notes {
                complain(&format!("{shown}: {note}"));
            }
            all.extend(traces.series.into_iter().map(|series| (shown.clone(), series)));
        }
        let traces = all.iter().map(|(_, series)| &series.trace);
        let trial = Trial::new(policy, options, &yardstick, traces, args.hold_out).map_err(|error| {
            complain(&match error {
                TrialError::Blind => format!("{error} (--hold-out keeps {} of it back)", args.hold_out),
                TrialError::Backtest(error) => error.to_string(),
            });
            Exit::No
        })?;
        let rows = all.iter().zip(trial.cuts());
        let rows = rows.map(|((trace, series), cut)| {
            let (from, to) = series.trace.span().unwrap_or_default();
            Recording {
                trace: trace.clone(),
                series: series.name.clone(),
                rows: series.trace.len(),
                fingerprint: fingerprint(&series.trace),
                from: from.to_string(),
                held_out_from: cut.map(|cut| cut.to_string()),
                to: to.to_string(),
            }
        });
        let rows: Vec<_> = rows.collect();
        if trial.breaches().is_zero() {
            complain(&format!(
                "there is no breach ({}) in the part to tune on: the fewest moves will seem best",
                yardstick.says()
            ));
        }
        Ok(Self { trial, options, breach: yardstick.says().to_owned(), rows })
    }
}

/// FNV-1a in 64 bits, by words: times, and the bits of the values.
fn fingerprint(trace: &Trace) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for row in trace.iter() {
        let value = row.value.map_or(u64::MAX, f64::to_bits);
        for word in [row.at.0.cast_unsigned(), value] {
            hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
            // By words, the upper half would not reach the lower one.
            hash ^= hash >> 32;
        }
    }
    format!("{hash:016x}")
}
