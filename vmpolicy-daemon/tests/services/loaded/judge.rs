//! What the recorded inputs say that the daemon had to go by, counted again without any of its code.

use super::cast::{MISSING, Read, Role, TARRY};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An indicator, read again.
#[derive(Default)]
struct Count {
    breaches: u32,
    missing: u32,
    before: Option<(f64, i64)>,
}

impl Count {
    fn again(&mut self) {
        *self = Self::default();
    }

    fn read(&mut self, role: &Role, taken: i64, value: &Value) {
        let Some(number) = value["Ok"].as_f64() else {
            self.missing += 1;
            if role.breach && value["Err"] == "timed-out" {
                self.breaches += 1;
            } else if self.missing > MISSING {
                self.breaches = 0;
            }
            if role.read == Read::Delta {
                self.before = None;
            }
            return;
        };
        let before = self.before.replace((number, taken));
        let sample = match (role.read, before) {
            (Read::Gauge, _) => number,
            (_, None) => return,
            // The service has started anew.
            (_, Some((before, _))) if number < before => {
                self.breaches = 0;
                return;
            }
            (Read::Delta, Some((before, _))) => number - before,
            (Read::Rate, Some((before, at))) => (number - before) * 1_000.0 / (taken - at) as f64,
        };
        self.missing = 0;
        self.breaches = if role.limit.is_broken_by(sample) { self.breaches + 1 } else { 0 };
    }
}

/// Every request is its rule's, and rests on as many breaches in a row as its tarry says, all of them read since the move before: how many
/// each rule has made, or the request that does not.
pub(crate) fn judge(roles: &[Role], inputs: &str) -> Result<BTreeMap<String, usize>, Value> {
    let mut counts: Vec<Count> = roles.iter().map(|_| Count::default()).collect();
    let mut moves = BTreeMap::new();
    for line in inputs.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let (told, record) = (&line["in"], &line["record"]);
        let reading = &told["input"]["reading"];
        if reading.is_object() {
            let which = usize::try_from(reading["indicator"].as_u64().unwrap()).unwrap();
            let taken = reading["taken"].as_i64().unwrap();
            let is_late = told["now"]["mono"].as_i64().unwrap() - taken >= roles[which].every_ms;
            let late = json!({ "Err": "late" });
            counts[which].read(&roles[which], taken, if is_late { &late } else { &reading["value"] });
        } else if record["event"] == "request" {
            match roles.iter().position(|role| role.name == record["rule"]) {
                Some(which) if counts[which].breaches >= TARRY => {
                    *moves.entry(roles[which].name.to_owned()).or_default() += 1;
                }
                _ => return Err(line["record"].take()),
            }
            counts.iter_mut().for_each(Count::again);
        } else if record["event"] == "confirmed" || record["event"] == "void" {
            counts.iter_mut().for_each(Count::again);
        }
    }
    Ok(moves)
}
