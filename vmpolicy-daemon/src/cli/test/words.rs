//! What happened and how things stand, in words.

use vmpolicy_core::engine::RuleView;
use vmpolicy_core::input::Notice;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::{Policy, Rule};
use vmpolicy_core::time::Span;
use vmpolicy_core::trial::{Case, Expectation, Frame, Happening, Said, Standing, Told, Want, When};

const DAY: Span = Span::from_hours(24);

/// A time of a case: since its start, and by its clock.
pub(super) fn time(case: &Case, at: Span) -> String {
    format!("{at} ({})", clock(case, at))
}

/// A time by the case's clock; the day only where the case has several.
pub(super) fn clock(case: &Case, at: Span) -> String {
    let civil = case.zone.civil_at(case.start.plus(at)).to_string();
    match civil.split_once('T') {
        Some((_, time)) if case.lasts < DAY => time.to_owned(),
        _ => civil,
    }
}

/// A moment or a stretch of time.
pub(super) fn when(case: &Case, when: When) -> String {
    if when.from == when.to { time(case, when.from) } else { format!("{}..{}", when.from, when.to) }
}

/// What was expected, on one line.
pub(super) fn wanted(expectation: &Expectation) -> String {
    match &expectation.want {
        Want::Event(pattern) => pattern.to_string(),
        Want::Nothing(patterns) if patterns.is_empty() => "none: any".to_owned(),
        Want::Nothing(patterns) => {
            let names: Vec<String> = patterns.iter().map(ToString::to_string).collect();
            format!("none: {}", names.join(", "))
        }
        Want::State(facts) => facts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// What was recorded, without its time and the guest's name.
pub(super) fn said(said: &Said) -> String {
    let guest = "guest";
    let line = said.view(guest).line().to_string();
    let rest = line.split_once(" guest ").map_or(line.as_str(), |(_, rest)| rest);
    format!("{}: {rest}", said.event().name())
}

/// What happened, for the column of what came.
pub(super) fn frame(case: &Case, frame: &Frame, all: &[Said]) -> String {
    match frame {
        Frame::Said { index, .. } => all.get(*index).map(said).unwrap_or_default(),
        Frame::Happened { index, .. } => format!("* {}", happening(&case.happenings[*index].1)),
        Frame::Sampled { policy, indicator, read, value, rules, .. } => {
            let name = &policy.indicators()[*indicator].name;
            let what = match (read, value) {
                (Err(why), _) => why.name().to_owned(),
                (Ok(read), None) => format!("{read}, to count from"),
                (Ok(read), Some(value)) if read != value => format!("{value} (read {read})"),
                (Ok(_), Some(value)) => value.to_string(),
            };
            let readers = policy.rules().iter().zip(rules).filter(|((_, rule), _)| rule.reads(*indicator));
            let counts: Vec<String> =
                readers.map(|((_, rule), view)| format!("{} {}", rule.name, progress(view))).collect();
            if counts.is_empty() {
                format!("{name} {what}")
            } else {
                format!("{name} {what}; {}", counts.join(", "))
            }
        }
    }
}

/// How far a rule's counter is.
pub(super) fn progress(view: &RuleView) -> String {
    let so_far = Span::from_millis(view.counter);
    match view.tarry {
        Tarry::Lasting(need) if need.is_zero() => format!("for {so_far}"),
        Tarry::Lasting(need) => format!("{so_far} of {need}"),
        Tarry::Consecutive(need) => format!("{} of {need}", view.counter),
        Tarry::Of { hits, last } => format!("{} of the last {last}, {hits} needed", view.counter),
    }
}

fn happening(what: &Happening) -> String {
    let lasting = |lasts: &Option<Span>| lasts.map_or_else(String::new, |span| format!(" for {span}"));
    match what {
        Happening::MovedTo(host) => format!("moved-to {}", host.as_deref().unwrap_or("elsewhere")),
        Happening::Notice { host, notice, lasts } => {
            let word = match notice {
                Notice::Drain => "drain",
                Notice::Down => "down",
                Notice::Up => "up",
                Notice::Withdrawn => "withdrawn",
            };
            format!("{word} {host}{}", lasting(lasts))
        }
        Happening::Ranking { array, order, lasts } => {
            format!("ranking of {array}: {}{}", order.join(", "), lasting(lasts))
        }
        Happening::Reload(_) => "reload".to_owned(),
        Happening::Clock(by) => {
            let sign = if *by < 0 { "-" } else { "+" };
            format!("clock {sign}{}", Span::from_millis(by.unsigned_abs()))
        }
        Happening::Pause(span) => format!("pause {span}"),
        Happening::Restart(span) => format!("restart {span}"),
        Happening::Operator(Told::Hold(span)) => format!("hold{}", lasting(span)),
        Happening::Operator(Told::Resume) => "resume".to_owned(),
        Happening::Operator(Told::MoveTo(host)) => format!("move-to {host}"),
        Happening::Operator(Told::Abandon) => "abandon".to_owned(),
        Happening::Batch(jobs) => {
            let mut parts: Vec<String> =
                jobs.classes.iter().map(|(class, count)| format!("{count} of {class}")).collect();
            parts.extend((jobs.others > 0).then(|| format!("{} others", jobs.others)));
            format!("batch in {}: {}", jobs.queue, parts.join(", "))
        }
    }
}

/// How everything stood: a line for the guest, and one for each rule, the one that matters first.
pub(super) fn standing(standing: &Standing, about: Option<&str>) -> Vec<String> {
    let policy: &Policy = &standing.policy;
    let host = |id| policy.hosts()[id].name.as_str();
    let mut here = vec![
        standing
            .view
            .location
            .map_or_else(|| "nobody knows where it is".to_owned(), |id| format!("it is at {}", host(id))),
    ];
    if let Some(rest) = standing.view.settling {
        here.push(format!("settles for {rest} more"));
    }
    if let Some(rule) = standing.view.resting {
        here.push(format!("rests ({})", policy.rules()[rule].name));
    }
    if let Some(open) = standing.open {
        here.push(format!("has asked to move to {}", host(open.to)));
    }
    let values = policy.indicators().rows().iter().zip(&standing.values);
    here.extend(values.map(|(indicator, value)| {
        let value = value.map_or_else(|| "unknown".to_owned(), |value| value.to_string());
        format!("{} is {value}", indicator.name)
    }));
    let mut lines = vec![here.join(", ")];
    let mut rules: Vec<(&Rule, &RuleView)> = policy.rules().rows().iter().zip(&standing.rules).collect();
    rules.sort_by_key(|(rule, _)| about != Some(rule.name.as_str()));
    lines.extend(rules.into_iter().take(8).map(|(rule, view)| one_rule(policy, rule, view)));
    lines
}

fn one_rule(policy: &Policy, rule: &Rule, view: &RuleView) -> String {
    let mut line =
        format!("{} ({}): {}, {}", rule.name, policy.show(&rule.when), view.truth.name(), progress(view));
    if let Some(hold) = view.held {
        line += &format!("; held: {}", hold.name());
    }
    if view.already_there {
        line += "; already there";
    }
    if let Some(pause) = view.pause {
        line += &format!("; no better host, stays put for {pause} more");
    }
    line
}
