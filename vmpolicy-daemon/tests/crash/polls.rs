//! What recorded inputs say of the polls of a gauge that is always a breach: how many there were, and that each move rests on enough of them.

use crate::guest::Guest;
use serde_json::Value;
use std::process::Command;

/// What a rule needs before it may move.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Needs {
    /// So many samples in a row; polls that were missed between them start the count again.
    Samples(usize),
    /// So many, however far they are apart.
    SamplesWithGaps(usize),
    /// Samples over so many milliseconds, without a gap.
    Millis(i64),
}

/// The polls since something that made those before it void.
#[derive(Default)]
struct Held {
    count: usize,
    first: i64,
    last: i64,
}

/// Holds every request of `rule` against the polls of indicator 0, which are `every` milliseconds apart: how many requests there were, or
/// what is wrong.
pub(crate) fn moves_rest_on_polls(
    inputs: &str,
    rule: &str,
    every: i64,
    needs: Needs,
) -> Result<usize, String> {
    let (mut held, mut requests, mut taken_before) = (Held::default(), 0, None);
    for line in inputs.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (told, record) = (&line["in"], &line["record"]);
        let reading = &told["input"]["reading"];
        if reading["indicator"] == 0 {
            let taken = reading["taken"].as_i64().unwrap();
            if taken_before.is_some_and(|before| taken - before < every / 2) {
                return Err(format!("a burst: {taken_before:?}, then {taken}"));
            }
            taken_before = Some(taken);
            if told["now"]["mono"].as_i64().unwrap() - taken >= every {
                // It was late, and counts for nothing.
                held = Held::default();
                continue;
            }
            if taken - held.last >= 2 * every && !matches!(needs, Needs::SamplesWithGaps(_)) {
                held = Held::default();
            }
            if held.count == 0 {
                held.first = taken;
            }
            held.count += 1;
            held.last = taken;
        } else if record["event"] == "request" && record["rule"] == rule {
            let enough = match needs {
                Needs::Samples(count) | Needs::SamplesWithGaps(count) => held.count >= count,
                Needs::Millis(span) => held.last - held.first >= span,
            };
            if !enough {
                let span = held.last - held.first;
                return Err(format!("{} polls over {span} ms, {needs:?}: {record}", held.count));
            }
            requests += 1;
            held = Held::default();
        } else if ["confirmed", "void"].iter().any(|event| record["event"] == *event)
            || !line["begin"].is_null()
        {
            held = Held::default();
        }
    }
    Ok(requests)
}

/// Every record comes again from the inputs, byte for byte.
#[track_caller]
pub(crate) fn assert_replays(guest: &Guest) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
    let ran = command.arg("replay").arg(guest.path("inputs")).output().unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(text.contains("each the same byte for byte"), "{text}");
    std::fs::read_to_string(guest.path("inputs")).unwrap()
}
