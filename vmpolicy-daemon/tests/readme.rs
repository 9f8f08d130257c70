//! What the project's page tells a user to do, done: its policy, and its commands on a recording.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should say where")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const README: &str = include_str!("../../README.md");

/// The blocks of this language.
fn blocks(language: &str) -> impl Iterator<Item = &'static str> {
    let start = format!("```{language}\n");
    let mut rest = README;
    std::iter::from_fn(move || {
        let from = rest.find(&start)? + start.len();
        let (block, after) = rest[from..].split_once("```")?;
        rest = after;
        Some(block)
    })
}

fn vmpolicy(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
    command.current_dir(folder).args(args).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn the_policy_of_the_page_is_sound_and_every_vmpolicy_command_of_it_runs() {
    let folder = TempDir::new().unwrap();
    let tests = blocks("yaml").find(|block| block.contains("\ntests:")).unwrap();
    fs::write(folder.path().join("nii3.yaml"), blocks("yaml").next().unwrap()).unwrap();
    fs::write(folder.path().join("nii3-test.yaml"), tests).unwrap();
    let mut trace = String::from("timestamp,value\n");
    for minute in 0..240 {
        writeln!(trace, "{},{}", 1_241_613_600 + 60 * minute, 80 * minute).unwrap();
    }
    fs::write(folder.path().join("slow_queries.csv"), trace).unwrap();
    // Its scenario is named from the root of the repository.
    let scenario = Path::new("docs/examples/scenarios/neighbour.yaml");
    fs::create_dir_all(folder.path().join(scenario).parent().unwrap()).unwrap();
    let there = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(scenario);
    fs::copy(there, folder.path().join(scenario)).unwrap();
    let mut ran = 0;
    for line in README.lines().filter_map(|line| line.strip_prefix("$ vmpolicy ")) {
        let words: Vec<_> = line.split(['|', '#']).next().unwrap().split_whitespace().collect();
        let output = vmpolicy(folder.path(), &words);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty(), "{line}");
        ran += 1;
    }
    assert_eq!(ran, 8, "check, explain, two backtests, a simulation, a test, verify and tune");
}
