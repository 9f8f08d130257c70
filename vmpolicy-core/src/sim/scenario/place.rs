//! Arrays and hosts.

use super::{ArrayIx, Provider};
use crate::sim::power::Power;
use crate::time::Span;

/// An array: hosts that share a network and storage.
#[derive(Clone, Debug)]
pub struct Array {
    /// Its name.
    pub name: String,
    /// What live migration costs inside it.
    pub live: LiveMoves,
    /// What it takes to leave it for another array.
    pub leaving: Relocations,
    /// How its provider behaves.
    pub provider: Provider,
}

/// How long live migration takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LiveMoves {
    /// Always so long, without a pause.
    Take(Span),
    /// Iterative pre-copy over one link that all moves of the array share, at so many bytes a second.
    Precopy {
        /// The link's bytes a second.
        link: f64,
    },
}

/// How long it takes to relocate away from an array: shutdown, copy, boot.
#[derive(Clone, Debug, PartialEq)]
pub enum Relocations {
    /// A guest's first relocation from here takes the first of these, its second the second, and so on; the
    /// last holds for all that follow. As recorded ones are replayed.
    Take(Vec<Span>),
    /// Copying the used part of the disk, at so many bytes a second, between shutdown and boot.
    Copy {
        /// Bytes a second to any other array; all relocations that leave share them.
        link: f64,
    },
}

/// A host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name, the one that policies know it by.
    pub name: String,
    /// Its array.
    pub array: ArrayIx,
    /// Whether it is the array's base.
    pub is_base: bool,
    /// Processor cores.
    pub cores: u32,
    /// The clock of each, in GHz.
    pub clock_ghz: f64,
    /// Bytes of memory.
    pub memory: f64,
    /// Price an hour, in the scenario's one currency.
    pub price: f64,
    /// What it draws.
    pub power: Power,
}

impl Host {
    /// All that it can compute, in GHz.
    #[must_use]
    pub fn capacity_ghz(&self) -> f64 {
        f64::from(self.cores) * self.clock_ghz
    }
}
