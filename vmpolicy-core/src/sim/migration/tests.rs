//! What every move must be.

use proptest::prelude::*;

use super::*;

fn live(spec: &PreCopy) -> Move {
    Move::live(spec).expect("a sound move")
}

/// From its beginning to its end at one bandwidth.
fn end(mut going: Move, bandwidth: f64) -> End {
    let eta = going.eta(bandwidth).expect("it ends");
    going.advance(eta, bandwidth);
    going.ended().expect("it has ended")
}

fn precopies() -> impl Strategy<Value = PreCopy> {
    (1e6..1e10, 0.0..2e8, 0.0..1.0, 0.0..1e6, 1..40_u32, 1.0..5.0, 0..2_000_u64, 0..2_000_u64).prop_map(
        |(memory_bytes, dirty_bytes_per_s, share, stop_bytes, rounds_most, sent_most, setup, resume)| {
            PreCopy {
                memory_bytes,
                dirty_bytes_per_s,
                working_set_bytes: memory_bytes * share,
                stop_bytes,
                rounds_most,
                sent_most,
                setup: Span::from_millis(setup),
                resume: Span::from_millis(resume),
            }
        },
    )
}

/// With d = rb dirtied a second, round i sends M·rⁱ, and n rounds and the rest take (M/b)(1 − rⁿ⁺¹)/(1 − r).
#[test]
fn without_a_working_set_it_is_a_geometric_series() {
    const STOP: f64 = 1.5e6;
    let (memory, bandwidth) = (1e9, 1e8);
    for ratio in [0.1, 0.5, 0.8] {
        let spec = PreCopy {
            memory_bytes: memory,
            dirty_bytes_per_s: ratio * bandwidth,
            working_set_bytes: memory,
            stop_bytes: STOP,
            rounds_most: 100,
            sent_most: 100.0,
            ..PreCopy::default()
        };
        let end = end(live(&spec), bandwidth);
        // The first n with M·rⁿ at most what may be left.
        let rounds = (1..).find(|&n| memory * libm::pow(ratio, f64::from(n)) <= STOP).expect("r is below 1");
        let total = (1.0 - libm::pow(ratio, f64::from(rounds) + 1.0)) / (1.0 - ratio);
        assert_eq!((end.rounds, end.stop), (rounds, Some(Stop::Little)), "{ratio}");
        assert!((end.sent_bytes - memory * total).abs() < 1.0);
        assert!((end.took.as_secs_f64() - memory / bandwidth * total).abs() < 0.001_1);
        let left = memory * libm::pow(ratio, f64::from(rounds));
        assert!((end.downtime.as_secs_f64() - left / bandwidth).abs() < 0.001_1);
    }
}

#[test]
fn who_writes_as_fast_as_the_link_sends_is_stopped_for_the_working_set() {
    let spec = PreCopy {
        memory_bytes: 1e9,
        dirty_bytes_per_s: 1e8,
        working_set_bytes: 2e8,
        resume: Span::from_millis(50),
        ..PreCopy::default()
    };
    // Round 1 sends all, round 2 the working set, and the working set is dirty again: 10 s, 2 s, and 2 s without the guest.
    let end = end(live(&spec), 1e8);
    let wanted = End {
        took: Span::from_millis(14_050),
        downtime: Span::from_millis(2_050),
        sent_bytes: 1.4e9,
        rounds: 2,
        stop: Some(Stop::NoProgress),
    };
    assert_eq!(end, wanted);
}

#[test]
fn rounds_and_bytes_are_limited() {
    let spec = PreCopy {
        memory_bytes: 1e9,
        dirty_bytes_per_s: 9e7,
        working_set_bytes: 1e9,
        stop_bytes: 0.0,
        ..PreCopy::default()
    };
    let limited = |rounds_most, sent_most| {
        let end = end(live(&PreCopy { rounds_most, sent_most, ..spec }), 1e8);
        (end.rounds, end.stop.expect("stopped"))
    };
    assert_eq!(limited(4, 100.0), (4, Stop::Rounds));
    // 1 + 0.9 + 0.81 + 0.729 exceeds three times the memory.
    assert_eq!(limited(30, 3.0), (4, Stop::Sent));
    assert_eq!(limited(1, 0.0), (1, Stop::Rounds));
}

#[test]
fn the_relocations_of_the_thesis() {
    // Listings 4.5 and 4.6: the used part of nii4's disk, out in 1324 s, back in 574 s and in 208 s.
    let spec = Relocation {
        shutdown: Span::from_secs(20),
        disk_bytes: 1_015_417.0 * 1_024.0,
        boot: Span::from_secs(40),
    };
    for secs in [1_324, 574, 208] {
        let bandwidth = spec.bandwidth_for(Span::from_secs(secs)).expect("longer than a minute");
        let end = end(Move::relocation(&spec).expect("sound"), bandwidth);
        assert_eq!((end.took, end.downtime), (Span::from_secs(secs), Span::from_secs(secs)));
        assert!((end.sent_bytes - spec.disk_bytes).abs() < 1e-3);
    }
}

#[test]
fn without_bandwidth_nothing_arrives() {
    let relocation =
        Move::relocation(&Relocation { shutdown: Span::from_secs(1), disk_bytes: 1.0, boot: Span::ZERO });
    for going in [live(&PreCopy::default()), relocation.expect("sound")] {
        for nothing in [0.0, -1.0, f64::NAN] {
            assert_eq!(going.eta(nothing), None);
            let mut waiting = going.clone();
            assert_eq!(waiting.advance(Span::from_hours(1), nothing), Span::from_hours(1));
            assert_eq!((waiting.ended(), waiting.sent_bytes(), waiting.is_sending()), (None, 0.0, true));
            assert_eq!(waiting.turn(nothing), None);
        }
    }
}

#[test]
fn what_is_no_move_is_refused() {
    let amount = |spec: PreCopy| Move::live(&spec).expect_err("no move").to_string();
    assert_eq!(
        amount(PreCopy { memory_bytes: f64::NAN, ..PreCopy::default() }),
        "`memory` of a move must be a number from 0 to 1e18"
    );
    assert_eq!(
        amount(PreCopy { rounds_most: 0, ..PreCopy::default() }),
        "`rounds_most` of a move must be at least 1"
    );
    let disk = Relocation { shutdown: Span::ZERO, disk_bytes: -1.0, boot: Span::ZERO };
    assert_eq!(Move::relocation(&disk), Err(MoveError::NotAnAmount { what: "disk" }));
}

proptest! {
    #[test]
    fn it_ends_within_its_limits(spec in precopies(), bandwidth in 1e6..1e9_f64) {
        let end = end(live(&spec), bandwidth);
        let memory = spec.memory_bytes;
        let working_set = spec.working_set_bytes;
        prop_assert!(end.sent_bytes >= memory * (1.0 - 1e-12));
        // No round but the first sends more than the working set, and one may begin just before the limit.
        prop_assert!(end.sent_bytes <= (spec.sent_most * memory).max(memory) + 2.0 * working_set + 1.0);
        prop_assert!(end.rounds >= 1 && end.rounds <= spec.rounds_most);
        let stopped_s = end.downtime.as_secs_f64() - spec.resume.as_secs_f64();
        prop_assert!(stopped_s <= working_set / bandwidth + 0.001_1);
        prop_assert!(end.downtime <= end.took);
        let sending_s = end.took.as_secs_f64() - spec.setup.as_secs_f64() - spec.resume.as_secs_f64();
        prop_assert!((sending_s - end.sent_bytes / bandwidth).abs() < 0.002);
        if end.stop == Some(Stop::Little) {
            prop_assert!(stopped_s <= spec.stop_bytes / bandwidth + 0.001_1);
        }
    }

    /// A world that looks in between finds the same end, and an eta that agrees with it.
    #[test]
    fn going_on_in_steps_comes_to_the_same(spec in precopies(), bandwidth in 1e6..1e9_f64, steps in 1..20_u64) {
        let whole = end(live(&spec), bandwidth);
        let mut going = live(&spec);
        let step = Span::from_millis(whole.took.millis() / steps + 1);
        let mut taken = Span::ZERO;
        while going.ended().is_none() {
            let eta = going.eta(bandwidth).expect("it ends");
            let left = whole.took.millis() - taken.millis();
            prop_assert!(eta.millis().abs_diff(left) <= 1, "{eta} {left}");
            prop_assert!(going.turn(bandwidth).expect("it ends") <= eta);
            taken = Span::from_millis(taken.millis() + going.advance(step, bandwidth).millis());
        }
        let stepped = going.ended().expect("it has ended");
        prop_assert_eq!((stepped.rounds, stepped.stop), (whole.rounds, whole.stop));
        prop_assert!((stepped.sent_bytes - whole.sent_bytes).abs() <= 1e-6 * whole.sent_bytes);
        prop_assert!(stepped.took.millis().abs_diff(whole.took.millis()) <= 1);
        prop_assert!(stepped.downtime.millis().abs_diff(whole.downtime.millis()) <= 1);
    }

    #[test]
    fn more_bandwidth_never_takes_longer_downtime_nor_sends_more_without_dirtying(
        memory_bytes in 1e6..1e10_f64, bandwidth in 1e6..1e9_f64, more in 1.0..10.0_f64,
    ) {
        let spec = PreCopy { memory_bytes, ..PreCopy::default() };
        let (slow, fast) = (end(live(&spec), bandwidth), end(live(&spec), bandwidth * more));
        prop_assert!(fast.took <= slow.took);
        prop_assert_eq!((slow.downtime, fast.rounds, slow.sent_bytes), (Span::ZERO, 1, memory_bytes));
    }

    /// Following it from turn to turn, as a world that shares a link does, sees each phase once and loses no time.
    #[test]
    fn turns_lead_to_the_end(spec in precopies(), bandwidth in 1e6..1e9_f64) {
        let whole = end(live(&spec), bandwidth);
        let mut going = live(&spec);
        let (mut turns, mut taken) = (0, 0);
        while let Some(turn) = going.turn(bandwidth) {
            let before = (going.is_sending(), going.is_running());
            taken += going.advance(turn, bandwidth).millis();
            turns += 1;
            prop_assert!(going.ended().is_some() || before != (going.is_sending(), going.is_running()));
            prop_assert!(turns <= 5);
        }
        prop_assert!(going.ended().is_some());
        prop_assert!(taken.abs_diff(whole.took.millis()) <= turns, "{} {}", taken, whole.took);
    }
}
