//! `vmpolicyd`: the guest daemon.

use std::process::ExitCode;

fn main() -> ExitCode {
    vmpolicy_daemon::cli::vmpolicyd::main(std::env::args_os())
}
