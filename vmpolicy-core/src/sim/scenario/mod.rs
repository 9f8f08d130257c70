//! What a world is made of, as data: sound, with every name resolved.
//!
//! A scenario is built by hand or read from a file; the world only runs it.

mod fault;
mod guest;
mod management;
mod place;
mod provider;

pub use fault::{Fault, GuestSet, What};
pub use guest::{Feed, Guest, Kind, Managed, Queue, Signal};
pub use management::{Management, ManagerKind};
pub use place::{Array, Host, LiveMoves, Relocations};
pub use provider::{Provider, Ranking};

use crate::leaf::window::Zone;
use crate::policy::Policy;
use crate::time::{Span, Wall};
use std::sync::Arc;

/// A scenario: what there is at the beginning, and what happens by itself.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// When it begins.
    pub start: Wall,
    /// Whose civil time the loads follow.
    pub zone: Zone,
    /// How long it lasts.
    pub lasts: Span,
    /// How often loads are looked at, and processor time is shared out anew.
    pub step: Span,
    /// Where all chance comes from.
    pub seed: u64,
    /// The arrays.
    pub arrays: Vec<Array>,
    /// The hosts of all arrays, one array after the other.
    pub hosts: Vec<Host>,
    /// The policies that guests have, or are given by a reload.
    pub policies: Vec<Arc<Policy>>,
    /// What guests there are.
    pub kinds: Vec<Kind>,
    /// The guests.
    pub guests: Vec<Guest>,
    /// The job queues.
    pub queues: Vec<Queue>,
    /// What the infrastructure does by itself; none where it only answers.
    pub management: Option<Management>,
    /// What happens at a given time, earliest first.
    pub faults: Vec<Fault>,
}

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// Its place in the scenario's list.
            #[inline]
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The one at this place.
            ///
            /// # Panics
            ///
            /// Above 2^32.
            #[must_use]
            pub fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).expect("no scenario is that large"))
            }
        }
    )*};
}

index! {
    /// An array of [`Scenario::arrays`].
    ArrayIx;
    /// A host of [`Scenario::hosts`].
    HostIx;
    /// A policy of [`Scenario::policies`].
    PolicyIx;
    /// A kind of [`Scenario::kinds`].
    KindIx;
    /// A guest of [`Scenario::guests`].
    GuestIx;
    /// A job queue of [`Scenario::queues`].
    QueueIx;
}
