//! What can be wrong with a policy that could be read: typed, with a code, a path and a place.

use super::{Place, units};
use crate::time::Span;
use core::fmt;

/// A kind of thing that a policy names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Noun {
    /// An array of hosts.
    Array,
    /// A host.
    Host,
    /// An indicator.
    Indicator,
    /// A window.
    Window,
    /// A job queue.
    Queue,
    /// A class of jobs in a queue.
    Class,
    /// A rule.
    Rule,
    /// The guest itself.
    Guest,
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Array => "array",
            Self::Host => "host",
            Self::Indicator => "indicator",
            Self::Window => "window",
            Self::Queue => "queue",
            Self::Class => "class",
            Self::Rule => "rule",
            Self::Guest => "guest",
        })
    }
}

impl Noun {
    /// More than one of them.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Array => "arrays",
            Self::Host => "hosts",
            Self::Indicator => "indicators",
            Self::Window => "windows",
            Self::Queue => "queues",
            Self::Class => "classes",
            Self::Rule => "rules",
            Self::Guest => "guests",
        }
    }
}

/// What is wrong. Each kind has a stable [code](Self::code).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyErrorKind {
    /// No array, so no host.
    #[error("there are no arrays, so there is no host to run on")]
    NoArrays,
    /// An array without hosts.
    #[error("the ring of array `{array}` is empty")]
    EmptyRing {
        /// The array.
        array: String,
    },
    /// A host that stands in the policy twice, in one array or in two.
    #[error("host `{host}` is listed twice")]
    DuplicateHost {
        /// The host.
        host: String,
    },
    /// A base that is a host of its own ring.
    #[error("base `{host}` is also in the ring of array `{array}`")]
    BaseInRing {
        /// The host.
        host: String,
        /// The array.
        array: String,
    },
    /// Two things of one kind with one name.
    #[error("there are two {} named `{name}`", what.plural())]
    DuplicateName {
        /// Which kind.
        what: Noun,
        /// The name.
        name: String,
    },
    /// A name that can't be one.
    #[error("`{}` can't be the name of {} {what}", name.escape_debug(), if matches!(what, Noun::Array | Noun::Indicator) { "an" } else { "a" })]
    BadName {
        /// Of what.
        what: Noun,
        /// The name.
        name: String,
    },
    /// More of a kind than there may be.
    #[error("{found} {}, where at most {most} are possible", what.plural())]
    TooMany {
        /// Which kind.
        what: Noun,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// A name that nothing has.
    #[error("there is no {what} named `{name}`")]
    Undefined {
        /// Which kind was expected.
        what: Noun,
        /// The name.
        name: String,
    },
    /// Several arrays, and nobody says which is home.
    #[error("there are {arrays} arrays, and `home` does not say which of them the guest belongs to")]
    NoHome {
        /// How many arrays.
        arrays: usize,
    },
    /// A span that must not be zero.
    #[error("`{key}` is zero")]
    ZeroSpan {
        /// The key.
        key: &'static str,
    },
    /// A tarry of nothing.
    #[error("a tarry of {tarry} waits for nothing")]
    ZeroTarry {
        /// As written.
        tarry: String,
    },
    /// `M of N` that can't be reached, or is too long.
    #[error("`{hits} of {last}` can't be: expected M of N with M no more than N, and N at most 64")]
    BadTarry {
        /// M.
        hits: u8,
        /// N.
        last: u8,
    },
    /// A budget of nothing, or of far too much.
    #[error("`{count} per {per}` is no budget: expected 1 to 1000 requests in a span longer than zero")]
    BadBudget {
        /// How many, as written.
        count: u32,
        /// In how long, as written.
        per: Span,
    },
    /// A threshold that is no finite number.
    #[error("{value} is no threshold: expected a finite number")]
    BadThreshold {
        /// As written.
        value: f64,
    },
    /// A price that is negative or no finite number.
    #[error("{value} is no price: expected a finite number, zero or more")]
    BadPrice {
        /// As written.
        value: f64,
    },
    /// A speed that is not above zero.
    #[error("{value} is no speed: expected a finite number above zero")]
    BadSpeed {
        /// As written.
        value: f64,
    },
    /// A size and a bandwidth that give no time.
    #[error(
        "copying {}at {bandwidth_bytes_per_s} bytes a second takes no time that can be told",
        if size_bytes.is_nan() { String::new() } else { format!("{size_bytes} bytes ") }
    )]
    BadRelocation {
        /// As written; no number, where it could not be read.
        size_bytes: f64,
        /// As written.
        bandwidth_bytes_per_s: f64,
    },
    /// A unit after a number, where the indicator has none.
    #[error("`{unit}` follows the number, but indicator `{indicator}` has no unit")]
    UnitOfNothing {
        /// The indicator.
        indicator: String,
        /// The unit.
        unit: String,
    },
    /// A unit that does not go with the indicator's.
    #[error("`{unit}` does not go with `{expected}`, the unit of indicator `{indicator}`")]
    WrongUnit {
        /// The indicator.
        indicator: String,
        /// The unit as written.
        unit: String,
        /// The indicator's unit.
        expected: String,
    },
    /// A zone that the zone database does not have.
    #[error("there is no time zone named `{zone}`")]
    UnknownZone {
        /// The name.
        zone: String,
    },
    /// A window that can't be.
    #[error("window `{window}`: {why}")]
    BadWindow {
        /// The window.
        window: String,
        /// What the window leaf says.
        why: String,
    },
    /// An action that goes to a base, where no array has one.
    #[error("`{action}` goes to a base, and no array has one")]
    NoBase {
        /// The action.
        action: &'static str,
    },
    /// An action between arrays, where there is one array.
    #[error("`{action}` moves between arrays, and home is the only one")]
    NoAway {
        /// The action.
        action: &'static str,
    },
    /// `move-from-home`, where there are several arrays to go to.
    #[error("`move-from-home` does not say to which of the {away} arrays away from home")]
    WhichAway {
        /// How many there are.
        away: usize,
    },
    /// An array that should be away from home and is home.
    #[error("`{array}` is home, where an array away from home is expected")]
    AwayIsHome {
        /// The array.
        array: String,
    },
    /// `all` or `any` of nothing.
    #[error("`{word}` is empty")]
    EmptyCondition {
        /// `all` or `any`.
        word: &'static str,
    },
    /// Conditions in conditions in conditions.
    #[error("a condition is nested more than {most} deep")]
    TooDeep {
        /// How deep it may be.
        most: usize,
    },
    /// A rule that reads more than one queue.
    #[error("the rule reads both queue `{first}` and queue `{second}`; a batch comes from one queue")]
    SeveralQueues {
        /// The queue read first.
        first: String,
        /// The other one.
        second: String,
    },
    /// `gain` needs to know how long each job takes.
    #[error("`gain` needs to know how long a job takes, and class `{class}` of queue `{queue}` does not say")]
    GainWithoutTime {
        /// The queue.
        queue: String,
        /// The class.
        class: String,
    },
    /// `gain` needs to know how long a relocation takes.
    #[error("`gain` needs to know how long a relocation takes, and array `{array}` has no `relocation`")]
    GainWithoutRelocation {
        /// The array.
        array: String,
    },
    /// A queue whose jobs nobody tells apart.
    #[error("`gain` adds up the jobs of queue `{queue}`, which has no classes")]
    GainWithoutClasses {
        /// The queue.
        queue: String,
    },
}

impl PolicyErrorKind {
    /// The stable code, explained in `docs/errors.md`. A code is never given to another kind.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoArrays => "VP0001",
            Self::EmptyRing { .. } => "VP0002",
            Self::DuplicateHost { .. } => "VP0003",
            Self::BaseInRing { .. } => "VP0004",
            Self::DuplicateName { .. } => "VP0005",
            Self::BadName { .. } => "VP0006",
            Self::TooMany { .. } => "VP0007",
            Self::Undefined { .. } => "VP0008",
            Self::NoHome { .. } => "VP0009",
            Self::ZeroSpan { .. } => "VP0010",
            Self::ZeroTarry { .. } => "VP0011",
            Self::BadTarry { .. } => "VP0012",
            Self::BadBudget { .. } => "VP0013",
            Self::BadThreshold { .. } => "VP0014",
            Self::BadPrice { .. } => "VP0015",
            Self::BadSpeed { .. } => "VP0016",
            Self::BadRelocation { .. } => "VP0017",
            Self::UnitOfNothing { .. } => "VP0018",
            Self::WrongUnit { .. } => "VP0019",
            Self::UnknownZone { .. } => "VP0020",
            Self::BadWindow { .. } => "VP0021",
            Self::NoBase { .. } => "VP0022",
            Self::NoAway { .. } => "VP0023",
            Self::WhichAway { .. } => "VP0024",
            Self::AwayIsHome { .. } => "VP0025",
            Self::EmptyCondition { .. } => "VP0026",
            Self::TooDeep { .. } => "VP0027",
            Self::SeveralQueues { .. } => "VP0028",
            Self::GainWithoutTime { .. } => "VP0029",
            Self::GainWithoutRelocation { .. } => "VP0030",
            Self::GainWithoutClasses { .. } => "VP0031",
        }
    }

    /// What to do about it, where that can be said without knowing the rest of the policy.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoArrays => "write `arrays: { NAME: { hosts: [HOST, ...] } }`",
            Self::EmptyRing { .. } => "list at least one host",
            Self::DuplicateHost { .. } => "host names are unique in a policy, bases included",
            Self::BaseInRing { .. } => "a base stands outside the ring: take it out of `hosts`",
            Self::DuplicateName { .. } => "give one of them another name",
            Self::BadName { .. } => {
                "names have 1 to 200 characters, no control characters and no space around them"
            }
            Self::NoHome { .. } => "add `home: ARRAY`",
            Self::ZeroSpan { key: "every" } => "say how often to ask, such as `60s`",
            Self::ZeroTarry { .. } => "leave `tarry` out to act on the first sample",
            Self::NoBase { .. } => "give an array a `base`, or choose another action",
            Self::NoAway { .. } => "add another array, or choose another action",
            Self::WhichAway { .. } => "write `{ move-from-home: ARRAY }`",
            Self::UnitOfNothing { unit, .. } => {
                return Some(format!(
                    "give the indicator a unit, such as `unit: {unit}`, or write the bare number"
                ));
            }
            Self::WrongUnit { expected, .. } => {
                let alike: Vec<String> = units::alike(expected).map(|unit| format!("`{unit}`")).collect();
                let none = alike.is_empty();
                return Some(if none {
                    format!("write `{expected}`")
                } else {
                    format!("units that go with it are {}", alike.join(", "))
                });
            }
            Self::UnknownZone { .. } => "zones are named as in the IANA database, such as `Europe/Oslo`",
            Self::GainWithoutTime { class, .. } => return Some(format!("write `\"{class}\": 71s`")),
            Self::GainWithoutRelocation { .. } => "add `relocation: 22m4s` to the array",
            Self::GainWithoutClasses { .. } => "list the queue's classes and how long a job of each takes",
            Self::SeveralQueues { .. } => "write one rule for each queue",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// A second place that helps to see what is wrong, such as the first of two definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What is there.
    pub text: String,
}

/// One error of a policy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{path}: {kind}")]
pub struct PolicyError {
    /// What is wrong.
    pub kind: PolicyErrorKind,
    /// Where it was written; nowhere, where a program made the policy.
    pub place: Option<Place>,
    /// The way to it from the top of the policy, such as `rules.overloaded.when`.
    pub path: String,
    /// Other places that matter.
    pub labels: Vec<Label>,
    /// A name that was perhaps meant.
    pub suggestion: Option<String>,
}

impl PolicyError {
    /// The stable code, such as `VP0008`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// What to do about it: the name that was perhaps meant, or advice.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match &self.suggestion {
            Some(name) => Some(format!("did you mean `{name}`?")),
            None => self.kind.hint(),
        }
    }
}

/// The known name nearest to this one, where one is near.
#[must_use]
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    // A third of the letters may be wrong: `tary` finds `tarry`, `cpu` does not find `gpu_load`.
    // Nothing of what was written must be left for a guess to be one.
    let letters = wanted.chars().count();
    let most = (letters / 3).max(1).min(letters.saturating_sub(1));
    known
        .into_iter()
        // Who has more names than this is not helped by one of them, and it takes time.
        .take(2_000)
        .filter(|candidate| *candidate != name)
        .map(|candidate| (distance(&wanted, &plain(candidate)), candidate))
        .filter(|&(far, _)| far <= most)
        .min_by_key(|&(far, _)| far)
        .map(|(_, candidate)| candidate)
}

#[cfg(feature = "file")]
fn distance(a: &str, b: &str) -> usize {
    strsim::damerau_levenshtein(a, b)
}

/// Without the feature `file` only spelling of case and dashes is forgiven.
#[cfg(not(feature = "file"))]
fn distance(a: &str, b: &str) -> usize {
    if a == b { 0 } else { usize::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_another_spelling_is_near() {
        assert_eq!(nearest("Slow-Queries", ["latency", "slow_queries"]), Some("slow_queries"));
        assert_eq!(nearest("x", ["latency", "slow_queries"]), None);
    }

    #[cfg(feature = "file")]
    #[test]
    fn a_name_with_a_slip_is_near() {
        assert_eq!(nearest("tary", ["when", "tarry", "do"]), Some("tarry"));
        assert_eq!(nearest("trary", ["when", "tarry", "do"]), Some("tarry"));
        assert_eq!(nearest("cpu", ["gpu_load"]), None);
        assert_eq!(nearest("%", ["s"]), None);
    }
}
