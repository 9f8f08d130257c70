//! Style that matters is a test: of every crate of the workspace, not only of the core.
#![expect(clippy::disallowed_methods, reason = "the test reads the sources, the core does not")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// No file swallows the state machine.
const LONGEST_FILE: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file below a folder that is ours to keep tidy.
fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        let not_ours = name.starts_with('.') || name == "target" || name == "corpus" || name == "artifacts";
        match path.is_dir() {
            true if !not_ours => found.extend(files(&path)),
            false => found.push(path),
            true => {}
        }
    }
    found
}

fn rust() -> Vec<(PathBuf, String)> {
    let files = files(&root()).into_iter();
    let rust = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let rust: Vec<_> = rust.map(|path| (path.clone(), fs::read_to_string(&path).expect("a text"))).collect();
    assert!(rust.len() > 50, "the sources are here");
    rust
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let long = rust().into_iter().map(|(path, text)| (path, text.lines().count()));
    let long = long.filter(|(_, lines)| *lines >= LONGEST_FILE);
    none(long.map(|(path, lines)| format!("{}: {lines} lines", path.display())).collect());
}

#[test]
fn exceptions_from_lints_are_expected_and_say_why() {
    let (allow, expect) = (concat!("allow", "("), concat!("expect", "("));
    let mut found = Vec::new();
    for (path, text) in rust() {
        for (at, _) in text.match_indices("#[").chain(text.match_indices("#![")) {
            let attribute = text[at..].split_once(']').map_or(&text[at..], |(attribute, _)| attribute);
            let bare = attribute.trim_start_matches(['#', '!', '[']);
            if bare.starts_with(allow) || bare.starts_with(expect) && !attribute.contains("reason") {
                found.push(format!("{}: {attribute}]", path.display()));
            }
        }
    }
    none(found);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let manifests = files(&root()).into_iter().filter(|path| path.ends_with("Cargo.toml"));
    let mut found = Vec::new();
    for path in manifests {
        let text = fs::read_to_string(&path).expect("a text");
        // The workspace's own has none; the fuzz targets are a workspace of their own.
        let member = text.contains("[package]") && !text.contains("[workspace]");
        if member && !text.contains("[lints]\nworkspace = true") {
            found.push(path.display().to_string());
        }
    }
    none(found);
}

#[test]
fn every_rule_of_the_contract_has_a_property() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("rules");
    let mut with_property = BTreeSet::new();
    for path in files(&rules) {
        let text = fs::read_to_string(&path).expect("a text");
        let names = text.split("fn rule_").skip(1);
        with_property.extend(names.filter_map(|name| name.get(..2)?.parse::<u32>().ok()));
    }
    assert_eq!(with_property, (1..=16).collect());
}

#[test]
fn texts_end_with_a_newline_and_have_no_tabs_or_trailing_blanks() {
    let mut found = Vec::new();
    for (path, text) in rust() {
        if !text.is_empty() && !text.ends_with('\n') {
            found.push(format!("{}: no newline at its end", path.display()));
        }
        for (index, line) in text.lines().enumerate() {
            if line.contains('\t') || line.ends_with(' ') {
                found.push(format!("{}:{}: {line:?}", path.display(), index + 1));
            }
        }
    }
    none(found);
}

#[test]
fn no_placeholder_is_left() {
    let words =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("place", "holder until")];
    let mut found = Vec::new();
    for (path, text) in rust() {
        for (index, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
            }
        }
    }
    none(found);
}

#[test]
fn what_is_unsafe_is_in_one_file() {
    let marks = [" {", "(", " fn ", " impl ", " extern "].map(|next| [concat!("un", "safe"), next].concat());
    let holds = |text: &str| marks.iter().any(|mark| text.contains(mark));
    let found =
        rust().into_iter().filter(|(path, text)| !path.ends_with("bin/vmpolicyd/system.rs") && holds(text));
    none(found.map(|(path, _)| path.display().to_string()).collect());
    for library in ["vmpolicy-core", "vmpolicy-daemon"] {
        let text = fs::read_to_string(root().join(library).join("src/lib.rs")).expect("a library");
        assert!(text.contains(concat!("#![forbid(un", "safe_code)]")), "{library}");
    }
}
