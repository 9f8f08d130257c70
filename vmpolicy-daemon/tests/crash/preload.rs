//! Libraries that are put before the built `vmpolicyd`.

use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// One of the C files beside this, built by the compiler that Rust links with.
pub(crate) fn library(folder: &TempDir, source: &str) -> PathBuf {
    let library = folder.path().join(source).with_extension("so");
    let source = format!("{}/tests/crash/{source}", env!("CARGO_MANIFEST_DIR"));
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .output();
    let built = built.expect("a C compiler: Debian has it in build-essential");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}
