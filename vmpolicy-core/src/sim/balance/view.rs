//! What an infrastructure-side manager sees of a data centre: columns, one row a host or a guest.
//!
//! This is the seam between the managers and whatever world calls them. The processor's unit is the caller's
//! (MIPS, GHz), the same in every column; so is that of memory.

use super::history::History;
use crate::sim::power::Power;

/// What hosts of one model have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind {
    /// All that the host can compute.
    pub capacity: f64,
    /// What one of its cores can: no guest of one processor gets more.
    pub core: f64,
    /// Its memory.
    pub memory: f64,
    /// What it draws.
    pub power: Power,
}

/// The hosts.
#[derive(Clone, Copy, Debug)]
pub struct Hosts<'a> {
    /// The models there are. Few, so that what is alike is looked at once.
    pub kinds: &'a [Kind],
    /// The row of each host's model in `kinds`.
    pub kind: &'a [u16],
    /// The share of each host's capacity that was in use when last measured. 0 is a host that is switched off.
    pub used: &'a [f64],
    /// Whether guests may be sent there: not one that is down or about to be.
    pub open: &'a [bool],
}

/// The guests.
#[derive(Clone, Copy, Debug)]
pub struct Guests<'a> {
    /// What each could use at most: its virtual processor.
    pub size: &'a [f64],
    /// What each wants now.
    pub demand: &'a [f64],
    /// What each gets where it is.
    pub allocated: &'a [f64],
    /// Its memory: all of it is copied when it moves.
    pub memory: &'a [f64],
    /// The row of the host that it is on, also while it moves.
    pub home: &'a [u32],
    /// Whether it is on its way to another host.
    pub moving: &'a [bool],
}

/// A data centre at the time of one decision.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The hosts.
    pub hosts: Hosts<'a>,
    /// The guests.
    pub guests: Guests<'a>,
    /// The guests of each host in the order in which they came, those on their way to it among them.
    pub residents: &'a [Vec<u32>],
    /// What each guest used at the last decisions.
    pub history: &'a History,
}

impl View<'_> {
    /// The model of a host.
    #[must_use]
    #[inline]
    pub fn kind(&self, host: usize) -> &Kind {
        &self.hosts.kinds[usize::from(self.hosts.kind[host])]
    }

    /// Whether a guest among a host's residents is still on its way there.
    #[must_use]
    #[inline]
    pub fn arrives(&self, guest: usize, host: usize) -> bool {
        self.guests.moving[guest] && self.guests.home[guest] as usize != host
    }
}
