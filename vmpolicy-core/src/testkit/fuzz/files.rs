//! Files of all kinds as bytes: what they hold, or problems that each have a message and places within the text.

use crate::file::{Problem, load};
use crate::leaf::window::Zone;
use crate::policy::Zones;

/// `UTC`, and `Europe/Oslo` without its summer time: the zones of the examples.
struct TwoZones;

impl Zones for TwoZones {
    fn zone(&self, name: &str) -> Option<Zone> {
        match name {
            "UTC" => Some(Zone::utc()),
            "Europe/Oslo" => Zone::new(name, 3_600, Vec::new()).ok(),
            _ => None,
        }
    }
}

/// Any bytes as a policy file. What was loaded is what the engine takes.
///
/// # Panics
///
/// Where that is not so.
pub fn policy_file(bytes: &[u8]) {
    match load(bytes, &super::TestZones) {
        Ok(loaded) => {
            assert!(loaded.policy.is_consistent(), "a sound policy that the engine would not take");
            let warnings: Vec<_> = loaded.warnings.into_iter().map(Problem::from).collect();
            are_told(&warnings, bytes);
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            are_told(&problems, bytes);
        }
    }
}

/// Each has a message, and its places can be shown.
fn are_told(problems: &[Problem], bytes: &[u8]) {
    let text = core::str::from_utf8(bytes).ok();
    for problem in problems {
        assert!(!problem.message.is_empty(), "a problem without a message");
        for place in problem.place.iter().chain(problem.labels.iter().map(|label| &label.place)) {
            let (start, end) = (place.start as usize, place.end as usize);
            assert!(start <= end && end <= bytes.len(), "{problem:?}");
            assert!(text.is_none_or(|text| text.get(start..end).is_some()), "between two bytes: {problem:?}");
        }
    }
}

#[cfg(feature = "sim")]
pub use scenarios::{expectation_file, scenario_file};
#[cfg(feature = "trial")]
pub use trials::test_file;

/// What the examples name, and what a fuzzer makes of their names: one policy for all.
#[cfg(any(feature = "sim", feature = "trial"))]
const POLICY: &str = "version: 1
arrays:
  oslo: { hosts: [mln1, mln2, mln3, mln4], base: mln6, price: { host: 0.12, base: 0.03 } }
  amazon: { hosts: [m1-large], price: { host: 0.44, base: 0.44 }, speed: 2.28, relocation: 22m4s }
home: oslo
indicators: { slow_queries: { every: 60s, read: delta }, load: { every: 30s } }
windows: { working_hours: { days: Mon-Fri, hours: 09:00-16:00, zone: Europe/Oslo } }
rules:
  - { name: off-duty, when: outside working_hours, do: rest }
  - { name: overloaded, when: slow_queries > 50, tarry: 3, do: move }
  - { name: idle, when: load < 1, tarry: 20, do: move-to-base }
";

#[cfg(feature = "sim")]
mod scenarios {
    use super::{POLICY, TwoZones, are_told};
    use crate::file::expect::load_expectations;
    use crate::file::load;
    use crate::file::scenario::{self, Files, Recording};
    use crate::sim::scenario::Scenario;
    use crate::sim::world::{Options, run};
    use crate::time::{Span, Wall};
    use std::collections::BTreeSet;

    /// More of these would only take longer.
    const MOST_GUESTS: usize = 12;
    const MOST_STEPS: u64 = 60;

    /// A policy, a recording and a folder, whatever they are called; `no..` is not there.
    struct Shelf;

    impl Shelf {
        fn find<T>(path: &str, found: T) -> Result<T, String> {
            if path.starts_with("no") { Err("there is no such file".to_owned()) } else { Ok(found) }
        }
    }

    impl Files for Shelf {
        fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
            let text = if path.starts_with("day/") { "10\n90\n" } else { POLICY };
            Self::find(path, text.as_bytes().to_vec())
        }

        fn recording(&mut self, path: &str, _: Option<&str>) -> Result<Recording, String> {
            let rows = vec![(Wall(1_000), 5.0), (Wall(61_000), 70.0)];
            Self::find(path, Recording { rows, mended: vec!["one row is late".to_owned()] })
        }

        fn folder(&mut self, path: &str) -> Result<Vec<String>, String> {
            Self::find(path, vec!["a".to_owned(), "b c".to_owned()])
        }
    }

    /// Any bytes as a scenario file. What could be read is written as a file that says the same, and the first steps of a sound
    /// one can be run, under the checker.
    ///
    /// # Panics
    ///
    /// Where that is not so.
    pub fn scenario_file(bytes: &[u8]) {
        let parsed = scenario::parse(bytes);
        if parsed.problems.is_empty() {
            let text = parsed.file.to_yaml();
            let again = scenario::parse(text.as_bytes());
            assert!(again.problems.is_empty(), "what was written is wrong: {:?}\n{text}", again.problems);
            assert_eq!(again.file.to_yaml(), text, "what was written says something else");
        }
        match scenario::load(bytes, &TwoZones, &mut Shelf) {
            Ok(built) => {
                are_told(&built.warnings, bytes);
                built.policies.iter().for_each(|told| are_told(&told.problems, &told.text));
                begin(built.scenario);
            }
            Err(faulty) => {
                assert!(
                    !faulty.problems.is_empty() || !faulty.policies.is_empty(),
                    "refused without a reason"
                );
                are_told(&faulty.problems, bytes);
                faulty.policies.iter().for_each(|told| are_told(&told.problems, &told.text));
            }
        }
    }

    /// Runs the beginning of a small one: as long as nothing in it happens too often.
    fn begin(mut scenario: Scenario) {
        if scenario.guests.len() > MOST_GUESTS || !scenario.queues.is_empty() {
            return;
        }
        let polls = scenario.policies.iter().flat_map(|policy| policy.indicators().rows());
        let rankings = scenario.arrays.iter().filter_map(|array| array.provider.ranking);
        let spans = polls.map(|indicator| indicator.every).chain(rankings.map(|ranking| ranking.every));
        let often = spans.chain([scenario.step]).min().unwrap_or(scenario.step);
        let most = often.millis().saturating_mul(MOST_STEPS);
        scenario.lasts = scenario.lasts.min(Span::from_millis(most));
        scenario.faults.retain(|fault| fault.at <= scenario.lasts);
        if let Err(violated) = run(&scenario, Options::default(), &mut ()) {
            panic!("{violated}");
        }
    }

    /// Any bytes as an expectation file of some policy. No two of what was loaded have one name.
    ///
    /// # Panics
    ///
    /// Where that is not so.
    pub fn expectation_file(bytes: &[u8]) {
        let policy = load(POLICY.as_bytes(), &TwoZones).expect("it is sound").policy;
        match load_expectations(bytes, &policy) {
            Ok(expectations) => {
                assert!(!expectations.is_empty(), "nothing is expected");
                let names: BTreeSet<_> = expectations.iter().map(|one| &one.name).collect();
                assert_eq!(names.len(), expectations.len(), "two of one name");
                for one in &expectations {
                    assert!(!one.claim.shown(&policy).to_string().is_empty(), "it says nothing");
                }
            }
            Err(problems) => {
                assert!(!problems.is_empty(), "refused without a reason");
                are_told(&problems, bytes);
            }
        }
    }
}

#[cfg(feature = "trial")]
mod trials {
    use super::{POLICY, TwoZones, are_told};
    use crate::file::trial::load_trials;
    use crate::policy::Policy;
    use crate::trial::{Broken, Case, run};

    /// More would only take longer.
    const MOST_POLLS: u64 = 400;

    /// Any bytes as a test file. Each short test of a sound one can be run, under the checker; what it does the second time is
    /// what it did the first.
    ///
    /// # Panics
    ///
    /// Where that is not so.
    pub fn test_file(bytes: &[u8]) {
        let mut files = |path: &str| {
            if path.starts_with("no") {
                Err("there is no such file".to_owned())
            } else {
                Ok(POLICY.as_bytes().to_vec())
            }
        };
        match load_trials(bytes, &TwoZones, &mut files) {
            Ok(trials) => {
                for case in trials.cases.iter().filter(|case| is_short(case, &trials.policy)).take(4) {
                    match (run(&trials.policy, case), run(&trials.policy, case)) {
                        (Ok(one), Ok(other)) => {
                            assert_eq!(one.differences, other.differences);
                            assert_eq!(one.said, other.said);
                        }
                        (Err(Broken::TooLong { .. }), Err(_)) => {}
                        (one, _) => panic!("{one:?}"),
                    }
                }
            }
            Err(wrong) => {
                assert!(!wrong.problems.is_empty() || !wrong.policies.is_empty(), "refused without a reason");
                are_told(&wrong.problems, bytes);
                wrong.policies.iter().for_each(|policy| are_told(&policy.problems, &policy.text));
            }
        }
    }

    fn is_short(case: &Case, policy: &Policy) -> bool {
        let polls = policy.indicators().rows().iter().map(|indicator| indicator.every);
        polls.min().is_none_or(|often| case.lasts.millis() / often.millis().max(1) <= MOST_POLLS)
    }
}
