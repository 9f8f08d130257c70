//! `vmpolicyd`: the guest daemon.

mod system;

use std::process::ExitCode;

fn main() -> ExitCode {
    vmpolicy_daemon::cli::vmpolicyd::main(std::env::args_os(), Some(system::give_back))
}
