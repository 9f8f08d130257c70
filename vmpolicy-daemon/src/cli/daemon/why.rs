//! `vmpolicy why`: what each rule waits for, and what speaks against each host.

use super::status::held;
use super::words::{about, number, table};
use super::{Exit, Format, Reach, ended, show};
use crate::control::{Held, Request, RuleNow, Why};
use std::fmt::Write as _;
use vmpolicy_core::time::Span;

const EXAMPLES: &str = "\
Examples:
  vmpolicy why
  vmpolicy why overloaded
  vmpolicy why --format json | jq '.rules[] | {rule, waits}'

Exit status: 0 done, 1 there is no such rule, 2 wrong usage, 3 the daemon can't be reached.";

/// The arguments.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this rule.
    pub rule: Option<String>,
    /// How to reach it.
    #[command(flatten)]
    pub reach: Reach,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    let told = match args.reach.ask::<Why>(&Request::Why {}, "why") {
        Ok(told) => told,
        Err(exit) => return exit,
    };
    let mut why = told.value;
    let mut json = told.json;
    if let Some(rule) = &args.rule {
        why.rules.retain(|one| one.rule == *rule);
        if why.rules.is_empty() {
            super::complain(&format!("the policy in force has no rule `{rule}`"));
            return Exit::No;
        }
        json = serde_json::to_string(&why).unwrap_or_default();
    }
    let text = match args.reach.format {
        Format::Json => json + "\n",
        Format::Text => text(&why),
    };
    ended(show(&text))
}

/// For people.
fn text(why: &Why) -> String {
    let mut text = match &why.host {
        Some(host) => format!("{} is on {host}\n", why.guest),
        None => format!("nobody knows where {} is\n", why.guest),
    };
    if let Some(hold) = &why.hold {
        let _ = writeln!(text, "held {}", held(hold));
    }
    for rule in &why.rules {
        let _ = writeln!(text, "\n{}: when {}, do {}", rule.rule, rule.when, rule.action);
        for condition in &rule.conditions {
            let saw = match (condition.saw, &condition.unknown) {
                (Some(saw), _) => format!("{} (saw {})", truth(&condition.is), number(saw, None)),
                (None, Some(why)) => format!("{} ({why})", truth(&condition.is)),
                (None, None) => truth(&condition.is).to_owned(),
            };
            let _ = writeln!(text, "  {} is {saw}", condition.when);
        }
        let _ = writeln!(text, "  counter {}", counter(rule));
        let _ = writeln!(text, "  {}", waits(rule, why.hold.as_ref()));
        if !rule.hosts.is_empty() {
            let hosts =
                rule.hosts.iter().map(|one| format!("{} {}", one.host, verdict(&one.verdict, one.lasts)));
            let more = more(rule.more_hosts, ", ");
            let _ = writeln!(text, "  candidates: {}{more}", hosts.collect::<Vec<_>>().join(", "));
        }
    }
    text.push_str("\nhosts\n");
    let rows: Vec<_> = why
        .hosts
        .iter()
        .map(|host| {
            let base = if host.base { ", base" } else { "" };
            vec![host.host.clone(), format!("{}{base}", host.array), verdict(&host.verdict, host.lasts)]
        })
        .collect();
    text.push_str(&table(&rows, "  "));
    match why.more_hosts {
        0 => text,
        count => text + &format!("{}\n", more(count, "  ")),
    }
}

fn more(count: usize, before: &str) -> String {
    if count == 0 { String::new() } else { format!("{before}and {count} more") }
}

fn truth(is: &str) -> &str {
    match is {
        "breach" => "true",
        "clear" => "false",
        other => other,
    }
}

fn counter(rule: &RuleNow) -> String {
    if rule.counts == "samples" {
        return format!("{} of {}", rule.counter, rule.tarry);
    }
    let held = Span::from_millis((rule.counter * 1_000.0).max(0.0) as u64);
    format!("{} of {}", about(held), rule.tarry)
}

/// What a rule waits for, as a sentence without its full stop. `hold` is what holds the guest.
pub(super) fn waits(rule: &RuleNow, hold: Option<&Held>) -> String {
    let by = rule.by.as_deref().unwrap_or_default();
    let more = rule.lasts.map_or_else(String::new, |lasts| format!(", for {} more", about(lasts)));
    let waits = match rule.waits.as_str() {
        "request" => format!("waits for the end of request {by}"),
        "settling" => format!("waits: the guest settles{more}"),
        "resting" => format!("waits: the rule {by} rests"),
        "rests" => "rests".to_owned(),
        "unknown" => "waits until what it reads is known; nothing is asked for on an unknown".to_owned(),
        "clear" => "waits for its condition to be true".to_owned(),
        "tarry" => "is true, and waits for its tarry".to_owned(),
        "done" => "has acted; waits for its condition to be true anew".to_owned(),
        "already-there" => "is ready, and the guest is there already".to_owned(),
        "paused" => format!("is ready, and stays put after a tour in vain{more}"),
        "sample" => "is ready, and acts at its next sample".to_owned(),
        "held" => {
            let by = match by {
                "location-unknown" => "nobody knows where the guest is",
                "operator" => match hold.map(|hold| hold.because.as_str()) {
                    Some("state-lost") => "the state was lost (`vmpolicy resume`)",
                    Some("earlier") => "it was held before this daemon has started (`vmpolicy resume`)",
                    _ => "an operator holds it (`vmpolicy resume`)",
                },
                "dwell" => "the last move is too recent (`dwell`)",
                "at-most" => "the budget of moves is spent (`at_most`)",
                "job-running" => "a job is running",
                "no-eligible-host" => "no host is eligible",
                other => other,
            };
            format!("is ready, and held: {by}{more}")
        }
        other => other.to_owned(),
    };
    match (&rule.to, rule.waits.as_str()) {
        (Some(to), "tarry" | "sample" | "held" | "paused") => format!("{waits}; it would lead to {to}"),
        _ => waits,
    }
}

fn verdict(verdict: &str, lasts: Option<Span>) -> String {
    let words = match verdict {
        "chosen" => "would be chosen",
        "eligible" => "would do",
        "current" => "the guest is there",
        "tried-in-vain" => "tried in vain",
        other => other,
    };
    lasts.map_or_else(|| words.to_owned(), |lasts| format!("{words} for {} more", about(lasts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_says_what_it_waits_for() {
        let rule = |name: &str, waits: &str, by: Option<&str>, lasts: Option<u64>| RuleNow {
            rule: name.to_owned(),
            when: "slow_queries > 50".to_owned(),
            is: "breach".to_owned(),
            conditions: Vec::new(),
            counter: 2.0,
            tarry: "3".to_owned(),
            counts: "samples".to_owned(),
            action: "move".to_owned(),
            waits: waits.to_owned(),
            by: by.map(str::to_owned),
            lasts: lasts.map(Span::from_secs),
            to: Some("mln3".to_owned()),
            hosts: Vec::new(),
            more_hosts: 0,
        };
        let said: Vec<String> = [
            rule("a", "request", Some("7"), Some(588)),
            rule("b", "settling", None, Some(32)),
            rule("c", "resting", Some("off-duty"), None),
            rule("d", "unknown", None, None),
            rule("e", "clear", None, None),
            rule("f", "tarry", None, None),
            rule("g", "held", Some("at-most"), Some(1_264)),
            rule("h", "held", Some("no-eligible-host"), None),
            rule("i", "paused", None, Some(900)),
            rule("j", "already-there", None, None),
            rule("k", "sample", None, None),
        ]
        .iter()
        .map(|rule| waits(rule, None))
        .collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
