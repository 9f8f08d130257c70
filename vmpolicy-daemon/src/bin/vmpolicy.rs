//! `vmpolicy`: the operator's tool.

use std::process::ExitCode;

fn main() -> ExitCode {
    vmpolicy_daemon::cli::vmpolicy::main(std::env::args_os())
}
