//! Recordings as loads: what was mended is said, and what can't be a load.

use super::tool::{told, vmpolicy};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

const SCENARIO: &str = "\
version: 1
lasts: 1h
arrays: { oslo: { hosts: [mln1] } }
guests: { \"nii[1-3]\": { load: { trace: load.csv } } }
";

fn in_folder(folder: &TempDir) -> Command {
    let mut command = vmpolicy(&["simulate", "scenario.yaml"]);
    command.current_dir(folder.path());
    command
}

/// Rows that did not count were passed over without a word.
#[test]
fn what_was_mended_in_a_recording_is_a_warning() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("scenario.yaml"), SCENARIO).unwrap();
    let recording = "timestamp,value\n60,0.5\n0,0.1\n120,\n180,x\n240,0.2\n";
    fs::write(folder.path().join("load.csv"), recording).unwrap();
    let (_, err) = told(in_folder(&folder), 0);
    insta::assert_snapshot!(err);
}
