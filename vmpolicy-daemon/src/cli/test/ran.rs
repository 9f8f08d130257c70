//! A test file that was read and run.

use super::super::Exit;
use super::super::check::{read, shown};
use super::super::terminal::complain;
use crate::zones::SystemZones;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use vmpolicy_core::file::trial::{TrialProblems, Trials, load_trials};
use vmpolicy_core::trial::{Broken, Case, Report, run};

/// A file and what came of it.
pub(super) struct Ran {
    pub(super) file: String,
    pub(super) bytes: Vec<u8>,
    /// The policies that it names, where they were looked for.
    pub(super) policies: Vec<PathBuf>,
    pub(super) outcome: Outcome,
}

/// What came of a file.
pub(super) enum Outcome {
    /// It can't be read; that was said.
    Unreadable(String),
    /// It has errors.
    Wrong(TrialProblems),
    /// It was run.
    Run(Box<Results>),
}

/// The tests of a file with their results.
pub(super) struct Results {
    pub(super) trials: Trials,
    /// Of each test; none of those that the filter leaves out.
    pub(super) results: Vec<Option<Result<Report, Broken>>>,
}

/// A test and its result.
pub(super) struct Test<'a> {
    pub(super) case: &'a Case,
    pub(super) result: &'a Result<Report, Broken>,
}

impl Test<'_> {
    pub(super) fn passed(&self) -> bool {
        self.result.as_ref().is_ok_and(Report::passed)
    }
}

impl Ran {
    pub(super) fn of(path: &Path, filter: Option<&str>, zones: &SystemZones) -> Self {
        let file = shown(path);
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                complain(&format!("can't read {file}: {error}"));
                let outcome = Outcome::Unreadable(error.to_string());
                return Self { file, bytes: Vec::new(), policies: Vec::new(), outcome };
            }
        };
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let mut policies = Vec::new();
        let loaded = load_trials(&bytes, zones, &mut |name| {
            let policy: PathBuf = folder.join(name);
            let text = read(&policy).map_err(|error| error.to_string());
            policies.push(policy);
            text
        });
        let outcome = match loaded {
            Ok(trials) => {
                let wanted = |case: &&Case| filter.is_none_or(|filter| case.name.contains(filter));
                let results =
                    trials.cases.iter().map(|case| wanted(&case).then(|| run(&trials.policy, case)));
                Outcome::Run(Box::new(Results { results: results.collect(), trials }))
            }
            Err(mut problems) => {
                // As seen from where the command runs.
                for policy in &mut problems.policies {
                    policy.path = folder.join(&policy.path).display().to_string();
                }
                Outcome::Wrong(problems)
            }
        };
        Self { file, bytes, policies, outcome }
    }

    /// The tests that were run, in their order.
    pub(super) fn tests(&self) -> impl Iterator<Item = Test<'_>> {
        let results = match &self.outcome {
            Outcome::Run(results) => Some(results),
            Outcome::Unreadable(_) | Outcome::Wrong(_) => None,
        };
        results.into_iter().flat_map(|results| {
            let tests = results.trials.cases.iter().zip(&results.results);
            tests.filter_map(|(case, result)| result.as_ref().map(|result| Test { case, result }))
        })
    }

    pub(super) fn exit(&self) -> Exit {
        match &self.outcome {
            Outcome::Unreadable(_) => Exit::Outside,
            Outcome::Wrong(problems) => {
                let unread = problems.problems.iter().any(|problem| problem.code == "VT0009");
                if unread { Exit::Outside } else { Exit::No }
            }
            Outcome::Run(_) if self.tests().all(|test| test.passed()) => Exit::Done,
            Outcome::Run(_) => Exit::No,
        }
    }

    /// The rules of the policy that acted in no test; none where not all tests were run to their end.
    pub(super) fn never_acted(&self) -> Vec<&str> {
        let Outcome::Run(results) = &self.outcome else { return Vec::new() };
        let reports: Option<Vec<&Report>> = results
            .results
            .iter()
            .map(|result| result.as_ref().and_then(|result| result.as_ref().ok()))
            .collect();
        let Some(reports) = reports else { return Vec::new() };
        let acted: BTreeSet<&str> =
            reports.iter().flat_map(|report| report.acted.iter().map(String::as_str)).collect();
        let rules = results.trials.policy.rules().rows().iter().map(|rule| rule.name.as_str());
        rules.filter(|rule| !acted.contains(rule)).collect()
    }
}
