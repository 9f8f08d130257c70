//! A folder as a queue: each job at least once, a completed one never again, whenever the daemon is killed.

use crate::guest::Guest;
use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

/// Writes down when a job begins and when it ends.
const WRITES: &str = "echo \"began $1\" >> ran; sleep 0.03; echo \"ended $1\" >> ran; echo \"$1 $3\"; cat";

fn times(guest: &Guest, word: &str) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for line in guest.lines("ran") {
        if let Some(job) = line.strip_prefix(word) {
            *times.entry(job.trim().to_owned()).or_insert(0) += 1;
        }
    }
    times
}

#[test]
fn batches_are_run_one_after_the_other() {
    let mut guest = Guest::new(WRITES, "");
    guest.batch("2", &["c"]);
    guest.batch("1", &["big-a", "b"]);
    guest.start();
    guest.wait_for("all jobs", |guest| guest.at("done").len() == 3);
    let ran = ["began b", "ended b", "began big-a", "ended big-a", "began c", "ended c"];
    assert_eq!(guest.lines("ran"), ran);
    assert_eq!(guest.at("done"), ["1/b", "1/big-a", "2/c"]);
    let claimed = guest.path("queue/claimed-by-g");
    guest.wait_for("that nothing is left", |_| fs::read_dir(&claimed).unwrap().count() == 0);
    assert_eq!(guest.text("out/1/big-a.out"), "big-a big\nthis is big-a\n");
    assert_eq!(guest.text("out/2/c.out"), "c small\nthis is c\n");
    let result = guest.result("1/big-a");
    assert_eq!(result["outcome"], "exited");
    assert_eq!((&result["status"], &result["class"]), (&0.into(), &"big".into()), "{result}");
    assert_eq!((&result["time"], &result["kept_bytes"]), (&1.into(), &24.into()), "{result}");

    guest.batch("3", &["d"]);
    guest.wait_for("one that comes later", |guest| guest.at("done").len() == 4);
    guest.wait_for("that none is begun", |guest| !guest.path("state/jobs/jobs.begun").exists());
}

#[test]
fn killed_at_any_moment_each_job_is_run_and_none_that_is_done_again() {
    let mut guest = Guest::new(WRITES, ", grace: 100ms, tries: 1000");
    let mut all = Vec::new();
    for batch in 0..10 {
        let jobs: Vec<String> = (0..6).map(|job| format!("{batch}-{job}")).collect();
        guest.batch(&batch.to_string(), &jobs.iter().map(String::as_str).collect::<Vec<_>>());
        all.extend(jobs.into_iter().map(|job| format!("{batch}/{job}")));
    }
    for round in 0..30_u64 {
        let done = guest.at("done");
        let before = times(&guest, "began");
        guest.start();
        // Spread over claims, starts, ends and renames.
        thread::sleep(Duration::from_millis(40 + 37 * round % 160));
        guest.kill();
        let after = times(&guest, "began");
        for job in done {
            let name = job.split_once('/').unwrap().1;
            assert_eq!(before.get(name), after.get(name), "{job} was done, and is run again");
        }
        let mut there = [guest.at("incoming"), guest.at("claimed-by-g"), guest.at("done")].concat();
        there.sort_unstable();
        assert_eq!(there, all, "nothing is lost");
    }
    guest.start();
    guest.wait_for("all jobs", |guest| guest.at("done").len() == all.len());
    assert_eq!(guest.at("done"), all);
    assert!(guest.at("failed").is_empty());
    let (began, ended) = (times(&guest, "began"), times(&guest, "ended"));
    assert_eq!((began.len(), ended.len()), (all.len(), all.len()), "each at least once");
    let again = began.values().filter(|&&times| times > 1).count();
    assert!(again <= 30, "a kill costs at most one run: {began:?}");
}

#[test]
fn two_guests_share_a_folder() {
    let mut one = Guest::new(WRITES, "");
    let mut other = Guest::new(WRITES, "");
    let text = one.text("policy.yaml").replace("guest: g", "guest: other");
    let own = other.path("out").display().to_string();
    let text = text.replace(&one.path("out").display().to_string(), &own);
    other.policy(
        &text.replace(&one.path("job").display().to_string(), &other.path("job").display().to_string()),
    );
    for batch in 0..20 {
        one.batch(&batch.to_string(), &["a", "b"]);
    }
    one.start();
    other.start();
    one.wait_for("all jobs", |guest| guest.at("done").len() == 40);
    let (ours, theirs) = (one.lines("ran").len(), other.lines("ran").len());
    assert_eq!(ours + theirs, 80, "each once, by one of them");
    assert!(ours > 0 && theirs > 0, "{ours} and {theirs}");
}

#[test]
fn a_folder_that_is_not_there_is_waited_for() {
    let mut guest = Guest::new(WRITES, "");
    fs::remove_dir(guest.path("queue/incoming")).unwrap();
    guest.start();
    guest.wait_for("a complaint", |guest| guest.log().contains("incoming: no such folder; make it"));
    fs::create_dir(guest.path("queue/incoming")).unwrap();
    guest.batch("1", &["a"]);
    guest.wait_for("the job", |guest| guest.at("done") == ["1/a"]);
    assert_eq!(guest.log().matches("no such folder").count(), 1, "it is told once");
}
