//! A test case as data.

use super::fact::Fact;
use super::pattern::Pattern;
use super::series::Series;
use crate::input::{Notice, Outcome};
use crate::leaf::window::Zone;
use crate::policy::{Place, Policy};
use crate::time::{Span, Wall};
use std::sync::Arc;

/// One test: what happens to a guest, and what it is expected to do. All spans count from the start.
#[derive(Clone, Debug)]
pub struct Case {
    /// Unique in its file.
    pub name: String,
    /// Where it stands in the file.
    pub place: Option<Place>,
    /// The wall clock at the start.
    pub start: Wall,
    /// By whose clock times are shown.
    pub zone: Zone,
    /// The host on which the guest starts.
    pub at: String,
    /// Whether the guest can look up where it is. If not, moves are believed.
    pub locates: bool,
    /// How long it lasts; what happens at the very end still belongs to it.
    pub lasts: Span,
    /// What the probes read, by indicator. One that is not here reads nothing.
    pub readings: Vec<(String, Series)>,
    /// What becomes of requests.
    pub answers: Answers,
    /// What happens, in the order of time.
    pub happenings: Vec<(Span, Happening)>,
    /// What is expected, as it was written.
    pub expectations: Vec<Expectation>,
    /// The events of which each one must be expected.
    pub complete: Vec<&'static str>,
}

/// What a provider makes of requests: of the first, the second and so on; the last answer stands for all that follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// To these hosts.
    pub hosts: Vec<(String, Vec<Answer>)>,
    /// To all others; none is as one that confirms at once.
    pub others: Vec<Answer>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { hosts: Vec::new(), others: vec![Answer::default()] }
    }
}

/// What becomes of a request. The guest moves where it is confirmed, and only there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the provider says.
    pub outcome: Outcome,
    /// How long after the asking.
    pub after: Span,
}

impl Default for Answer {
    fn default() -> Self {
        Self { outcome: Outcome::Confirmed, after: Span::ZERO }
    }
}

/// Something that happens to the guest.
#[derive(Clone, Debug)]
pub enum Happening {
    /// Somebody else moves it to this host; none is one that the policy does not list.
    MovedTo(Option<String>),
    /// The provider says something about a host, for so long or for a day.
    Notice {
        /// The host.
        host: String,
        /// What.
        notice: Notice,
        /// For how long; none for a day.
        lasts: Option<Span>,
    },
    /// The provider ranks the hosts of an array; no host withdraws the ranking.
    Ranking {
        /// The array.
        array: String,
        /// The best first.
        order: Vec<String>,
        /// For how long; none for a day.
        lasts: Option<Span>,
    },
    /// The policy file has changed.
    Reload(Arc<Policy>),
    /// The wall clock is set, by so many milliseconds.
    Clock(i64),
    /// The machine stands still for so long: its monotonic clock does, the wall clock does not.
    Pause(Span),
    /// The daemon is gone for so long and goes on with what it has saved.
    Restart(Span),
    /// A person says something.
    Operator(Told),
    /// Jobs come into a queue.
    Batch(Jobs),
}

/// What an operator can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Ask for nothing, for so long or until told otherwise.
    Hold(Option<Span>),
    /// Go on.
    Resume,
    /// Ask for a move to this host.
    MoveTo(String),
    /// Give up the open request.
    Abandon,
}

/// A batch of jobs that waits in a queue until the guest claims it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jobs {
    /// The queue.
    pub queue: String,
    /// How many of each class.
    pub classes: Vec<(String, u32)>,
    /// How many of no class.
    pub others: u32,
    /// How long each takes.
    pub each: Span,
}

/// A time, or a stretch of it, both ends included; counted from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// The beginning.
    pub from: Span,
    /// The end; the same as the beginning for a moment.
    pub to: Span,
}

impl When {
    /// Whether this moment lies in it.
    #[must_use]
    pub fn holds(&self, at: Span) -> bool {
        self.from <= at && at <= self.to
    }
}

/// Something that is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// When.
    pub when: When,
    /// What.
    pub want: Want,
    /// Where it stands in the file.
    pub place: Option<Place>,
}

/// What is expected.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// An event: one, at some moment of that time.
    Event(Pattern),
    /// None of these events in all that time; no pattern at all is none of those that must be complete, nor of the
    /// [decisive](super::DECISIVE) ones.
    Nothing(Vec<Pattern>),
    /// A state: throughout that time, as it is when all of a moment has happened.
    State(Vec<Fact>),
}
