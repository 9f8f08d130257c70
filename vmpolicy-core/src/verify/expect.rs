//! What a user expects of a policy in every world, as data.
//!
//! Some expectations forbid something, and are judged at each of its occasions. The others want something done within a span:
//! these are judged by a clock that runs only while nothing but the policy decides. When it stands still is said once, in
//! `docs/verify.md`, and done once, in `judge`.

use crate::id::{HostId, RuleId, WindowId};
use crate::policy::Policy;
use crate::time::Span;
use core::fmt;

/// Something that is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The name that it was given, or what it says.
    pub name: String,
    /// What.
    pub claim: Claim,
}

/// What is expected.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Never more than so many moves by rules within any span of this length.
    MovesAtMost {
        /// How many.
        count: u32,
        /// In how long.
        per: Span,
    },
    /// Never more than so many requests by rules within any span of this length, whatever becomes of them.
    RequestsAtMost {
        /// How many.
        count: u32,
        /// In how long.
        per: Span,
    },
    /// Not at a base while this window is open, for longer than a while.
    NeverAtBase {
        /// The window.
        inside: WindowId,
        /// How long it may be there.
        grace: Span,
    },
    /// At a base within a span while this window is closed.
    RestsAtBase {
        /// The window.
        outside: WindowId,
        /// How long it may take.
        within: Span,
    },
    /// Off a draining host within a span.
    LeavesDraining {
        /// How long it may take.
        within: Span,
    },
    /// No breach goes on for longer than a span while another host has all that the guest misses.
    BreachEnds {
        /// The rule whose condition is the breach; none for any rule that moves.
        rule: Option<RuleId>,
        /// How long it may take.
        within: Span,
    },
    /// Never dearer than this within any 24 hours, in the policy's currency.
    CostAtMost {
        /// The most.
        a_day: f64,
    },
    /// Never asks for these hosts.
    NeverOn {
        /// Which.
        hosts: Vec<HostId>,
    },
}

impl Claim {
    /// How long a world has to be for the claim to have something to judge; a little longer is better.
    #[must_use]
    pub const fn reach(&self) -> Span {
        match self {
            Self::MovesAtMost { per: span, .. }
            | Self::RequestsAtMost { per: span, .. }
            | Self::NeverAtBase { grace: span, .. }
            | Self::RestsAtBase { within: span, .. }
            | Self::LeavesDraining { within: span }
            | Self::BreachEnds { within: span, .. } => *span,
            Self::CostAtMost { .. } => Span::from_hours(24),
            Self::NeverOn { .. } => Span::ZERO,
        }
    }

    /// How long it lets a state go on that is not to be; none where it is about something that happens.
    #[must_use]
    pub const fn patience(&self) -> Option<Span> {
        match self {
            Self::NeverAtBase { grace: span, .. }
            | Self::RestsAtBase { within: span, .. }
            | Self::LeavesDraining { within: span }
            | Self::BreachEnds { within: span, .. } => Some(*span),
            Self::MovesAtMost { .. }
            | Self::RequestsAtMost { .. }
            | Self::CostAtMost { .. }
            | Self::NeverOn { .. } => None,
        }
    }

    /// As an expectation file has it.
    #[must_use]
    pub const fn shown<'a>(&'a self, policy: &'a Policy) -> Shown<'a> {
        Shown { claim: self, policy }
    }
}

/// A claim with its names.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    claim: &'a Claim,
    policy: &'a Policy,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = |window: WindowId| &self.policy.windows()[window].name;
        match self.claim {
            Claim::MovesAtMost { count, per } => write!(f, "moves: at most {count} per {per}"),
            Claim::RequestsAtMost { count, per } => write!(f, "requests: at most {count} per {per}"),
            Claim::NeverAtBase { inside, grace } => {
                write!(f, "never_at_base: inside {}", window(*inside))?;
                if grace.is_zero() { Ok(()) } else { write!(f, " for {grace}") }
            }
            Claim::RestsAtBase { outside, within } => {
                write!(f, "rests_at_base: outside {} within {within}", window(*outside))
            }
            Claim::LeavesDraining { within } => write!(f, "leaves_draining: within {within}"),
            Claim::BreachEnds { rule, within } => {
                f.write_str("breach_ends:")?;
                if let Some(rule) = rule {
                    write!(f, " {}", self.policy.rules()[*rule].name)?;
                }
                write!(f, " within {within}")
            }
            Claim::CostAtMost { a_day } => write!(f, "cost: at most {a_day} a day"),
            Claim::NeverOn { hosts } => {
                f.write_str("never_on:")?;
                for (at, host) in hosts.iter().enumerate() {
                    write!(f, "{} {}", if at > 0 { "," } else { "" }, self.policy.hosts()[*host].name)?;
                }
                Ok(())
            }
        }
    }
}
