//! What came of test files, for programs.

use super::super::diagnostics::{Text, Told};
use super::failure::{broken, line, sentence, skipped};
use super::ran::{Outcome, Ran, Test};
use super::words;
use serde::Serialize;
use serde_json::Value;
use vmpolicy_core::record;
use vmpolicy_core::time::Span;
use vmpolicy_core::trial::Difference;

/// Everything.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    /// The engine's version.
    version: &'static str,
    passed: usize,
    failed: usize,
    left_out: usize,
    files: Vec<File<'a>>,
}

/// A file.
#[derive(Serialize)]
struct File<'a> {
    file: &'a str,
    /// Whether it could be run and every test passed.
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<&'a str>,
    /// The policy file, where the test file names one.
    policy: Option<&'a str>,
    /// The policy's hash.
    fingerprint: Option<String>,
    problems: Vec<Told<'a>>,
    policies: Vec<Policy<'a>>,
    tests: Vec<One<'a>>,
    /// Rules that acted in no test.
    never_acted: Vec<&'a str>,
}

/// A policy file with errors.
#[derive(Serialize)]
struct Policy<'a> {
    file: &'a str,
    problems: Vec<Told<'a>>,
}

/// A test.
#[derive(Serialize)]
struct One<'a> {
    name: &'a str,
    line: Option<u32>,
    ok: bool,
    /// In seconds.
    lasts: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
    differences: Vec<Differs<'a>>,
}

/// Something that is not as expected.
#[derive(Serialize)]
struct Differs<'a> {
    /// `missing`, `unexpected`, `forbidden` or `state`.
    kind: &'static str,
    /// Seconds since the start.
    at: Value,
    /// The line of what was expected, or of the test.
    line: Option<u32>,
    /// In a sentence; the wording may change.
    says: String,
    /// What was expected, in short.
    expected: Option<String>,
    /// What came in its place: a record.
    came: Option<record::View<'a>>,
    /// What a state was in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    is: Option<&'a str>,
}

impl<'a> Report<'a> {
    pub(super) fn of(files: &'a [Ran]) -> Self {
        let tests: Vec<bool> = files.iter().flat_map(Ran::tests).map(|test| test.passed()).collect();
        let passed = tests.iter().filter(|passed| **passed).count();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            passed,
            failed: tests.len() - passed,
            left_out: files.iter().map(skipped).sum(),
            files: files.iter().map(file).collect(),
        }
    }
}

/// As in records: a whole number has no fraction.
fn seconds(span: Span) -> Value {
    match span.millis() {
        millis if millis.is_multiple_of(1_000) => (millis / 1_000).into(),
        _ => span.as_secs_f64().into(),
    }
}

fn file(ran: &Ran) -> File<'_> {
    let (mut problems, mut policies, mut unreadable) = (Vec::new(), Vec::new(), None);
    let (mut policy, mut fingerprint) = (None, None);
    match &ran.outcome {
        Outcome::Unreadable(why) => unreadable = Some(why.as_str()),
        Outcome::Wrong(wrong) => {
            let text = Text::new(&ran.file, &ran.bytes);
            problems = wrong.problems.iter().map(|problem| text.told(problem)).collect();
            policies = wrong
                .policies
                .iter()
                .map(|policy| {
                    let text = Text::new(&policy.path, &policy.text);
                    let problems = policy.problems.iter().map(|problem| text.told(problem)).collect();
                    Policy { file: &policy.path, problems }
                })
                .collect();
        }
        Outcome::Run(results) => {
            policy = results.trials.path.as_deref();
            fingerprint = Some(format!("{:016x}", results.trials.policy.fingerprint()));
        }
    }
    File {
        file: &ran.file,
        ok: matches!(ran.outcome, Outcome::Run(_)) && ran.tests().all(|test| test.passed()),
        unreadable,
        policy,
        fingerprint,
        problems,
        policies,
        tests: ran.tests().map(|test| one(ran, &test)).collect(),
        never_acted: ran.never_acted(),
    }
}

fn one<'a>(ran: &'a Ran, test: &Test<'a>) -> One<'a> {
    let (case, result) = (test.case, test.result);
    One {
        name: &case.name,
        line: line(ran, case.place),
        ok: test.passed(),
        lasts: seconds(case.lasts),
        broken: result.is_err().then(|| broken(result)),
        differences: match result {
            Ok(report) => {
                report.differences.iter().map(|difference| differs(ran, case, report, difference)).collect()
            }
            Err(_) => Vec::new(),
        },
    }
}

fn differs<'a>(
    ran: &Ran,
    case: &vmpolicy_core::trial::Case,
    report: &'a vmpolicy_core::trial::Report,
    difference: &'a Difference,
) -> Differs<'a> {
    let (kind, came, is) = match difference {
        Difference::Missing { near, .. } => ("missing", *near, None),
        Difference::Unexpected { said } => ("unexpected", Some(*said), None),
        Difference::Forbidden { said, .. } => ("forbidden", Some(*said), None),
        Difference::State { got, .. } => ("state", None, Some(got.0.as_str())),
    };
    let expected = difference.expected().map(|index| &case.expectations[index]);
    Differs {
        kind,
        at: seconds(difference.at(case, &report.said)),
        line: line(ran, expected.and_then(|one| one.place).or(case.place)),
        says: sentence(case, report, difference).join("; "),
        expected: expected.map(words::wanted),
        came: came.map(|index| {
            let said = &report.said[index];
            said.view(said.policy.guest().unwrap_or("guest"))
        }),
        is,
    }
}
