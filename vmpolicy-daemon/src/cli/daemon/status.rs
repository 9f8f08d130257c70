//! `vmpolicy status`: how the running daemon stands.

use super::words::{about, number, table, user};
use super::work;
use super::{Exit, Format, Reach, ended, show};
use crate::control::{Collecting, Failing, Held, Indicator, Request, Status};
use std::fmt::Write as _;
use vmpolicy_core::time::{Span, Wall};

const EXAMPLES: &str = "\
Examples:
  vmpolicy status
  vmpolicy status --format json | jq .host
  vmpolicy status --socket /run/vmpolicy-test

Exit status: 0 done, 2 wrong usage, 3 the daemon can't be reached.";

/// The arguments.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How to reach it.
    #[command(flatten)]
    pub reach: Reach,
}

/// Runs it.
#[must_use]
pub fn run(args: &Args) -> Exit {
    let told = match args.reach.ask::<Status>(&Request::Status {}, "status") {
        Ok(told) => told,
        Err(exit) => return exit,
    };
    let text = match args.reach.format {
        Format::Json => told.json + "\n",
        Format::Text => text(&told.value),
    };
    ended(show(&text))
}

/// For people: the mode in the first line.
pub(super) fn text(status: &Status) -> String {
    let mut text = headline(status);
    text.push('\n');
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |key: &str, value: String| rows.push(vec![key.to_owned(), value]);
    row("host", host(status));
    let policy = &status.policy;
    let since = ago(status.at, policy.since);
    row("policy", format!("{}, {}, in force since {since}", policy.file, policy.fingerprint));
    if policy.newer_waits {
        row("", "a newer one waits for the end of the open request".to_owned());
    }
    if let Some(not_taken) = &policy.not_taken {
        row("", format!("NOT TAKEN when it was read again {}:", ago(status.at, not_taken.at)));
        for line in &not_taken.because {
            row("", format!("  {line}"));
        }
    }
    row("request", request(status));
    if let Some(left) = status.settling_for {
        row("settling", format!("for {} more; no sample counts until then", about(left)));
    }
    if let Some(rule) = &status.resting {
        row("resting", format!("by the rule {rule}"));
    }
    if let Some(hold) = &status.hold {
        row("held", held(hold));
    }
    if let Some(fault) = &status.locator_fault {
        row("locator", format!("can't tell {}: {}", lasting(status, fault), fault.words));
    }
    if let Some(trouble) = &status.trouble {
        row("TROUBLE", format!("{trouble}; no request leaves until that works"));
        if let Some(since) = status.trouble_since.as_deref().and_then(wall) {
            row("", format!("  since {}", ago(status.at, since)));
        }
    }
    for (index, one) in status.collectors.iter().enumerate() {
        row(if index == 0 { "records" } else { "" }, collecting(one));
        if let Some(error) = &one.error {
            let since = one.error_since.as_deref().and_then(wall);
            let since =
                since.map_or_else(String::new, |since| format!(" {}", times(status, since, one.attempts)));
            row("", format!("  not taken{since}: {error}"));
        }
    }
    for (index, one) in status.queues.iter().enumerate() {
        let mut lines = work::queue(status, one).into_iter();
        row(if index == 0 { "queues" } else { "" }, lines.next().unwrap_or_default());
        lines.for_each(|line| row("", format!("  {line}")));
    }
    for (index, one) in status.hooks.iter().enumerate() {
        let mut lines = work::hook(status, one).into_iter();
        row(if index == 0 { "hooks" } else { "" }, lines.next().unwrap_or_default());
        lines.for_each(|line| row("", format!("  {line}")));
    }
    if let Some(next) = &status.next {
        let of = next.of.as_ref().map_or_else(String::new, |of| format!(" of {of}"));
        row("next", format!("{}{of} in {}", due(&next.cause), about(next.within)));
    }
    row(
        "daemon",
        format!(
            "vmpolicyd {}, process {}, since {}",
            status.version,
            status.pid,
            ago(status.at, status.started)
        ),
    );
    text.push_str(&table(&rows, ""));
    if !status.indicators.is_empty() {
        text.push_str("indicators\n");
        let rows: Vec<_> = status.indicators.iter().map(|one| indicator(status, one)).collect();
        text.push_str(&table(&rows, "  "));
    }
    text
}

/// `nii3 is on mln2 and acts`.
pub(super) fn headline(status: &Status) -> String {
    let guest = &status.guest;
    match &status.mode_because {
        None => format!("{guest} acts"),
        Some(because) => format!("{guest} asks for nothing ({}): {because}", status.mode),
    }
}

fn host(status: &Status) -> String {
    let Some(host) = &status.host else {
        return "unknown; no move is asked for until the locator tells".to_owned();
    };
    let mut words = host.clone();
    let base = if status.at_base { ", the base" } else { "" };
    if let Some(array) = &status.array {
        let _ = write!(words, " of {array}{base}");
    }
    if status.mode != "act" {
        words.push_str(", as it is believed");
    }
    if let Some(since) = status.host_since.as_deref().and_then(wall) {
        let _ = write!(words, ", since {}", ago(status.at, since));
    }
    words
}

fn request(status: &Status) -> String {
    let Some(open) = &status.request else { return "none is open".to_owned() };
    let stage = match open.stage.as_str() {
        "asked" => "asked for",
        "accepted" => "taken on",
        "overdue" => "overdue, the location will tell",
        _ => "its outcome is not known, the location will tell",
    };
    let left = match open.stage.as_str() {
        "overdue" => String::new(),
        _ => format!(", {} left", about(open.left)),
    };
    let age = about(open.age);
    format!("{}: {} -> {} ({}), {stage}, {age} ago{left}", open.id, open.from, open.to, open.rule)
}

/// `logs.example:6514 has all, up to 42`.
fn collecting(one: &Collecting) -> String {
    let address = &one.address;
    let mut words = match (one.waiting, one.delivered) {
        (0, 0) => format!("{address}: none so far"),
        (0, delivered) => format!("{address} has all, up to {delivered}"),
        (waiting, 0) => format!("{address} has none, {waiting} wait"),
        (waiting, delivered) => format!("{address} has all up to {delivered}, {waiting} wait"),
    };
    if one.lost > 0 {
        let _ = write!(words, ", {} ARE LOST", one.lost);
    }
    words
}

/// `by root since .., until ..`.
pub(super) fn held(hold: &Held) -> String {
    let by = match (hold.because.as_str(), hold.uid) {
        ("state-lost", _) => {
            let since = hold.since.as_ref().map_or_else(String::new, |since| format!(" since {since}"));
            let lasts = hold.lasts.map_or_else(String::new, |lasts| format!(", for {} more", about(lasts)));
            return format!(
                "because the state was lost{since}{lasts}: a request may be open that nobody knows of; \
                 where none is, `vmpolicy resume` ends it"
            );
        }
        ("earlier", _) => {
            "an operator, or because the state was lost, before this daemon has started".to_owned()
        }
        (_, Some(uid)) => user(uid),
        (_, None) => "an operator".to_owned(),
    };
    let since = hold.since.as_ref().map_or_else(String::new, |since| format!(" since {since}"));
    match hold.lasts {
        Some(lasts) => format!("by {by}{since}, for {} more, or until `vmpolicy resume`", about(lasts)),
        None => format!("by {by}{since}, until `vmpolicy resume`"),
    }
}

fn indicator(status: &Status, one: &Indicator) -> Vec<String> {
    let value = match (one.value, &one.unknown) {
        (Some(value), _) => number(value, one.unit.as_deref()),
        (None, Some(why)) => format!("unknown: {why}"),
        (None, None) => "not known yet".to_owned(),
    };
    let age = one.age.map_or_else(String::new, |age| format!("{} ago", about(age)));
    let mut note = match one.missing {
        0 => String::new(),
        1 => "1 poll without a number".to_owned(),
        many => format!("{many} polls without a number"),
    };
    if let Some(since) = one.unknown_since.as_deref().and_then(wall).filter(|_| one.missing > 0) {
        let _ = write!(note, ", since {}", ago(status.at, since));
    }
    if let Some(fault) = one.fault.as_ref().filter(|fault| !fault.words.is_empty()) {
        let _ = write!(note, "{}{}", if note.is_empty() { "" } else { ": " }, fault.words);
    }
    if !one.probed && status.host.is_some() {
        note = "not probed now".to_owned();
    }
    vec![one.name.clone(), value, age, note]
}

/// `since 2026-11-23T12:00:00Z (3m5s ago, 4 times)`.
pub(super) fn lasting(status: &Status, fault: &Failing) -> String {
    times(status, fault.since, fault.times)
}

fn times(status: &Status, since: Wall, times: u64) -> String {
    let since = ago(status.at, since);
    match times {
        0 | 1 => format!("since {since}"),
        times => format!("since {}, {times} times)", since.trim_end_matches(')')),
    }
}

fn due(cause: &str) -> &str {
    match cause {
        "late" => "the answer of a poll is late",
        "settled" => "settled",
        "confirm" => "the request's time is up",
        "locate" => "a look-up of the location",
        "window" => "an edge",
        "rule" => "the clock",
        "drain" => "another try to leave a draining host",
        "claim" => "a claim",
        cause => cause,
    }
}

/// `2026-11-23T12:00:00Z (3m5s ago)`.
pub(super) fn ago(now: Wall, at: Wall) -> String {
    // A whole second is enough for people.
    let at = Wall::from_secs(at.0.div_euclid(1_000));
    format!("{at} ({} ago)", about(Span::from_millis(now.since(at).millis() / 1_000 * 1_000)))
}

pub(super) fn wall(text: &str) -> Option<Wall> {
    crate::trace::parse_time(text.as_bytes()).ok().map(Wall)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{NotTaken, Open};

    fn status() -> Status {
        let json = r#"{
            "at":"2026-11-23T12:00:00Z","guest":"nii3","mode":"act","mode_because":null,
            "host":"mln2","host_since":"2026-11-23T09:56:55.250Z","array":"oslo","at_base":false,
            "version":"0.1.0","pid":711,"started":"2026-11-20T12:00:00Z",
            "policy":{"file":"/etc/vmpolicy/vmpolicy.yaml","fingerprint":"0123456789abcdef",
                "since":"2026-11-22T12:00:00Z","newer_waits":false,"not_taken":null},
            "indicators":[
                {"name":"slow_queries","value":76,"unit":null,"age":12.4,"unknown":null,"missing":0,"probed":true,"every":60},
                {"name":"load","value":null,"unit":null,"age":3,"unknown":"timed-out","missing":4,"probed":true,"every":10,
                    "unknown_since":"2026-11-23T11:59:20Z","fault":{"words":"no answer within 5s","since":"2026-11-23T11:59:20Z","times":4}}],
            "request":null,"settling_for":null,"resting":null,"hold":null,
            "next":{"within":47.6,"cause":"poll","of":"slow_queries"},"trouble":null}"#;
        serde_json::from_str(json).unwrap()
    }

    fn collector(address: &str, delivered: u64, waiting: u64, error: Option<&str>) -> Collecting {
        Collecting {
            kind: if address.contains('/') { "http" } else { "tcp" }.to_owned(),
            address: address.to_owned(),
            delivered,
            waiting,
            bytes: waiting * 300,
            lost: waiting / 3,
            error: error.map(str::to_owned),
            attempts: if error.is_some() { 12 } else { 0 },
            error_since: error.map(|_| "2026-11-23T11:58:00Z".to_owned()),
        }
    }

    fn failing(words: &str, times: u64) -> Failing {
        Failing { words: words.to_owned(), since: Wall::from_secs(1_795_434_900), times }
    }

    fn hold(because: &str, lasts: Option<u64>, uid: Option<u32>) -> Held {
        let since = (because != "earlier").then(|| "2026-11-23T11:00:00Z".to_owned());
        Held { lasts: lasts.map(Span::from_secs), uid, since, because: because.to_owned() }
    }

    const QUEUES: &str = r#"[
        {"name":"jobs","worked":true,"batch":{"jobs":16,"classes":{"big":12,"small":3},"others":1,"ended":5,"waiting":10},
            "running":{"class":"big","time":2,"since":"2026-11-23T11:59:00Z"},
            "claims":{"batch":2,"empty":7,"failed":0},"ended":{"done":20,"failed":1,"killed":0},
            "last_failed":{"class":"small","outcome":"failed","status":3,"signal":null,"at":"2026-11-23T11:30:00Z"},"fault":null},
        {"name":"far","worked":true,"batch":null,"running":null,"claims":{"batch":0,"empty":0,"failed":7},"ended":{"done":0},
            "last_failed":{"class":null,"outcome":"killed","status":null,"signal":9,"at":"2026-11-23T11:30:00Z"},
            "fault":{"words":"127.0.0.1:6379: Connection refused (os error 111)","since":"2026-11-23T11:50:00Z","times":7}},
        {"name":"idle","worked":false,"batch":null,"running":null,"claims":{},"ended":{},"last_failed":null,"fault":null}]"#;

    const HOOKS: &str = r#"[
        {"hook":"on_arrival","outcomes":{"done":2,"failed":1},"failing_since":"2026-11-23T11:58:00Z","last":
            {"outcome":"failed","status":2,"signal":null,"at":"2026-11-23T11:58:00Z","took":0.021,"host":"mln2","id":null}},
        {"hook":"before_leaving","outcomes":{"done":2},"failing_since":null,"last":
            {"outcome":"done","status":0,"signal":null,"at":"2026-11-23T11:57:00Z","took":3,"host":"mln1","id":6}},
        {"hook":"on_arrival","outcomes":{},"last":null,"failing_since":null}]"#;

    #[test]
    fn who_holds_the_guest_and_what_ends_that() {
        let said = [
            hold("operator", None, Some(0)),
            hold("operator", Some(90), None),
            hold("state-lost", Some(600), None),
            hold("earlier", Some(600), None),
        ];
        insta::assert_snapshot!(said.iter().map(held).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn an_ordinary_day() {
        insta::assert_snapshot!(text(&status()));
    }

    #[test]
    fn everything_at_once() {
        let open = Open {
            id: 7,
            rule: "overloaded".to_owned(),
            from: "mln2".to_owned(),
            to: "mln3".to_owned(),
            stage: "accepted".to_owned(),
            age: Span::from_secs(12),
            left: Span::from_secs(588),
        };
        let not_taken = NotTaken {
            at: Wall::from_secs(1_795_434_000),
            because: vec!["/etc/vmpolicy/vmpolicy.yaml:3:1: error[VP0107]: unknown key `hoem`".to_owned()],
        };
        let mut status = Status {
            mode: "observe".to_owned(),
            mode_because: Some("the policy file says `mode: observe`".to_owned()),
            request: Some(open),
            settling_for: Some(Span::from_secs(32)),
            resting: Some("off-duty".to_owned()),
            hold: Some(hold("operator", None, Some(0))),
            trouble: Some("can't write the state: No space left on device".to_owned()),
            trouble_since: Some("2026-11-23T11:59:00Z".to_owned()),
            locator_fault: Some(failing("http://169.254.169.254/name: it answers 503", 3)),
            queues: serde_json::from_str(QUEUES).unwrap(),
            hooks: serde_json::from_str(HOOKS).unwrap(),
            collectors: vec![
                collector("https://logs.example/in", 41, 0, None),
                collector("logs.example:6514", 0, 7, Some("Connection refused (os error 111)")),
            ],
            ..status()
        };
        status.policy.not_taken = Some(not_taken);
        status.policy.newer_waits = true;
        insta::assert_snapshot!(text(&status));
    }
}
