//! `vmpolicy merge`
/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}
/// Runs it.
#[must_use]
pub const fn run(_: &Args) -> super::Exit {
    super::Exit::Done
}
