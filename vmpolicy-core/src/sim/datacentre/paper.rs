//! The data centre of Beloglazov and Buyya 2012, section 5.1, as CloudSim's examples set it up.

use super::{Datacentre, Guest, Idling};
use crate::sim::balance::Kind;
use crate::sim::power::Power;

/// MIPS and MB of the four kinds of guests, after Amazon's instances but of one core each.
const GUESTS: [Guest; 4] = [
    Guest { size: 2500.0, memory: 870.0 },
    Guest { size: 2000.0, memory: 1740.0 },
    Guest { size: 1000.0, memory: 1740.0 },
    Guest { size: 500.0, memory: 613.0 },
];

const HOSTS: [Kind; 2] = [
    Kind { capacity: 2.0 * 1860.0, core: 1860.0, memory: 4096.0, power: Power::HP_ML110_G4 },
    Kind { capacity: 2.0 * 2660.0, core: 2660.0, memory: 4096.0, power: Power::HP_ML110_G5 },
];

impl Datacentre {
    /// The paper's data centre: MIPS and MB; hosts by turns HP ProLiant ML110 G4 and G5; the first quarter of the
    /// guests of the first kind, and so on; decisions every 300 s; moves at half of 1 Gbit/s, which cost a tenth.
    ///
    /// ```
    /// use vmpolicy_core::sim::datacentre::Datacentre;
    /// let paper = Datacentre::of_the_paper(800, 1052);
    /// assert_eq!(paper.hosts.len(), 800);
    /// assert_eq!(paper.guests[1051].memory, 613.0);
    /// ```
    #[must_use]
    pub fn of_the_paper(hosts: usize, guests: usize) -> Self {
        let quarter = guests.div_ceil(GUESTS.len()).max(1);
        Self {
            kinds: HOSTS.to_vec(),
            hosts: (0..hosts).map(|host| u16::from(host % 2 == 1)).collect(),
            guests: (0..guests).map(|guest| GUESTS[guest / quarter]).collect(),
            step_s: 300.0,
            // CloudSim's least time between two events: guests are there at 0, their work is a little later.
            begin_s: 0.1,
            // 1 Gbit/s, half of it for moves, 8,000 kbit a MB.
            copied_per_s: 1_000_000.0 / (2.0 * 8000.0),
            move_cost: 0.1,
            idle: Idling::Leaves,
            whole_units: true,
        }
    }
}
