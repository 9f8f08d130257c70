//! What can be wrong with a scenario that could be read, and what is only unwise: typed, with codes.

use super::super::problem::{Problem, Severity};
use crate::policy::{Place, PolicyErrorKind};

/// What is wrong with a scenario. Each kind has a stable [code](Self::code), explained in `docs/errors.md`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioErrorKind {
    /// `host[5-1]`
    #[error("`{text}` is no range of names: {why}")]
    BadRange {
        /// As written.
        text: String,
        /// Why not.
        why: &'static str,
    },
    /// A number that can't be.
    #[error("`{key}` can't be {found}: expected {expected}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// The number.
        found: String,
        /// Which numbers can.
        expected: &'static str,
    },
    /// A text that is no date and time.
    #[error("`{text}` is no date and time")]
    BadStart {
        /// As written.
        text: String,
    },
    /// A file or folder that can't be read.
    #[error("`{path}` can't be read: {why}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        why: String,
    },
    /// A recording that makes no load.
    #[error("`{path}` makes no load: {why}")]
    BadRecording {
        /// The path.
        path: String,
        /// Why.
        why: String,
    },
    /// A load that can't be.
    #[error("{why}")]
    BadLoad {
        /// What the load says.
        why: String,
    },
    /// A service that can't be.
    #[error("{why}")]
    BadService {
        /// What the service says.
        why: String,
    },
    /// A policy that names what the scenario does not have.
    #[error("the policy's {what} `{name}` is not in the scenario")]
    NotInScenario {
        /// `array`, or `host`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A policy whose host stands in another array.
    #[error("the policy has host `{host}` in array `{policy}`, the scenario in `{scenario}`")]
    OtherArray {
        /// The host.
        host: String,
        /// Its array in the policy.
        policy: String,
        /// Its array in the scenario.
        scenario: String,
    },
    /// `feeds` names a gauge that the service does not have.
    #[error("the service has no gauge `{gauge}`")]
    NoGauge {
        /// The gauge.
        gauge: String,
    },
    /// Something happens to the policy of a guest that has none.
    #[error("guest `{guest}` has no policy")]
    NoPolicy {
        /// The guest.
        guest: String,
    },
    /// A key that says nothing beside another one.
    #[error("`{key}` does not go with `{with}`")]
    Misplaced {
        /// The key.
        key: &'static str,
        /// What it stands beside.
        with: &'static str,
    },
    /// `spread` where there are several arrays.
    #[error("there are {arrays} arrays, and `spread` does not say over which")]
    WhichArray {
        /// How many.
        arrays: usize,
    },
    /// A machine whose power nobody knows.
    #[error("the power of `{model}` is not known")]
    NoModel {
        /// As written.
        model: String,
    },
    /// More than a simulation can be asked for.
    #[error("more than {most} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// A fault of nothing in particular.
    #[error("it does not say what happens")]
    NothingHappens,
}

impl ScenarioErrorKind {
    /// The stable code. A code is never given to another kind.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadRange { .. } => "VS0001",
            Self::BadValue { .. } => "VS0002",
            Self::BadStart { .. } => "VS0003",
            Self::Unreadable { .. } => "VS0004",
            Self::BadRecording { .. } => "VS0005",
            Self::BadLoad { .. } => "VS0006",
            Self::BadService { .. } => "VS0007",
            Self::NotInScenario { .. } => "VS0008",
            Self::OtherArray { .. } => "VS0009",
            Self::NoGauge { .. } => "VS0010",
            Self::NoPolicy { .. } => "VS0011",
            Self::Misplaced { .. } => "VS0012",
            Self::WhichArray { .. } => "VS0013",
            Self::NoModel { .. } => "VS0014",
            Self::TooMuch { .. } => "VS0015",
            Self::NothingHappens => "VS0016",
        }
    }

    pub(super) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::BadRange { .. } => "write such as `host[1-800]` or `host[001-800]`",
            Self::BadStart { .. } => "write such as `2009-05-06T14:00`, or `2009-05-06T12:00:00Z`",
            Self::NoPolicy { .. } => "give it a `policy`, or leave it out",
            Self::WhichArray { .. } => "write `{ spread: ARRAY }`",
            Self::Unreadable { .. } => "paths go from the folder of the scenario file",
            Self::TooMuch { what: "steps", .. } => "make `step` longer, or `lasts` shorter",
            Self::NoModel { .. } => {
                "the known ones are `hp-ml110-g4` and `hp-ml110-g5`; write `{ idle: W, full: W }` for others"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// What is legal in a scenario, but perhaps not what was meant.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioWarningKind {
    /// An indicator that reads nothing.
    #[error("nothing feeds indicator `{indicator}` of guest `{guest}`")]
    NotFed {
        /// The indicator.
        indicator: String,
        /// The guest.
        guest: String,
    },
    /// A queue without jobs.
    #[error("nothing feeds queue `{queue}` of guest `{guest}`")]
    QueueNotFed {
        /// The queue.
        queue: String,
        /// The guest.
        guest: String,
    },
    /// A class that only one of them knows.
    #[error("the jobs have no class `{class}`, which queue `{queue}` of the policy counts")]
    NoSuchClass {
        /// The class.
        class: String,
        /// The queue.
        queue: String,
    },
    /// A fault that comes too late.
    #[error("it happens at {at}, and the scenario lasts {lasts}")]
    AfterTheEnd {
        /// When.
        at: crate::time::Span,
        /// How long the scenario is.
        lasts: crate::time::Span,
    },
    /// Policy and scenario have other bases.
    #[error("the base of array `{array}` is {policy} in the policy, and {scenario} in the scenario")]
    OtherBase {
        /// The array.
        array: String,
        /// In the policy.
        policy: String,
        /// In the scenario.
        scenario: String,
    },
    /// Policy and scenario have other prices.
    #[error("the price of `{host}` is {policy} in the policy, and {scenario} in the scenario, which counts")]
    OtherPrice {
        /// The host.
        host: String,
        /// In the policy.
        policy: f64,
        /// In the scenario.
        scenario: f64,
    },
    /// A guest that starts where its policy knows nothing of.
    #[error("guest `{guest}` starts on `{host}`, which its policy does not list")]
    StartsElsewhere {
        /// The guest.
        guest: String,
        /// The host.
        host: String,
    },
    /// More memory than a host has.
    #[error("the guests that start on `{host}` have more memory than it has")]
    Overfull {
        /// The host.
        host: String,
    },
    /// Nobody runs there.
    #[error("there are no guests")]
    NoGuests,
    /// A recording that was mended when it was read.
    #[error("`{path}`: {what}")]
    Mended {
        /// The path.
        path: String,
        /// What was mended.
        what: String,
    },
}

impl ScenarioWarningKind {
    /// The stable code. A code is never given to another kind.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFed { .. } => "VS0101",
            Self::QueueNotFed { .. } => "VS0102",
            Self::NoSuchClass { .. } => "VS0103",
            Self::AfterTheEnd { .. } => "VS0104",
            Self::OtherBase { .. } => "VS0105",
            Self::OtherPrice { .. } => "VS0106",
            Self::StartsElsewhere { .. } => "VS0107",
            Self::Overfull { .. } => "VS0108",
            Self::NoGuests => "VS0109",
            Self::Mended { .. } => "VS0110",
        }
    }
}

fn told(
    (code, severity): (&'static str, Severity),
    message: String,
    place: Option<Place>,
    path: String,
    hint: Option<String>,
) -> Problem {
    Problem { code, severity, message, place, path, labels: Vec::new(), hint }
}

pub(super) fn error(kind: &ScenarioErrorKind, place: Option<Place>, path: String) -> Problem {
    told((kind.code(), Severity::Error), kind.to_string(), place, path, kind.hint())
}

pub(super) fn warning(kind: &ScenarioWarningKind, place: Option<Place>, path: String) -> Problem {
    told((kind.code(), Severity::Warning), kind.to_string(), place, path, None)
}

/// What a policy can have wrong, too: an undefined name, a duplicate one, a span of nothing.
pub(super) fn of_policy(kind: &PolicyErrorKind, place: Option<Place>, path: String) -> Problem {
    told((kind.code(), Severity::Error), kind.to_string(), place, path, kind.hint())
}
