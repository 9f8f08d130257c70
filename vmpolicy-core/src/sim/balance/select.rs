//! Which guest leaves an overloaded host: Beloglazov and Buyya 2012, section 4.2.

/// Minimum migration time: the guest with the least memory, of equals the first. All links being alike, it is the one
/// that moves quickest. None of none.
#[must_use]
#[inline]
pub fn minimum_migration_time(guests: impl IntoIterator<Item = u32>, memory: &[f64]) -> Option<u32> {
    let mut least: Option<u32> = None;
    for guest in guests {
        if least.is_none_or(|least| memory[guest as usize] < memory[least as usize]) {
            least = Some(guest);
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_smallest() {
        let memory = [870.0, 613.0, 1740.0, 613.0];
        assert_eq!(minimum_migration_time([0, 3, 2, 1], &memory), Some(3));
        assert_eq!(minimum_migration_time([2], &memory), Some(2));
        assert_eq!(minimum_migration_time([], &memory), None);
    }
}
