//! Conditions, worked out by the onlooker: from what a record says was seen, from the clock's face, from
//! the batch at hand.

use super::evidence::{Sample, compares};
use crate::id::{ArrayId, QueueId, WindowId};
use crate::input::Input;
use crate::leaf::logic::Truth;
use crate::leaf::window::{Pattern, Weekday};
use crate::output::Seen;
use crate::policy::{Action, Compare, Condition, OnTimeout, Policy, Rule};
use crate::time::Wall;

const HOUR_MS: i64 = 3_600_000;
const DAY_SECS: i64 = 86_400;
/// So many hours around a change of the clocks their face does not tell.
const NEAR_H: i64 = 27;

/// How true: 1 true, -1 false, 0 not known; at least and at most, where the onlooker cannot tell.
pub(super) type Degree = (i8, i8);

/// Anything: the onlooker cannot tell.
pub(super) const VAGUE: Degree = (-1, 1);

/// The degree of a truth.
pub(super) const fn degree(truth: Truth) -> Degree {
    match truth {
        Truth::Breach => (1, 1),
        Truth::Unknown => (0, 0),
        Truth::Clear => (-1, -1),
    }
}

/// The degree of something known.
pub(super) const fn known(holds: bool) -> Degree {
    if holds { (1, 1) } else { (-1, -1) }
}

/// How true a condition is, its leaves taken from `leaf` in the order in which they are written: the
/// least of all, the greatest of any.
pub(super) fn weigh(when: &Condition, leaf: &mut impl FnMut(&Condition) -> Degree) -> Degree {
    weigh_turned(when, 1, &mut |part, _| leaf(part))
}

/// The same; each leaf is told with 1 or -1 whether it helps the whole to be true by being so, or by not being so.
fn weigh_turned(when: &Condition, helps: i8, leaf: &mut impl FnMut(&Condition, i8) -> Degree) -> Degree {
    match when {
        Condition::All(parts) => parts.iter().fold((1, 1), |all, part| {
            let one = weigh_turned(part, helps, leaf);
            (all.0.min(one.0), all.1.min(one.1))
        }),
        Condition::Any(parts) => parts.iter().fold((-1, -1), |any, part| {
            let one = weigh_turned(part, helps, leaf);
            (any.0.max(one.0), any.1.max(one.1))
        }),
        Condition::Not(part) => {
            let (least, most) = weigh_turned(part, -helps, leaf);
            (-most, -least)
        }
        Condition::Indicator { .. }
        | Condition::Window { .. }
        | Condition::Count { .. }
        | Condition::Gain { .. } => leaf(when, helps),
    }
}

/// How many leaves a condition has.
pub(super) fn leaves(when: &Condition) -> usize {
    let mut count = 0;
    weigh(when, &mut |_| {
        count += 1;
        VAGUE
    });
    count
}

/// How true a rule is by what a record says was seen; an error where that does not fit its condition.
pub(super) fn by_seen(policy: &Policy, rule: &Rule, seen: &[Seen]) -> Result<Degree, String> {
    let wanted = leaves(&rule.when);
    if seen.len() != wanted {
        return Err(format!("{} leaves were seen of {wanted}", seen.len()));
    }
    let (mut next, mut wrong) = (0, None);
    let degree = weigh_turned(&rule.when, 1, &mut |leaf, helps| {
        let at = next;
        next += 1;
        let Some(seen) = seen.iter().find(|seen| usize::from(seen.leaf) == at) else {
            wrong = Some(format!("leaf {at} was not seen"));
            return VAGUE;
        };
        let said = degree(seen.truth);
        if seen.timed_out {
            if !may_time_out(policy, rule, leaf) || seen.value.is_some() || said != (helps, helps) {
                wrong = Some(format!("leaf {at} timed out, and was called {:?}", seen.truth));
            }
        } else if let Some((compare, threshold)) = comparison(leaf) {
            let own = seen.value.map_or((0, 0), |value| known(compares(value, compare, threshold)));
            if own != said {
                wrong = Some(format!("leaf {at} saw {:?} and called it {:?}", seen.value, seen.truth));
            }
        }
        said
    });
    wrong.map_or(Ok(degree), Err)
}

/// Whether a time-out says something for a comparison: only moves along the ring go by it, and only where that is
/// declared.
fn may_time_out(policy: &Policy, rule: &Rule, leaf: &Condition) -> bool {
    let Condition::Indicator { indicator, .. } = leaf else { return false };
    rule.action == Action::Move && policy.indicators()[*indicator].timeout == OnTimeout::Breach
}

/// How true a rule is for a sample of the only indicator that it reads.
pub(super) fn by_sample(rule: &Rule, sample: Sample) -> Degree {
    weigh_turned(&rule.when, 1, &mut |leaf, helps| match (leaf, sample) {
        (Condition::Indicator { .. }, Sample::TimedOut) if rule.action == Action::Move => (helps, helps),
        (Condition::Indicator { compare, threshold, .. }, Sample::Known(value)) => {
            known(compares(value, *compare, *threshold))
        }
        (Condition::Indicator { .. }, _) => (0, 0),
        _ => VAGUE,
    })
}

fn comparison(leaf: &Condition) -> Option<(Compare, f64)> {
    match leaf {
        Condition::Indicator { compare, threshold, .. }
        | Condition::Count { compare, threshold, .. }
        | Condition::Gain { compare, threshold, .. } => Some((*compare, *threshold)),
        _ => None,
    }
}

/// Whether a condition that reads only the clock is true now; none where the face of the clock does
/// not tell (near a change of the clocks, or for a pair of cron expressions).
pub(super) fn by_clock(policy: &Policy, when: &Condition, wall: Wall) -> Option<bool> {
    let degree = weigh(when, &mut |leaf| match leaf {
        Condition::Window { window, inside } => {
            face(policy, *window, wall).map_or(VAGUE, |open| known(open == *inside))
        }
        _ => VAGUE,
    });
    (degree.0 == degree.1 && degree.0 != 0).then_some(degree.0 > 0)
}

/// Whether a window is open by the face of its zone's clock: the day of the week and the time of day.
/// None near a change of the clocks, and for cron expressions.
fn face(policy: &Policy, window: WindowId, wall: Wall) -> Option<bool> {
    let window = &policy.windows()[window].window;
    let Pattern::Days { days, hours } = window.pattern() else { return None };
    let zone = window.zone();
    let offset_secs = i64::from(zone.offset_secs_at(wall));
    let changes = |hours: i64| i64::from(zone.offset_secs_at(wall.shifted(hours * HOUR_MS))) != offset_secs;
    if (1..=NEAR_H).any(|hours| changes(hours) || changes(-hours)) {
        return None;
    }
    let civil_secs = wall.0.div_euclid(1_000) + offset_secs;
    let (day, second) = (civil_secs.div_euclid(DAY_SECS), civil_secs.rem_euclid(DAY_SECS));
    // The epoch was a Thursday.
    let on =
        |day: i64| usize::try_from((day + 3).rem_euclid(7)).is_ok_and(|at| days.contains(Weekday::ALL[at]));
    let (from, to) = (i64::from(hours.from_secs()), i64::from(hours.to_secs()));
    let today = on(day) && second >= from;
    Some(if from < to { today && second < to } else { today || (on(day - 1) && second < to) })
}

/// The value of a leaf on a batch, worked out again; none where a number is lacking.
pub(super) fn of_batch(policy: &Policy, leaf: &Condition, batch: &Input) -> Option<f64> {
    let Input::Batch { queue: of, classes, others } = batch else { return None };
    match leaf {
        Condition::Count { queue, class, .. } if queue == of => {
            classes.get(usize::from(*class)).copied().map(f64::from)
        }
        Condition::Gain { queue, array, .. } if queue == of => gain(policy, *queue, *array, classes, *others),
        _ => None,
    }
}

/// Equation 3.5 of the thesis: T_PH / (T_M + T_PA).
fn gain(policy: &Policy, queue: QueueId, array: ArrayId, classes: &[u32], others: u32) -> Option<f64> {
    if others > 0 {
        return None;
    }
    let mut at_home_ms = 0.0;
    for (class, count) in policy.queues()[queue].classes.iter().zip(classes) {
        if *count > 0 {
            at_home_ms += f64::from(*count) * class.takes?.millis() as f64;
        }
    }
    let (away, home) = (&policy.arrays()[array], &policy.arrays()[policy.home()]);
    let ratio = at_home_ms / (away.relocation?.millis() as f64 + at_home_ms * home.speed / away.speed);
    ratio.is_finite().then_some(ratio)
}
