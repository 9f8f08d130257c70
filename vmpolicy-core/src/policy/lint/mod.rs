//! What is legal but unwise: static warnings about a sound policy.
//!
//! Each lint is a function in one table. They reason about comparisons of single indicators, classes and
//! gains as intervals of numbers, and about windows as open or not. What they don't see: how likely a
//! reading is, how two indicators go together, what a move does to a reading, and which batches come. So a
//! policy without a warning may still be unwise; that is what backtests and simulations are for.

mod boxes;
mod checks;

use super::error::{Label, Noun};
use super::{Place, Policy, PolicyFile};
use crate::id::{Id, RuleId};
use crate::time::Span;

/// What is unwise. Each kind has a stable [code](Self::code).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WarningKind {
    /// Two rules on one indicator want different things of one sample.
    #[error(
        "rules `{first}` and `{second}` can be true of the same sample of `{indicator}`, and want different things"
    )]
    BandsOverlap {
        /// The rule listed first.
        first: String,
        /// The other one.
        second: String,
        /// The indicator.
        indicator: String,
    },
    /// A guest that is blind for longer than it then waits.
    #[error(
        "the guest settles for {settle} after a move, longer than the {tarry} in which rule `{rule}` decides on the next one"
    )]
    SettleOverTarry {
        /// The rule.
        rule: String,
        /// The settling time.
        settle: Span,
        /// The time that the tarry takes.
        tarry: Span,
    },
    /// A base that saves nothing.
    #[error("the base of array `{array}` is no cheaper than its hosts: {base} against {host} an hour")]
    BaseNotCheaper {
        /// The array.
        array: String,
        /// C_b.
        base: f64,
        /// C_a.
        host: f64,
    },
    /// A window without edges.
    #[error("window `{window}` {}", if *open { "never closes" } else { "never opens" })]
    WindowStill {
        /// The window.
        window: String,
        /// What it is for good.
        open: bool,
    },
    /// A rule that can never act.
    #[error("rule `{rule}` can never act: {why}")]
    NeverActs {
        /// The rule.
        rule: String,
        /// Why not.
        why: Never,
    },
    /// Two rules, each of which undoes the other.
    #[error("rules `{first}` and `{second}` can be true at once, and each undoes what the other does")]
    Chase {
        /// The rule listed first.
        first: String,
        /// The other one.
        second: String,
    },
    /// Something that nothing reads.
    #[error("nothing reads {what} `{name}`")]
    Unused {
        /// What it is.
        what: Noun,
        /// Its name.
        name: String,
    },
    /// No rules.
    #[error(
        "there are no rules: the guest leaves its host only when that drains, or when an operator says so"
    )]
    NoRules,
    /// A rest that nothing ends.
    #[error(
        "rule `{rule}` rests on a batch of `{queue}`: no job runs at rest, so the batch stays and the rest does not end"
    )]
    RestOnBatch {
        /// The rule.
        rule: String,
        /// The queue.
        queue: String,
    },
    /// A time-out that is called a breach, where no rule goes by it.
    #[error(
        "`timeout: breach` of `{indicator}` changes nothing: no rule that reads it has the action `move`"
    )]
    TimeoutUnread {
        /// The indicator.
        indicator: String,
    },
    /// A time-out that is called a breach, and never comes.
    #[error(
        "`timeout: breach` of `{indicator}` changes nothing: {}",
        match limit {
            Some(limit) => format!("its probe may take {limit}, and after {every} it is late"),
            None => "its probe has no time limit of its own".to_owned(),
        }
    )]
    NeverTimesOut {
        /// The indicator.
        indicator: String,
        /// How long its probe may take, where anything ends it.
        limit: Option<Span>,
        /// Its polling interval.
        every: Span,
    },
    /// Jobs that nobody runs.
    #[error("nobody works at queue `{queue}`: it has a `source` and no `run`")]
    NotRun {
        /// The queue.
        queue: String,
    },
    /// Jobs that come from nowhere.
    #[error("no job ever comes to queue `{queue}`: it has a `run` and no `source`")]
    NoSource {
        /// The queue.
        queue: String,
    },
    /// Jobs whose output goes nowhere.
    #[error("what the jobs of queue `{queue}` print is lost, and so is what became of each")]
    OutputLost {
        /// The queue.
        queue: String,
    },
    /// A secret that whoever is on the way can read.
    #[error("a password or token goes to `{host}` in the clear")]
    InTheClear {
        /// The host.
        host: String,
    },
}

/// Why a rule never acts.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Never {
    /// Its condition is never true.
    #[error("nothing makes its condition true")]
    Contradiction,
    /// Another rule always comes first.
    #[error("whenever its condition holds, rule `{earlier}` comes first")]
    Shadowed {
        /// That rule.
        earlier: String,
    },
    /// Nowhere to go.
    #[error("no array has a second host in its ring")]
    RingOfOne,
    /// The guest is always there.
    #[error("there is no other host than its target")]
    OnlyPlace,
}

impl WarningKind {
    /// The stable code, explained in `docs/errors.md`. A code is never given to another kind.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BandsOverlap { .. } => "VW0001",
            Self::SettleOverTarry { .. } => "VW0002",
            Self::BaseNotCheaper { .. } => "VW0003",
            Self::WindowStill { .. } => "VW0004",
            Self::NeverActs { .. } => "VW0005",
            Self::Chase { .. } => "VW0006",
            Self::Unused { .. } => "VW0007",
            Self::NoRules => "VW0008",
            Self::RestOnBatch { .. } => "VW0009",
            Self::TimeoutUnread { .. } => "VW0010",
            Self::NeverTimesOut { .. } => "VW0011",
            Self::NotRun { .. } => "VW0012",
            Self::NoSource { .. } => "VW0013",
            Self::OutputLost { .. } => "VW0014",
            Self::InTheClear { .. } => "VW0015",
        }
    }
}

/// One warning about a policy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{path}: {kind}")]
pub struct Warning {
    /// What is unwise.
    pub kind: WarningKind,
    /// Where it was written; nowhere, where a program made the policy.
    pub place: Option<Place>,
    /// The way to it from the top of the policy.
    pub path: String,
    /// Other places that matter.
    pub labels: Vec<Label>,
}

impl Warning {
    /// The stable code, such as `VW0001`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.kind {
            WarningKind::BandsOverlap { .. } => "part the thresholds, so that no sample is in both bands",
            WarningKind::SettleOverTarry { .. } => "shorten `settle`, or lengthen the tarry",
            WarningKind::BaseNotCheaper { .. } => "a base pays where C_b < C_a (equation 3.1)",
            WarningKind::WindowStill { .. } => "leave the window out of the condition, or give it hours",
            WarningKind::NeverActs { why: Never::Shadowed { .. }, .. } => "put the narrower rule first",
            WarningKind::RestOnBatch { .. } => "`move-to-base` goes there and works on",
            WarningKind::TimeoutUnread { .. } => {
                "a time-out never sends a guest to rest, to its base or home; leave the key out"
            }
            WarningKind::NeverTimesOut { limit: Some(_), .. } => {
                "give the probe a `timeout` shorter than `every`"
            }
            WarningKind::NeverTimesOut { limit: None, .. } => "leave the key out",
            WarningKind::Chase { .. } => "make the conditions exclude each other",
            WarningKind::NotRun { .. } => "say how: `run: { argv: [PROGRAM, \"{job}\"], output: DIR }`",
            WarningKind::NoSource { .. } => "say where from: `source: { directory: PATH }`",
            WarningKind::InTheClear { .. } => "say `tls: true`, or `https://`",
            WarningKind::OutputLost { .. } => {
                "give `run` an `output`: a folder that is kept when the guest leaves the site"
            }
            WarningKind::NeverActs { .. } | WarningKind::Unused { .. } | WarningKind::NoRules => return None,
        };
        Some(hint.to_owned())
    }
}

/// What every lint is given.
struct Lint<'a> {
    file: &'a PolicyFile,
    policy: &'a Policy,
    facts: boxes::Facts<'a>,
    truths: boxes::Truths,
    warnings: Vec<Warning>,
}

impl Lint<'_> {
    fn warn(&mut self, kind: WarningKind, place: Option<Place>, path: String) -> &mut Warning {
        self.warnings.push(Warning { kind, place, path, labels: Vec::new() });
        let last = self.warnings.len() - 1;
        &mut self.warnings[last]
    }

    /// Warns of a rule, at its name.
    fn warn_of(&mut self, rule: RuleId, kind: WarningKind) -> &mut Warning {
        let place = self.file.rules.get(rule.index()).and_then(|form| form.name.place);
        let path = format!("rules.{}", self.policy.rules[rule].name);
        self.warn(kind, place, path)
    }

    /// Warns of the second of two rules, and points to the first.
    fn warn_of_two(&mut self, first: RuleId, second: RuleId, kind: WarningKind) {
        let place = self.file.rules.get(first.index()).and_then(|form| form.when.place);
        let label = place.map(|place| Label { place, text: "the other rule".to_owned() });
        let second_when = self.file.rules.get(second.index()).and_then(|form| form.when.place);
        let warning = self.warn_of(second, kind);
        warning.labels.extend(label);
        warning.place = second_when.or(warning.place);
    }
}

type Check = fn(&mut Lint<'_>);

/// All lints: the name, the code of what it finds, and the function.
const LINTS: &[(&str, &str, Check)] = &[
    ("bands-overlap", "VW0001", checks::bands_overlap),
    ("settle-over-tarry", "VW0002", checks::settle_over_tarry),
    ("base-not-cheaper", "VW0003", checks::base_not_cheaper),
    ("window-still", "VW0004", checks::window_still),
    ("never-acts", "VW0005", checks::never_acts),
    ("chase", "VW0006", checks::chase),
    ("unused", "VW0007", checks::unused),
    ("no-rules", "VW0008", checks::no_rules),
    ("rest-on-batch", "VW0009", checks::rest_on_batch),
    ("timeout-unread", "VW0010", checks::timeout_unread),
];

/// The names of all lints, each with the code of its warnings.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    LINTS.iter().map(|&(name, code, _)| (name, code))
}

/// All warnings about a policy, in the order of the file it came from.
///
/// `file` gives the places; it must be the one that `policy` was built from.
#[must_use]
pub fn lint(file: &PolicyFile, policy: &Policy) -> Vec<Warning> {
    let facts = boxes::Facts::of(policy);
    let truths = facts.truths();
    let mut lint = Lint { file, policy, facts, truths, warnings: Vec::new() };
    for (_, code, check) in LINTS {
        let before = lint.warnings.len();
        check(&mut lint);
        debug_assert!(
            lint.warnings[before..].iter().all(|warning| warning.code() == *code),
            "the table of lints"
        );
    }
    lint.warnings.sort_by_key(|warning| warning.place.map(|place| place.start));
    lint.warnings
}
