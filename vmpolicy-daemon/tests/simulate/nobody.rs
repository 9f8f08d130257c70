//! Worlds in which nobody has a policy, or nobody is.

use super::tool::{told, vmpolicy};
use std::fs;
use tempfile::TempDir;

/// Without a guest, or without a policy, there was a line of requests that nobody could make, and an empty table.
#[test]
fn what_there_is_not_is_not_told() {
    let folder = TempDir::new().unwrap();
    for guests in ["{}", "{ nii1: { load: 0.5 } }"] {
        let scenario =
            format!("version: 1\nlasts: 1h\narrays: {{ oslo: {{ hosts: [mln1] }} }}\nguests: {guests}\n");
        fs::write(folder.path().join("scenario.yaml"), scenario).unwrap();
        let mut command = vmpolicy(&["simulate", "scenario.yaml"]);
        command.current_dir(folder.path());
        let (out, _) = told(command, 0);
        assert!(!out.contains("requests  0") && !out.contains("\n\n\n"), "{out}");
        assert!(out.contains("checked   nothing: no guest has a policy"), "{out}");
    }
}
