//! The core reads no clock, file, socket or environment, and its leaves know nothing of each other. Clippy
//! says so too (`clippy.toml`); this is the second net, for what a lint level or a macro lets through.
#![expect(clippy::disallowed_methods, reason = "the test reads the sources of the core, the core does not")]

use std::fs;
use std::path::{Path, PathBuf};

/// What the core must not name, and why.
const BANNED: &[(&str, &str)] = &[
    ("Instant::now", "the time is an argument"),
    ("SystemTime", "the time is an argument"),
    ("Utc::now", "the time is an argument"),
    ("Local::now", "the time is an argument"),
    (".upcoming(", "cron must not read the clock"),
    ("std::env", "it has no environment"),
    ("std::fs", "it has no files"),
    ("std::net", "it has no sockets"),
    ("std::process", "it starts nothing"),
    ("std::thread", "it has no threads"),
    ("thread_local!", "it has no global state"),
    ("static mut", "it has no global state"),
    ("OnceLock", "it has no global state"),
    ("LazyLock", "it has no global state"),
    ("Mutex<", "it shares nothing"),
    ("Atomic", "it shares nothing"),
    ("HashMap", "its order differs from run to run"),
    ("HashSet", "its order differs from run to run"),
    ("thread_rng", "randomness comes with a seed"),
    ("from_entropy", "randomness comes with a seed"),
    ("getrandom", "randomness comes with a seed"),
    ("println!", "it prints nothing"),
    ("eprint!", "it prints nothing"),
    ("dbg!", "it prints nothing"),
    ("unsafe ", "it is safe"),
];

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file below a folder, with its text.
fn sources(below: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a text");
            found.push((path, text));
        }
    }
    found
}

/// The lines of code: no comments, and nothing from the tests on at the end of a file.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
}

#[test]
fn the_core_names_nothing_that_it_must_not_know() {
    let mut found = Vec::new();
    let sources = sources(&core());
    assert!(sources.len() > 30, "the sources are here");
    for (path, text) in sources.iter().filter(|(path, _)| !is_test(path)) {
        for (number, line) in code(text) {
            for (banned, why) in BANNED.iter().filter(|(banned, _)| line.contains(banned)) {
                found.push(format!("{}:{number}: `{banned}`: {why}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn leaves_know_time_and_nothing_else_of_the_crate() {
    let leaves = core().join("leaf");
    let mut found = Vec::new();
    for (path, text) in sources(&leaves).iter().filter(|(path, _)| !is_test(path)) {
        // A leaf of several files may name its own parts, and its parts each other.
        let within = path.strip_prefix(&leaves).expect("below the leaves");
        let own = within.iter().next().and_then(|name| name.to_str()).unwrap_or("").trim_end_matches(".rs");
        let own = format!("crate::leaf::{own}");
        for (number, line) in code(text) {
            let known = |at: usize| {
                let rest = &line[at..];
                rest.starts_with("crate::time") || rest.starts_with(&own) || rest.starts_with("crate)")
            };
            if line.match_indices("crate::").any(|(at, _)| !known(at)) || line.contains("super::super") {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_engine_does_not_know_the_file_the_test_kit_or_the_names() {
    let mut found = Vec::new();
    for (path, text) in sources(&core().join("engine")) {
        for (number, line) in code(&text) {
            let named = [
                "crate::file",
                "crate::testkit",
                "crate::record",
                "crate::backtest",
                "crate::sim",
                "serde_json",
            ];
            if named.iter().any(|name| line.contains(name)) {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_checker_uses_nothing_of_the_engine_nor_of_the_leaves_it_checks() {
    let mut found = Vec::new();
    for (path, text) in sources(&core().join("checker")) {
        for (number, line) in code(&text) {
            // Plain data only: what a tarry, a truth or a window *says*, not what is made of it.
            let data = [
                "leaf::tarry::Tarry",
                "leaf::logic::Truth",
                "leaf::sample::Read",
                "leaf::window::{Pattern, Weekday}",
            ];
            let leaf = line.contains("leaf::") && !data.iter().any(|data| line.contains(data));
            if leaf || line.contains("crate::engine") || line.contains("model::") {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
