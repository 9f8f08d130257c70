//! Properties of the search as a whole, on policies and recordings as users have them.

use super::yardstick::sat_out;
use super::*;
use crate::backtest::{Options, Row, Trace, run};
use crate::file::{Loaded, load};
use crate::policy::UtcOnly;
use crate::time::{Mono, Span, Wall};
use proptest::prelude::*;
use std::sync::Arc;

const FLOW: &str = "\
# A comment at the top.
version: 1
arrays:
  oslo: { hosts: [mln1, mln2, mln3], base: mln6, price: { host: 0.12, base: 0.03 } }
indicators:
  latency: { probe: { load: {} }, every: 60s, unit: ms }
rules:
  - { name: overloaded, when: latency > 0.05s, tarry: 3, do: move }   # too slow
  - { name: idle, when: { all: [latency < 20ms, { not: latency < 2 }] }, do: move-to-base }
moves: { tour: keep-going }
";

const BLOCK: &str = "\
version: 1
arrays:
  oslo:
    hosts: [mln1, mln2, mln3]
indicators:
  load:
    probe: { load: {} }
    every: 60s
rules:
  - name: overloaded
    when: 'load > 50'   # quoted
    tarry: \"2 of 5\"
    do: move
  - when: load < -1.5e1
    name: idle
    do:
      move-to: mln1
# no moves, and no line end";

const LASTING: &str = "\
version: 1
arrays: { oslo: { hosts: [mln1, mln2], base: mln6 } }
indicators: { load: { probe: { load: {} }, every: 60s, read: rate } }
windows: { night: { days: Mon-Sun, hours: 22:00-06:00, zone: UTC } }
rules:
- { name: off, when: inside night, do: rest }
- { name: busy, when: load > 0.5, tarry: 5m, do: move }
moves:
  # what follows is a comment
  dwell: 0s
  settle: 45s
";

fn loaded(text: &str) -> (Loaded, Space, Arc<Policy>, crate::id::IndicatorId) {
    let loaded = load(text.as_bytes(), &UtcOnly).expect("a sound policy");
    let policy = Arc::new(loaded.policy.clone());
    let indicator = policy.indicators().ids().next().expect("an indicator");
    let samples: Vec<f64> = (0..200).map(f64::from).collect();
    let space = Space::derive(&loaded.file, &policy, indicator, &samples);
    (loaded, space, policy, indicator)
}

use crate::Policy;

/// A day and more of minutes, up and down, with gaps.
fn trace(seed: u32, minutes: i64) -> Trace {
    let value = |minute: i64| {
        let wave = (minute % 240 - 120).abs() as f64;
        let noise = f64::from((minute as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 26);
        wave / 2.0 + noise
    };
    let rows = (0..minutes).filter(|minute| minute % 301 > 7);
    Trace::new(rows.map(|minute| Row { at: Wall::from_secs(minute * 60), value: Ok(value(minute)) }))
        .expect("in order")
}

fn some_candidate(space: &Space, picks: &[u16]) -> Candidate {
    let levels = |at: usize| space.parameters()[at].levels().len();
    picks
        .iter()
        .take(space.parameters().len())
        .enumerate()
        .map(|(at, pick)| pick % levels(at) as u16)
        .collect()
}

fn picks() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(0_u16..1_000, 12)
}

proptest! {
    #[test]
    fn a_candidate_is_the_policy_that_its_file_builds(picks in picks()) {
        for text in [FLOW, BLOCK, LASTING] {
            let (loaded, space, policy, _) = loaded(text);
            let candidate = some_candidate(&space, &picks);
            let built = space.file(&loaded.file, &candidate).build(&UtcOnly).expect("levels are legal");
            prop_assert_eq!(space.policy(&policy, &candidate), built);
        }
    }

    #[test]
    fn a_written_candidate_reads_back_and_keeps_every_comment(picks in picks()) {
        for text in [FLOW, BLOCK, LASTING] {
            let (loaded, space, policy, _) = loaded(text);
            let candidate = some_candidate(&space, &picks);
            let new = write(text, &loaded.file, &policy, &UtcOnly, &space, &candidate).expect("it can be written");
            let read = load(new.as_bytes(), &UtcOnly).expect("it is sound");
            prop_assert_eq!(read.policy, space.policy(&policy, &candidate));
            for line in text.lines().filter_map(|line| line.split_once('#')) {
                prop_assert!(new.contains(line.1), "{}", new);
            }
        }
    }

    #[test]
    fn a_front_depends_on_what_was_put_in_and_not_on_the_order(
        all in prop::collection::vec((0_u16..30, 0_u16..4, 0_u64..6, 0_u8..6, 0_u64..6), 1..40),
        cut in 0_usize..40,
    ) {
        let (_, space, _, _) = loaded(FLOW);
        let mut present = space.present();
        let members: Vec<Member> = all.into_iter().map(|(one, other, moves, cost, breach_ms)| {
            (present[0], present[2]) = (one, other);
            space.member(present.clone(), Worth { moves, cost: f64::from(cost), breach_ms })
        }).collect();
        let front = |members: &[Member]| {
            let mut front = Front::default();
            members.iter().for_each(|member| front.add(member.clone()));
            front
        };
        let whole = front(&members);
        let cut = cut.min(members.len());
        let mut joined = front(&members[cut..]);
        joined.join(front(&members[..cut]));
        prop_assert_eq!(&joined, &whole);
        for (at, one) in whole.members().iter().enumerate() {
            prop_assert!(whole.members().iter().all(|other| !other.worth.dominates(&one.worth)));
            prop_assert!(whole.members()[..at].iter().all(|other| other.worth != one.worth));
        }
        for one in &members {
            prop_assert!(whole.members().iter().any(|best| best.worth == one.worth || best.worth.dominates(&one.worth)));
        }
        for most in [1, 3, 7] {
            let spread = whole.spread(most);
            prop_assert_eq!(spread.len(), most.min(whole.members().len()));
            prop_assert!(spread.windows(2).all(|two| two[0] < two[1]));
        }
    }

    #[test]
    fn what_is_sat_out_is_what_a_walk_by_the_millisecond_counts(
        lengths in prop::collection::vec((1_i64..9, 1_i64..9), 0..6),
        arrivals in prop::collection::vec((0_i64..60, any::<bool>()), 0..12),
    ) {
        let mut at = 0;
        let breaches: Vec<_> = lengths.iter().map(|(gap, length)| {
            let from = at + gap;
            at = from + length;
            (Mono(from), Mono(at))
        }).collect();
        let mut arrivals: Vec<_> = arrivals.into_iter().map(|(at, ring)| (Mono(at), ring)).collect();
        arrivals.sort_by_key(|(at, _)| *at);
        let slow: u64 = breaches.iter().map(|&(from, to)| {
            (from.0..to.0).filter(|&now| {
                let last = arrivals.iter().rev().find(|(at, _)| *at >= from && at.0 <= now);
                last.is_none_or(|(_, ring)| !ring)
            }).count() as u64
        }).sum();
        prop_assert_eq!(sat_out(&breaches, &arrivals), Span::from_millis(slow));
    }
}

/// A search without a trial: the worth of a candidate is made up of its genes.
fn found(space: &Space, plan: &Plan, islands: impl Iterator<Item = u32>) -> (Front, u32) {
    let (mut front, mut tried) = (Front::default(), 0);
    for index in islands {
        let mut island = Island::new(space, plan, index);
        while let Some(batch) = island.ask() {
            let worths: Vec<_> = batch.iter().map(|one| made_up(one)).collect();
            island.tell(&worths);
        }
        let found = island.finish();
        tried += found.tried;
        front.join(found.front);
    }
    (front, tried)
}

/// Three goals that contradict each other; every seventh candidate is refused.
fn made_up(candidate: &[u16]) -> Option<Worth> {
    let genes: Vec<i64> = candidate.iter().map(|&gene| i64::from(gene)).collect();
    let away = |goal: i64| genes.iter().map(|gene| (gene - goal).pow(2)).sum::<i64>().unsigned_abs();
    let refused = genes.iter().sum::<i64>() % 7 == 3;
    (!refused).then(|| Worth { moves: away(0), cost: away(9) as f64, breach_ms: away(genes[0] % 5) })
}

#[test]
fn a_search_is_the_same_however_its_islands_are_shared_out() {
    let (_, space, _, _) = loaded(FLOW);
    let plan = Plan { seed: 7, candidates: 1_003, islands: 5 };
    assert!(!plan.is_exhaustive(&space));
    let (whole, tried) = found(&space, &plan, 0..5);
    assert_eq!(tried, 1_003);
    let (mut joined, rest) = found(&space, &plan, [3, 1].into_iter());
    let (other, more) = found(&space, &plan, [4, 0, 2].into_iter());
    joined.join(other);
    assert_eq!((joined, rest + more), (whole.clone(), tried));
    assert_ne!(found(&space, &Plan { seed: 8, ..plan }, 0..5).0, whole);
}

#[test]
fn a_small_space_is_tried_whole_and_once() {
    let (_, space, _, _) = loaded(FLOW);
    let range = |text: &str| Some(text.parse().expect("a range"));
    let names = [("overloaded.tarry".to_owned(), range("1..5")), ("settle".to_owned(), range("45s,1m,2m"))];
    let space = space.vary(&names).expect("a space");
    assert_eq!(space.size(), 15);
    let (front, tried) = found(&space, &Plan { seed: 1, candidates: 20, islands: 4 }, 0..4);
    assert_eq!(tried, 15);
    let mut all = Front::default();
    for candidate in (0..).map_while(|number| space.numbered(number)) {
        if let Some(worth) = made_up(&candidate) {
            all.add(space.member(candidate, worth));
        }
    }
    assert_eq!(front, all);
}

#[test]
fn evolution_comes_nearer_than_the_first_sample() {
    let (_, space, _, _) = loaded(FLOW);
    let plan = Plan { seed: 3, candidates: 1_200, islands: 2 };
    let mut first = Front::default();
    for index in 0..2 {
        let mut island = Island::new(&space, &plan, index);
        for candidate in island.ask().expect("a first sample") {
            if let Some(worth) = made_up(candidate) {
                first.add(space.member(candidate.clone(), worth));
            }
        }
    }
    let (front, _) = found(&space, &plan, 0..2);
    let beaten = |one: &Member| front.members().iter().any(|best| best.worth.dominates(&one.worth));
    let share = first.members().iter().filter(|one| beaten(one)).count();
    assert!(share * 10 >= first.members().len() * 7, "{share} of {} are beaten", first.members().len());
}

#[test]
fn an_island_that_is_refused_everything_comes_to_an_end() {
    let (_, space, _, _) = loaded(BLOCK);
    let plan = Plan { seed: 1, candidates: 500, islands: 1 };
    let mut island = Island::new(&space, &plan, 0);
    while let Some(batch) = island.ask() {
        let refused = vec![None; batch.len()];
        island.tell(&refused);
    }
    let found = island.finish();
    assert_eq!((found.tried, found.refused), (500, 500));
    assert!(found.front.members().is_empty());
}

#[test]
fn figures_are_those_of_a_backtest() {
    let (_, _, policy, indicator) = loaded(FLOW);
    let options = Options::new(&policy, indicator);
    let yardstick = Yardstick::present(&policy, indicator).expect("it moves");
    let traces = [trace(1, 3_000), trace(2, 2_000)];
    let trial = Trial::new(&policy, options, &yardstick, &traces, 0.0).expect("a trial");
    assert_eq!(trial.cuts().collect::<Vec<_>>(), [None, None]);
    let figures = trial.tuned_on(&policy);
    let all: Vec<_> =
        traces.iter().map(|trace| run(&policy, trace, &options, &mut ()).expect("it runs")).collect();
    assert!(figures.requests > 0);
    assert_eq!(figures.requests, all.iter().map(|one| one.requests).sum::<u64>());
    let cost: f64 = all.iter().map(|one| one.cost.expect("a price").c_t()).sum();
    assert!((figures.cost - cost).abs() < 1e-9);
    assert_eq!(
        figures.own_breach.map(Span::millis),
        all.iter().map(|one| one.breach.map(Span::millis)).sum()
    );
    assert_eq!(trial.held_out(&policy), None);
    assert!(figures.breach < trial.breaches(), "moves answer breaches");
}

#[test]
fn a_guest_that_never_moves_sits_out_every_breach() {
    let (_, space, policy, indicator) = loaded(FLOW);
    let yardstick = Yardstick::present(&policy, indicator).expect("it moves");
    let trial = Trial::new(&policy, Options::new(&policy, indicator), &yardstick, &[trace(1, 3_000)], 0.3)
        .expect("a trial");
    let never = [
        ("overloaded.threshold".to_owned(), Some("9".parse().expect("a range"))),
        ("idle.threshold.1".to_owned(), Some("-1".parse().expect("a range"))),
    ];
    let space = space.vary(&never).expect("a space");
    let figures = trial.tuned_on(&Arc::new(space.policy(&policy, &space.present())));
    assert_eq!((figures.requests, figures.breach), (0, trial.breaches()));
    assert!(!figures.breach.is_zero());
}

#[test]
fn what_is_held_out_has_no_say() {
    let (_, _, policy, indicator) = loaded(FLOW);
    let yardstick = Yardstick::present(&policy, indicator).expect("it moves");
    let options = Options { stale: Some(Span::from_mins(2)), ..Options::new(&policy, indicator) };
    let whole = trace(1, 3_000);
    let (from, to) = whole.span().expect("rows");
    let cut = to.shifted(-((to.since(from).millis() * 3 / 10) as i64));
    let other = Trace::new(whole.iter().map(|row| {
        let value = if row.at < cut { row.value } else { Ok(1e9) };
        Row { value, ..row }
    }))
    .expect("in order");
    let trials = [&whole, &other]
        .map(|trace| Trial::new(&policy, options, &yardstick, [trace], 0.3).expect("a trial"));
    assert_eq!(trials[0].cuts().collect::<Vec<_>>(), [Some(cut)]);
    assert_eq!(trials[0].samples(), trials[1].samples());
    assert_eq!(trials[0].tuned_on(&policy), trials[1].tuned_on(&policy));
    assert_ne!(trials[0].held_out(&policy), trials[1].held_out(&policy));
}

#[test]
fn rest_is_no_breach() {
    let (_, _, policy, indicator) = loaded(LASTING);
    let yardstick = Yardstick::present(&policy, indicator).expect("it moves");
    // A counter that rises by more than the threshold all the time, for a day from midnight.
    let rows =
        (0..=1_440).map(|minute| Row { at: Wall::from_secs(minute * 60), value: Ok(minute as f64 * 60.0) });
    let trace = Trace::new(rows).expect("in order");
    let trial =
        Trial::new(&policy, Options::new(&policy, indicator), &yardstick, [&trace], 0.0).expect("a trial");
    // 6:00 to 22:00, but for the baseline at 6:00.
    assert_eq!(trial.breaches(), Span::from_mins(16 * 60 - 1));
}

#[test]
fn a_yardstick_can_be_given() {
    let (loaded, _, policy, indicator) = loaded(FLOW);
    let given = |text: &str| {
        Yardstick::given(text, &loaded.file, &policy, &UtcOnly, indicator)
            .map(|yardstick| yardstick.says().to_owned())
            .map_err(|error| error.to_string())
    };
    let told: Vec<String> = [
        "latency > 70ms",
        "{ all: [latency > 70, { not: latency > 200ms }] }",
        "latency",
        "lateny > 70",
        "latency > 7GiB",
        "latency > 7'\n  do: rest",
        "{ all: [",
        "inside night",
    ]
    .iter()
    .map(|text| format!("{text:?}: {:?}", given(text)))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_varies_is_what_was_asked_for() {
    let (_, space, _, _) = loaded(FLOW);
    let names: Vec<_> = space.parameters().iter().map(Parameter::name).collect();
    assert_eq!(
        names,
        [
            "overloaded.threshold",
            "overloaded.tarry",
            "idle.threshold.1",
            "idle.threshold.2",
            "idle.tarry",
            "settle",
            "dwell"
        ]
    );
    // In the unit that is written: samples are in ms.
    assert_eq!(space.parameters()[0].levels()[1].to_string(), "0.001");
    assert_eq!(space.parameters()[0].unit(), Some("s"));
    let error = |ranges: &[(&str, Option<&str>)]| {
        let ranges: Vec<_> = ranges
            .iter()
            .map(|(name, range)| ((*name).to_owned(), range.map(|range| range.parse().expect("a range"))))
            .collect();
        space.clone().vary(&ranges).expect_err("it can't be").to_string()
    };
    let told = [
        error(&[("overloaded.tary", None)]),
        error(&[("settle", Some("3"))]),
        error(&[("settle", Some("45s"))]),
        space.clone().fix(&["nothing".to_owned()]).expect_err("unknown").to_string(),
    ];
    insta::assert_snapshot!(told.join("\n"));
    let fixed = space.fix(&["settle".to_owned(), "dwell".to_owned()]).expect("something is left");
    assert_eq!(fixed.parameters().len(), 5);
}

#[test]
fn rules_that_read_more_than_is_fed_stay_as_they_are() {
    let text = "\
version: 1
arrays: { oslo: { hosts: [mln1, mln2], base: mln6 }, away: { hosts: [big], relocation: 20m } }
home: oslo
indicators: { load: { every: 60s }, cpu: { every: 60s } }
windows: { night: { hours: 22:00-06:00, zone: UTC } }
queues: { jobs: { source: { directory: /srv/jobs }, every: 60s, classes: { big: 60s } } }
rules:
  - { name: both, when: { any: [load > 50, cpu > 90, { not: cpu < 3 }] }, do: move }
  - { name: hot, when: cpu > 95, do: move }
  - { name: jobs, when: { all: [load > 60, 'count(jobs, \"big\") >= 2'] }, do: move-from-home }
  - { name: idle, when: { all: [load < 5, inside night] }, do: move-to-base }
";
    let (_, space, policy, load) = loaded(text);
    let names = |space: Space| space.parameters().iter().map(|one| one.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(unfed(&policy, load), [("both", vec!["cpu"]), ("jobs", vec!["jobs"])]);
    assert_eq!(
        names(space.clone().fed().expect("something is left")),
        ["idle.threshold", "idle.tarry", "settle", "dwell"]
    );
    // Who asks for it gets it.
    let asked = space.clone().vary(&[("both.tarry".to_owned(), None)]).expect("there is one");
    assert_eq!(names(asked), ["both.tarry"]);
    let fixed = ["idle.threshold", "idle.tarry", "settle", "dwell"].map(str::to_owned);
    let nothing = space.fix(&fixed).and_then(Space::fed);
    assert_eq!(nothing, Err(SpaceError::Still));
}

#[test]
fn bands_that_come_to_overlap_are_unwise() {
    let (loaded, space, policy, _) = loaded(FLOW);
    let known = cautions(&loaded.file, &policy);
    assert_eq!(space.unwise(&loaded.file, &policy, &known, &space.present()), []);
    let ranges = [("idle.threshold.1".to_owned(), Some("80".parse().expect("a range")))];
    let space = space.vary(&ranges).expect("a space");
    let new = space.unwise(&loaded.file, &policy, &known, &space.present());
    assert_eq!(new.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["VW0001"]);
}
