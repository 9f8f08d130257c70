//! The policies that are to be tried, and what each of them makes of the command line.

use super::super::Exit;
use super::super::given::Given;
use super::super::terminal::complain;
use super::span;
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
#[derive(Debug, clap::Args)]
pub(crate) struct Wanted {
    /// The indicator that the recording feeds, where a policy has several; given more than once, the first that the
    /// policy has.
    #[arg(long, value_name = "NAME")]
    pub indicator: Vec<String>,
    /// How old a row may be to be read [default: twice the larger of the polling interval and the recording's
    /// median interval].
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub stale: Option<Span>,
    /// Where the guest starts [default: the first host of the ring]; given more than once, the first that the policy
    /// has.
    #[arg(long, value_name = "HOST")]
    pub at: Vec<String>,
    /// How long after the asking a move is confirmed.
    #[arg(long, value_name = "SPAN", value_parser = span, default_value = "0s")]
    pub move_takes: Span,
}

impl Wanted {
    /// What it means for this policy.
    pub(in crate::cli) fn options(&self, policy: &Policy) -> Result<Options, String> {
        Ok(Options {
            indicator: indicator(policy, &self.indicator)?,
            at: host(policy, &self.at)?,
            stale: self.stale,
            move_takes: self.move_takes,
        })
    }
}

impl Candidate {
    /// Loads a file. What is wrong with it, or with the command line in its light, is said.
    pub(super) fn load(path: &Path, wanted: &Wanted) -> Result<Self, Exit> {
        let Given { file, loaded, zones, .. } = Given::read(path)?;
        let policy = Arc::new(loaded.policy);
        let options = wanted.options(&policy).map_err(|message| {
            complain(&format!("{file}: {message}"));
            Exit::Usage
        })?;
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
fn indicator(policy: &Policy, wanted: &[String]) -> Result<IndicatorId, String> {
    let names: Vec<_> = policy.indicators().rows().iter().map(|one| one.name.clone()).collect();
    match (wanted.first(), names.as_slice()) {
        (_, []) => Err("the policy has no indicator for a trace to feed".to_owned()),
        (None, [_]) => Ok(policy.indicators().ids().next().ok_or("the policy has no indicator")?),
        (None, _) => {
            Err(format!("which indicator does the trace feed? Say --indicator with one of {}", list(&names)))
        }
        (Some(first), _) => {
            let found = wanted.iter().find_map(|name| policy.indicator_named(name));
            found.ok_or_else(|| unknown("indicator", first, &names))
        }
    }
}

/// Where a guest starts: the first of these hosts that the policy has; of no name, the first of the ring.
fn host(policy: &Policy, wanted: &[String]) -> Result<HostId, String> {
    let Some(first) = wanted.first() else {
        return Ok(policy.arrays()[policy.home()].first);
    };
    let names: Vec<_> = policy.hosts().rows().iter().map(|host| host.name.clone()).collect();
    let found = wanted.iter().find_map(|name| policy.host_named(name));
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
