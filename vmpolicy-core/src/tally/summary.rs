//! What a backtest comes to.

use crate::id::{HostId, RuleId, Table};
use crate::input::Absence;
use crate::leaf::cost::Ledger;
use crate::time::{Span, Wall};

/// A run in numbers.
///
/// Times are weighed by how long they lasted: what a poll said holds until the next one, or until the guest rests.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The first timestamp.
    pub from: Wall,
    /// The last one.
    pub to: Wall,
    /// How old a row could be to be read.
    pub stale: Span,
    /// How often the indicator was polled.
    pub polls: u64,
    /// Polls that gave no number, by cause; causes that did not occur are left out.
    pub absent: Vec<(Absence, u64)>,
    /// Polls of a counter that only gave the number to count from: the first one, those after a move or a rest,
    /// those after a reset or a gap.
    pub baselines: u64,
    /// For how long no sample was known, for want of a number or of one before it.
    pub unknown: Span,
    /// For how long any rule was true whose action is `move`: the service did badly. None where no such rule reads
    /// the indicator.
    pub breach: Option<Span>,
    /// For how long nobody could say whether any such rule was true: before the first sample, while the guest settled
    /// after a move or a gap, rested without being probed, or while its daemon did not run. None as above.
    pub unjudged: Option<Span>,
    /// For how long the guest rested.
    pub resting: Span,
    /// Moves asked for.
    pub requests: u64,
    /// Moves confirmed.
    pub moves: u64,
    /// Requests that came to nothing, in all.
    pub failed: u64,
    /// Those that were turned down.
    pub refused: u64,
    /// Those of which nobody said in time what became of them.
    pub expired: u64,
    /// Whether a request was open at the end.
    pub open: bool,
    /// The most requests in any sixty minutes, the last instant of which does not count.
    pub busiest_hour: u64,
    /// By rule.
    pub rules: Table<RuleId, RuleSummary>,
    /// By host.
    pub hosts: Table<HostId, HostSummary>,
    /// What was spent, where any array has a price.
    pub cost: Option<Ledger>,
    /// For how long the guest was where no price is known.
    pub unpriced: Span,
}

/// What a rule came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleSummary {
    /// Moves that it asked for.
    pub requests: u64,
    /// How often it was held back (each hold is counted once, however long).
    pub held: u64,
    /// How often it wanted what was so already.
    pub already_there: u64,
    /// How often it found no better host.
    pub no_better_host: u64,
    /// Whether it reads the indicator that the trace feeds; if not, the times are zero.
    pub sampled: bool,
    /// For how long its condition was true.
    pub breach: Span,
    /// For how long it was false.
    pub clear: Span,
    /// For how long nobody knew.
    pub unknown: Span,
}

/// What a host came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostSummary {
    /// For how long the guest was there.
    pub lasted: Span,
    /// How often it came there.
    pub arrivals: u64,
}

impl Summary {
    /// From the first timestamp to the last.
    #[must_use]
    pub const fn lasts(&self) -> Span {
        self.to.since(self.from)
    }

    /// Requests an hour over the whole run; none where it has no length.
    #[must_use]
    pub fn requests_per_hour(&self) -> Option<f64> {
        let hours = self.lasts().as_secs_f64() / 3_600.0;
        (hours > 0.0).then(|| self.requests as f64 / hours)
    }

    /// Polls that gave no number.
    #[must_use]
    pub fn absent_polls(&self) -> u64 {
        self.absent.iter().map(|(_, count)| count).sum()
    }
}
