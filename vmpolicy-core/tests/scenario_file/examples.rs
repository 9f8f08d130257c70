//! The example scenarios: each is sound, without a warning, and says what its name promises.

#![expect(clippy::disallowed_methods, reason = "the examples are files")]

use crate::shared::TwoZones;
use crate::support::{Disk, told};
use vmpolicy_core::file::scenario::{Built, load, parse};
use vmpolicy_core::sim::scenario::{GuestSet, LiveMoves, Relocations, What};
use vmpolicy_core::time::{Span, Wall};

fn text(name: &str) -> Vec<u8> {
    std::fs::read(Disk::examples().0.join(name)).expect("an example")
}

fn example(name: &str) -> Built {
    let text = text(name);
    load(&text, &TwoZones, &mut Disk::examples())
        .unwrap_or_else(|_| panic!("{name}:\n{}", told(&text, &mut Disk::examples())))
}

fn all() -> Vec<String> {
    let folder = std::fs::read_dir(Disk::examples().0).expect("the folder of examples");
    let mut names: Vec<String> = folder
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn all_are_sound_and_wise() {
    assert!(all().len() >= 9, "{:?}", all());
    for name in all() {
        let text = text(&name);
        let told = told(&text, &mut Disk::examples());
        assert_eq!(told, "", "{name}");
    }
}

/// What is written from an example builds the same scenario.
#[test]
fn all_can_be_written() {
    for name in all() {
        let written = parse(&text(&name)).file.to_yaml();
        let again = load(written.as_bytes(), &TwoZones, &mut Disk::examples());
        let again = again.unwrap_or_else(|_| {
            panic!("{name}:\n{written}\n{}", told(written.as_bytes(), &mut Disk::examples()))
        });
        assert_eq!(format!("{:?}", again.scenario), format!("{:?}", example(&name).scenario), "{name}");
    }
}

#[test]
fn the_thesis_s_first_scenario() {
    let scenario = example("nii1.yaml").scenario;
    // Listing 4.1 begins at 14:44:23 CEST.
    assert_eq!(scenario.start.to_string(), "2009-05-06T12:44:00Z");
    let clocks: Vec<f64> = scenario.hosts.iter().map(|host| host.clock_ghz).collect();
    assert_eq!(clocks, [2.0, 2.6, 2.6, 3.0, 3.0], "table 3.2");
    assert_eq!(scenario.arrays[0].live, LiveMoves::Take(Span::ZERO));
    let managed = scenario.kinds[0].managed.as_ref().expect("a policy");
    assert!(managed.feeds[0].is_some(), "the indicator reads something");
    let policy = &scenario.policies[managed.policy.index()];
    assert_eq!(policy.moves().settle, Span::from_secs(45));

    let scenario = example("nii1-threshold.yaml").scenario;
    assert_eq!(scenario.faults.len(), 1);
    assert_eq!(scenario.faults[0].at, Span::from_hours(16));
    let What::Reload { guests: GuestSet::These(guests), managed } = &scenario.faults[0].what else {
        panic!("{:?}", scenario.faults[0])
    };
    assert_eq!(guests.len(), 1);
    let threshold = |policy: usize| {
        let policy = &scenario.policies[policy];
        policy.show(&policy.rules().rows()[0].when).to_string()
    };
    assert_eq!(threshold(0), "slow_queries > 20");
    assert_eq!(threshold(managed.policy.index()), "slow_queries > 50");
}

#[test]
fn the_thesis_s_third_scenario() {
    let scenario = example("nii4.yaml").scenario;
    let leaving: Vec<_> = scenario.arrays.iter().map(|array| array.leaving.clone()).collect();
    let secs = |secs: &[u64]| Relocations::Take(secs.iter().copied().map(Span::from_secs).collect());
    assert_eq!(leaving, [secs(&[1_324]), secs(&[574, 208])], "listing 4.5");
    assert_eq!(scenario.queues[0].name, "jobs");
    let queues = &scenario.kinds[0].managed.as_ref().expect("a policy").queues;
    assert_eq!(queues.iter().map(|queue| queue.map(|queue| queue.0)).collect::<Vec<_>>(), [Some(0)]);
    // Table 3.3: 71.09 s and 31.21 s for the same job.
    let work = scenario.queues[0].spec.classes[0].work_gcycles;
    let takes = |host: usize| work / scenario.hosts[host].clock_ghz;
    assert!((takes(0) - 71.09).abs() < 0.01 && (takes(1) - 31.21).abs() < 0.1, "{} {}", takes(0), takes(1));
}

#[test]
fn a_thousand_guests_on_eight_hundred_hosts() {
    let Built { scenario, .. } = example("thousand.yaml");
    assert_eq!((scenario.guests.len(), scenario.hosts.len()), (1_000, 800));
    assert_eq!(scenario.policies.len(), 3, "guests of a group share their policy");
    assert_eq!(scenario.kinds.len(), 4);
    assert_eq!(scenario.start, Wall::from_secs(1_795_384_800));
    // In turn over all hosts: nowhere are more than two.
    let mut on = vec![0; 800];
    scenario.guests.iter().for_each(|guest| on[guest.at.index()] += 1);
    assert_eq!(on.iter().max(), Some(&2));
}
