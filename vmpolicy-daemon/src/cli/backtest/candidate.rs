//! The policies that are to be tried, and what each of them makes of the command line.

use super::super::Exit;
use super::super::given::Given;
use super::super::terminal::complain;
use crate::provenance::Provenance;
use crate::trace::nearest;
use std::path::Path;
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::backtest::Options;
use vmpolicy_core::id::{HostId, IndicatorId};
use vmpolicy_core::policy::Indicator;
use vmpolicy_core::time::Span;

/// No file that is one has so many names in a message.
const NAMES_MAX: usize = 8;

/// A policy, and how it is to be run.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The file, as it was named.
    pub file: String,
    pub policy: Arc<Policy>,
    pub options: Options,
    pub provenance: Provenance,
}

/// What the command line says of every policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// Of each policy the first that it has is fed.
    pub indicators: &'a [String],
    /// Of each policy the first that it has is where the guest starts.
    pub at: &'a [String],
    pub stale: Option<Span>,
    pub move_takes: Span,
}

impl Candidate {
    /// Loads a file. What is wrong with it, or with the command line in its light, is said.
    pub(super) fn load(path: &Path, wanted: Wanted<'_>) -> Result<Self, Exit> {
        let Given { file, loaded, zones, .. } = Given::read(path)?;
        let policy = Arc::new(loaded.policy);
        let wrong = |message: String| {
            complain(&format!("{file}: {message}"));
            Exit::Usage
        };
        let options = Options {
            indicator: indicator(&policy, wanted.indicators.iter().map(String::as_str)).map_err(wrong)?,
            at: host(&policy, wanted.at.iter().map(String::as_str)).map_err(wrong)?,
            stale: wanted.stale,
            move_takes: wanted.move_takes,
        };
        let provenance = Provenance::new(&policy, &zones, None);
        Ok(Self { file, policy, options, provenance })
    }

    /// The indicator that the recording feeds.
    pub(super) fn fed(&self) -> &Indicator {
        &self.policy.indicators()[self.options.indicator]
    }

    /// What the guest of a series is called.
    pub(super) fn guest<'a>(&'a self, series: &'a crate::trace::Series) -> &'a str {
        series.name.as_deref().unwrap_or_else(|| self.policy.guest().unwrap_or("guest"))
    }
}

/// The indicator that a recording feeds: the first of these names that the policy has; of no name, its only one.
pub(in crate::cli) fn indicator<'a>(
    policy: &Policy,
    wanted: impl IntoIterator<Item = &'a str> + Clone,
) -> Result<IndicatorId, String> {
    let names: Vec<_> = policy.indicators().rows().iter().map(|one| one.name.clone()).collect();
    match (wanted.clone().into_iter().next(), names.as_slice()) {
        (_, []) => Err("the policy has no indicator for a trace to feed".to_owned()),
        (None, [_]) => Ok(policy.indicators().ids().next().ok_or("the policy has no indicator")?),
        (None, _) => {
            Err(format!("which indicator does the trace feed? Say --indicator with one of {}", list(&names)))
        }
        (Some(first), _) => {
            let found = wanted.into_iter().find_map(|name| policy.indicator_named(name));
            found.ok_or_else(|| unknown("indicator", first, &names))
        }
    }
}

/// Where a guest starts: the first of these hosts that the policy has; of no name, the first of the ring.
pub(in crate::cli) fn host<'a>(
    policy: &Policy,
    wanted: impl IntoIterator<Item = &'a str> + Clone,
) -> Result<HostId, String> {
    let Some(first) = wanted.clone().into_iter().next() else {
        return Ok(policy.arrays()[policy.home()].first);
    };
    let names: Vec<_> = policy.hosts().rows().iter().map(|host| host.name.clone()).collect();
    let found = wanted.into_iter().find_map(|name| policy.host_named(name));
    found.ok_or_else(|| unknown("host", first, &names))
}

fn unknown(what: &str, name: &str, names: &[String]) -> String {
    match nearest(name, names) {
        Some(near) => format!("the policy has no {what} `{name}`; did you mean `{near}`?"),
        None => format!("the policy has no {what} `{name}`; there are {}", list(names)),
    }
}

fn list(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES_MAX).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(NAMES_MAX);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}
