//! Guests.

use super::{HostIx, KindIx, PolicyIx};
use crate::sim::load::LoadSpec;
use crate::sim::service::{Gauge, ServiceSpec};
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
    /// By the policy's indicators: what of the service each reads; none where nothing feeds it.
    pub feeds: Vec<Option<Gauge>>,
    /// Whether it can look up where it is.
    pub locates: bool,
    /// How long each probe takes to answer.
    pub probe_takes: Span,
}
