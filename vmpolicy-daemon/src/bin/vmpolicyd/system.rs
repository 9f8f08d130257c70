//! All that is `unsafe` in vmpolicy: what the program says to the system and no library says for it.
#![expect(unsafe_code, reason = "each says why nothing can go wrong with it")]

use rustix::mm::{Advice, madvise};
use std::ops::Range;

/// Gives the pages of a range back to the kernel, which reads them from their file where they are needed again.
pub(crate) fn give_back(range: Range<usize>) {
    let start = std::ptr::with_exposed_provenance_mut(range.start);
    // SAFETY: the range is a mapping of a file that can't be written to and of which no page was ever written, so that what
    // comes back is what was there. `unwritten` in memory.rs picks no other.
    let given = unsafe { madvise(start, range.len(), Advice::LinuxDontNeed) };
    if let Err(error) = given {
        tracing::debug!("the kernel keeps the pages at {range:x?}: {error}");
    }
}

/// Goes through the frames of the stack, for the standard library's report of a panic.
///
/// A program that ends at a panic has no tables of frames (`packaging/guest/build` leaves them out), so the walk ends where it
/// begins. To say so here, where the compiler sees it, leaves out all that would read debugging information, too.
///
/// The name and type are of the Itanium C++ ABI for exceptions, level I; 5 is `_URC_END_OF_STACK`.
// SAFETY: nobody else defines it in a program that ends at a panic; the one in libgcc is for those that load it.
#[cfg(panic = "abort")]
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_: *const (), _: *const ()) -> i32 {
    5
}
