//! The example files: each is sound, without a warning, and the four policies of the thesis are the ones that
//! their constructors build.

#![expect(clippy::disallowed_methods, reason = "the examples are files")]

use crate::shared::TwoZones;
use crate::support::told;
use std::path::{Path, PathBuf};
use vmpolicy_core::Policy;
use vmpolicy_core::file::{Loaded, load};
use vmpolicy_core::leaf::window::{Hours, Weekdays};
use vmpolicy_core::policy::thesis;
use vmpolicy_core::policy::{AtMost, PolicyFile, PriceForm, Tour};
use vmpolicy_core::time::Span;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples")
}

fn example(name: &str) -> Loaded {
    let text = std::fs::read(folder().join(name)).expect("an example");
    load(&text, &TwoZones).unwrap_or_else(|_| panic!("{name}:\n{}", told(&text)))
}

#[test]
fn all_are_sound_and_wise() {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder()).expect("the folder of examples") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "yaml") {
            let text = std::fs::read(&path).expect("a file");
            assert_eq!(told(&text), "", "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 6, "only {seen} examples");
}

/// Editors on other systems end lines with two characters, and some begin a file with an invisible one.
#[test]
fn line_ends_and_byte_order_marks_change_nothing() {
    for name in ["schedule-aware.yaml", "many-indicators.yaml", "cron-window.yaml"] {
        let text = std::fs::read_to_string(folder().join(name)).expect("an example");
        let plain = example(name).policy;
        for other in [text.replace('\n', "\r\n"), format!("\u{feff}{text}"), text.trim_end().to_owned()] {
            let loaded = load(other.as_bytes(), &TwoZones)
                .unwrap_or_else(|_| panic!("{name}:\n{}", told(other.as_bytes())));
            assert_eq!(loaded.policy, plain, "{name}");
        }
        let slip = format!("\u{feff}{}", text.replace("version: 1", "versoin: 1").replace('\n', "\r\n"));
        let told = told(slip.as_bytes());
        assert!(told.contains("versoin: 1\n") && told.contains("^^^^^^^\n"), "{told}");
    }
}

fn names(prefix: &str, numbers: core::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.map(|number| format!("{prefix}{number}")).collect()
}

/// What the scripts of the thesis do, where ours would be more careful.
fn as_the_scripts(mut file: PolicyFile, guest: &str) -> PolicyFile {
    file.guest = Some(guest.to_owned().into());
    file.moves.settle = Some(Span::from_secs(45).into());
    file.moves.tour = Some(Tour::KeepGoing.into());
    file.moves.at_most = Some(AtMost { count: 16, per: Span::from_hours(1) }.into());
    file
}

fn priced(mut file: PolicyFile, array: usize, host: f64, base: Option<f64>) -> PolicyFile {
    file.arrays[array].price = Some(PriceForm { host: host.into(), base: base.map(Into::into) }.into());
    file
}

fn built(file: &PolicyFile) -> Policy {
    file.build(&TwoZones).expect("a sound policy")
}

#[test]
fn threshold_aware() {
    let file = thesis::threshold_aware("cluster", &names("mln", 1..=5), thesis::slow_queries(), 50.0, 3);
    let file = as_the_scripts(file, "nii1");
    assert_eq!(built(&file), example("threshold-aware.yaml").policy);
}

fn bands() -> thesis::Bands {
    thesis::Bands { high: 50.0, high_tarry: 3, low: 1.0, low_tarry: 20 }
}

#[test]
fn base_aware() {
    let file = thesis::base_aware("cluster", &names("mln", 1..=4), "mln6", thesis::slow_queries(), bands());
    let file = priced(as_the_scripts(file, "nii3"), 0, 0.12, Some(0.03));
    assert_eq!(built(&file), example("base-aware.yaml").policy);
}

#[test]
fn schedule_aware() {
    let hours = thesis::WorkingHours {
        days: Weekdays::parse("Mon-Fri").expect("days"),
        hours: Hours::parse("09:00-16:00").expect("hours"),
        zone: "Europe/Oslo".to_owned(),
    };
    let file = thesis::schedule_aware(
        "cluster",
        &names("mln", 1..=5),
        "mln6",
        thesis::slow_queries(),
        bands(),
        hours,
    );
    let file = priced(as_the_scripts(file, "nii5"), 0, 0.12, Some(0.03));
    assert_eq!(built(&file), example("schedule-aware.yaml").policy);
}

#[test]
fn site_aware() {
    let jobs = thesis::Jobs {
        queue: "jobs".to_owned(),
        every: Span::from_secs(120),
        big: "grade a".to_owned(),
        at_least: 2,
    };
    let home = ("oslo", names("mln", 1..=1));
    let away = ("amazon", vec!["m1-large".to_owned()]);
    let mut file = thesis::site_aware((home.0, &home.1), (away.0, &away.1), jobs);
    file = priced(priced(file, 0, 0.03, None), 1, 0.34, None);
    file.guest = Some("nii4".to_owned().into());
    file.arrays[1].speed = Some(2.28.into());
    file.arrays[1].relocation =
        Some(vmpolicy_core::policy::RelocationForm::Takes(Span::from_secs(1_324)).into());
    file.queues[0].classes[0].takes = Some(Span::from_millis(71_090).into());
    file.queues[0]
        .classes
        .push(vmpolicy_core::policy::ClassForm { name: "grade b".to_owned().into(), takes: None });
    file.moves.settle = Some(Span::from_secs(45).into());
    file.moves.confirm_within = Some(Span::from_hours(1).into());
    assert_eq!(built(&file), example("site-aware.yaml").policy);
}

#[test]
fn a_fingerprint_tells_policies_apart() {
    let (one, two) = (example("base-aware.yaml").policy, example("schedule-aware.yaml").policy);
    assert_eq!(one.fingerprint(), one.clone().fingerprint());
    assert_ne!(one.fingerprint(), two.fingerprint());
}

#[test]
fn many_indicators_as_read() {
    let Loaded { policy, shell, .. } = example("many-indicators.yaml");
    insta::assert_debug_snapshot!((
        policy.rules().rows(),
        policy.arrays().rows(),
        shell.probes,
        shell.sources
    ));
}
