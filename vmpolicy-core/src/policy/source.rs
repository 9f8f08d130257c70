//! `PolicyFile`: what was written, with its place in the file, before anyone judged it.
//!
//! It is made by the YAML reader (feature `file`), by the constructors of the thesis's policies, or by
//! hand. [`PolicyFile::build`] turns it into a [`Policy`](super::Policy) or into all of its errors.

use super::{AtMost, Compare, Monitor, OnTimeout, Tour};
use crate::leaf::sample::Read;
use crate::leaf::tarry::Tarry;
use crate::leaf::window::{Pattern, Zone};
use crate::time::Span;

/// A stretch of the file, in bytes from its start; the end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Place {
    /// Where it starts.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
}

/// A value and where it was written; nowhere, where a program made it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Option<Place>,
}

impl<T> Located<T> {
    /// A value that a program made.
    pub const fn made(value: T) -> Self {
        Self { value, place: None }
    }

    /// A value that was written there.
    pub const fn at(value: T, place: Place) -> Self {
        Self { value, place: Some(place) }
    }
}

impl<T> From<T> for Located<T> {
    fn from(value: T) -> Self {
        Self::made(value)
    }
}

/// A whole policy as written. Order matters for `rules` and for the hosts of an array.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyFile {
    /// `guest:`
    pub guest: Option<Located<String>>,
    /// `arrays:`
    pub arrays: Vec<ArrayForm>,
    /// `home:`
    pub home: Option<Located<String>>,
    /// `indicators:`
    pub indicators: Vec<IndicatorForm>,
    /// `windows:`
    pub windows: Vec<WindowForm>,
    /// `queues:`
    pub queues: Vec<QueueForm>,
    /// `rules:`
    pub rules: Vec<RuleForm>,
    /// `moves:`
    pub moves: MovesForm,
}

/// `NAME: { hosts: [...], base: HOST, price: {...}, speed: N, relocation: ... }`
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayForm {
    /// Its name.
    pub name: Located<String>,
    /// The ring.
    pub hosts: Located<Vec<Located<String>>>,
    /// The base.
    pub base: Option<Located<String>>,
    /// Prices per hour.
    pub price: Option<Located<PriceForm>>,
    /// How fast jobs run here, home being 1.
    pub speed: Option<Located<f64>>,
    /// How long a relocation takes.
    pub relocation: Option<Located<RelocationForm>>,
}

/// `{ host: 0.12, base: 0.03 }`
#[derive(Clone, Debug, PartialEq)]
pub struct PriceForm {
    /// On a host of the ring.
    pub host: Located<f64>,
    /// At the base.
    pub base: Option<Located<f64>>,
}

/// `22m4s`, or `{ size: 4GiB, bandwidth: 3MiB }` (bandwidth per second).
#[derive(Clone, Debug, PartialEq)]
pub enum RelocationForm {
    /// A span that was measured.
    Takes(Span),
    /// T_M grows with the size and falls with the bandwidth (thesis 3.5).
    Copy {
        /// Bytes to copy.
        size_bytes: f64,
        /// Bytes per second.
        bandwidth_bytes_per_s: f64,
    },
}

/// `NAME: { probe: ..., every: 60s, read: delta, missing: 0, timeout: breach, unit: ms }`; the probe is the shell's.
#[derive(Clone, Debug, PartialEq)]
pub struct IndicatorForm {
    /// Its name.
    pub name: Located<String>,
    /// The polling interval.
    pub every: Located<Span>,
    /// How readings become samples.
    pub read: Read,
    /// How many Unknowns in a row leave the counters as they are.
    pub missing: u32,
    /// What a probe that ran out of time means.
    pub timeout: Option<Located<OnTimeout>>,
    /// The unit of its numbers.
    pub unit: Option<Located<String>>,
}

/// `NAME: { days: Mon-Fri, hours: 09:00-16:00, zone: Europe/Oslo }`
#[derive(Clone, Debug, PartialEq)]
pub struct WindowForm {
    /// Its name.
    pub name: Located<String>,
    /// When it is open.
    pub pattern: Located<Pattern>,
    /// The zone's name.
    pub zone: Located<String>,
}

/// `NAME: { every: 120s, classes: { grade a: 71s, grade b: {} } }`; the source is the shell's.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueForm {
    /// Its name.
    pub name: Located<String>,
    /// How often an empty queue is asked.
    pub every: Located<Span>,
    /// The classes that are told apart.
    pub classes: Vec<ClassForm>,
}

/// A class of jobs and how long one takes at home.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassForm {
    /// Its name.
    pub name: Located<String>,
    /// How long one job takes at home.
    pub takes: Option<Located<Span>>,
}

/// `{ name: N, when: ..., tarry: ..., do: ... }`
#[derive(Clone, Debug, PartialEq)]
pub struct RuleForm {
    /// Its name.
    pub name: Located<String>,
    /// The condition.
    pub when: Located<ConditionForm>,
    /// The tarry.
    pub tarry: Option<Located<Tarry>>,
    /// The action.
    pub action: Located<ActionForm>,
}

/// A condition with its names still names.
#[derive(Clone, Debug, PartialEq)]
pub enum ConditionForm {
    /// `INDICATOR > N`
    Indicator {
        /// The indicator's name.
        indicator: Located<String>,
        /// The sign.
        compare: Compare,
        /// The threshold as written.
        threshold: Located<f64>,
        /// The unit that follows the number, where one does.
        unit: Option<Located<String>>,
    },
    /// `inside WINDOW`, `outside WINDOW`
    Window {
        /// The window's name.
        window: Located<String>,
        /// Which of the two.
        inside: bool,
    },
    /// `count(QUEUE, "CLASS") >= N`
    Count {
        /// The queue's name.
        queue: Located<String>,
        /// The class's name.
        class: Located<String>,
        /// The sign.
        compare: Compare,
        /// The threshold.
        threshold: Located<f64>,
    },
    /// `gain(QUEUE, ARRAY) >= R`
    Gain {
        /// The queue's name.
        queue: Located<String>,
        /// The array's name.
        array: Located<String>,
        /// The sign.
        compare: Compare,
        /// The threshold.
        threshold: Located<f64>,
    },
    /// `{ all: [...] }`
    All(Vec<Located<ConditionForm>>),
    /// `{ any: [...] }`
    Any(Vec<Located<ConditionForm>>),
    /// `{ not: ... }`
    Not(Box<Located<ConditionForm>>),
}

/// An action with its names still names.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionForm {
    /// `move`
    Move,
    /// `move-up`
    MoveUp,
    /// `move-down`
    MoveDown,
    /// `move-to-base`
    MoveToBase,
    /// `rest`, `{ rest: { monitor: true } }`
    Rest(Monitor),
    /// `move-from-home`, `{ move-from-home: ARRAY }`
    MoveFromHome(Option<Located<String>>),
    /// `move-to-home`
    MoveToHome,
    /// `{ move-to: HOST }`
    MoveTo(Located<String>),
}

/// `moves:`; what is left out has its default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MovesForm {
    /// `settle:`
    pub settle: Option<Located<Span>>,
    /// `confirm_within:`
    pub confirm_within: Option<Located<Span>>,
    /// `dwell:`
    pub dwell: Option<Located<Span>>,
    /// `at_most:`
    pub at_most: Option<Located<AtMost>>,
    /// `tour:`
    pub tour: Option<Located<Tour>>,
    /// `bar:`
    pub bar: Option<Located<Span>>,
    /// `tour_pause:`
    pub tour_pause: Option<Located<Span>>,
    /// `locate_every:`
    pub locate_every: Option<Located<Span>>,
}

/// Where zones come from: the shell has the tables, the core asks by name.
pub trait Zones {
    /// The zone of this name, where there is one.
    fn zone(&self, name: &str) -> Option<Zone>;

    /// Names to choose a "did you mean" from; may be empty.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The one zone that needs no table, for policies whose windows are in UTC, or that have none.
#[derive(Clone, Copy, Debug, Default)]
pub struct UtcOnly;

impl Zones for UtcOnly {
    fn zone(&self, name: &str) -> Option<Zone> {
        (name == "UTC").then(Zone::utc)
    }

    fn names(&self) -> Vec<String> {
        vec!["UTC".to_owned()]
    }
}
