//! The guide, followed command by command: its files are written, its commands are run, and print what it says.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that can't go on should say where")]

use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const PAGE: &str = include_str!("../../docs/guide.md");

/// A fenced block: what stands before it, its language, its content.
struct Block<'a> {
    before: &'a str,
    language: &'a str,
    content: &'a str,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("\n```") {
        let (language, body) = after.split_once('\n').unwrap();
        let (content, after) = body.split_once("\n```").unwrap();
        blocks.push(Block { before: before.trim_end(), language, content });
        rest = after;
    }
    blocks
}

/// The file that a block is to be: its name is the last thing before it.
fn name<'a>(block: &Block<'a>) -> &'a str {
    let named = block.before.strip_suffix("`:").unwrap();
    named.rsplit_once('`').unwrap().1
}

/// What a command prints, as a user with a shell sees it.
fn run(folder: &Path, command: &str) -> String {
    let ours = Path::new(env!("CARGO_BIN_EXE_vmpolicy")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([ours].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let script = format!("exec 2>&1\n{command}");
    let mut shell = Command::new("sh");
    let output = shell.current_dir(folder).env("PATH", path).args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_prints_what_the_page_says() {
    let folder = TempDir::new().unwrap();
    let (mut files, mut commands) = (0, 0);
    for block in blocks(PAGE) {
        if block.language != "console" {
            fs::write(folder.path().join(name(&block)), format!("{}\n", block.content)).unwrap();
            files += 1;
            continue;
        }
        let mut shown = String::new();
        for command in block.content.lines().filter_map(|line| line.strip_prefix("$ ")) {
            shown += &format!("$ {command}\n{}", run(folder.path(), command));
            commands += 1;
        }
        assert_eq!(shown, format!("{}\n", block.content));
    }
    assert_eq!((files, commands), (5, 12));
}
