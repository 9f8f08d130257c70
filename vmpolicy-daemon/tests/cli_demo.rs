//! The demonstration, shortened: it must show something on any machine.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn demo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
    command.arg("demo").args(args).stdin(Stdio::null()).env_remove("COLUMNS");
    command
}

/// With what it measures of itself, so that the outcome does not depend on what else the machine does.
#[test]
fn the_guest_asks_arrives_and_comes_to_its_base() {
    let began = Instant::now();
    let output = demo(&["--seconds", "14", "--watch", "program"]).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("asks to move mln1 -> mln2: overloaded (cpu "), "{shown}");
    assert!(shown.contains("is at mln2"), "{shown}");
    assert!(shown.contains("is at mln6, its base"), "{shown}");
    assert!(shown.contains("To try next:"), "{shown}");
    assert!(!shown.contains('\x1b'), "a pipe gets plain lines: {shown:?}");
    assert!(began.elapsed() < Duration::from_secs(40));
}

#[test]
fn ctrl_c_ends_it_cleanly_and_soon() {
    let mut child = demo(&["--seconds", "600"]).stdout(Stdio::piped()).spawn().unwrap();
    // As soon as the loop runs.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().contains("[load]")));
    let asked = Instant::now();
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let rest: Vec<_> = lines.map(|line| line.unwrap()).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(rest.iter().any(|line| line.contains("Ended early")), "{rest:#?}");
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}

#[test]
fn it_ends_when_nobody_looks() {
    let mut child =
        demo(&["--seconds", "600"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let began = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
}

#[test]
fn it_has_its_limits() {
    for seconds in ["0", "9", "-1", "x", "1000000"] {
        assert_eq!(demo(&["--seconds", seconds]).output().unwrap().status.code(), Some(2), "{seconds}");
    }
}
