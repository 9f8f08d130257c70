//! A zone's table, cut to what a page needs.

use super::model::{Range, ZoneTable};
use vmpolicy_core::leaf::window::Zone;
use vmpolicy_core::time::Wall;

/// No zone changes its offset and back in less than this: the shortest that tzdata knows of is Ramadan's month.
const STEP_S: i64 = 6 * 3_600;

/// A page of more than this has no use for single nights.
const TRANSITIONS_MAX: usize = 1_000;

impl ZoneTable {
    /// What this zone says in this range.
    #[must_use]
    pub fn new(zone: &Zone, range: Range) -> Self {
        let offset = |secs| zone.offset_secs_at(Wall::from_secs(secs));
        let (from, to) = (range.from.0.div_euclid(1_000), range.to.0.div_euclid(1_000));
        let mut table =
            Self { name: zone.name().to_owned(), first_offset_s: offset(from), transitions: Vec::new() };
        let (mut at, mut known) = (from, table.first_offset_s);
        while at < to && table.transitions.len() < TRANSITIONS_MAX {
            let next = at.saturating_add(STEP_S).min(to);
            let there = offset(next);
            if there != known {
                let (mut before, mut after) = (at, next);
                while after - before > 1 {
                    let middle = before.midpoint(after);
                    if offset(middle) == known { before = middle } else { after = middle }
                }
                table.transitions.push((after, there));
                known = there;
            }
            at = next;
        }
        table
    }

    /// What to add to UTC at this moment, in seconds.
    #[must_use]
    pub fn offset_s(&self, at: Wall) -> i32 {
        let secs = at.0.div_euclid(1_000);
        let known = self.transitions.partition_point(|&(from, _)| from <= secs);
        known.checked_sub(1).map_or(self.first_offset_s, |index| self.transitions[index].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nights_of_the_change_are_met_to_the_second() {
        let changes = vec![(1_774_746_000, 7_200), (1_792_890_000, 3_600)];
        let oslo = Zone::new("Europe/Oslo", 3_600, changes.clone()).unwrap();
        let range = |from, to| Range { from: Wall::from_secs(from), to: Wall::from_secs(to) };
        let year = ZoneTable::new(&oslo, range(1_767_222_000, 1_798_758_000));
        assert_eq!((year.first_offset_s, &year.transitions), (3_600, &changes));
        for secs in [1_774_745_999, 1_774_746_000, 1_792_889_999, 1_792_890_000, 1_798_758_000] {
            let at = Wall::from_secs(secs);
            assert_eq!(year.offset_s(at), oslo.offset_secs_at(at), "{secs}");
        }
        let summer = ZoneTable::new(&oslo, range(1_780_000_000, 1_780_086_400));
        assert_eq!((summer.first_offset_s, summer.transitions), (7_200, vec![]));
    }
}
