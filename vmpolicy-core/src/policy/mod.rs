//! The policy as the engine runs it: sound by construction, with names turned into ids.
//!
//! A [`Policy`] comes out of [`PolicyFile::build`](crate::policy::PolicyFile::build) only, so nothing checks it again later.
//! It is data: it can be shared between a million guests, stored and compared.

mod action;
pub(crate) mod build;
mod condition;
mod consistent;
mod display;
pub mod error;
mod fingerprint;
mod grade;
pub mod lint;
mod source;
pub mod thesis;
pub(crate) mod units;

pub use crate::leaf::window::Pattern;
pub use action::{Action, Monitor};

pub use condition::{Compare, Condition};
pub use display::{Shown, ShownAction};
pub use error::{PolicyError, PolicyErrorKind};
pub use grade::Grades;
pub use source::{
    ActionForm, ArrayForm, ClassForm, ConditionForm, IndicatorForm, Located, MovesForm, Place, PolicyFile,
    PriceForm, QueueForm, RelocationForm, RuleForm, UtcOnly, WindowForm, Zones,
};

use crate::id::{ArrayId, HostId, IndicatorId, QueueId, RuleId, Table, WindowId};
use crate::leaf::sample::Read;
use crate::leaf::tarry::Tarry;
use crate::leaf::window::Window;
use crate::time::Span;

/// What a guest has decided about where it wants to be, ready to run.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Policy {
    pub(crate) guest: Option<String>,
    pub(crate) arrays: Table<ArrayId, Array>,
    pub(crate) hosts: Table<HostId, Host>,
    pub(crate) home: ArrayId,
    pub(crate) indicators: Table<IndicatorId, Indicator>,
    pub(crate) windows: Table<WindowId, NamedWindow>,
    pub(crate) queues: Table<QueueId, Queue>,
    pub(crate) rules: Table<RuleId, Rule>,
    pub(crate) moves: Moves,
}

/// An ordered list of hosts with shared storage (thesis 3.4.1), and what it costs.
///
/// The hosts of all arrays stand in one table: those of the ring of an array one after the other, in
/// their order of priority, then its base.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Array {
    /// The name in the file.
    pub name: String,
    /// The first host of the ring.
    pub first: HostId,
    /// How many hosts the ring has; at least one.
    pub ring_len: u16,
    /// The cheap host outside the ring, where there is one.
    pub base: Option<HostId>,
    /// What an hour costs, where it is known.
    pub price: Option<Price>,
    /// How fast jobs run here, home being 1 (thesis table 3.3: 71.09 / 31.21 = 2.28).
    pub speed: f64,
    /// T_M of equation 3.5: how long a relocation to this array or back takes, where it is known.
    pub relocation: Option<Span>,
}

/// Prices for an hour, in any one currency.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Price {
    /// C_a of the thesis: on a host of the ring.
    pub host: f64,
    /// C_b of the thesis: at the base.
    pub base: f64,
}

/// A machine that guests run on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Host {
    /// Its name, unique in the policy.
    pub name: String,
    /// The array that it belongs to.
    pub array: ArrayId,
    /// Whether it is the array's base.
    pub is_base: bool,
}

/// A named stream of samples.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Indicator {
    /// The name in the file.
    pub name: String,
    /// The polling interval; not zero.
    pub every: Span,
    /// How a reading becomes a sample.
    pub read: Read,
    /// How many Unknowns in a row leave the counters as they are.
    pub missing: u32,
    /// What a probe that ran out of time means.
    #[cfg_attr(feature = "serde", serde(default))]
    pub timeout: OnTimeout,
    /// What the numbers count in, such as `ms`; thresholds are in the same.
    pub unit: Option<String>,
}

/// What it means that the probe's own time limit ran out.
///
/// Where a service is watched through the service itself, as a web server by its status page, the probe waits
/// in the queue that it should tell of, and times out just when the guest should move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum OnTimeout {
    /// What any absence means: nobody knows.
    #[default]
    Unknown,
    /// In rules with the action `move` that what they wait for is so; in all others that nobody knows.
    Breach,
}

impl OnTimeout {
    /// The name in a policy file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Breach => "breach",
        }
    }
}

/// A window and its name.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NamedWindow {
    /// The name in the file.
    pub name: String,
    /// When it is open.
    pub window: Window,
}

/// A queue of jobs that come in batches (thesis 3.4.5).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Queue {
    /// The name in the file.
    pub name: String,
    /// How often an empty queue is asked for a batch.
    pub every: Span,
    /// The classes of jobs that the policy tells apart, in the order in which a batch counts them.
    pub classes: Vec<Class>,
}

/// A class of jobs.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Class {
    /// Its name or tag, such as `grade a`.
    pub name: String,
    /// How long one job takes at home, where that is known.
    pub takes: Option<Span>,
}

/// A condition, a tarry and an action.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rule {
    /// The name in the file, unique.
    pub name: String,
    /// When it is true.
    pub when: Condition,
    /// How long that must hold.
    pub tarry: Tarry,
    /// What to do then.
    pub action: Action,
    /// The indicators that the condition reads, as a set of their numbers.
    pub(crate) indicators: u64,
    /// The queue whose batches the condition reads.
    pub(crate) queue: Option<QueueId>,
}

impl Rule {
    /// Whether the condition reads nothing but the wall clock.
    #[must_use]
    pub fn is_clock_only(&self) -> bool {
        self.indicators == 0 && self.queue.is_none()
    }

    /// Whether the condition reads this indicator.
    #[must_use]
    pub fn reads(&self, indicator: IndicatorId) -> bool {
        self.indicators & (1 << indicator.0) != 0
    }
}

/// What holds for all moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Moves {
    /// The time after a move in which no sample counts.
    pub settle: Span,
    /// How long a request may stay open before the location is looked up.
    pub confirm_within: Span,
    /// The least time between two moves of one's own choosing.
    pub dwell: Span,
    /// The budget of requests.
    pub at_most: AtMost,
    /// What to do when every host was tried in vain.
    pub tour: Tour,
    /// How long a target is barred after its first failure; doubles with each further one.
    pub bar: Span,
    /// How long a guest stays put after its first tour in vain; doubles with each further one.
    pub tour_pause: Span,
    /// How often the location is looked up where there is a locator.
    pub locate_every: Span,
}

/// A budget: so many in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AtMost {
    /// How many; not zero, and at most 1,000.
    pub count: u32,
    /// In how long; not zero.
    pub per: Span,
}

/// What to do when every host of the ring was tried in vain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Tour {
    /// Stay put, with a pause that grows.
    #[default]
    Stop,
    /// Go round again, as the thesis's scripts did.
    KeepGoing,
}

impl Default for Moves {
    fn default() -> Self {
        Self {
            settle: Span::from_secs(45),
            confirm_within: Span::from_mins(10),
            dwell: Span::ZERO,
            at_most: AtMost { count: 12, per: Span::from_hours(1) },
            tour: Tour::Stop,
            bar: Span::from_mins(5),
            tour_pause: Span::from_mins(15),
            locate_every: Span::from_mins(1),
        }
    }
}

impl Policy {
    /// The guest's name, where the file gives one.
    #[must_use]
    pub fn guest(&self) -> Option<&str> {
        self.guest.as_deref()
    }

    /// All arrays.
    #[must_use]
    pub const fn arrays(&self) -> &Table<ArrayId, Array> {
        &self.arrays
    }

    /// All hosts, ring by ring, each with its base after it.
    #[must_use]
    pub const fn hosts(&self) -> &Table<HostId, Host> {
        &self.hosts
    }

    /// The array that the guest belongs to.
    #[must_use]
    pub const fn home(&self) -> ArrayId {
        self.home
    }

    /// All indicators; at most 64.
    #[must_use]
    pub const fn indicators(&self) -> &Table<IndicatorId, Indicator> {
        &self.indicators
    }

    /// All windows; at most 64.
    #[must_use]
    pub const fn windows(&self) -> &Table<WindowId, NamedWindow> {
        &self.windows
    }

    /// All queues; at most 64.
    #[must_use]
    pub const fn queues(&self) -> &Table<QueueId, Queue> {
        &self.queues
    }

    /// Whether a time-out of this indicator is a breach of this rule: where it is declared to be one, and the rule's
    /// action is `move`. It must never send a guest to rest, to its base or home.
    ///
    /// # Panics
    ///
    /// With an id that is not of this policy.
    #[must_use]
    pub fn breaks_on_timeout(&self, rule: RuleId, indicator: IndicatorId) -> bool {
        let (rule, timeout) = (&self.rules[rule], self.indicators[indicator].timeout);
        rule.action == Action::Move && timeout == OnTimeout::Breach && rule.reads(indicator)
    }

    /// All rules, in order of priority; at most 64.
    #[must_use]
    pub const fn rules(&self) -> &Table<RuleId, Rule> {
        &self.rules
    }

    /// What holds for all moves.
    #[must_use]
    pub const fn moves(&self) -> &Moves {
        &self.moves
    }

    /// The hosts of an array's ring, in their order.
    pub fn ring(
        &self,
        array: ArrayId,
    ) -> impl DoubleEndedIterator<Item = HostId> + ExactSizeIterator + use<> {
        let Array { first, ring_len, .. } = self.arrays[array];
        (first.0..first.0 + ring_len).map(HostId)
    }

    /// The host of this name.
    #[must_use]
    pub fn host_named(&self, name: &str) -> Option<HostId> {
        self.hosts.iter().find(|(_, host)| host.name == name).map(|(id, _)| id)
    }

    /// The array of this name.
    #[must_use]
    pub fn array_named(&self, name: &str) -> Option<ArrayId> {
        self.arrays.iter().find(|(_, array)| array.name == name).map(|(id, _)| id)
    }

    /// The indicator of this name.
    #[must_use]
    pub fn indicator_named(&self, name: &str) -> Option<IndicatorId> {
        self.indicators.iter().find(|(_, indicator)| indicator.name == name).map(|(id, _)| id)
    }

    /// The queue of this name.
    #[must_use]
    pub fn queue_named(&self, name: &str) -> Option<QueueId> {
        self.queues.iter().find(|(_, queue)| queue.name == name).map(|(id, _)| id)
    }

    /// The rule of this name.
    #[must_use]
    pub fn rule_named(&self, name: &str) -> Option<RuleId> {
        self.rules.iter().find(|(_, rule)| rule.name == name).map(|(id, _)| id)
    }
}
