//! Test files: YAML to [cases](crate::trial::Case), or to everything that is wrong with them.
//!
//! The policy is read first, from the file that the test file names or from the test file itself: names are looked up in it.
//! Its errors are its own, with the places of its own text.

mod case;
mod expect;
mod happen;
mod moment;
mod names;
mod problem;
mod readings;

pub use problem::TrialErrorKind;

use super::node::{self, Node, Value, short};
use super::problem::{Problem, ReadErrorKind};
use super::reader::Reader;
use super::{SECTIONS, checked, load, sort};
use crate::policy::build::Doubts;
use crate::policy::error::Label;
use crate::policy::{Place, Policy, Zones};
use crate::trial::Case;
use problem::TrialErrorKind as Kind;
use std::collections::BTreeMap;
use std::sync::Arc;

const TOP: &[&str] = &["version", "policy", "tests"];

/// How a program reads the policy files that a test file names, as the names stand there. Why not, where it can't.
pub type Files<'a> = dyn FnMut(&str) -> Result<Vec<u8>, String> + 'a;

/// The tests of a file.
#[derive(Clone, Debug)]
pub struct Trials {
    /// The policy that is tested.
    pub policy: Arc<Policy>,
    /// The name of its file; none where it stands in the test file.
    pub path: Option<String>,
    /// The tests, in the order of the file.
    pub cases: Vec<Case>,
}

/// What is wrong with a test file and the policies that it names.
#[derive(Clone, Debug, Default)]
pub struct TrialProblems {
    /// Of the test file, in its order.
    pub problems: Vec<Problem>,
    /// Of each policy file that has errors.
    pub policies: Vec<BadPolicy>,
}

/// A policy file with errors.
#[derive(Clone, Debug)]
pub struct BadPolicy {
    /// Its name, as the test file has it.
    pub path: String,
    /// Its text.
    pub text: Vec<u8>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// Reads a test file and the policies that it names.
///
/// ```
/// use vmpolicy_core::file::trial::load_trials;
/// use vmpolicy_core::policy::UtcOnly;
/// let text = "
/// version: 1
/// policy:
///   arrays: { oslo: { hosts: [mln1, mln2] } }
///   indicators: { load: { every: 60s } }
///   rules: [{ name: busy, when: load > 8, tarry: 2, do: move }]
/// tests:
///   - name: the second high sample moves it
///     readings: { load: 9x2 }
///     expect: [{ at: 1m, event: request, to: mln2 }]
/// ";
/// let trials = load_trials(text.as_bytes(), &UtcOnly, &mut |_| Err("no files here".to_owned())).unwrap();
/// let report = vmpolicy_core::trial::run(&trials.policy, &trials.cases[0]).unwrap();
/// assert!(report.passed());
/// ```
///
/// # Errors
///
/// Everything that is wrong, in one run.
pub fn load_trials(text: &[u8], zones: &dyn Zones, files: &mut Files<'_>) -> Result<Trials, TrialProblems> {
    let (node, problems) = match checked(text) {
        Ok(text) => node::read(text),
        Err(problem) => (None, vec![*problem]),
    };
    let mut reader = Reader::new(problems);
    let mut book = Book { zones, files, read: BTreeMap::new(), bad: Vec::new() };
    let found = match node {
        Some(node) if !node.is_null() => reader.trials(&node, &mut book),
        _ => {
            if reader.problems.is_empty() {
                let hint = Some("begin with `version: 1`, `policy:` and `tests:`".to_owned());
                reader.problems.push(ReadErrorKind::Empty.at(None, String::new(), hint));
            }
            None
        }
    };
    let mut problems = reader.problems;
    match found {
        Some(trials) if problems.is_empty() => Ok(trials),
        _ => {
            sort(&mut problems);
            Err(TrialProblems { problems, policies: book.bad })
        }
    }
}

/// The policies that were read.
struct Book<'a, 'f> {
    zones: &'a dyn Zones,
    files: &'a mut Files<'f>,
    /// By name; none, where one can't be used.
    read: BTreeMap<String, Option<Arc<Policy>>>,
    bad: Vec<BadPolicy>,
}

impl Reader {
    pub(super) fn blame_trial(&mut self, kind: Kind, place: Place, hint: Option<String>) -> &mut Problem {
        let problem = kind.at(Some(place), self.way(), hint);
        self.problems.push(problem);
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    fn trials(&mut self, node: &Node, book: &mut Book<'_, '_>) -> Option<Trials> {
        let top = self.fields(node, "the keys of a test file", TOP)?;
        if top.get("version").is_none() {
            let hint = Some("begin the file with `version: 1`".to_owned());
            let kind = ReadErrorKind::MissingKey { key: "version" };
            self.problems.push(kind.at(None, "version".to_owned(), hint));
        }
        self.optional(&top, "version", |reader, node| reader.choice(node, "`1`", &[("1", ())]));
        let mut path = None;
        let policy = self.required(&top, "policy", "policy: ../policy.yaml", |reader, node| {
            if let Value::Map(_) = node.value {
                return reader.inline(node, book.zones);
            }
            let text = reader.text(node, "the name of a policy file, or a policy")?;
            path = Some(text.to_owned());
            reader.policy_file(text, node.place, book)
        });
        let mut cases = Vec::new();
        let example = "tests: [{ name: ..., readings: ..., expect: ... }]";
        self.required(&top, "tests", example, |reader, node| {
            let items = reader.list(node, "a list of tests")?;
            if items.is_empty() {
                let hint = Some("write `- name: ...` with `readings` and `expect`".to_owned());
                reader.blame_trial(Kind::NoTests, node.place, hint);
            }
            let mut names: BTreeMap<String, Place> = BTreeMap::new();
            for (index, item) in items.iter().enumerate() {
                let Some(case) = reader.case(index, item, policy.as_ref(), book) else { continue };
                let place = case.place.unwrap_or(item.place);
                match names.get(&case.name) {
                    Some(first) if !case.name.is_empty() => {
                        let label = Label { place: *first, text: "first here".to_owned() };
                        let kind = Kind::DuplicateTest { name: short(&case.name) };
                        let hint = Some("give one of them another name".to_owned());
                        reader.blame_trial(kind, place, hint).labels.push(label);
                    }
                    _ => {
                        names.insert(case.name.clone(), place);
                    }
                }
                cases.push(case);
            }
            Some(())
        });
        Some(Trials { policy: policy?, path, cases })
    }

    /// A policy in the test file itself. Its places are those of this text; its `version` may be left out.
    fn inline(&mut self, node: &Node, zones: &dyn Zones) -> Option<Arc<Policy>> {
        let before = self.problems.len();
        let outer = std::mem::take(&mut self.doubts);
        self.doubts.from_file = true;
        let top = self.fields(node, "the keys of a policy", SECTIONS)?;
        if top.get("version").is_some() {
            self.version(&top);
        }
        let (file, shell) = self.top(&top, Self::arrays);
        let doubts: Doubts = std::mem::replace(&mut self.doubts, outer);
        self.problems.extend(super::unknown_hosts(&file, &shell, &doubts));
        match file.judge(zones, doubts) {
            Ok(policy) if self.problems.len() == before => return Some(Arc::new(policy)),
            Ok(_) => {}
            Err(errors) => self.problems.extend(errors.into_iter().map(Problem::from)),
        }
        None
    }

    /// A policy in a file of its own, read once however often it is named.
    fn policy_file(&mut self, path: &str, place: Place, book: &mut Book<'_, '_>) -> Option<Arc<Policy>> {
        if let Some(read) = book.read.get(path) {
            return read.clone();
        }
        let policy = match (book.files)(path) {
            Err(why) => {
                let hint = Some("a name counts from the folder of the test file".to_owned());
                self.blame_trial(Kind::NoPolicy { path: short(path), why }, place, hint);
                None
            }
            Ok(text) => match load(&text, book.zones) {
                Ok(loaded) => Some(Arc::new(loaded.policy)),
                Err(problems) => {
                    self.blame_trial(
                        Kind::BadPolicy { path: short(path), errors: problems.len() },
                        place,
                        None,
                    );
                    book.bad.push(BadPolicy { path: path.to_owned(), text, problems });
                    None
                }
            },
        };
        book.read.insert(path.to_owned(), policy.clone());
        policy
    }
}
