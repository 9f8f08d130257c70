//! Guests.

use super::{HostIx, KindIx, PolicyIx, QueueIx};
use crate::sim::load::LoadSpec;
use crate::sim::service::{Indicator, ServiceSpec, jobs::JobsSpec};
use crate::time::Span;

/// A guest.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Its name.
    pub name: String,
    /// What it is like.
    pub kind: KindIx,
    /// Where it starts.
    pub at: HostIx,
}

/// What guests of one kind have in common.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Virtual processors: it can use so many cores at most.
    pub vcpus: u32,
    /// Bytes of memory.
    pub memory: f64,
    /// Bytes of memory that it dirties a second.
    pub dirties: f64,
    /// Bytes that it dirties again and again: no round of pre-copy has to resend more.
    pub working_set: f64,
    /// Bytes of its disk that are used: what a relocation copies.
    pub disk: f64,
    /// How long it takes to shut down.
    pub shutdown: Span,
    /// How long it takes to boot, until its daemon starts.
    pub boot: Span,
    /// What is asked of its service.
    pub load: LoadSpec,
    /// Its service.
    pub service: ServiceSpec,
    /// Its own policy; none for a guest of the background.
    pub managed: Option<Managed>,
}

/// How a guest is managed by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Managed {
    /// The policy that it starts with.
    pub policy: PolicyIx,
    /// By the policy's indicators: what feeds each; none where nothing does.
    pub feeds: Vec<Option<Feed>>,
    /// By the policy's queues: which one it pulls from; none where there is none.
    pub queues: Vec<Option<QueueIx>>,
    /// Whether it can look up where it is.
    pub locates: bool,
    /// How long each probe takes to answer.
    pub probe_takes: Span,
}

/// What an indicator of a policy reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Feed {
    /// What a probe of the guest's service reads.
    Reads(Indicator),
    /// A number of its own, whatever the service does.
    Follows(Signal),
}

/// A number that follows a load of its own, and what its guest does not get.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// The number itself.
    pub load: LoadSpec,
    /// What is added to it where the guest gets nothing of the processor time that it demands; a part of this where
    /// it misses a part. Below 0 for an indicator where lower is worse.
    pub strain: f64,
    /// Whether the number is so much a second, and what is read counts it up.
    pub counts: bool,
}

/// A queue of jobs, which any guest may pull from.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// What comes in.
    pub spec: JobsSpec,
}
