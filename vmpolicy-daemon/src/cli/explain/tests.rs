//! What is said, of policies that have one of each.

use super::*;

/// Oslo, 2026: summer time from 29 March to 25 October, 01:00 UTC. The machine's own zones may be newer.
struct Oslo;

impl vmpolicy_core::policy::Zones for Oslo {
    fn zone(&self, name: &str) -> Option<Zone> {
        let changes = vec![(1_774_746_000, 7_200), (1_792_890_000, 3_600)];
        match name {
            "Europe/Oslo" => Zone::new(name, 3_600, changes).ok(),
            "UTC" => Some(Zone::utc()),
            _ => None,
        }
    }
}

const PLAIN: Terminal = Terminal { colour: false, columns: None, live: false };

fn explained<T>(yaml: &str, then: impl FnOnce(&Explained<'_>) -> T) -> T {
    let loaded =
        vmpolicy_core::file::load(yaml.as_bytes(), &Oslo).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let text = Text::new("policy.yaml", yaml.as_bytes());
    let warnings: Vec<_> = loaded.warnings.iter().cloned().map(Problem::from).collect();
    let from = From::Day(Civil::new(2026, 10, 19, 0, 0, 0).unwrap());
    then(&Explained::of("policy.yaml", &loaded, from, None, &text, &warnings))
}

/// The thesis's nii5 with the contract's defaults.
const NII5: &str = "\
version: 1
guest: nii5
arrays:
  oslo: { hosts: [mln1, mln2, mln3, mln4, mln5], base: mln6, price: { host: 0.12, base: 0.03 } }
indicators:
  slow_queries: { probe: { mysql: { status: Slow_queries } }, every: 60s, read: delta }
windows:
  working_hours: { days: Mon-Fri, hours: 09:00-16:00, zone: Europe/Oslo }
rules:
  - { name: off-duty, when: outside working_hours, do: rest }
  - { name: overloaded, when: slow_queries > 50, tarry: 3, do: move }
  - { name: idle, when: slow_queries < 1, tarry: 20, do: move-to-base }
";

#[test]
fn a_policy_on_a_page() {
    insta::assert_snapshot!(explained(NII5, |explained| explained.page(&PLAIN)));
}

#[test]
fn a_narrow_page() {
    let narrow = Terminal { columns: Some(40), ..PLAIN };
    let page = explained(NII5, |explained| explained.page(&narrow));
    let prose = page.split("A week of").next().unwrap_or_default();
    assert!(prose.lines().all(|line| line.chars().count() <= 40 || !line.trim().contains(' ')), "{prose}");
    assert!(!page.contains('#'), "there is no room for a bar:\n{page}");
}

#[test]
fn colour_is_a_matter_of_the_titles() {
    let colour = Terminal { colour: true, ..PLAIN };
    let page = explained(NII5, |explained| explained.page(&colour));
    assert!(page.contains("\x1b[1mRules\x1b[0m"));
}

/// Every form of a rule, by what it says.
#[test]
fn rules_of_every_form() {
    const RULES: &[&str] = &[
        "when: load > 4, do: move",
        "when: load >= 4, tarry: 2, do: move-up",
        "when: load < 4, tarry: 5m, do: move-down",
        "when: load <= 4, tarry: 4 of 5, do: move-to-base",
        "when: latency > 250ms, do: { move-to: c1 }",
        "when: free < 2GiB, do: move",
        "when: inside night, do: move-to-base",
        "when: outside night, tarry: 10m, do: { rest: { monitor: true } }",
        "when: { not: inside night }, do: rest",
        "when: { all: [load < 1, inside night] }, do: rest",
        "when: { all: [load > 4, { any: [latency > 1s, free < 1MiB] }] }, tarry: 3, do: move",
        "when: { any: [load > 4, latency > 1s] }, do: move",
        "when: { not: { all: [load > 4, inside night] } }, do: move-to-base",
        "when: 'count(jobs, \"grade a\") >= 2', do: move-from-home",
        "when: 'count(jobs, \"grade a\") < 1', tarry: 2, do: move-to-home",
        "when: 'gain(jobs, cloud) >= 2', tarry: 2 of 3, do: { move-from-home: cloud }",
        "when: { not: 'gain(jobs, cloud) >= 1.5' }, do: move-to-home",
    ];
    let rules: Vec<_> =
        RULES.iter().enumerate().map(|(index, rule)| format!("  - {{ name: r{index}, {rule} }}\n")).collect();
    let yaml = format!(
        "\
version: 1
arrays:
  rack: {{ hosts: [r1, r2, r3], base: r9 }}
  cloud: {{ hosts: [c1, c2], relocation: 22m4s }}
home: rack
indicators:
  load: {{ every: 30s }}
  latency: {{ every: 10s, unit: ms }}
  free: {{ every: 30s, unit: B }}
queues:
  jobs: {{ every: 2m, classes: {{ grade a: 71s }} }}
windows:
  night: {{ hours: 23:00-05:00, zone: UTC }}
rules:
{}",
        rules.concat()
    );
    let said = explained(&yaml, |explained| {
        let said =
            explained.rules.iter().zip(RULES).map(|(rule, yaml)| format!("{yaml}\n    {}\n", rule.says));
        said.collect::<String>()
    });
    insta::assert_snapshot!(said);
}

/// A time-out that says something, and to which rules.
#[test]
fn time_outs() {
    let yaml = "\
version: 1
arrays: { rack: { hosts: [r1, r2, r3], base: r9 } }
indicators:
  idle: { every: 20s, timeout: breach }
  busy: { every: 20s, timeout: unknown }
  spare: { every: 20s, missing: 2, timeout: breach }
rules:
  - { name: saturated, when: idle < 3, tarry: 3, do: move }
  - { name: full, when: { all: [busy > 90, idle < 9] }, tarry: 3, do: move }
  - { name: quiet, when: { all: [idle > 40, spare > 40] }, tarry: 90, do: move-to-base }
";
    let said = explained(yaml, |explained| explained.indicators.join("\n"));
    insta::assert_snapshot!(said, @"
    idle is a probe that the file does not name, read every 20 seconds. A time-out is a breach of saturated and full; to any other rule it says nothing.
    busy is a probe that the file does not name, read every 20 seconds.
    spare is a probe that the file does not name, read every 20 seconds. Up to 2 missing readings in a row change nothing; the next one starts the counting again. A time-out is declared to be a breach, and no rule goes by it.
    ");
}

/// What settling, tarry, dwell and budget come to together.
#[test]
fn moves_of_every_form() {
    const MOVES: &[(&str, &str)] = &[
        ("3", "{}"),
        ("3", "{ at_most: 16 per 1h }"),
        ("3", "{ settle: 0s, tour: keep-going, tour_pause: 1m }"),
        ("10m", "{ settle: 30s, dwell: 5m, bar: 1m, confirm_within: 1h }"),
        ("1", "{ settle: 5s, dwell: 30m, at_most: 1 per 1d }"),
        ("4 of 5", "{ settle: 1m }"),
    ];
    let mut said = String::new();
    for (tarry, moves) in MOVES {
        let yaml = format!(
            "\
version: 1
arrays: {{ oslo: {{ hosts: [mln1, mln2] }} }}
indicators: {{ load: {{ every: 60s }} }}
rules: [{{ name: busy, when: load > 4, tarry: {tarry}, do: move }}]
moves: {moves}
"
        );
        let sentences = explained(&yaml, |explained| explained.moves.join("\n  "));
        let _ = writeln!(said, "tarry: {tarry}, moves: {moves}\n  {sentences}");
    }
    insta::assert_snapshot!(said);
}

#[test]
fn queues_hooks_records_and_state_of_every_form() {
    const FORMS: &str = "\
version: 1
arrays: { oslo: { hosts: [mln1, mln2] } }
queues:
  jobs: { source: { directory: /srv/jobs }, every: 2m, classes: { big: {} }, run: { argv: [/usr/bin/render], timeout: 1h, output: /srv/out } }
  idle: { source: { directory: /srv/idle }, every: 2m, classes: { big: {} } }
rules: [{ name: never, when: 'count(jobs, \"big\") >= 1000', do: move }]
hooks:
  before_leaving: { argv: [/usr/bin/flush], required: true, timeout: 20s }
  on_arrival: { argv: [/usr/bin/dns] }
records:
  - journal
  - file: /var/log/vmpolicy/records.jsonl
  - tcp: { address: \"logs.example:6514\", tls: true, keep: 1MiB, full: drop }
  - http: { url: \"https://logs.example/in?key=s3cret\", required: true }
state: { http: { url: \"https://state.example/nii3?key=s3cret\" } }
";
    let said = explained(FORMS, |explained| {
        [&explained.indicators, &explained.shell, &explained.keeping].map(|said| said.join("\n")).join("\n\n")
    });
    assert!(!said.contains("s3cret"), "{said}");
    insta::assert_snapshot!(said);
}

/// Listing 4.1: 225 s under constant overload.
#[test]
fn the_cadence_of_listing_4_1() {
    let every = explained(NII5, |explained| {
        explained.rules.iter().map(|rule| rule.request_every_ms).collect::<Vec<_>>()
    });
    assert_eq!(every, [None, Some(225_000), None]);
}

#[test]
fn dates() {
    assert_eq!(date("2026-03-23"), Ok(Civil::new(2026, 3, 23, 0, 0, 0).unwrap()));
    for text in ["", "2026-02-30", "23.3.2026", "today", "2026-03-23T10:00"] {
        let _ = date(text);
    }
    assert!(date("2026-02-30").is_err() && date("").is_err() && date("today").is_err());
}
