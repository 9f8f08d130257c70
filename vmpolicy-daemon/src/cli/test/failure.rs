//! What came of test files, for people.

use super::super::check::many;
use super::super::diagnostics::Text;
use super::super::terminal::Terminal;
use super::ran::{Outcome, Ran, Test};
use super::{table, words};
use std::fmt::Write as _;
use vmpolicy_core::file::line_col;
use vmpolicy_core::trial::{Broken, Case, Difference, Field, Report, Value, Want};

/// More differences of one test nobody reads.
const DIFFERENCES_MAX: usize = 20;

/// A file: its problems, or each of its tests.
pub(super) fn render(ran: &Ran, terminal: &Terminal) -> String {
    match &ran.outcome {
        Outcome::Unreadable(_) => String::new(),
        Outcome::Wrong(wrong) => {
            let mut out = String::new();
            let text = Text::new(&ran.file, &ran.bytes);
            let mut errors = wrong.problems.len();
            for problem in &wrong.problems {
                let _ = writeln!(out, "{}", text.draw(problem, terminal));
            }
            for policy in &wrong.policies {
                errors += policy.problems.len();
                let text = Text::new(&policy.path, &policy.text);
                for problem in &policy.problems {
                    let _ = writeln!(out, "{}", text.draw(problem, terminal));
                }
            }
            let _ = writeln!(out, "{}: {}; no test was run", ran.file, many(errors, "error"));
            out
        }
        Outcome::Run(results) => {
            let policy = results.trials.path.as_deref().unwrap_or("the policy in it");
            let mut out = format!("{} tests {policy}\n", ran.file);
            for test in ran.tests() {
                let word = if test.passed() { "ok  " } else { "FAIL" };
                let name = plain(&test.case.name);
                let word = painted(word, test.passed(), terminal);
                let _ = writeln!(out, "  {word}  {name}");
                if !test.passed() {
                    for line in failed(ran, &test) {
                        let _ = writeln!(out, "{}", format!("        {line}").trim_end());
                    }
                }
            }
            for rule in ran.never_acted() {
                let _ = writeln!(out, "  note: the rule `{rule}` acts in no test");
            }
            out
        }
    }
}

/// A name as a terminal may show it.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn painted(word: &str, good: bool, terminal: &Terminal) -> String {
    match (terminal.colour, good) {
        (false, _) => word.to_owned(),
        (true, true) => format!("\u{1b}[32m{word}\u{1b}[0m"),
        (true, false) => format!("\u{1b}[1;31m{word}\u{1b}[0m"),
    }
}

/// How many passed and failed, over all files.
pub(super) fn summary(files: &[Ran]) -> String {
    let tests: Vec<bool> = files.iter().flat_map(Ran::tests).map(|test| test.passed()).collect();
    let failed = tests.iter().filter(|passed| !**passed).count();
    let mut out = format!("{}: {} passed, {failed} failed", many(tests.len(), "test"), tests.len() - failed);
    let left_out = files.iter().map(skipped).sum::<usize>();
    if left_out > 0 {
        let _ = write!(out, ", {left_out} left out");
    }
    let not_run = files.iter().filter(|file| !matches!(file.outcome, Outcome::Run(_))).count();
    if not_run > 0 {
        let _ = write!(out, "; {} could not be run", many(not_run, "file"));
    }
    out + "\n"
}

/// How many tests of a file the filter has left out.
pub(super) fn skipped(ran: &Ran) -> usize {
    match &ran.outcome {
        Outcome::Run(results) => results.results.iter().filter(|result| result.is_none()).count(),
        Outcome::Unreadable(_) | Outcome::Wrong(_) => 0,
    }
}

/// Why a test failed: each difference, the timeline round them, and how everything stood.
pub(super) fn failed(ran: &Ran, test: &Test<'_>) -> Vec<String> {
    let report = match test.result {
        Ok(report) => report,
        Err(Broken::TooLong { .. }) => return vec![broken(test.result)],
        Err(_) => {
            return vec![
                broken(test.result),
                "This is a fault of vmpolicy, not of the policy: please report it with the test file."
                    .to_owned(),
            ];
        }
    };
    let mut lines = Vec::new();
    for difference in report.differences.iter().take(DIFFERENCES_MAX) {
        lines.extend(one(ran, test.case, report, difference));
    }
    if let Some(more) = report.differences.len().checked_sub(DIFFERENCES_MAX).filter(|more| *more > 0) {
        lines.push(format!("and {} more", many(more, "difference")));
    }
    lines.push(String::new());
    let every =
        report.standings.iter().flat_map(|one| one.policy.indicators().rows()).map(|one| one.every).max();
    let apart = every.unwrap_or(vmpolicy_core::time::Span::from_mins(1)).times(3);
    lines.extend(table::lines(test.case, report, apart));
    for standing in &report.standings {
        let at = |one: &&Difference| one.at(test.case, &report.said) == standing.at;
        let about = report.differences.iter().filter(at).find_map(|one| rule_of(test.case, report, one));
        lines.push(String::new());
        let stood = words::standing(standing, about.as_deref());
        lines.push(format!("at {}: {}", words::time(test.case, standing.at), stood[0]));
        lines.extend(stood.iter().skip(1).map(|line| format!("  {line}")));
    }
    lines.push(String::new());
    lines
}

pub(super) fn broken(result: &Result<Report, Broken>) -> String {
    match result {
        Err(error @ Broken::TooLong { .. }) => error.to_string(),
        Err(error) => format!("internal error: {error}"),
        Ok(_) => String::new(),
    }
}

/// The rule that a difference is about.
fn rule_of(case: &Case, report: &Report, difference: &Difference) -> Option<String> {
    let rule = |fields: &[(Field, Value)]| {
        fields.iter().find_map(|(field, value)| (*field == Field::Rule).then(|| value.to_string()))
    };
    match difference {
        Difference::Missing { expected, .. } => match &case.expectations[*expected].want {
            Want::Event(pattern) => rule(&pattern.fields),
            Want::Nothing(_) | Want::State(_) => None,
        },
        Difference::Unexpected { said } | Difference::Forbidden { said, .. } => {
            let one = &report.said[*said];
            vmpolicy_core::trial::Pattern::of(one.event(), &one.policy, &[Field::Rule])
                .fields
                .first()
                .map(|(_, value)| value.to_string())
        }
        Difference::State { .. } => None,
    }
}

/// A difference in a sentence, with the place in the file of what was expected.
fn one(ran: &Ran, case: &Case, report: &Report, difference: &Difference) -> Vec<String> {
    let place = place(ran, case, difference);
    sentence(case, report, difference)
        .into_iter()
        .enumerate()
        .map(|(index, line)| if index == 0 { format!("{place}: {line}") } else { format!("  {line}") })
        .collect()
}

/// `file:line` of the expectation, or of the test.
fn place(ran: &Ran, case: &Case, difference: &Difference) -> String {
    let expected = difference.expected().and_then(|index| case.expectations[index].place);
    match line(ran, expected.or(case.place)) {
        Some(line) => format!("{}:{line}", ran.file),
        None => ran.file.clone(),
    }
}

/// The line in which something stands.
pub(super) fn line(ran: &Ran, place: Option<vmpolicy_core::policy::Place>) -> Option<u32> {
    place.map(|place| line_col(&String::from_utf8_lossy(&ran.bytes), place.start).0)
}

/// What differs, in a line or two.
pub(super) fn sentence(case: &Case, report: &Report, difference: &Difference) -> Vec<String> {
    let said = |index: usize| words::said(&report.said[index]);
    match difference {
        Difference::Missing { expected, near } => {
            let expectation = &case.expectations[*expected];
            let when = words::when(case, expectation.when);
            let mut lines = vec![format!("expected at {when}, and not come: {}", words::wanted(expectation))];
            if let Some(near) = near {
                let one = &report.said[*near];
                let Want::Event(pattern) = &expectation.want else { return lines };
                let fields: Vec<String> = pattern
                    .misfits(one.event(), &one.policy)
                    .map(|(field, got)| format!("{} is {got}", field.name()))
                    .collect();
                let (when, at) = (expectation.when, one.at);
                let time = match () {
                    () if when.holds(at) => String::new(),
                    () if at < when.from => {
                        format!(
                            " {} too early, at {}",
                            span(when.from.millis() - at.millis()),
                            words::time(case, at)
                        )
                    }
                    () => format!(
                        " {} too late, at {}",
                        span(at.millis() - when.to.millis()),
                        words::time(case, at)
                    ),
                };
                let other = match fields.as_slice() {
                    [] => String::new(),
                    fields => format!(" with other fields: {}", fields.join(", ")),
                };
                lines.push(format!(
                    "it came{time}{}{other}",
                    if time.is_empty() || other.is_empty() { "" } else { "," }
                ));
            }
            lines
        }
        Difference::Unexpected { said: index } => {
            let at = report.said[*index].at;
            vec![format!("came at {}, and was not expected: {}", words::time(case, at), said(*index))]
        }
        Difference::Forbidden { expected, said: index } => {
            let expectation = &case.expectations[*expected];
            let (at, when) = (report.said[*index].at, words::when(case, expectation.when));
            let wanted = words::wanted(expectation);
            vec![format!("came at {}, where {when} has `{wanted}`: {}", words::time(case, at), said(*index))]
        }
        Difference::State { expected, fact, at, got } => {
            let Want::State(facts) = &case.expectations[*expected].want else { return Vec::new() };
            vec![format!("expected at {}: {}; it is {got}", words::time(case, *at), facts[*fact])]
        }
    }
}

fn span(millis: u64) -> vmpolicy_core::time::Span {
    vmpolicy_core::time::Span::from_millis(millis)
}
