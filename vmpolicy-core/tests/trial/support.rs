//! Test files in short, and what comes of them as text.

use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::file::line_col;
use vmpolicy_core::file::trial::{Trials, load_trials};
use vmpolicy_core::testkit::sketch::EuropeanZones;
use vmpolicy_core::trial::{Case, Difference, Report, run};

/// What most tests here run on: a gauge, a counter, a queue, a base, a window.
pub(crate) const POLICY: &str = "\
version: 1
guest: nii
arrays:
  oslo: { hosts: [mln1, mln2, mln3], base: mln6 }
  cloud: { hosts: [c1] }
home: oslo
indicators:
  load: { every: 60s }
  slow: { every: 60s, read: delta, missing: 1 }
windows: { night: { hours: 22:00-06:00, zone: Europe/Oslo } }
queues: { jobs: { every: 2m, classes: { big: 71s, small: {} } } }
rules:
  - { name: off, when: inside night, do: rest }
  - { name: busy, when: load > 8, tarry: 2, do: move }
  - { name: slow, when: slow > 50, tarry: 2m, do: move }
  - { name: idle, when: load < 1, tarry: 5, do: move-to-base }
  - { name: big, when: 'count(jobs, \"big\") >= 2', do: move-from-home }
";

/// A policy that [`POLICY`] can be reloaded with: one host and one rule fewer.
pub(crate) const OTHER: &str = "\
version: 1
guest: nii
arrays: { oslo: { hosts: [mln1, mln2], base: mln6 } }
indicators: { load: { every: 60s } }
rules: [{ name: busy, when: load > 8, tarry: 2, do: move }]
";

/// The files that a test can name.
pub(crate) fn file(name: &str) -> Result<Vec<u8>, String> {
    match name {
        "policy.yaml" => Ok(POLICY.as_bytes().to_vec()),
        "other.yaml" => Ok(OTHER.as_bytes().to_vec()),
        "bad.yaml" => Ok(b"version: 1\narrays: { oslo: { hosts: [a, a] } }\nhoem: oslo\n".to_vec()),
        _ => Err("no such file".to_owned()),
    }
}

/// Every problem of a test file and of the policies that it names, as a reader would see them.
pub(crate) fn told(text: &[u8]) -> String {
    let Err(wrong) = load_trials(text, &EuropeanZones, &mut file) else { return String::new() };
    let shown = String::from_utf8_lossy(text);
    let mut told: String = wrong.problems.iter().map(|problem| draw("", &shown, problem)).collect();
    for policy in &wrong.policies {
        let shown = String::from_utf8_lossy(&policy.text);
        told.extend(policy.problems.iter().map(|problem| draw(&policy.path, &shown, problem)));
    }
    told
}

fn draw(file: &str, text: &str, problem: &vmpolicy_core::file::Problem) -> String {
    let mut drawn = format!("{}: {}\n", problem.code, problem.message);
    if let Some(place) = problem.place {
        let (line, column) = line_col(text, place.start);
        let source = text.lines().nth(line as usize - 1).unwrap_or("");
        let bytes = text.get(place.start as usize..place.end as usize).unwrap_or("");
        let width = bytes.lines().next().unwrap_or("").chars().count().max(1);
        let margin = format!("{file}{}{line}:{column}", if file.is_empty() { "" } else { ":" });
        drawn += &format!("  {margin} | {source}\n");
        let under = " ".repeat(margin.len());
        drawn += &format!("  {under} | {}{}\n", " ".repeat(column as usize - 1), "^".repeat(width));
    }
    if !problem.path.is_empty() {
        drawn += &format!("  at {}\n", problem.path);
    }
    if let Some(hint) = &problem.hint {
        drawn += &format!("  hint: {hint}\n");
    }
    drawn
}

/// The tests of a text, which has no errors.
pub(crate) fn trials(text: &str) -> Trials {
    match load_trials(text.as_bytes(), &EuropeanZones, &mut file) {
        Ok(trials) => trials,
        Err(_) => panic!("{text}\n{}", told(text.as_bytes())),
    }
}

/// A test of [`POLICY`]: its keys but the name, as a block.
pub(crate) fn one(keys: &str) -> (Arc<Policy>, Case) {
    let body: String = keys.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("version: 1\npolicy: policy.yaml\ntests:\n  - name: it\n{body}");
    let Trials { policy, mut cases, .. } = trials(&text);
    (policy, cases.remove(0))
}

/// Runs it.
pub(crate) fn report(keys: &str) -> (Case, Report) {
    let (policy, case) = one(keys);
    let report = run(&policy, &case).unwrap_or_else(|error| panic!("{keys}\n{error}"));
    (case, report)
}

/// All that was recorded, a line each: `3m request rule=busy to=mln2`.
pub(crate) fn lines(keys: &str) -> Vec<String> {
    let (_, report) = report(keys);
    report.said.iter().map(line).collect()
}

fn line(said: &vmpolicy_core::trial::Said) -> String {
    let fields = vmpolicy_core::trial::Field::ALL;
    format!("{} {}", said.at, vmpolicy_core::trial::Pattern::of(said.event(), &said.policy, &fields))
}

/// What differs, a line each.
pub(crate) fn differences(keys: &str) -> Vec<String> {
    let (case, report) = report(keys);
    let said = |index: usize| line(&report.said[index]);
    let of = |difference: &Difference| match difference {
        Difference::Missing { expected, near } => {
            let near = near.map_or_else(String::new, |near| format!("; but {}", said(near)));
            format!("missing [{expected}]{near}")
        }
        Difference::Unexpected { said: index } => format!("unexpected {}", said(*index)),
        Difference::Forbidden { expected, said: index } => format!("forbidden [{expected}] {}", said(*index)),
        Difference::State { expected, at, got, .. } => format!("state [{expected}] at {at}: {got}"),
    };
    let _ = case;
    report.differences.iter().map(of).collect()
}
