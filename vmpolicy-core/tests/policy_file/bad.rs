//! Each kind of bad input, and what is said of it. The snapshots read as a document: the input, then
//! everything that is told in one run.

use crate::shared::assert_document;
use crate::support::told;

/// What each case begins with, so that it can be short.
const SOUND: &str = "\
version: 1
arrays:
  oslo: { hosts: [mln1, mln2, mln3], base: mln6 }
indicators:
  slow: { every: 60s, read: delta }
  latency: { every: 10s, unit: ms }
windows:
  office: { days: Mon-Fri, hours: 09:00-16:00, zone: Europe/Oslo }
queues:
  jobs: { every: 2m, classes: { grade a: 71s, grade b: {} } }
";

/// After [`SOUND`], a rule with this condition, this tarry and this action.
fn rule(rest: &str) -> String {
    format!("{SOUND}rules:\n  - {{ name: r, {rest} }}\n")
}

fn document(cases: &[(&str, String)]) -> String {
    let mut document = String::new();
    for (title, text) in cases {
        let own = text.strip_prefix(SOUND).unwrap_or(text);
        let before = if own.len() < text.len() { "...\n" } else { "" };
        document += &format!("## {title}\n\n{before}{}\n\n{}\n", own.trim_end(), told(text.as_bytes()));
    }
    document
}

/// The same text for each of several conditions and so on.
fn each(title: &'static str, texts: &[&str], make: impl Fn(&str) -> String) -> Vec<(&'static str, String)> {
    texts.iter().map(|text| (title, make(text))).collect()
}

#[test]
fn what_every_case_begins_with_is_sound() {
    let used = format!(
        "{SOUND}rules:\n  - {{ name: r, when: {{ all: [slow > 5, latency > 5, inside office] }}, do: move, tarry: 9 }}\n"
    );
    insta::assert_snapshot!(told(used.as_bytes()), @"");
}

#[test]
fn yaml() {
    assert_document!(document(&[
        ("nothing", String::new()),
        ("only a comment", "# nothing\n".to_owned()),
        ("a list", "- version: 1\n".to_owned()),
        ("a text", "hello\n".to_owned()),
        (
            "wrong YAML: a bracket that stays open",
            "version: 1\narrays: { oslo: { hosts: [a, b }\n".to_owned()
        ),
        ("wrong YAML: tabs", "version: 1\narrays:\n\toslo: 5\n".to_owned()),
        (
            "wrong YAML: indentation",
            "version: 1\narrays:\n    oslo: { hosts: [a] }\n  home: oslo\n".to_owned()
        ),
        ("wrong YAML: a quote that stays open", "version: 1\nguest: \"nii\n".to_owned()),
        ("two documents", "version: 1\narrays: { a: { hosts: [h] } }\n---\nversion: 1\n".to_owned()),
        ("aliases", "version: 1\narrays: { a: { hosts: &x [h] }, b: { hosts: *x } }\nhome: a\n".to_owned()),
        ("an alias of nothing", "version: 1\narrays: { a: *x }\n".to_owned()),
        ("merge keys", "version: 1\narrays:\n  a: { <<: { base: b }, hosts: [h] }\n".to_owned()),
        ("tags", "version: !!int 1\narrays: { a: { hosts: [!host h] } }\n".to_owned()),
        ("a key that is a list", "version: 1\n[a, b]: 1\narrays: { a: { hosts: [h] } }\n".to_owned()),
    ]));
}

#[test]
fn bytes_that_are_no_policy() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n";
    let huge = format!("version: 1\n#{}\n", " ".repeat(1 << 20));
    let deep = format!("version: 1\narrays: {}{}\n", "[".repeat(500), "]".repeat(500));
    let many = format!("version: 1\nhome: [{}]\n", "1,".repeat(300_000));
    assert_document!(
        [
            ("not UTF-8", told(b"version: 1\nguest: nii\xff3\n")),
            ("UTF-16", told(b"\xff\xfev\0e\0r\0")),
            ("an alias bomb", told(bomb.as_bytes())),
            ("megabytes", told(huge.as_bytes())),
            ("brackets in brackets", told(deep.as_bytes())),
            ("only commas", told(many.as_bytes())),
            ("a null byte", told(b"version: 1\nguest: a\0b\n")),
        ]
        .map(|(title, told)| format!("## {title}\n\n{told}\n"))
        .concat()
    );
}

#[test]
fn keys_and_types() {
    assert_document!(document(&[
        ("unknown keys", format!("{SOUND}hoem: oslo\nrules:\n  - {{ name: r, when: slow > 5, tary: 3, do: move }}\nmoves: {{ setle: 3s, colour: red }}\n")),
        ("a section by a wrong name is not also missing", "version: 1\narray: { a: { hosts: [h] } }\nrules:\n  - { name: r, when: slow > 5, do: { move-to: h } }\nindicator: { slow: { every: 60s } }\n".to_owned()),
        ("duplicate keys", format!("{SOUND}moves:\n  settle: 3s\n  settle: 4s\nwindows: {{}}\n")),
        ("missing keys", "arrays:\n  a: {}\nindicators: { i: {} }\nwindows: { w: {}, v: { open: '0 9 * * *' } }\nqueues: { q: {} }\nrules: [{}]\n".to_owned()),
        ("wrong types", "version: [1]\nguest: {}\narrays: [a]\nhome:\nindicators: 5\nwindows: x\nqueues: [q]\nrules: { a: b }\nmoves: 3\nactuator: []\nlocator: 3\n".to_owned()),
        ("wrong types inside", "version: 1\narrays: { a: { hosts: h, base: [b], price: 5, speed: fast, relocation: [] }, b: 5 }\nindicators: { i: [], j: { every: [60s], read: {}, missing: -1, unit: [] } }\n".to_owned()),
        ("a version to come", "version: 2\narrays: { a: { hosts: [h] } }\n".to_owned()),
        ("a comma ends a text in braces", format!("{SOUND}rules:\n  - {{ name: r, when: count(jobs, \"grade a\") >= 2, do: move }}\nwindows: {{}}\n").replace("windows:\n  office: { days: Mon-Fri", "windows:\n  office: { days: Sat,Sun")),
        ("yes is no boolean", rule("when: slow > 5, do: { rest: { monitor: yes } }")),
    ]));
}

#[test]
fn values() {
    let mut cases = each(
        "spans",
        &["60", "-5s", "1 m", "5 minutes", "1.0005s", "0.5ms", "soon", "1m1h", "999999999d"],
        |text| format!("{SOUND}moves: {{ settle: {text} }}\n"),
    );
    cases.extend(each("zero spans", &["confirm_within", "bar", "tour_pause"], |key| {
        format!("{SOUND}moves: {{ {key}: 0s }}\n")
    }));
    cases.push(("zero spans", SOUND.replace("60s", "0s").replace("2m", "0ms")));
    cases.extend(each("time-outs", &["5s", "breech", "true", "[breach]"], |text| {
        SOUND.replace("unit: ms", &format!("timeout: {text}"))
    }));
    cases.extend(each(
        "budgets",
        &["12", "0 per 1h", "1001 per 1h", "12 per 0s", "12 per hour", "-1 per 1h"],
        |text| format!("{SOUND}moves: {{ at_most: {text} }}\n"),
    ));
    cases.extend(each(
        "tarries",
        &["0", "0s", "-1", "1.5", "0 of 5", "5 of 4", "4 of 65", "4 of 999", "often", "4 in 5"],
        |text| rule(&format!("when: slow > 5, do: move, tarry: {text}")),
    ));
    cases.extend(each(
        "thresholds",
        &[".nan", "inf", "-.inf", "1e999", "many", "0x10", "1_000", "5,5"],
        |text| rule(&format!("when: 'slow > {text}', do: move")),
    ));
    cases.extend(each(
        "units",
        &["slow > 5ms", "latency > 5MiB", "latency > 5MS", "latency > 5%", "latency > 5parsec"],
        |text| rule(&format!("when: {text}, do: move")),
    ));
    cases.extend(each("choices", &["{ tour: forever }", "{ tour: keep_going }"], |text| {
        format!("{SOUND}moves: {text}\n")
    }));
    assert_document!(document(&cases));
}

#[test]
fn windows() {
    let cases = each(
        "windows",
        &[
            "days: Mon-Fri, hours: 09:00-09:00, zone: UTC",
            "days: Mon-Fri, hours: 25:00-26:00, zone: UTC",
            "days: Mon-Fry, hours: 09:00-16:00, zone: UTC",
            "days: [], hours: 09:00-16:00, zone: UTC",
            "hours: 9 to 5, zone: UTC",
            "hours: 09:00-16:00, zone: Europe/Olso",
            "hours: 09:00-16:00, zone: Mars/Olympus",
            "hours: 09:00-16:00",
            "zone: UTC",
            "days: Mon, open: 0 9 * * *, zone: UTC",
            "open: 0 9 31 2 *, close: 0 16 * * *, zone: UTC",
            "open: 0 9 * * 1-5, close: 0 16 * * *, zone: UTC",
            "open: 0 9 * *, close: 99 16 * * *, zone: UTC",
            "open: 0 9 * * *, close: 0 9 * * *, zone: UTC",
            "open: '* * * * *', close: 0 9 * * *, zone: UTC",
        ],
        |text| {
            format!(
                "version: 1\narrays: {{ a: {{ hosts: [h, i] }} }}\nwindows:\n  w: {{ {text} }}\nrules:\n  - {{ name: r, when: inside w, do: move }}\n"
            )
        },
    );
    assert_document!(document(&cases));
}

#[test]
fn arrays_and_hosts() {
    let cases = each(
        "arrays",
        &[
            "{}",
            "{ a: { hosts: [] } }",
            "{ a: { hosts: [h, i, h] } }",
            "{ a: { hosts: [h, i], base: h } }",
            "{ a: { hosts: [h], base: b }, c: { hosts: [i, b] } }\nhome: a",
            "{ a: { hosts: [h] }, c: { hosts: [i] } }",
            "{ oslo: { hosts: [h] }, c: { hosts: [i] } }\nhome: olso",
            "{ a: { hosts: [\"\"] }, \" b\": { hosts: [\"i\\nj\"] } }\nhome: a",
            "{ a: { hosts: [h], price: { host: -1, base: .nan }, speed: 0 } }",
            "{ a: { hosts: [h], price: { base: 1 }, speed: .inf, relocation: { size: 5, bandwidth: 0MB } } }",
            "{ a: { hosts: [h], relocation: { size: 5GiB, bandwidth: 0MB/s } } }",
        ],
        |text| format!("version: 1\narrays: {text}\n"),
    );
    assert_document!(document(&cases));
}

#[test]
fn names_that_nothing_has() {
    let rules = [
        "when: slwo > 5, do: move",
        "when: slow > 5, do: { move-to: mnl1 }",
        "when: slow > 5, do: { move-from-home: olso }",
        "when: inside offfice, do: move",
        "when: 'count(job, \"grade a\") > 1', do: move",
        "when: 'count(jobs, \"grade c\") > 1', do: move",
        "when: 'gain(jobs, tokyo) > 1', do: move",
    ];
    let mut cases = each("names", &rules, rule);
    cases.push(("the assumed host", format!("{SOUND}locator: {{ assume: mln9 }}\n")));
    cases.push((
        "two rules of one name, and two classes",
        format!("{SOUND}rules:\n  - {{ name: r, when: slow > 5, do: move }}\n  - {{ name: r, when: slow < 1, do: rest }}\n"),
    ));
    cases.push((
        "what could not be read is not also undefined",
        "version: 1\narrays: { a: { hosts: [h, [i]] } }\nindicators: { slow: [], fast: { evry: 5s } }\nwindows: { w: { hours: x, zone: UTC } }\n\
         rules:\n  - { name: r, when: { all: [slow > 5, fast > 3, inside w] }, do: { move-to: i } }\n"
            .to_owned(),
    ));
    assert_document!(document(&cases));
}

#[test]
fn conditions_and_actions() {
    let rules = [
        "when: { all: [] }, do: move",
        "when: { any: slow > 5 }, do: move",
        "when: { all: [slow > 5], any: [slow > 6] }, do: move",
        "when: { every: [slow > 5] }, do: move",
        "when: {}, do: move",
        "when: [slow > 5], do: move",
        "when: slow > 5 and latency > 6, do: move",
        "when: { all: [slow => 5, { not: 6 > slow }] }, do: move",
        "when: 'gain(jobs, oslo) > 1', do: move",
        "when: slow > 5, do: mvoe",
        "when: slow > 5, do: move_up",
        "when: slow > 5, do: dance",
        "when: slow > 5, do: move-to",
        "when: slow > 5, do: { move: up }",
        "when: slow > 5, do: { move-to: mln1, rest: {} }",
        "when: slow > 5, do: move-from-home",
        "when: slow > 5, do: move-to-home",
        "when: slow > 5, do: { move-from-home: oslo }",
    ];
    let mut cases = each("rules", &rules, rule);
    let two = "version: 1\narrays: { a: { hosts: [h] }, b: { hosts: [i] }, c: { hosts: [j] } }\nhome: a\nindicators: { x: { every: 1s } }\n\
               queues: { p: { every: 1s, classes: { k: {} } }, q: { every: 1s } }\n";
    for text in [
        "when: x > 5, do: rest",
        "when: x > 5, do: move-from-home",
        "when: x > 5, do: { move-from-home: a }",
        "when: { all: ['count(p, k) > 1', 'gain(q, b) > 1'] }, do: move",
        "when: 'gain(p, b) > 1', do: move",
    ] {
        cases.push(("several arrays", format!("{two}rules:\n  - {{ name: r, {text} }}\n")));
    }
    let deep = format!("{}x > 5{}", "{ not: ".repeat(40), " }".repeat(40));
    cases.push(("too deep", format!("{two}rules:\n  - {{ name: r, when: {deep}, do: move }}\n")));
    assert_document!(document(&cases));
}

#[test]
fn too_many_of_a_kind() {
    let many =
        |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join(", ");
    let rules = many(65, &|n| format!("{{ name: r{n}, when: i{n} > 5, do: move }}"));
    let text = format!(
        "version: 1\narrays: {{ a: {{ hosts: [{}] }} }}\nindicators: {{ {} }}\nrules: [{rules}]\n",
        many(60_001, &|n| format!("h{n}")),
        many(65, &|n| format!("i{n}: {{ every: 1s }}")),
    );
    assert_document!(told(text.as_bytes()));
}

#[test]
fn the_shell_s_part() {
    let probe = |text: &str| {
        format!(
            "version: 1\narrays: {{ a: {{ hosts: [h] }} }}\nindicators: {{ i: {{ every: 1s, probe: {text} }} }}\n"
        )
    };
    let mut cases = each(
        "probes",
        &[
            "{ mysql: {} }",
            "{ mysql: { status: Slow_queries, socket: /s, port: 3306 } }",
            "{ mysql: { status: Slow_queries, socket: /s, tls: true } }",
            "{ mysql: { status: Slow_queries, tls: true } }",
            "{ postgres: { query: SELECT 1, host: h, ca_file: /c } }",
            "{ redis: { info: uptime, tls: maybe, ca_file: /c } }",
            "{ mysql: { status: Slow_queries, port: 99999, timeout: 0s } }",
            "{ mysql: { status: Slow_queries, pasword_file: /p } }",
            "{ file: {} }",
            "{ exec: { argv: [] } }",
            "{ exec: { argv: [\"\", \"{to}\"] } }",
            "{ exec: uptime }",
            "{ psi: { resource: disk, kind: most, avg: 30 } }",
            "{ load: { avg: 2 } }",
            "{ apache: {} }",
            "{ apache: { field: IdleWorkers, url: localhost/server-status } }",
            "{ nginx: { field: waitin, url: \"http://me:secret@h/\" } }",
            "{ prometheus: { url: \"http://h/?a\", token_file: /t, credential: c } }",
            "{ postgres: { socket: /s, port: 1, password_file: /p, credential: a/b } }",
            "{ redis: {} }",
            "{ redis: { info: used_memory, list_length: jobs, database: -1 } }",
            "{ http: { url: \"http://h/\", pointer: a/b, body: x, user: u, headers: { Authorization: x, Host: h, \"a b\": c } } }",
            "{ http: { url: \"http://h/\", pointer: /a~b, method: PUT, password_file: /p, headers: { a: é } } }",
            "{ http: http://h/ }",
            "{ mysq: {} }",
            "{ steal: {}, load: {} }",
            "{}",
            "telepathy",
        ],
        probe,
    );
    cases.extend(each(
        "actuators",
        &[
            "{ exec: { argv: [ask, \"{form}\", \"{host}\", '{\"json\": 1}'] } }",
            "{ libvirt: {} }",
            "{ exec: { argv: [ask], timeout: 0s } }",
        ],
        |text| format!("version: 1\narrays: {{ a: {{ hosts: [h] }} }}\nactuator: {text}\n"),
    ));
    cases.extend(each(
        "locators",
        &[
            "{ every: 1m }",
            "assume",
            "{ file: /f, every: 0s }",
            "{ http: {} }",
            "{ asume: h }",
            "{ http: { url: \"http://h/\", hosts: { zone-a: hh, zone-b: [] } } }",
            "{ network: {} }",
            "{ network: { hosts: { h: 10.1.0.7/24, hh: [], h3: [10.1.0.0, 2001:db8::, 10/8, 10.0.0.0/40] } } }",
            "{ network: { hosts: { h: [127.0.0.0/8, fe80::/64, \"::1/128\"] } } }",
            "{ network: { hosts: { h: [10.1.0.0/16, 10.3.0.0/16], i: [10.2.0.0/16, 10.3.7.0/24] } } }",
        ],
        |text| format!("version: 1\narrays: {{ a: {{ hosts: [h, i] }} }}\nlocator: {text}\n"),
    ));
    cases.extend(each(
        "webhooks",
        &[
            "webhook: {}",
            "webhook: { url: \"http://me:pw@h/\", poll: 0s, timeout: 5, token_file: t, user: u }",
            "webhook: { url: \"http://h/\", headers: { Authorization: Bearer x }, argv: [x] }",
        ],
        |text| format!("version: 1\narrays: {{ a: {{ hosts: [h] }} }}\nactuator: {{ {text} }}\n"),
    ));
    cases.extend(each(
        "hooks",
        &[
            "{}",
            "on_arrival",
            "{ on_arival: { argv: [] }, before_leaving: { argv: [/x, \"{hosts}\"], required: maybe } }",
            "{ on_arrival: { argv: [/x], required: true, timeout: 0s } }",
        ],
        |text| format!("version: 1\narrays: {{ a: {{ hosts: [h] }} }}\nhooks: {text}\n"),
    ));
    cases.push(("queue sources", "version: 1\narrays: { a: { hosts: [h] } }\nqueues: { q: { every: 1s, source: { redis: {} } }, p: { every: 1s, source: 5 } }\n".to_owned()));
    let odd = [
        "source: { redis: { list: jobs, batch: 0, socket: /s, host: h } }",
        "source: { http: { url: localhost } }",
        "classes: { big: {} }, grade: { by: nam, patterns: { bigg: \"*\", big: [] } }",
        "run: { argv: [work, \"{jobs}\"], timeout: 0s, output: here, output_max: 5, tries: 0 }",
        "run: { output: /srv/results }",
    ];
    cases.extend(odd.map(|text| {
        let head = "version: 1\narrays: { a: { hosts: [h] } }\n";
        ("queues", format!("{head}queues: {{ q: {{ every: 1s, {text} }} }}\n"))
    }));
    assert_document!(document(&cases));
}
