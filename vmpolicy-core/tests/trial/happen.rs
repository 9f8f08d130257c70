//! What can happen in a test, each against what the engine makes of it.

use crate::support::lines;

/// Only these events.
fn of(keys: &str, events: &[&str]) -> Vec<String> {
    let named = |line: &String| events.iter().any(|event| line.split(' ').nth(1) == Some(event));
    lines(keys).into_iter().filter(named).collect()
}

const DAY: &str = "start: 2009-05-06T10:00 Europe/Oslo\n";

#[test]
fn a_guest_that_is_moved_by_somebody_else_finds_out() {
    let believed = lines(&format!(
        "{DAY}readings: {{ load: 3, slow: 0 }}\nfor: 5m\nhappens:\n  - {{ at: 90s, moved-to: mln3 }}\n  - {{ at: 4m, moved-to: elsewhere }}\nexpect: []"
    ));
    assert_eq!(
        believed,
        ["1m30s void from=mln1 to=mln3 reason=moved", "4m void from=mln3 to=null reason=moved"]
    );
    // With a locator, when it looks the next time.
    let looked = lines(&format!(
        "{DAY}locates: true\nreadings: {{ load: 3, slow: 0 }}\nfor: 5m\nhappens: [{{ at: 90s, moved-to: mln3 }}]\nexpect: []"
    ));
    assert_eq!(looked, ["2m void from=mln1 to=mln3 reason=moved"]);
}

#[test]
fn notices_rankings_and_bars_choose_the_target() {
    let busy = |happens: &str| {
        let keys = format!("{DAY}readings: {{ load: 9, slow: 0 }}\nfor: 1m\nhappens: {happens}\nexpect: []");
        of(&keys, &["request", "held"]).join("; ")
    };
    let asks = |to: &str| format!("1m request id=1 rule=busy do=move from=mln1 to={to}");
    assert_eq!(busy("[]"), asks("mln2"));
    assert_eq!(busy("[{ at: 0s, down: mln2 }]"), asks("mln3"));
    assert_eq!(busy("[{ at: 0s, down: mln2, for: 30s }]"), asks("mln2"));
    assert_eq!(busy("[{ at: 0s, down: mln2 }, { at: 1s, up: mln2 }]"), asks("mln2"));
    assert_eq!(busy("[{ at: 0s, drain: mln2 }, { at: 1s, withdrawn: mln2 }]"), asks("mln2"));
    assert_eq!(busy("[{ at: 0s, ranking: [mln3, mln2] }]"), asks("mln3"));
    assert_eq!(busy("[{ at: 0s, ranking: [mln3] }, { at: 1s, ranking: [], array: oslo }]"), asks("mln2"));
    assert_eq!(
        busy("[{ at: 0s, down: mln2 }, { at: 0s, down: mln3 }]"),
        "1m held rule=busy reason=no-eligible-host for=23h59m"
    );
}

#[test]
fn what_becomes_of_requests() {
    let moves = |moves: &str| {
        let keys = format!("{DAY}readings: {{ load: 9, slow: 0 }}\nfor: 13m\nmoves: {moves}\nexpect: []\n");
        let all = of(&keys, &["request", "confirmed", "refused", "failed", "expired"]);
        all.into_iter().take(4).collect::<Vec<_>>()
    };
    assert_eq!(
        moves("confirmed after 10s")[..2],
        ["1m request id=1 rule=busy do=move from=mln1 to=mln2", "1m10s confirmed id=1 at_host=mln2",]
    );
    assert_eq!(
        moves("[refused, failed after 30s, confirmed]"),
        [
            "1m request id=1 rule=busy do=move from=mln1 to=mln2",
            "1m refused id=1 to=mln2 barred_for=5m",
            "3m request id=2 rule=busy do=move from=mln1 to=mln3",
            "3m30s failed id=2 to=mln3 reason=reported barred_for=5m",
        ]
    );
    assert_eq!(
        moves("{ mln2: refused, others: [failed, confirmed] }")[1..],
        [
            "1m refused id=1 to=mln2 barred_for=5m",
            "3m request id=2 rule=busy do=move from=mln1 to=mln3",
            "3m failed id=2 to=mln3 reason=reported barred_for=5m",
        ]
    );
    for silent in ["unanswered", "unanswered after 10s"] {
        assert_eq!(
            moves(silent)[..2],
            ["1m request id=1 rule=busy do=move from=mln1 to=mln2", "11m expired id=1 to=mln2 barred_for=5m",]
        );
    }
    // Without a locator, what was taken on is believed.
    assert_eq!(moves("accepted")[1], "1m confirmed id=1 at_host=mln2");
    let looked = lines(&format!(
        "{DAY}locates: true\nreadings: {{ load: 9, slow: 0 }}\nfor: 12m\nmoves: accepted\nexpect: []"
    ));
    assert_eq!(looked[1], "11m expired id=1 to=mln2 barred_for=5m");
}

#[test]
fn a_clock_that_is_set_and_a_machine_that_stands_still() {
    let keys = |happens: &str| {
        format!("{DAY}readings: {{ load: 3, slow: 0 }}\nfor: 20m\nhappens: [{happens}]\nexpect: []")
    };
    // Noticed with the next step.
    assert_eq!(lines(&keys("{ at: 90s, clock: +1h }")), ["2m void reason=clock apart=1h"]);
    assert_eq!(lines(&keys("{ at: 90s, clock: -30m }")), ["2m void reason=clock apart=-30m"]);
    assert_eq!(lines(&keys("{ at: 90s, pause: 10m }")), ["11m30s void reason=clock apart=10m"]);
    assert_eq!(lines(&keys("{ at: 90s, pause: 1s }")), Vec::<String>::new());
    // Looking at the guest in between does not make it notice earlier.
    let looked = format!(
        "{DAY}readings: {{ load: 3, slow: 0 }}\nhappens: [{{ at: 90s, clock: +1h }}]\nexpect: [{{ at: 100s..2m, location: mln1 }}]"
    );
    assert_eq!(lines(&looked), ["2m void reason=clock apart=1h"]);
    // A window opens by the clock on the wall.
    let night = of(&keys("{ at: 90s, clock: +12h }"), &["rest"]);
    assert_eq!(night, ["2m45s rest rule=off"]);
}

#[test]
fn the_daemon_goes_on_where_it_stopped() {
    let keys = |happens: &str, moves: &str| {
        format!(
            "{DAY}readings: {{ load: 9, slow: 0 }}\nmoves: {moves}\nfor: 12m\nhappens: [{happens}]\nexpect: []"
        )
    };
    let first = |lines: Vec<String>| lines.into_iter().take(2).collect::<Vec<_>>();
    assert_eq!(
        first(lines(&keys("{ at: 30s, restart: 5s }", "confirmed"))),
        ["1m request id=1 rule=busy do=move from=mln1 to=mln2", "1m confirmed id=1 at_host=mln2",]
    );
    // The answer reached nobody; without a locator nobody knows that the guest has moved.
    assert_eq!(
        lines(&keys("{ at: 70s, restart: 10s }", "confirmed after 30s"))[1],
        "11m expired id=1 to=mln2 barred_for=5m"
    );
    let looked =
        lines(&format!("locates: true\n{}", keys("{ at: 70s, restart: 10s }", "confirmed after 30s")));
    assert!(looked[1].ends_with("confirmed id=1 at_host=mln2"), "{looked:?}");
}

#[test]
fn an_operator_is_heard() {
    let keys = |happens: &str, moves: &str| {
        format!(
            "{DAY}readings: {{ load: 9, slow: 0 }}\nmoves: {moves}\nfor: 4m\nhappens: [{happens}]\nexpect: []"
        )
    };
    let held = lines(&keys("{ at: 0s, hold: true }, { at: 150s, resume: true }", "confirmed"));
    assert_eq!(
        held[..2],
        ["1m held rule=busy reason=operator for=null", "3m request id=1 rule=busy do=move from=mln1 to=mln2",]
    );
    let moved = lines(&keys("{ at: 30s, move-to: mln3 }", "confirmed"));
    assert_eq!(moved[0], "30s request id=1 rule=operator do=move-to from=mln1 to=mln3");
    let given_up = lines(&keys("{ at: 90s, abandon: true }", "unanswered"));
    assert_eq!(given_up[1], "1m30s failed id=1 to=mln2 reason=abandoned barred_for=0s");
}

#[test]
fn a_policy_is_reloaded() {
    let keys = format!(
        "{DAY}readings: {{ load: 9x2 3x5 9x9, slow: 0 }}\nfor: 10m\nhappens: [{{ at: 90s, reload: other.yaml }}]\nexpect: []"
    );
    assert_eq!(
        lines(&keys)[2..4],
        ["1m30s reload rules_kept=1", "8m45s request id=2 rule=busy do=move from=mln2 to=mln1",]
    );
}

#[test]
fn jobs_wait_until_they_are_claimed() {
    let keys = |each: &str| {
        format!(
            "{DAY}readings: {{ load: 3, slow: 0 }}\nfor: 20m\nmoves: confirmed after 5m\nhappens: [{{ at: 30s, batch: {{ queue: jobs, classes: {{ big: 2, small: 1 }}, others: 1, each: {each} }} }}]\nexpect: []"
        )
    };
    let asked = "2m request id=1 rule=big do=move-from-home from=mln1 to=c1";
    assert_eq!(lines(&keys("1m"))[..2], [asked, "7m confirmed id=1 at_host=c1"]);
}

#[test]
fn what_a_probe_reads_belongs_to_a_time() {
    let keys = |readings: &str| format!("{DAY}readings: {{ {readings} }}\nexpect: []\nfor: 6m");
    let unknown = |readings: &str| of(&keys(readings), &["unknown"]);
    assert_eq!(
        unknown("load: 1 missing 2 timed-out x2, slow: 0"),
        ["1m unknown reason=missing indicator=load", "3m unknown reason=timed-out indicator=load",]
    );
    assert_eq!(unknown("load: 1 2 late 3, slow: 0"), ["3m unknown reason=late indicator=load"]);
    assert_eq!(
        unknown("load: { values: 1 2, then: missing }, slow: 0"),
        ["2m unknown reason=missing indicator=load"]
    );
    assert_eq!(
        unknown("load: [{ from: 2m, values: 1 }], slow: 0"),
        ["0s unknown reason=missing indicator=load"]
    );
    assert_eq!(unknown("load: 1"), ["0s unknown reason=not-fed indicator=slow"]);
    assert_eq!(unknown("load: 1, slow: 50 60 10"), ["2m unknown reason=counter-reset indicator=slow"]);
}
