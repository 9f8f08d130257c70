//! Jobs that misbehave: they fail, hang, fork, print without end, ignore signals, can't be run.

use crate::guest::{Guest, lives};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

#[test]
fn one_that_fails_is_put_aside_and_not_run_for_ever() {
    let mut guest = Guest::new("echo \"$1\" >> ran; echo sorry >&2; [ \"$1\" = good ] || exit 3", "");
    guest.batch("1", &["bad", "good"]);
    guest.start();
    guest.wait_for("the batch", |guest| guest.at("done") == ["1/good"]);
    assert_eq!(guest.at("failed"), ["1/bad"]);
    assert_eq!(guest.result("1/bad")["status"], 3);
    assert_eq!(guest.text("out/1/bad.out"), "sorry\n");
    guest.batch("2", &["good"]);
    guest.wait_for("the next batch", |guest| guest.at("done").len() == 2);
    assert_eq!(guest.lines("ran"), ["bad", "good", "good"]);
}

#[test]
fn one_that_hangs_and_ignores_sigterm_is_killed_with_all_that_it_has_started() {
    let script = "trap '' TERM; echo $$ >> pids
sleep 300 & echo $! >> pids
setsid sh -c 'echo $$ >> pids; trap \"\" TERM; sleep 300 & echo $! >> pids; wait' &
wait; wait; sleep 300";
    let mut guest = Guest::new(script, ", timeout: 500ms, grace: 200ms");
    guest.batch("1", &["a"]);
    guest.start();
    guest.wait_for("the end", |guest| guest.at("failed") == ["1/a"]);
    assert_eq!(guest.result("1/a")["outcome"], "timed-out");
    let pids = guest.lines("pids");
    assert_eq!(pids.len(), 4);
    guest.wait_for("that they are gone", |_| !pids.iter().any(|pid| lives(pid)));
}

#[test]
fn one_that_ends_by_itself_leaves_nothing_behind() {
    let mut guest = Guest::new("setsid sleep 300 & echo $! >> pids; sleep 300 & echo $! >> pids", "");
    guest.batch("1", &["a"]);
    guest.start();
    guest.wait_for("the end", |guest| guest.at("done") == ["1/a"]);
    assert!(!guest.lines("pids").iter().any(|pid| lives(pid)), "a job has ended when its program has");
}

#[test]
fn one_that_prints_without_end_fills_no_disk_and_meets_its_limit() {
    let mut guest = Guest::new("yes", ", timeout: 700ms, grace: 200ms, output_max: 100kB");
    guest.batch("1", &["a"]);
    guest.start();
    guest.wait_for("the end", |guest| guest.at("failed") == ["1/a"]);
    assert_eq!(fs::metadata(guest.path("out/1/a.out")).unwrap().len(), 100_000);
    let result = guest.result("1/a");
    assert_eq!(result["kept_bytes"], 100_000);
    assert!(result["printed_bytes"].as_u64().unwrap() > 100_000, "{result}");
    let megabytes = "head -c 5000000 /dev/zero";
    guest.script(megabytes);
    guest.batch("2", &["b"]);
    guest.wait_for("one that ends", |guest| guest.at("done") == ["2/b"]);
    assert_eq!(guest.result("2/b")["printed_bytes"], 5_000_000);
}

#[test]
fn a_job_ends_with_its_daemon_and_is_begun_again_by_the_next_alone() {
    // It ignores SIGTERM, so what the first daemon leaves needs its whole grace. Each run looks for the ones before.
    let script =
        "trap '' TERM; touch pids; for pid in $(cat pids); do kill -0 $pid && echo $pid >> beside; done
echo $$ >> pids; i=0; while [ $i -lt 25 ]; do sleep 0.05; i=$((i+1)); done";
    let mut guest = Guest::new(script, ", grace: 400ms");
    guest.batch("1", &["a"]);
    guest.start();
    guest.wait_for("the job", |guest| guest.lines("pids").len() == 1);
    guest.kill();
    guest.start();
    guest.wait_for("its end", |guest| guest.at("done") == ["1/a"]);
    assert_eq!((guest.lines("pids").len(), guest.text("beside").as_str()), (2, ""));
    assert_eq!(guest.result("1/a")["time"], 2);
}

#[test]
fn sigterm_ends_the_daemon_at_once_and_its_job_with_it() {
    let mut guest = Guest::new("echo $$ >> pids; sleep 300", "");
    guest.batch("1", &["a"]);
    guest.start();
    guest.wait_for("the job", |guest| !guest.lines("pids").is_empty());
    let took = guest.terminate();
    assert!(took < Duration::from_secs(5), "{took:?}");
    let pid = guest.lines("pids")[0].clone();
    guest.wait_for("that the job is gone", |_| !lives(&pid));
    assert_eq!(guest.at("claimed-by-g"), ["1/a"]);
}

#[test]
fn one_that_never_comes_to_an_end_is_put_aside_in_the_end() {
    // It kills its helper, as the kernel might that has no memory left.
    let mut guest =
        Guest::new("echo \"$1\" >> ran; [ \"$1\" = good ] || kill -KILL $PPID; sleep 0.05", ", tries: 3");
    guest.batch("1", &["bad", "good"]);
    guest.start();
    guest.wait_for("the batch", |guest| guest.at("done") == ["1/good"]);
    assert_eq!(guest.at("failed"), ["1/bad"]);
    assert_eq!(guest.lines("ran").iter().filter(|line| *line == "bad").count(), 3);
    assert!(guest.log().contains("was begun 3 times and never came to an end"), "{}", guest.log());
}

#[test]
fn what_can_t_be_run_at_all_is_not_the_jobs_fault() {
    let mut guest = Guest::new("echo \"$1\" >> ran", "");
    let sound = guest.text("policy.yaml");
    guest.policy(&sound.replace("/bin/sh", "/nonexistent/sh"));
    guest.batch("1", &["a", "b"]);
    guest.start();
    guest.wait_for("a complaint", |guest| guest.log().contains("can't start /nonexistent/sh"));
    assert_eq!((guest.at("failed"), guest.at("claimed-by-g").len()), (Vec::new(), 2));
    guest.policy(&sound);
    guest.signal(Signal::HUP);
    guest.wait_for("both, once it can", |guest| guest.at("done").len() == 2);
    assert_eq!(guest.result("1/a")["time"], 1);

    // No place for what it prints: it would be lost.
    fs::remove_dir_all(guest.path("out")).unwrap();
    guest.write("out", "a file");
    guest.batch("2", &["c"]);
    guest.wait_for("a complaint", |guest| guest.log().contains("2/c can't be run"));
    fs::remove_file(guest.path("out")).unwrap();
    guest.wait_for("it, once it can", |guest| guest.at("done").len() == 3);
}

#[test]
fn a_job_that_runs_while_the_policy_changes_is_run_once() {
    let mut guest = Guest::new(
        "echo \"began $1\" >> ran; while [ ! -e go ]; do sleep 0.02; done; echo \"ended $1\" >> ran",
        "",
    );
    guest.batch("1", &["a", "b"]);
    guest.start();
    guest.wait_for("the first job", |guest| guest.lines("ran").len() == 1);
    guest.policy(&guest.text("policy.yaml").replace("output:", "timeout: 10m, output:"));
    guest.signal(Signal::HUP);
    guest.wait_for("the reload", |guest| !guest.events("reload").is_empty());
    guest.write("go", "");
    guest.wait_for("both", |guest| guest.at("done").len() == 2);
    assert_eq!(guest.lines("ran"), ["began a", "ended a", "began b", "ended b"]);
}

#[test]
fn nothing_is_claimed_where_nothing_is_asked_for() {
    let mut guest = Guest::new("echo \"$1\" >> ran", "");
    guest.policy(&(guest.text("policy.yaml") + "mode: observe\n"));
    guest.batch("1", &["a"]);
    guest.start();
    guest.wait_for("what it says", |guest| guest.log().contains("jobs are neither claimed nor run"));
    guest.policy(&guest.text("policy.yaml").replace("observe", "act"));
    assert_eq!(guest.at("incoming"), ["1/a"]);
    guest.signal(Signal::HUP);
    guest.wait_for("the job", |guest| guest.at("done") == ["1/a"]);
}

#[test]
fn a_job_that_nobody_can_read_is_put_aside() {
    if rustix::process::geteuid().is_root() {
        // Root reads everything; a folder in the place of a file has no first line and no input, and is a job all the same.
        let mut guest = Guest::new("ls \"$2\"", "");
        guest.batch("1", &[]);
        fs::create_dir_all(guest.path("queue/incoming/1/a/inside")).unwrap();
        guest.start();
        guest.wait_for("the job", |guest| guest.at("done") == ["1/a"]);
        assert_eq!(guest.text("out/1/a.out"), "inside\n");
        return;
    }
    let mut guest = Guest::new("true", "");
    guest.batch("1", &["a"]);
    fs::set_permissions(guest.path("queue/incoming/1/a"), fs::Permissions::from_mode(0o000)).unwrap();
    guest.start();
    guest.wait_for("the end", |guest| guest.at("failed") == ["1/a"]);
}
