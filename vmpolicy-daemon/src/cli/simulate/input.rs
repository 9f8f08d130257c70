//! The scenario file and the files that it names, read and judged.

use super::case::Case;
use super::files::Folder;
use crate::cli::Exit;
use crate::cli::check::{many, shown};
use crate::cli::diagnostics::Text;
use crate::cli::given::{bytes, draw};
use crate::cli::terminal::complain;
use crate::zones::SystemZones;
use std::path::{Path, PathBuf};
use vmpolicy_core::file::scenario::{Built, Faulty, Told, load};
use vmpolicy_core::file::{FileKind, Problem, load as load_policy};
use vmpolicy_core::sim::scenario::Scenario;
use vmpolicy_core::sim::world::Violated;

/// What is to be run.
#[derive(Debug)]
pub(super) struct Input {
    /// The file, as it was named.
    pub file: String,
    pub scenario: Scenario,
    /// What is legal but unwise.
    pub warnings: Vec<String>,
    /// The zones that it asked for.
    pub zones: SystemZones,
    /// The files that it names.
    pub files: Vec<PathBuf>,
}

impl Input {
    /// Reads it. What is wrong is said.
    pub(super) fn read(path: &Path) -> Result<Self, Exit> {
        let file = shown(path);
        let bytes = bytes(path)?;
        let zones = SystemZones::default();
        if FileKind::of(&bytes) != FileKind::Scenario && load_policy(&bytes, &zones).is_ok() {
            complain(&format!(
                "{file}: this is a policy, and a scenario is wanted: a world of hosts and guests that says how long it \
                 `lasts`; `vmpolicy backtest {file} --trace FILE` tries a policy on a recording"
            ));
            return Err(Exit::No);
        }
        let looked = Looked::at(&bytes, path, &zones);
        let Some(scenario) = looked.scenario else {
            let mut errors = looked.problems.len();
            draw(&Text::new(&file, &bytes), &looked.problems);
            for told in &looked.policies {
                draw(&Text::new(&told.path, &told.text), &told.problems);
                errors += told.problems.len();
            }
            complain(&format!("{file}: {}", many(errors, "error")));
            return Err(Exit::No);
        };
        let warnings =
            looked.problems.iter().map(|problem| format!("warning[{}]: {}", problem.code, problem.message));
        let warnings: Vec<_> = warnings.collect();
        for warning in &warnings {
            complain(&format!("{file}: {warning}"));
        }
        Ok(Self { file, scenario, warnings, zones, files: looked.files })
    }

    /// What must never happen has: in words, with what it takes to see it again.
    pub(super) fn violation(&self, case: Case, violated: &Violated) -> String {
        let Violated { guest, violation } = violated;
        let compared = if case == Case::Own { "" } else { " --compare " };
        let name = if case == Case::Own { "" } else { case.name() };
        format!(
            "{}: guest `{guest}` at {}, in its step {}: `{}` is broken ({}): {}\nThis is a fault of vmpolicy, not of the scenario or its policies. \
             To see it again: vmpolicy simulate {} --seed {}{compared}{name}",
            self.file,
            violation.now.wall,
            violation.step,
            violation.invariant,
            violation.source_of_it,
            violation.what,
            self.file,
            self.scenario.seed,
        )
    }
}

/// A scenario file that was looked at.
pub(in crate::cli) struct Looked {
    /// None where there are errors.
    pub scenario: Option<Scenario>,
    /// Of the scenario file: its errors, or else its warnings.
    pub problems: Vec<Problem>,
    /// The same of each policy file that it names; paths are from where the program runs.
    pub policies: Vec<Told>,
    /// Every file that it names.
    pub files: Vec<PathBuf>,
}

impl Looked {
    /// Judges the scenario in this file, and the files that it names.
    pub(in crate::cli) fn at(bytes: &[u8], path: &Path, zones: &SystemZones) -> Self {
        let mut folder = Folder::of(path);
        let (scenario, problems, policies) = match load(bytes, zones, &mut folder) {
            Ok(Built { scenario, warnings, policies }) => (Some(scenario), warnings, policies),
            Err(Faulty { problems, policies }) => (None, problems, policies),
        };
        let from_here = |told: Told| Told { path: shown(&folder.path(&told.path)), ..told };
        let policies = policies.into_iter().map(from_here).collect();
        Self { scenario, problems, policies, files: folder.asked() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmpolicy_core::checker::Violation;
    use vmpolicy_core::file::scenario::NoFiles;
    use vmpolicy_core::time::{Mono, Now, Wall};

    const SCENARIO: &str =
        "version: 1\nlasts: 1h\narrays: { oslo: { hosts: [mln1] } }\nguests: { nii1: {} }\n";

    #[test]
    fn a_violation_says_whose_fault_it_is_and_how_to_see_it_again() {
        let loaded = load(SCENARIO.as_bytes(), &SystemZones::default(), &mut NoFiles);
        let scenario = loaded.map_err(|faulty| faulty.problems).unwrap().scenario;
        let input = Input {
            file: "world.yaml".to_owned(),
            scenario,
            warnings: Vec::new(),
            zones: SystemZones::default(),
            files: Vec::new(),
        };
        let violation = Violation {
            invariant: "one request is open at a time",
            source_of_it: "contract 3.5",
            step: 12,
            now: Now { mono: Mono(60_000), wall: Wall::from_secs(1_241_568_060) },
            what: "request 2 while 1 is open".to_owned(),
        };
        let violated = Violated { guest: "nii1".to_owned(), violation };
        insta::assert_snapshot!(input.violation(Case::Nobody, &violated));
    }
}
