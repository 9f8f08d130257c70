//! What is run beside each other: the scenario as it is written, and the conventional case.

use crate::trace::nearest;
use vmpolicy_core::sim::scenario::{Management, ManagerKind, Scenario};
use vmpolicy_core::sim::world::Deciding;

/// Who decides where guests run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Whoever the scenario says.
    Own,
    /// Nobody.
    Nobody,
    /// The infrastructure.
    Manager(ManagerKind),
}

impl Case {
    /// Its name on the command line and in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Nobody => "none",
            Self::Manager(kind) => kind.name(),
        }
    }

    /// What that is, in a few words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Own => "the scenario as it is written: guests decide by their policies",
            Self::Nobody => "nobody moves a guest; drains and crashes still do",
            Self::Manager(ManagerKind::ThrMmt) => "the infrastructure empties hosts above a fixed share",
            Self::Manager(ManagerKind::IqrMmt) => {
                "the infrastructure empties hosts above a share that follows the interquartile range"
            }
            Self::Manager(ManagerKind::MadMmt) => {
                "the infrastructure empties hosts above a share that follows the median absolute deviation"
            }
        }
    }

    pub(super) fn deciding(self, scenario: &Scenario) -> Deciding {
        match self {
            Self::Own => Deciding::AsWritten,
            Self::Nobody => Deciding::Nobody,
            Self::Manager(kind) => {
                let every = scenario.management.map_or(Management::EVERY, |written| written.every);
                Deciding::Infrastructure(Management { kind, every })
            }
        }
    }
}

/// The scenario as it is written first, then the others, each once.
pub(super) fn with_own(compare: &[Case]) -> Vec<Case> {
    let mut cases = vec![Case::Own];
    for &case in compare {
        if !cases.contains(&case) {
            cases.push(case);
        }
    }
    cases
}

/// The one of this name.
pub(super) fn named(name: &str) -> Result<Case, String> {
    let managers = ManagerKind::ALL.map(Case::Manager);
    let all: Vec<_> = [Case::Own, Case::Nobody].into_iter().chain(managers).collect();
    if let Some(case) = all.iter().find(|case| case.name() == name) {
        return Ok(*case);
    }
    let names: Vec<_> = all.iter().map(|case| case.name().to_owned()).collect();
    Err(match nearest(name, &names) {
        Some(near) => format!("there is no `{name}`; did you mean `{near}`?"),
        None => format!("there are {}", names.join(", ")),
    })
}
