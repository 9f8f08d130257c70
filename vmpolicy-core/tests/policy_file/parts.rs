//! A policy in several files: read as one, and told with the right file.

use crate::shared::problems::{draw, with_slips};
use crate::shared::{TwoZones, assert_document};
use proptest::prelude::*;
use vmpolicy_core::file::{Parts, Problem, load, load_parts};

static EXAMPLES: [&str; 4] = [
    include_str!("../../../docs/examples/schedule-aware.yaml"),
    include_str!("../../../docs/examples/many-indicators.yaml"),
    include_str!("../../../docs/examples/cron-window.yaml"),
    include_str!("../../../docs/examples/site-aware.yaml"),
];

/// The sections of a file: what begins with a key at the beginning of a line.
fn sections(text: &str) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        match sections.last_mut() {
            Some(last) if !line.starts_with(|first: char| first.is_ascii_lowercase()) => last.push_str(line),
            _ => sections.push(line.to_owned()),
        }
    }
    sections
}

/// Every problem with its own file, and labels of another one with that one's number.
fn told(files: &[&str]) -> String {
    let texts: Vec<&[u8]> = files.iter().map(|text| text.as_bytes()).collect();
    let parts = Parts::of(texts.iter().copied());
    let problems = match load_parts(&texts, &TwoZones) {
        Ok(loaded) => loaded.warnings.into_iter().map(Problem::from).collect(),
        Err(problems) => problems,
    };
    let draw_one = |mut problem: Problem| {
        let mut number = 0;
        if let Some(place) = &mut problem.place {
            (number, *place) = parts.find(*place);
        }
        let mut elsewhere = String::new();
        let bare = Problem { labels: Vec::new(), path: String::new(), hint: None, ..problem.clone() };
        problem.labels.retain_mut(|label| {
            let (file, place) = parts.find(label.place);
            label.place = place;
            if file != number {
                let there = Problem { place: Some(place), message: label.text.clone(), ..bare.clone() };
                elsewhere += &format!("  file {file}, {}", draw(files[file], &there));
            }
            file == number
        });
        format!("file {number}, {}{elsewhere}", draw(files[number], &problem))
    };
    problems.into_iter().map(draw_one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// The sections of a sound policy may stand in any of its files, and in any order.
    #[test]
    fn sections_may_stand_in_any_file(
        example in prop::sample::select(&EXAMPLES[..]),
        spread in prop::collection::vec(0_usize..4, 20),
        order in any::<prop::sample::Index>(),
    ) {
        let mut files = [String::from("version: 1\n"), String::new(), String::new(), String::new()];
        let mut all = sections(&example.replace("version: 1\n", ""));
        let turn = order.index(all.len());
        all.rotate_left(turn);
        for (section, &file) in all.iter().zip(&spread) {
            files[file].push_str(section);
        }
        let texts: Vec<&[u8]> = files.iter().map(|text| text.as_bytes()).collect();
        let whole = load(example.as_bytes(), &TwoZones).expect("a sound example");
        let spread = load_parts(&texts, &TwoZones);
        let spread = spread.map_err(|_| TestCaseError::fail(told(&files.iter().map(String::as_str).collect::<Vec<_>>())))?;
        prop_assert_eq!(spread.policy, whole.policy);
        prop_assert_eq!(spread.warnings.len(), whole.warnings.len());
    }

    /// Whatever the files hold, every place is in one of them, and of what fails there is a reason.
    #[test]
    fn places_are_in_their_files(
        first in with_slips(&EXAMPLES),
        second in with_slips(&["metrics: { listen: 127.0.0.1:9464 }\n", "arrays: { z: { hosts: [y] } }\n", "# nothing\n"]),
        third in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let texts: [&[u8]; 3] = [&first, &second, &third];
        let parts = Parts::of(texts);
        let problems: Vec<Problem> = match load_parts(&texts, &TwoZones) {
            Ok(loaded) => loaded.warnings.into_iter().map(Problem::from).collect(),
            Err(problems) => {
                prop_assert!(!problems.is_empty(), "no policy, and no reason");
                problems
            }
        };
        for problem in &problems {
            for place in problem.place.iter().chain(problem.labels.iter().map(|label| &label.place)) {
                let (file, place) = parts.find(*place);
                prop_assert!(place.start <= place.end && place.end as usize <= texts[file].len(), "{problem:?}");
            }
        }
    }

    /// One file more that says nothing changes nothing, wherever it stands and whatever is wrong.
    #[test]
    fn a_file_without_a_word_changes_nothing(text in with_slips(&EXAMPLES)) {
        let alone = load(&text, &TwoZones);
        let beside = load_parts(&[&text, b"# later, perhaps\n", b""], &TwoZones);
        match (alone, beside) {
            (Ok(alone), Ok(beside)) => prop_assert_eq!(alone.policy, beside.policy),
            (Err(alone), Err(beside)) => prop_assert_eq!(alone, beside),
            (alone, beside) => prop_assert!(false, "{:?} {:?}", alone.is_ok(), beside.is_ok()),
        }
    }
}

const POLICY: &str = "\
version: 1
arrays:
  oslo: { hosts: [mln1, mln2], base: mln6 }
indicators:
  slow: { every: 60s }
rules:
  - { name: busy, when: slow > 50, tarry: 3, do: move }
";

#[test]
fn what_is_wrong_is_told_with_its_file() {
    let cases: [(&str, &[&str]); 12] = [
        (
            "each adds what it has",
            &[
                POLICY,
                "indicators: { load: { every: 5s } }\nmode: observe\n",
                "version: 1\nlocator: { assume: mln6 }\n",
            ],
        ),
        (
            "a name in two files",
            &[
                POLICY,
                "arrays:\n  amazon: { hosts: [m1] }\n  oslo: { hosts: [x] }\n",
                "indicators: { slow: { every: 5s } }\n",
            ],
        ),
        ("rules in two files", &[POLICY, "rules:\n  - { name: idle, when: slow < 1, do: moev-to-base }\n"]),
        (
            "other sections in two files",
            &[POLICY, "mode: observe\nmetrics: { listen: 127.0.0.1:9464 }\n", "mode: act\n"],
        ),
        ("a name that no file has", &[POLICY, "locator: { assume: mln9 }\n"]),
        (
            "a slip in each",
            &[
                &POLICY.replace("60s", "60"),
                "metrcis: { listen: 127.0.0.1:9464 }\n",
                "version: 2\nlocator:\n  assume: [mln1]\n",
            ],
        ),
        (
            "one that is no YAML hides what it may define",
            &[&POLICY.replace("slow > 50", "load > 50"), "indicators:\n  load: { every: 5s\nx"],
        ),
        ("the first is no YAML", &["version: 1\narrays: [\n", "moed: act\n"]),
        ("one that is no list of keys", &[POLICY, "- mode: act\n"]),
        (
            "sections of a wrong kind",
            &[
                POLICY,
                "indicators: [load]\narrays:\n",
                "windows: 5\n",
                "windows: { w: { hours: 09:00-16:00, zone: UTC } }\n",
            ],
        ),
        ("one with a syntax of its own", &[POLICY, "mode: @act\n"]),
        ("the first says nothing", &["# to do\n", POLICY]),
    ];
    let shown = |files: &[&str]| {
        let shown = files
            .iter()
            .enumerate()
            .map(|(number, text)| format!("--- file {number}\n{}\n", text.trim_end()));
        shown.collect::<String>()
    };
    let document = cases.map(|(title, files)| format!("## {title}\n\n{}\n{}\n", shown(files), told(files)));
    assert_document!(document.concat());
}

/// A problem of a whole file is at that file's beginning.
#[test]
fn a_file_that_is_too_long_is_the_one_that_is_blamed() {
    let long = format!("# {}\n", "x".repeat(1 << 20));
    let problems = load_parts(&[POLICY.as_bytes(), long.as_bytes()], &TwoZones).expect_err("too long");
    let parts = Parts::of([POLICY.as_bytes(), long.as_bytes()]);
    let places: Vec<_> = problems
        .iter()
        .map(|problem| (problem.code, problem.place.map(|place| parts.find(place).0)))
        .collect();
    assert_eq!(places, [("VP0101", Some(1))]);
}
