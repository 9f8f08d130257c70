//! `vmpolicy backtest` and `tune` with `--trace prometheus:..` against a real Prometheus, and against servers that misbehave.
//!
//! Nothing is skipped: where the server is missing, the tests fail and say how to get it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../common/certificates.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod certificates;
mod fake;
mod misbehaving;
mod real;
mod server;

use std::path::Path;
use std::process::{Command, Stdio};

/// A policy whose guest moves when its load is high, and goes to base when it is low.
const POLICY: &str = "\
version: 1
guest: web
arrays:
  oslo:
    hosts: [mln1, mln2, mln3, mln4]
    base: mln6
    price: { host: 0.12, base: 0.03 }
indicators:
  load: { probe: { load: {} }, every: 15s }
rules:
  - { name: overloaded, when: load > 50, tarry: 3, do: move }
  - { name: idle, when: load < 1, tarry: 20, do: move-to-base }
";

/// Runs `vmpolicy backtest policy.yaml` in this folder: standard output, standard error, and the exit status.
fn backtest(folder: &Path, args: &[&str]) -> (String, String, i32) {
    vmpolicy(folder, "backtest", args)
}

/// The same for another command.
fn vmpolicy(folder: &Path, subcommand: &str, args: &[&str]) -> (String, String, i32) {
    std::fs::write(folder.join("policy.yaml"), POLICY).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
    command.current_dir(folder).args([subcommand, "policy.yaml"]).args(args).stdin(Stdio::null());
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}
