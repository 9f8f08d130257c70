//! A number that tells one policy from another.

use super::Policy;
use core::fmt::{self, Write as _};

/// FNV-1a in 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv), as a place to write text to.
struct Fnv(u64);

impl fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}

impl Policy {
    /// A hash of all that the policy says, the same on every machine for the same build of this crate.
    ///
    /// It is for records and for seeing that a file has changed, not against forgery. Another version of
    /// the crate may give another number for the same policy.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        // The debug form names every field and prints numbers so that they read back the same.
        write!(hash, "{self:?}").expect("hashing never fails");
        hash.0
    }
}
