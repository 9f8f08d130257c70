//! What holds for all moves, and what it comes to together.

use super::rules::interval;
use super::words::{list, many, rate, seconds, span};
use vmpolicy_core::Policy;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::{Action, AtMost, Rule, Tour};
use vmpolicy_core::time::Span;

/// How often a rule can ask while its condition never ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cadence {
    /// From one request to the next, what the move takes left out.
    pub(super) apart: Span,
    /// How many samples it takes after settling.
    pub(super) samples: u64,
    /// How far they are apart.
    pub(super) every: Span,
    /// Whether the dwell is what makes it as long.
    pub(super) by_dwell: bool,
}

impl Cadence {
    /// For rules that can go on asking: those that move along a ring on what indicators say.
    ///
    /// After a move the guest settles; the first sample comes one interval later (contract, 3.6).
    pub(super) fn of(policy: &Policy, rule: &Rule) -> Option<Self> {
        let (every, _) = interval(policy, rule)?;
        if !rule.action.is_relative() || policy.arrays().rows().iter().all(|array| array.ring_len < 2) {
            return None;
        }
        let samples = match rule.tarry {
            Tarry::Consecutive(samples) => u64::from(samples),
            Tarry::Of { hits, .. } => u64::from(hits),
            // The first sample begins the time, so one more than fit into it.
            Tarry::Lasting(lasts) => lasts.millis().div_ceil(every.millis().max(1)).saturating_add(1),
        };
        let moves = policy.moves();
        let settled = Span::from_millis(moves.settle.millis().saturating_add(every.times(samples).millis()));
        let by_dwell = moves.dwell > settled;
        Some(Self { apart: settled.max(moves.dwell), samples, every, by_dwell })
    }

    /// How many requests that is in so long, at most.
    pub(super) fn times_in(self, per: Span) -> u64 {
        per.millis() / self.apart.millis().max(1)
    }
}

/// The sentences.
pub(super) fn sentences(policy: &Policy) -> Vec<String> {
    let moves = policy.moves();
    let mut said = Vec::new();
    said.push(if moves.settle.is_zero() {
        "After a move samples count at once.".to_owned()
    } else {
        format!(
            "After a move nothing is probed for {}: what is read then is the move itself.",
            span(moves.settle)
        )
    });
    for rule in policy.rules().rows() {
        said.extend(Cadence::of(policy, rule).map(|cadence| overload(policy, rule, cadence)));
    }
    if !moves.dwell.is_zero() {
        said.push(format!("Between two moves of its own choosing there are at least {}.", span(moves.dwell)));
    }
    said.push(format!("It asks at most {}, whatever the rules say.", budget(moves.at_most)));
    let movers: Vec<_> = policy
        .rules()
        .rows()
        .iter()
        .filter(|rule| rule.action == Action::Move)
        .map(|rule| rule.name.as_str())
        .collect();
    if !movers.is_empty() && policy.arrays().rows().iter().any(|array| array.ring_len >= 2) {
        said.push(match moves.tour {
            Tour::Stop => format!(
                "When every host of the ring was tried in vain (on none of them did {} stop being true for as long as its tarry), the guest stays where it is for {}, and twice as long each further time.",
                list(&movers, "or"), span(moves.tour_pause),
            ),
            Tour::KeepGoing => "When every host of the ring was tried in vain, it goes round again.".to_owned(),
        });
    }
    said.push(format!(
        "A request that is not confirmed within {} has failed, unless the guest turns out to have moved. A host that refused or failed is left out for {}, and twice as long each further time.",
        span(moves.confirm_within), span(moves.bar),
    ));
    said
}

/// What happens while a rule's condition never ends.
fn overload(policy: &Policy, rule: &Rule, cadence: Cadence) -> String {
    let (moves, apart) = (policy.moves(), seconds(cadence.apart));
    let sum = if cadence.by_dwell {
        "the dwell".to_owned()
    } else {
        let samples = match cadence.samples {
            1 => format!("one interval of {} for a sample", seconds(cadence.every)),
            samples => format!("{samples} samples, one {}", rate(cadence.every)),
        };
        if moves.settle.is_zero() {
            samples
        } else {
            format!("{} to settle and {samples}", seconds(moves.settle))
        }
    };
    let AtMost { count, per } = moves.at_most;
    let times = cadence.times_in(per);
    let limit = if times > u64::from(count) {
        format!("that would be {times} in {}, so the budget of {count} is what limits", span(per))
    } else {
        format!("that is at most {times} in {}, within the budget of {count}", span(per))
    };
    let stop = if rule.action == Action::Move && moves.tour == Tour::Stop {
        ", as long as the tour goes on"
    } else {
        ""
    };
    format!(
        "While {} holds without end, there is a request each {apart} ({sum}) besides what the moves take{stop}: {limit}.",
        rule.name
    )
}

fn budget(budget: AtMost) -> String {
    let times = if budget.count == 1 { "once".to_owned() } else { many(budget.count.into(), "time") };
    format!("{times} in {}", span(budget.per))
}
