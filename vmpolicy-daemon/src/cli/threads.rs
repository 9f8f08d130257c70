//! The processors that a command uses, as `--threads` says.

use super::Exit;
use super::terminal::complain;
use rayon::ThreadPool;

/// So many threads; without a number, one for each processor.
pub(super) fn pool(threads: Option<u16>) -> Result<ThreadPool, Exit> {
    rayon::ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from)).build().map_err(|error| {
        complain(&format!("can't start the threads: {error}"));
        Exit::Outside
    })
}
