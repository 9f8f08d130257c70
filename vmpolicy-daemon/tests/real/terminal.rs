//! `vmpolicy watch` on a terminal: one made by `script`, of Debian's `bsdutils`, which is on every system.

use crate::control::guest;
use crate::guest::Guest;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What the terminal was sent so far.
fn sent(guest: &Guest) -> String {
    String::from_utf8_lossy(&fs::read(guest.path("typescript")).unwrap_or_default()).into_owned()
}

/// The screens: what was sent after each jump to the upper left.
fn screens(guest: &Guest) -> Vec<String> {
    sent(guest).split("\x1b[H").skip(1).map(str::to_owned).collect()
}

/// The last screen that is whole.
fn last(guest: &Guest) -> String {
    screens(guest).into_iter().rfind(|screen| screen.contains("\x1b[J")).unwrap_or_default()
}

/// The terminal of the process that has written its number.
fn terminal(guest: &Guest) -> Option<PathBuf> {
    let pid = fs::read_to_string(guest.path("pid")).ok()?;
    fs::read_link(format!("/proc/{}/fd/0", pid.trim())).ok()
}

fn stty(guest: &Guest, args: &[&str]) -> String {
    let output = Command::new("stty").arg("-F").arg(terminal(guest).unwrap()).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn watch_draws_one_screen_that_fits_and_leaves_the_terminal_as_it_was() {
    let mut guest = guest("4", "");
    guest.start();
    guest.wait_for_sockets();
    let (tool, control, pid) = (env!("CARGO_BIN_EXE_vmpolicy"), guest.path("control"), guest.path("pid"));
    // The shell outlives ctrl-C, and holds the terminal until its input says so.
    let shell = format!(
        "trap : INT; stty rows 40 cols 120; echo $$ > {}; read go; {tool} watch --socket {}; echo ended with $?; read go",
        pid.display(),
        control.display()
    );
    let mut script = Command::new("script")
        .args(["-q", "-f", "-c", &shell])
        .arg(guest.path("typescript"))
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("script is missing: the tests need Debian's package bsdutils");
    let mut keys = script.stdin.take().unwrap();
    guest.wait_for("the terminal", |guest| {
        fs::read_to_string(guest.path("pid")).is_ok_and(|pid| pid.ends_with('\n'))
    });
    let before = stty(&guest, &["-g"]);
    keys.write_all(b"\n").unwrap();
    guest.wait_for("two screens", |guest| screens(guest).len() > 2);
    let screen = last(&guest);
    assert!(
        screen.contains("nii3 acts\x1b[K\r\n") && screen.contains("\r\nrecords, in UTC\x1b[K\r\n"),
        "{screen}"
    );
    assert_eq!(sent(&guest).matches("\x1b[2J").count(), 1, "drawn over, without a flash");

    // Smaller: what has no room is left out, so that nothing scrolls.
    stty(&guest, &["rows", "8", "cols", "30"]);
    guest.wait_for("a smaller screen", |guest| last(guest).contains(" more lines have no room"));
    let screen = last(&guest);
    assert_eq!(screen.matches('\n').count(), 7, "{screen}");
    let plain = screen.replace("\x1b[K", "").replace("\x1b[J", "");
    assert!(plain.lines().all(|line| line.chars().count() <= 30), "{plain}");
    stty(&guest, &["rows", "40", "cols", "120"]);
    guest.wait_for("a larger screen", |guest| last(guest).contains("records, in UTC"));

    keys.write_all(b"\x03").unwrap();
    guest.wait_for("its end", |guest| sent(guest).contains("ended with 130"));
    assert_eq!(stty(&guest, &["-g"]), before);
    // No cursor is hidden, no other screen is left, no colour stays.
    let modes = ["\x1b[?", "\x1b[m", "\x1b[0m", "\x1b7", "\x1b[s"];
    assert!(!modes.iter().any(|mode| sent(&guest).contains(mode)), "{}", sent(&guest));
    keys.write_all(b"\n").unwrap();
    drop(keys);
    assert!(script.wait().unwrap().success());
    guest.terminate();
}
