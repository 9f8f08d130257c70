//! Rules as sentences: the condition, how long it must hold, what is done then.

use super::words::{list, many, number, rate, sentence, span};
use vmpolicy_core::Policy;
use vmpolicy_core::id::{ArrayId, Id as _};
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::{Action, Compare, Condition, Monitor, Rule};
use vmpolicy_core::time::Span;

/// Rings longer than this are not listed host by host.
const LISTED_MAX: usize = 8;

/// What a rule does, in a sentence or two.
pub(super) fn rule(policy: &Policy, rule: &Rule) -> String {
    let action = action(policy, rule);
    if let (true, Condition::Window { .. }) = (rule.is_clock_only(), &rule.when) {
        let when = clause(policy, &rule.when, false, Nesting::Top);
        let when = when.strip_prefix("the time is ").unwrap_or(&when);
        return match clock_tarry(policy, rule.tarry) {
            Span::ZERO => format!("{} the guest {action}.", sentence(when)),
            lasts => format!("After {} {when} the guest {action}.", span(lasts)),
        };
    }
    let when = clause(policy, &rule.when, false, Nesting::Top);
    format!("If {when}{}, the guest {action}.", tarry(policy, rule))
}

/// Where a clause stands: within another one it is put in parentheses where it has parts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Top,
    Inner,
}

/// A condition as a clause, or its contrary. In Kleene's logic a `not` may be drawn inwards (De Morgan), and
/// the contrary of a comparison is the opposite comparison: both leave Unknown what it is.
fn clause(policy: &Policy, condition: &Condition, contrary: bool, nesting: Nesting) -> String {
    match condition {
        Condition::Indicator { indicator, compare, threshold } => {
            let indicator = &policy.indicators()[*indicator];
            let threshold = number(*threshold, indicator.unit.as_deref());
            format!("{} is {}", indicator.name, than(*compare, contrary, &threshold))
        }
        Condition::Window { window, inside } => {
            let side = if *inside == contrary { "outside" } else { "inside" };
            format!("the time is {side} {}", policy.windows()[*window].name)
        }
        Condition::Count { queue, class, compare, threshold } => {
            let queue = &policy.queues()[*queue];
            let class = queue.classes.get(usize::from(*class)).map_or("", |class| class.name.as_str());
            let jobs = if *threshold == 1.0 { "job" } else { "jobs" };
            let than = match turned(*compare, contrary) {
                Compare::Above => format!("more than {threshold}"),
                Compare::AtLeast => format!("{threshold} or more"),
                Compare::Below => format!("fewer than {threshold}"),
                Compare::AtMost => format!("at most {threshold}"),
            };
            format!("the batch of {} at hand holds {than} {jobs} of class \"{class}\"", queue.name)
        }
        Condition::Gain { queue, array, compare, threshold } => {
            let (queue, array) = (&policy.queues()[*queue].name, &policy.arrays()[*array].name);
            let than = than(*compare, contrary, &format!("{threshold} times"));
            format!(
                "what the batch of {queue} at hand takes at home is {than} what the way to {array} and the work there take"
            )
        }
        Condition::All(all) => group(policy, all, contrary, if contrary { "or" } else { "and" }, nesting),
        Condition::Any(any) => group(policy, any, contrary, if contrary { "and" } else { "or" }, nesting),
        Condition::Not(not) => clause(policy, not, !contrary, nesting),
    }
}

fn group(policy: &Policy, of: &[Condition], contrary: bool, word: &str, nesting: Nesting) -> String {
    let inner = if of.len() > 1 { Nesting::Inner } else { nesting };
    let clauses: Vec<_> = of.iter().map(|one| clause(policy, one, contrary, inner)).collect();
    let text = list(&clauses, word);
    if nesting == Nesting::Inner && of.len() > 1 { format!("({text})") } else { text }
}

fn than(compare: Compare, contrary: bool, threshold: &str) -> String {
    match turned(compare, contrary) {
        Compare::Above => format!("above {threshold}"),
        Compare::AtLeast => format!("at least {threshold}"),
        Compare::Below => format!("below {threshold}"),
        Compare::AtMost => format!("at most {threshold}"),
    }
}

const fn turned(compare: Compare, contrary: bool) -> Compare {
    match (compare, contrary) {
        (compare, false) => compare,
        (Compare::Above, true) => Compare::AtMost,
        (Compare::AtLeast, true) => Compare::Below,
        (Compare::Below, true) => Compare::AtLeast,
        (Compare::AtMost, true) => Compare::Above,
    }
}

/// The shortest interval of the indicators that a rule reads, and whether all have the same.
pub(super) fn interval(policy: &Policy, rule: &Rule) -> Option<(Span, bool)> {
    let read = policy.indicators().iter().filter(|(id, _)| rule.reads(*id)).map(|(_, one)| one.every);
    let (mut shortest, mut longest): (Option<Span>, Span) = (None, Span::ZERO);
    for every in read {
        shortest = Some(shortest.map_or(every, |known| known.min(every)));
        longest = longest.max(every);
    }
    shortest.map(|shortest| (shortest, shortest == longest))
}

/// How long a rule that reads only the clock waits: ENGINE.md, "Evaluating".
fn clock_tarry(policy: &Policy, tarry: Tarry) -> Span {
    let every = policy.indicators().rows().iter().map(|indicator| indicator.every).min();
    let every = every.unwrap_or(Span::from_mins(1));
    match tarry {
        Tarry::Consecutive(samples) => every.times(u64::from(samples.saturating_sub(1))),
        Tarry::Of { hits, .. } => every.times(u64::from(hits.saturating_sub(1))),
        Tarry::Lasting(span) => span,
    }
}

/// How long it must hold, after the condition; empty where the first sight is enough.
fn tarry(policy: &Policy, rule: &Rule) -> String {
    if rule.is_clock_only() {
        let lasts = clock_tarry(policy, rule.tarry);
        return if lasts.is_zero() { String::new() } else { format!(" for {}", span(lasts)) };
    }
    let Some((every, same)) = interval(policy, rule) else {
        return match rule.tarry {
            Tarry::Consecutive(1) => String::new(),
            Tarry::Consecutive(batches) => format!(", and so for {batches} batches in a row"),
            Tarry::Lasting(lasts) => format!(", and so for {}", span(lasts)),
            Tarry::Of { hits, last } => format!(", and so for {hits} of the last {last} batches"),
        };
    };
    let lasts = |samples: u64| {
        if same {
            format!("({} at one {})", span(every.times(samples.saturating_sub(1))), rate(every))
        } else {
            format!("(one {} or so)", rate(every))
        }
    };
    match rule.tarry {
        Tarry::Consecutive(1) => " in one sample".to_owned(),
        Tarry::Consecutive(samples) => {
            format!(" for {} in a row {}", many(samples.into(), "sample"), lasts(samples.into()))
        }
        Tarry::Lasting(time) => format!(" for {} on end, in every sample", span(time)),
        Tarry::Of { hits, last } => {
            format!(" in {hits} of the last {last} samples {}", lasts(last.into()))
        }
    }
}

fn action(policy: &Policy, rule: &Rule) -> String {
    match rule.action {
        Action::Move => format!("asks to move to {}", next_host(policy)),
        Action::MoveUp => format!("asks to move one host up, {}", step(policy, false)),
        Action::MoveDown => format!("asks to move one host down, {}", step(policy, true)),
        Action::MoveToBase => format!("asks to move to {}, unless it is there already", base(policy)),
        Action::Rest(monitor) => {
            let quiet = match (monitor, rule.is_clock_only()) {
                (Monitor::On, _) => "probing goes on, but no other rule acts",
                (Monitor::Off, true) => "nothing is probed and no other rule acts",
                (Monitor::Off, false) => "nothing is probed but what this rule reads, and no other rule acts",
            };
            let until = clause(policy, &rule.when, true, Nesting::Top);
            format!("rests: it asks to move to {}; {quiet} until {until}", base(policy))
        }
        Action::MoveFromHome(array) => {
            format!("asks to relocate to {}{}", array_hosts(policy, array), relocation(policy, array))
        }
        Action::MoveToHome => {
            format!("asks to relocate back home, to {}", array_hosts(policy, policy.home()))
        }
        Action::MoveTo(host) => {
            format!("asks to move to {}, unless it is there already", policy.hosts()[host].name)
        }
    }
}

fn names(policy: &Policy, array: ArrayId) -> Vec<&str> {
    policy.ring(array).map(|host| policy.hosts()[host].name.as_str()).collect()
}

/// Where `move` leads.
fn next_host(policy: &Policy) -> String {
    let orders: Vec<String> = policy
        .arrays()
        .iter()
        .map(|(id, array)| {
            let mut order = order(&names(policy, id));
            if policy.arrays().len() > 1 {
                order = format!("in {} {order}", array.name);
            }
            order
        })
        .collect();
    let mut text = match policy.arrays().rows() {
        [array] => format!("the next host of {}: {}", array.name, orders.join("")),
        _ => format!("the next host of the array where it is: {}", orders.join("; ")),
    };
    let bases: Vec<_> =
        policy.hosts().rows().iter().filter(|host| host.is_base).map(|host| host.name.as_str()).collect();
    if !bases.is_empty() {
        text.push_str(&format!(
            "; from the base {} it is the one after the host that it left last",
            list(&bases, "or")
        ));
    }
    text
}

fn order(ring: &[&str]) -> String {
    match ring {
        [] => String::new(),
        [only] => format!("there is only {only}"),
        [first, second] => format!("after {first} comes {second}, and after {second} {first}"),
        [first, second, .., last] if ring.len() > LISTED_MAX => {
            format!(
                "after {first} comes {second}, and so on through {} to {last}, then {first} again",
                many(ring.len() as u64, "host")
            )
        }
        [first, second, rest @ ..] => {
            format!("after {first} comes {second}, then {}, and {first} again", list(rest, "and"))
        }
    }
}

/// Where `move-up` and `move-down` lead.
fn step(policy: &Policy, down: bool) -> String {
    let ends: Vec<_> = policy
        .arrays()
        .iter()
        .filter_map(|(id, array)| {
            let ring = names(policy, id);
            let end = if down { ring.last() } else { ring.first() }?;
            Some(if policy.arrays().len() > 1 {
                format!("{end} in {}", array.name)
            } else {
                (*end).to_owned()
            })
        })
        .collect();
    format!("no further than {}", list(&ends, "or"))
}

/// Where `move-to-base` leads: the base of the array where the guest is or, where it has none, of home.
fn base(policy: &Policy) -> String {
    let bases: Vec<_> =
        policy.arrays().iter().filter_map(|(id, array)| Some((id, array, array.base?))).collect();
    let name = |host| policy.hosts()[host].name.as_str();
    match bases.as_slice() {
        [] => "a base, of which there is none".to_owned(),
        [(_, array, host)] => format!("{}, the base of {}", name(*host), array.name),
        several => {
            let all: Vec<_> =
                several.iter().map(|(_, array, host)| format!("{} in {}", name(*host), array.name)).collect();
            format!("the base of the array where it is ({})", list(&all, "and"))
        }
    }
}

fn array_hosts(policy: &Policy, array: ArrayId) -> String {
    let name = &policy.arrays()[array].name;
    match names(policy, array).as_slice() {
        [] => name.clone(),
        [only] => format!("{only} in {name}"),
        ring if ring.len() > LISTED_MAX => {
            format!("the first of {name}'s hosts that can be had, from {} on", ring[0])
        }
        ring => format!("the first of {name}'s hosts that can be had: {}", list(ring, "or")),
    }
}

fn relocation(policy: &Policy, array: ArrayId) -> String {
    match policy.arrays().row(array).and_then(|array| array.relocation) {
        Some(takes) => format!(", which takes {}", span(takes)),
        None if array.index() == policy.home().index() => String::new(),
        None => ", between arrays, with downtime or a copy of its storage".to_owned(),
    }
}
