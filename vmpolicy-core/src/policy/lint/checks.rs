//! The lints, one function each.

use super::{Lint, Never, WarningKind as Kind};
use crate::id::{Id, IndicatorId, RuleId};
use crate::leaf::cost::base_pays;
use crate::leaf::tarry::Tarry;
use crate::policy::error::Noun;
use crate::policy::{Action, Condition, OnTimeout, Policy, Rule};
use crate::time::{Span, Wall};

/// Two rules on the same indicator, with different goals, that can be true at once.
pub(super) fn bands_overlap(lint: &mut Lint<'_>) {
    for (first, second) in pairs(lint.policy) {
        let (one, two) = (&lint.policy.rules[first], &lint.policy.rules[second]);
        let (Some(indicator), true) = (only_indicator(one), only_indicator(one) == only_indicator(two))
        else {
            continue;
        };
        if one.action == two.action || !at_once(lint, first, second) || shadows(lint, first, second) {
            continue;
        }
        let (first_name, second_name) = (one.name.clone(), two.name.clone());
        let indicator = lint.policy.indicators[indicator].name.clone();
        lint.warn_of_two(
            first,
            second,
            Kind::BandsOverlap { first: first_name, second: second_name, indicator },
        );
    }
}

/// After a move, the guest looks away for longer than it then takes to decide on the next one.
pub(super) fn settle_over_tarry(lint: &mut Lint<'_>) {
    let settle = lint.policy.moves.settle;
    for (id, rule) in lint.policy.rules.iter() {
        let Some(tarry) = tarry_time(rule, lint.policy) else { continue };
        if settle > tarry {
            let kind = Kind::SettleOverTarry { rule: rule.name.clone(), settle, tarry };
            let place = lint
                .file
                .rules
                .get(id.index())
                .and_then(|form| form.tarry.as_ref())
                .and_then(|tarry| tarry.place);
            let warning = lint.warn_of(id, kind);
            warning.place = place.or(warning.place);
        }
    }
}

/// Equation 3.1: C_b < C_a.
pub(super) fn base_not_cheaper(lint: &mut Lint<'_>) {
    for form in &lint.file.arrays {
        // A base price that nobody wrote is the hosts' own: nothing is known of it.
        let Some((price, base)) =
            form.price.as_ref().and_then(|price| Some((price, price.value.base.as_ref()?)))
        else {
            continue;
        };
        let host = price.value.host.value;
        if form.base.is_some() && !base_pays(base.value, host) {
            let kind = Kind::BaseNotCheaper { array: form.name.value.clone(), base: base.value, host };
            lint.warn(kind, base.place, format!("arrays.{}.price.base", form.name.value));
        }
    }
}

/// A window that never opens, or never closes.
pub(super) fn window_still(lint: &mut Lint<'_>) {
    for (id, named) in lint.policy.windows.iter() {
        let view = named.window.at(Wall(0));
        if view.next_edge.is_none() {
            let kind = Kind::WindowStill { window: named.name.clone(), open: view.open };
            let place = lint.file.windows.get(id.index()).and_then(|form| form.pattern.place);
            lint.warn(kind, place, format!("windows.{}", named.name));
        }
    }
}

/// A rule that can never act.
pub(super) fn never_acts(lint: &mut Lint<'_>) {
    let policy = lint.policy;
    let widest = policy.arrays.rows().iter().map(|array| array.ring_len).max().unwrap_or(0);
    for (id, rule) in policy.rules.iter() {
        let earlier = policy.rules.iter().take(id.index()).find(|&(earlier, _)| shadows(lint, earlier, id));
        let why = match rule.action {
            _ if lint.truths.never(id) && !may_break_on_timeout(policy, id) => Never::Contradiction,
            Action::MoveUp | Action::MoveDown if widest < 2 => Never::RingOfOne,
            // From a base, `move` leads into a ring of one, too.
            Action::Move if widest < 2 && policy.arrays.rows().iter().all(|array| array.base.is_none()) => {
                Never::RingOfOne
            }
            Action::MoveTo(_) if policy.hosts.len() == 1 => Never::OnlyPlace,
            _ => match earlier {
                Some((_, earlier)) => Never::Shadowed { earlier: earlier.name.clone() },
                None => continue,
            },
        };
        let other = earlier.map(|(id, _)| id);
        let kind = Kind::NeverActs { rule: rule.name.clone(), why: why.clone() };
        match (why, other) {
            (Never::Shadowed { .. }, Some(other)) => lint.warn_of_two(other, id, kind),
            _ => {
                let when = lint.file.rules.get(id.index()).and_then(|form| form.when.place);
                let warning = lint.warn_of(id, kind);
                warning.place = when.or(warning.place);
            }
        }
    }
}

/// Two rules that can be true at once, where each undoes what the other does: a rule that is where it wants to be lets the
/// next one act, and so the guest goes to and fro.
pub(super) fn chase(lint: &mut Lint<'_>) {
    for (first, second) in pairs(lint.policy) {
        let (one, two) = (&lint.policy.rules[first], &lint.policy.rules[second]);
        // What both read and nothing else is bands-overlap's to tell.
        if only_indicator(one).is_some() && only_indicator(one) == only_indicator(two) {
            continue;
        }
        if opposed(one.action, two.action, lint.policy) && at_once(lint, first, second) {
            let kind = Kind::Chase { first: one.name.clone(), second: two.name.clone() };
            lint.warn_of_two(first, second, kind);
        }
    }
}

/// Indicators and windows that no rule reads. (The jobs of a queue run, whether or not a rule counts them.)
pub(super) fn unused(lint: &mut Lint<'_>) {
    let policy = lint.policy;
    for (id, indicator) in policy.indicators.iter() {
        if !policy.rules.rows().iter().any(|rule| rule.reads(id)) {
            let kind = Kind::Unused { what: Noun::Indicator, name: indicator.name.clone() };
            let place = lint.file.indicators.get(id.index()).and_then(|form| form.name.place);
            lint.warn(kind, place, format!("indicators.{}", indicator.name));
        }
    }
    for (id, named) in policy.windows.iter() {
        let reads =
            |condition: &Condition| matches!(condition, Condition::Window { window, .. } if *window == id);
        if !policy.rules.rows().iter().any(|rule| any_part(&rule.when, &reads)) {
            let kind = Kind::Unused { what: Noun::Window, name: named.name.clone() };
            let place = lint.file.windows.get(id.index()).and_then(|form| form.name.place);
            lint.warn(kind, place, format!("windows.{}", named.name));
        }
    }
}

/// A policy that wants nothing.
pub(super) fn no_rules(lint: &mut Lint<'_>) {
    if lint.policy.rules.is_empty() {
        lint.warn(Kind::NoRules, None, "rules".to_owned());
    }
}

/// A rest whose condition can't change while it lasts.
pub(super) fn rest_on_batch(lint: &mut Lint<'_>) {
    for (id, rule) in lint.policy.rules.iter() {
        if let (Action::Rest(_), Some(queue)) = (rule.action, rule.queue) {
            let queue = lint.policy.queues[queue].name.clone();
            lint.warn_of(id, Kind::RestOnBatch { rule: rule.name.clone(), queue });
        }
    }
}

/// A declaration that no rule goes by. (What no rule reads at all is `unused`'s to tell.)
pub(super) fn timeout_unread(lint: &mut Lint<'_>) {
    let policy = lint.policy;
    for (id, indicator) in policy.indicators.iter() {
        let mut readers = policy.rules.ids().filter(|&rule| policy.rules[rule].reads(id)).peekable();
        let idle = indicator.timeout == OnTimeout::Breach
            && readers.peek().is_some()
            && !readers.any(|rule| policy.breaks_on_timeout(rule, id));
        if idle {
            let form = lint.file.indicators.get(id.index());
            let place = form.and_then(|form| form.timeout.as_ref()).and_then(|timeout| timeout.place);
            let kind = Kind::TimeoutUnread { indicator: indicator.name.clone() };
            lint.warn(kind, place, format!("indicators.{}.timeout", indicator.name));
        }
    }
}

/// Whether a time-out can make this rule true: then it can be so where no sample makes it so.
fn may_break_on_timeout(policy: &Policy, rule: RuleId) -> bool {
    policy.indicators.ids().any(|indicator| policy.breaks_on_timeout(rule, indicator))
}

fn pairs(policy: &Policy) -> impl Iterator<Item = (RuleId, RuleId)> + use<> {
    let rules = policy.rules.len();
    let pair = |first, second| (RuleId::from_index(first), RuleId::from_index(second));
    (0..rules).flat_map(move |first| (first + 1..rules).map(move |second| pair(first, second)))
}

/// The one indicator that a rule reads, where it reads nothing else.
fn only_indicator(rule: &Rule) -> Option<IndicatorId> {
    let reads_window = any_part(&rule.when, &|part| matches!(part, Condition::Window { .. }));
    (rule.indicators.count_ones() == 1 && rule.queue.is_none() && !reads_window)
        .then(|| IndicatorId::from_index(rule.indicators.trailing_zeros() as usize))
}

fn any_part(condition: &Condition, is: &dyn Fn(&Condition) -> bool) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| any_part(part, is)),
        Condition::Not(part) => any_part(part, is),
        leaf => is(leaf),
    }
}

/// Whether two rules can be true at once and both be free to act: while a guest rests, no other rule is.
fn at_once(lint: &Lint<'_>, one: RuleId, two: RuleId) -> bool {
    let rests = |rule: RuleId| matches!(lint.policy.rules[rule].action, Action::Rest(_));
    !rests(one) && !rests(two) && lint.truths.meet(one, two, &lint.facts)
}

/// Whether the earlier rule acts whenever the later one would, and leaves nothing for it to do.
///
/// A rule that is held, or has nowhere to go, lets the next one act; so that is only sure of two rules with the
/// same action, and of a rest.
fn shadows(lint: &Lint<'_>, first: RuleId, second: RuleId) -> bool {
    let (earlier, later) = (&lint.policy.rules[first], &lint.policy.rules[second]);
    let same = earlier.action == later.action || matches!(earlier.action, Action::Rest(_));
    let sooner = match (earlier.tarry, later.tarry) {
        (Tarry::Consecutive(one), Tarry::Consecutive(two)) => one <= two,
        (Tarry::Lasting(one), Tarry::Lasting(two)) => one <= two,
        (one, two) => one == two,
    };
    // With other indicators a rule is counted at other times.
    let counted_alike =
        earlier.indicators == later.indicators && earlier.queue == later.queue || earlier.is_clock_only();
    // A time-out can make the later one true by itself: where no sample does, or before a rest, which it says nothing to.
    let by_samples = !may_break_on_timeout(lint.policy, second)
        || earlier.action == later.action && !lint.truths.never(second);
    same && sooner && counted_alike && by_samples && lint.truths.within(second, first, &lint.facts)
}

/// Whether each of two actions, where both are wanted, undoes the other.
fn opposed(one: Action, two: Action, policy: &Policy) -> bool {
    let base_of = |array| policy.arrays[array].base;
    let a_base = |host| policy.hosts[host].is_base;
    match (one, two) {
        (Action::MoveUp, Action::MoveDown) | (Action::MoveDown, Action::MoveUp) => true,
        (Action::MoveTo(one), Action::MoveTo(two)) => one != two,
        (Action::Move | Action::MoveUp | Action::MoveDown, Action::MoveTo(host))
        | (Action::MoveTo(host), Action::Move | Action::MoveUp | Action::MoveDown) => {
            // `move-up` and `move-down` don't leave a base.
            !a_base(host) || one == Action::Move || two == Action::Move
        }
        (Action::Move, Action::MoveToBase) | (Action::MoveToBase, Action::Move) => true,
        (Action::MoveToBase, Action::MoveTo(host)) | (Action::MoveTo(host), Action::MoveToBase) => {
            !a_base(host)
        }
        (Action::MoveFromHome(_), Action::MoveToHome) | (Action::MoveToHome, Action::MoveFromHome(_)) => true,
        (Action::MoveFromHome(one), Action::MoveFromHome(two)) => one != two,
        // Without a base of its own, an away array's base is home's.
        (Action::MoveFromHome(array), Action::MoveToBase)
        | (Action::MoveToBase, Action::MoveFromHome(array)) => base_of(array).is_none(),
        (Action::MoveFromHome(array), Action::MoveTo(host))
        | (Action::MoveTo(host), Action::MoveFromHome(array)) => policy.hosts[host].array != array,
        (Action::MoveToHome, Action::MoveTo(host)) | (Action::MoveTo(host), Action::MoveToHome) => {
            policy.hosts[host].array != policy.home
        }
        _ => false,
    }
}

/// How long the samples of a tarry take; none where it does not count samples of indicators.
fn tarry_time(rule: &Rule, policy: &Policy) -> Option<Span> {
    let of = policy.indicators.iter().filter(|&(id, _)| rule.reads(id));
    // A sample of the rule comes with the slowest of its indicators.
    let every = of.map(|(_, indicator)| indicator.every).max()?;
    Some(match rule.tarry {
        Tarry::Consecutive(samples) => every.times(u64::from(samples)),
        Tarry::Lasting(span) => span.max(every),
        Tarry::Of { hits, .. } => every.times(u64::from(hits)),
    })
}
