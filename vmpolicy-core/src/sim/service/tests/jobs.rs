//! What every queue of jobs must do.

use proptest::prelude::*;

use super::*;
use crate::sim::chance::Seed;
use crate::sim::service::jobs::*;

fn classes() -> Vec<JobClass> {
    [("grade a", 71.09), ("grade b", 10.0)]
        .map(|(name, work_gcycles)| JobClass { name: name.to_owned(), work_gcycles })
        .into()
}

fn listed(batches: Vec<(Span, Vec<u16>)>) -> JobQueue {
    let spec = JobsSpec { classes: classes(), arrivals: Arrivals::Listed(batches) };
    JobQueue::new(&spec, Seed(1), 0).expect("a sound queue")
}

/// Thesis, table 3.3: the same job takes 71.09 s on a small instance and 31.21 s on a large one.
#[test]
fn the_same_job_on_a_small_and_a_large_instance() {
    for (ghz, takes_s) in [(1.0, 71.09), (71.09 / 31.21, 31.21)] {
        let mut queue = listed(vec![(Span::ZERO, vec![0])]);
        assert_eq!(queue.claim(3).map(|batch| batch.jobs.len()), Some(1));
        assert!(queue.start(3, 0));
        assert_eq!(queue.demand(3, Vcpus { count: 2, clock_ghz: ghz }), ghz);
        let eta = queue.eta(3, ghz).expect("it runs");
        let done = queue.run(3, eta, ghz).expect("it is done");
        assert!((done.ran_s - takes_s).abs() < 1e-9, "{}", done.ran_s);
        assert_eq!(done.after, eta);
        assert_eq!((queue.done_jobs(), queue.claimed_jobs()), (1, 0));
        assert_eq!(queue.claim(3), None);
    }
}

#[test]
fn a_crash_runs_the_job_again_and_no_job_that_is_done() {
    let mut queue = listed(vec![(Span::ZERO, vec![1, 1])]);
    queue.claim(0);
    assert!(queue.start(0, 0));
    assert!(queue.run(0, Span::from_secs(10), 1.0).is_some());
    assert!(queue.start(0, 1));
    assert_eq!(queue.run(0, Span::from_secs(9), 1.0), None);
    queue.crash(0);
    assert!(!queue.is_running(0));
    // Back again, the guest finds its batch, and the second job from its beginning.
    assert_eq!(queue.claim(0).map(|batch| batch.number), Some(0));
    assert!(!queue.start(0, 0), "that one is done");
    assert_eq!(queue.next_job(0), Some(1));
    assert!(queue.start(0, 1));
    assert_eq!(queue.run(0, Span::from_secs(9), 1.0), None);
    let done = queue.run(0, Span::from_secs(9), 1.0).expect("done");
    assert_eq!((done.ran_s, done.after), (10.0, Span::from_secs(1)));
}

#[test]
fn batches_wait_in_the_order_in_which_they_came() {
    let at = Span::from_secs;
    let mut queue = listed(vec![(at(10), vec![0, 1, 1]), (at(20), vec![1]), (at(20), vec![0])]);
    assert_eq!(queue.claim(0), None);
    assert_eq!(queue.next_arrival(), Some(at(10)));
    queue.arrive(at(25));
    assert_eq!((queue.waiting_batches(), queue.waiting_jobs(), queue.oldest_wait()), (3, 5, at(15)));
    assert_eq!(queue.claim(7).map(|batch| batch.number), Some(0));
    assert_eq!(queue.claim(8).map(|batch| batch.number), Some(1));
    assert_eq!(queue.claim(7).map(|batch| batch.number), Some(0), "the one that it has");
    assert_eq!((queue.waiting_batches(), queue.waiting_jobs(), queue.oldest_wait()), (1, 1, at(5)));
    assert_eq!((queue.claimed_jobs(), queue.next_arrival()), (4, None));
}

#[test]
fn what_is_no_queue_is_refused() {
    let refused = |arrivals| {
        let spec = JobsSpec { classes: classes(), arrivals };
        spec.check().expect_err("no queue").to_string()
    };
    let random = |gap, jobs, shares: &[f64]| Arrivals::Random {
        gap: Span::from_secs(gap),
        jobs,
        shares: shares.into(),
    };
    let at = Span::from_secs;
    let errors = [
        refused(Arrivals::Listed(vec![(at(2), vec![0]), (at(1), vec![0])])),
        refused(Arrivals::Listed(vec![(at(2), vec![])])),
        refused(Arrivals::Listed(vec![(at(2), vec![2])])),
        refused(random(0, (1, 2), &[1.0, 1.0])),
        refused(random(9, (2, 1), &[1.0, 1.0])),
        refused(random(9, (1, 2), &[1.0])),
        refused(random(9, (1, 2), &[0.0, 0.0])),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r"
    batch 2 comes before the one above it
    a batch has from 1 to 100000 jobs
    there is no class 2, only 2
    the mean `gap` between batches must be at least a second
    a batch has from 1 to 100000 jobs
    `shares` must have a number of at least 0 for each class, and one above 0
    `shares` must have a number of at least 0 for each class, and one above 0
    ");
}

#[derive(Clone, Copy, Debug)]
enum Do {
    Arrive,
    Claim(u32),
    Start(u32),
    Run(u32, u64),
    Crash(u32),
}

fn doings() -> impl Strategy<Value = Vec<Do>> {
    let worker = 0..3_u32;
    let one = prop_oneof![
        Just(Do::Arrive),
        worker.clone().prop_map(Do::Claim),
        worker.clone().prop_map(Do::Start),
        (worker.clone(), 0..60_000_u64).prop_map(|(worker, ms)| Do::Run(worker, ms)),
        worker.prop_map(Do::Crash),
    ];
    prop::collection::vec(one, 0..200)
}

proptest! {
    #[test]
    fn no_job_is_lost_and_none_is_done_twice(doings in doings(), seed in any::<u64>()) {
        let arrivals = Arrivals::Random { gap: Span::from_secs(60), jobs: (1, 4), shares: vec![1.0, 3.0] };
        let spec = JobsSpec { classes: classes(), arrivals };
        let mut queue = JobQueue::new(&spec, Seed(seed), 0).expect("sound");
        let mut done = std::collections::BTreeSet::new();
        let mut now = Span::ZERO;
        for one in doings {
            match one {
                Do::Arrive => {
                    now = Span::from_millis(now.millis() + 45_000);
                    queue.arrive(now);
                }
                Do::Claim(worker) => {
                    queue.claim(worker);
                }
                Do::Start(worker) => {
                    let next = queue.next_job(worker);
                    prop_assert_eq!(queue.start(worker, next.unwrap_or(0)), next.is_some());
                }
                Do::Run(worker, ms) => {
                    let eta = queue.eta(worker, 2.0);
                    let ended = queue.run(worker, Span::from_millis(ms), 2.0);
                    prop_assert_eq!(ended.is_some(), eta.is_some_and(|eta| eta.millis() <= ms));
                    if let Some(ended) = ended {
                        prop_assert!(done.insert((ended.batch, ended.job)), "twice: {ended:?}");
                        let work = spec.classes[usize::from(ended.class)].work_gcycles;
                        prop_assert!((ended.ran_s - work / 2.0).abs() < 1e-6, "{ended:?}");
                    }
                }
                Do::Crash(worker) => queue.crash(worker),
            }
            let known = queue.waiting_jobs() + queue.claimed_jobs() + queue.done_jobs();
            prop_assert_eq!(queue.arrived_jobs(), known);
            prop_assert_eq!(done.len() as u64, queue.done_jobs());
        }
    }
}
