//! What is legal but unwise, and near misses of it that are not warned of.

use crate::shared::assert_document;
use crate::support::told;

const SOUND: &str = "\
version: 1
arrays:
  oslo: { hosts: [mln1, mln2, mln3], base: mln6 }
  cloud: { hosts: [c1] }
home: oslo
indicators:
  slow: { every: 60s, read: delta }
  load: { every: 60s }
windows:
  office: { days: Mon-Fri, hours: 09:00-16:00, zone: Europe/Oslo }
  night: { hours: 22:00-06:00, zone: Europe/Oslo }
";

/// Reads everything, in a way that no rule can meet: so the others need not.
const READER: &str = "  - { name: reader, when: { all: [slow > 0, load > 0, inside office, inside night] }, tarry: 9, do: move-up }\n";

fn document(cases: &[(&str, &str)]) -> String {
    let mut document = String::new();
    for (title, rules) in cases {
        let text = format!("{SOUND}rules:\n{rules}\n");
        // Of what is not read in a case nothing is to be said here.
        let told = told(text.as_bytes());
        let blocks: Vec<&str> =
            told.split("VW").filter(|block| !block.is_empty() && !block.starts_with("0007")).collect();
        let told =
            if blocks.is_empty() { "no warning\n".to_owned() } else { format!("VW{}", blocks.join("VW")) };
        document += &format!("## {title}\n\n{rules}\n\n{told}\n");
    }
    document
}

#[test]
fn rules() {
    assert_document!(document(&[
        (
            "bands that overlap",
            "  - { name: a, when: slow > 50, tarry: 3, do: move }\n  - { name: b, when: slow < 60, tarry: 3, do: move-to-base }"
        ),
        (
            "bands that do not",
            "  - { name: a, when: slow > 50, tarry: 3, do: move }\n  - { name: b, when: slow <= 50, tarry: 3, do: move-to-base }"
        ),
        (
            "bands that touch",
            "  - { name: a, when: slow >= 50, tarry: 3, do: move }\n  - { name: b, when: slow <= 50, tarry: 3, do: move-to-base }"
        ),
        (
            "a settle longer than the tarry",
            "  - { name: a, when: slow > 50, tarry: 40s, do: move }\nmoves: { settle: 61s }"
        ),
        (
            "a settle as long as the tarry",
            "  - { name: a, when: slow > 50, do: move }\nmoves: { settle: 60s }"
        ),
        ("a contradiction", "  - { name: a, when: { all: [load > 5, load < 3] }, do: move }"),
        ("a counter is never below zero", "  - { name: a, when: slow < 0, do: move }"),
        ("a gauge may be", "  - { name: a, when: load < 0, do: move }"),
        (
            "windows that never meet",
            "  - { name: a, when: { all: [inside office, inside night] }, do: move }"
        ),
        (
            "behind a rest that is always true",
            "  - { name: a, when: { any: [load > 5, load <= 5] }, do: rest }\n  - { name: b, when: load > 9, do: move }"
        ),
        (
            "a narrower rule behind a wider one",
            "  - { name: a, when: slow > 50, tarry: 3, do: move }\n  - { name: b, when: slow > 80, tarry: 3, do: move }"
        ),
        (
            "a sooner rule behind a later one",
            "  - { name: a, when: slow > 50, tarry: 3, do: move }\n  - { name: b, when: slow > 80, tarry: 1, do: move }"
        ),
        (
            "two rules that chase each other",
            "  - { name: a, when: slow > 50, tarry: 3, do: move }\n  - { name: b, when: load < 1, tarry: 3, do: move-to-base }"
        ),
        (
            "two that can't be true at once",
            "  - { name: a, when: { all: [slow > 50, load >= 1] }, tarry: 3, do: move }\n  - { name: b, when: load < 1, tarry: 3, do: move-to-base }"
        ),
        (
            "windows that oppose",
            "  - { name: a, when: inside office, do: move-from-home }\n  - { name: b, when: inside night, do: move-to-home }"
        ),
        (
            "windows that overlap and oppose",
            "  - { name: a, when: inside office, do: move-from-home }\n  - { name: b, when: outside night, do: move-to-home }"
        ),
        (
            "a rest lets no other rule act",
            "  - { name: a, when: outside office, do: rest }\n  - { name: b, when: slow > 50, tarry: 3, do: move }"
        ),
        ("no rules", "  []"),
    ]));
}

#[test]
fn time_outs() {
    let case = |title: &str, indicator: &str, rules: &str| {
        let text = format!(
            "version: 1\narrays: {{ oslo: {{ hosts: [mln1, mln2], base: mln6 }} }}\nindicators:\n  idle: {{ {indicator} }}\nrules:\n{rules}\n"
        );
        let told = told(text.as_bytes());
        format!("## {title}\n\n{text}\n{}\n", if told.is_empty() { "no warning\n" } else { &told })
    };
    let saturated = "  - { name: saturated, when: idle < 3, tarry: 3, do: move }";
    let exec = |options: &str| {
        format!("probe: {{ exec: {{ argv: [idle]{options} }} }}, every: 20s, timeout: breach")
    };
    let document = [
        case("a limit shorter than the interval", &exec(", timeout: 19s"), saturated),
        case("a limit as long as the interval", &exec(", timeout: 20s"), saturated),
        case("a limit that is not written", &exec("").replace("20s", "5s"), saturated),
        case("no limit", "probe: load, every: 20s, timeout: breach", saturated),
        case("no probe", "every: 20s, timeout: breach", saturated),
        case("no limit, and nobody waits for one", "probe: load, every: 20s, timeout: unknown", saturated),
        case(
            "no rule that moves",
            &exec(", timeout: 20s"),
            "  - { name: idle, when: idle > 40, tarry: 3, do: move-to-base }",
        ),
        case("no rule that reads it", &exec(""), "  []"),
        case(
            "a rule that only a time-out makes true",
            &format!("{}, read: delta", exec("")),
            "  - { name: saturated, when: idle < 0, tarry: 3, do: move }",
        ),
        case(
            "behind a rest that is always true, and Unknown by a time-out",
            &exec(""),
            "  - { name: off, when: { any: [idle > 5, idle <= 5] }, tarry: 3, do: rest }\n  - { name: saturated, when: idle < 3, tarry: 3, do: move }",
        ),
        case(
            "a narrower rule behind a wider one, which time-outs make true, too",
            &exec(""),
            "  - { name: a, when: idle < 5, tarry: 3, do: move }\n  - { name: b, when: idle < 3, tarry: 3, do: move }",
        ),
    ];
    assert_document!(document.concat());
}

#[test]
fn what_nothing_reads() {
    assert_document!(told(format!("{SOUND}rules: [{{ name: a, when: slow > 5, do: move }}]\n").as_bytes()));
    let all = told(format!("{SOUND}rules:\n{READER}").as_bytes());
    assert!(!all.contains("VW0007"), "{all}");
}

#[test]
fn arrays_and_windows() {
    let text = "\
version: 1
arrays: { a: { hosts: [h], base: b, price: { host: 0.03, base: 0.12 } } }
indicators: { load: { every: 60s } }
windows: { ever: { days: daily, hours: 00:00-24:00, zone: UTC } }
rules:
  - { name: up, when: { all: [load > 5, inside ever] }, do: move-up }
  - { name: base, when: load < 1, do: move-to-base }
";
    assert_document!(told(text.as_bytes()));
    let only = "version: 1\narrays: { a: { hosts: [h] } }\nindicators: { load: { every: 60s } }\nrules:\n  - { name: r, when: load > 5, do: move }\n  - { name: s, when: load < 5, do: { move-to: h } }\n";
    assert_document!(told(only.as_bytes()));
}

#[test]
fn every_lint_has_a_name_and_a_code() {
    let names: Vec<_> = vmpolicy_core::policy::lint::names().collect();
    assert!(names.windows(2).all(|two| two[0].1 < two[1].1), "{names:?}");
}

#[test]
fn secrets_in_the_clear() {
    let told_of = |indicator: &str, source: &str| {
        let text = format!(
            "version: 1\narrays: {{ a: {{ hosts: [g, h] }} }}\nindicators: {{ x: {{ every: 60s, probe: {{ {indicator} }} }} }}\n\
             queues: {{ jobs: {{ every: 60s, source: {{ {source} }}, run: {{ argv: [work], output: /o }}, classes: {{ big: {{}} }} }} }}\n\
             rules: [{{ name: r, when: {{ all: [x > 5, 'count(jobs, \"big\") >= 2'] }}, do: move }}]\n"
        );
        let told = told(text.as_bytes());
        assert_eq!(told.matches("VW").count(), told.matches("VW0015").count(), "{told}");
        told
    };
    let (secret, here) = ("password_file: /p", "directory: /d");
    for quiet in [
        "redis: { info: uptime, host: cache.example }",
        &format!("redis: {{ info: uptime, {secret} }}"),
        &format!("redis: {{ info: uptime, host: \"::1\", {secret} }}"),
        &format!("redis: {{ info: uptime, socket: /s, {secret} }}"),
        &format!("redis: {{ info: uptime, host: cache.example, tls: true, {secret} }}"),
        &format!("mysql: {{ status: Uptime, host: db.example, {secret} }}"),
        &format!("postgres: {{ query: SELECT 1, host: db.example, {secret} }}"),
        "http: { url: http://shop.example/ }",
        "http: { url: http://127.0.0.2:8080/, token_file: /t }",
        "http: { url: https://shop.example/, token_file: /t }",
    ] {
        assert_eq!(told_of(quiet, here), "", "{quiet}");
    }
    assert_document!(
        told_of(
            &format!("redis: {{ info: uptime, host: cache.example, {secret} }}"),
            "http: { url: \"http://shop.example:8080/queue\", token_file: /t }"
        ) + &told_of(
            "nginx: { field: active, url: \"http://[2001:db8::1]/\", user: u, credential: c }",
            &format!("redis: {{ list: jobs, host: 192.0.2.7, tls: false, {secret} }}")
        )
    );
}
