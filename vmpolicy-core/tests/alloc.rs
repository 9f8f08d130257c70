//! A step allocates nothing, once warm (contract, section 6): counted, not promised.
#![cfg(feature = "testkit")]

use allocation_counter::measure;
use std::hint::black_box;
use std::sync::Arc;
use vmpolicy_core::id::{HostId, Id, IndicatorId};
use vmpolicy_core::input::{Notice, Outcome, Reading, Setup, Sighting, Word};
use vmpolicy_core::leaf::sample::Read;
use vmpolicy_core::policy::IndicatorForm;
use vmpolicy_core::policy::thesis::{self, Bands};
use vmpolicy_core::testkit::sketch::EuropeanZones;
use vmpolicy_core::time::{Now, Span, Wall};
use vmpolicy_core::{Engine, Input, Output, Policy};

/// The thesis's policy 2: two thresholds, two tarries, a base.
fn base_aware(read: Read) -> Arc<Policy> {
    let indicator = IndicatorForm { read, ..thesis::slow_queries() };
    let bands = Bands { high: 50.0, high_tarry: 3, low: 1.0, low_tarry: 20 };
    let file = thesis::base_aware("cluster", &["mln1", "mln2", "mln3", "mln4"], "mln6", indicator, bands);
    file.build(&EuropeanZones).expect("a sound policy").into()
}

/// An engine and a caller that does as it is told: probes, moves, comes back at the deadline.
struct Guest {
    engine: Engine,
    now: Now,
    out: Output,
    total: f64,
    gauge: bool,
    /// How many requests were made.
    requests: u64,
}

impl Guest {
    fn new(read: Read) -> Self {
        let setup = Setup { at: Some(HostId::from_index(0)), ..Setup::default() };
        Self {
            engine: Engine::new(base_aware(read), setup),
            now: Now { wall: Wall::from_secs(1_241_595_000), ..Now::default() },
            out: Output::default(),
            total: 0.0,
            gauge: !read.needs_baseline(),
            requests: 0,
        }
    }

    fn step(&mut self, input: &Input) {
        self.engine.step(self.now, input, &mut self.out);
    }

    /// To the next deadline: a tick, the reading if one is wanted, the move if one is asked for.
    fn turn(&mut self, value: f64) {
        self.step(&Input::Tick);
        if self.out.effects.iter().any(|effect| matches!(effect, vmpolicy_core::Effect::Probe(_))) {
            self.total += value;
            let value = Ok(if self.gauge { value } else { self.total });
            let reading = Reading { indicator: IndicatorId::from_index(0), taken: self.now.mono, value };
            self.step(&Input::Reading(reading));
        }
        if let Some(open) = self.engine.open_request() {
            self.requests += 1;
            self.step(&Input::Outcome { id: open.id, outcome: Outcome::Confirmed });
        }
        if let Some(deadline) = self.out.deadline {
            self.now = self.now.plus(deadline.at.since(self.now.mono));
        }
    }

    /// Overload, then idleness: moves round the ring, a tour in vain, a move to base, already there.
    fn day(&mut self) {
        for turn in 0..2_000 {
            self.turn(if turn % 400 < 200 { 80.0 } else { 0.0 });
        }
    }
}

fn warm_days_allocate_nothing(read: Read) {
    let mut guest = Guest::new(read);
    guest.day();
    let before = guest.requests;
    let counted = measure(|| black_box(&mut guest).day());
    assert!(guest.requests > before + 20, "the steps measured make requests, too: {}", guest.requests);
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn what_does_allocate_is_counted() {
    assert_eq!(measure(|| drop(black_box(vec![0_u8; 100]))).count_total, 1);
    // The first step of an engine makes the buffers.
    let mut guest = Guest::new(Read::Gauge);
    assert!(measure(|| guest.turn(80.0)).count_total > 0);
}

#[test]
fn a_warm_step_of_base_aware_with_a_gauge_allocates_nothing() {
    warm_days_allocate_nothing(Read::Gauge);
}

#[test]
fn a_warm_step_of_base_aware_with_a_delta_allocates_nothing() {
    warm_days_allocate_nothing(Read::Delta);
}

/// Failures, notices, foreign moves, holds, rankings, restarts: none of them allocates in a warm engine.
#[test]
fn warm_steps_in_trouble_allocate_nothing() {
    let mut guest = Guest::new(Read::Delta);
    let ranking: Vec<HostId> = [2, 1, 0, 3].map(HostId::from_index).to_vec();
    let setup = Setup { at: Some(HostId::from_index(0)), ..Setup::default() };
    let trouble = |at: Option<HostId>| {
        let host = at.unwrap_or(HostId::from_index(0));
        let array = Id::from_index(0);
        [
            Input::Notice { host, notice: Notice::Drain, lasts: Span::from_mins(20) },
            Input::Ranking { array, order: ranking.clone(), lasts: Span::from_mins(40) },
            Input::Location(Sighting::At(HostId::from_index(1))),
            Input::Location(Sighting::Elsewhere),
            Input::Location(Sighting::At(HostId::from_index(2))),
            Input::Operator(Word::Hold(Some(Span::from_mins(7)))),
            Input::Operator(Word::Move(HostId::from_index(3))),
            Input::Operator(Word::Abandon),
            Input::Start(setup),
        ]
    };
    let mut counted = 0;
    for round in 0..40 {
        // The inputs themselves are the caller's to allocate.
        for input in trouble(guest.engine.location()) {
            let cost = measure(|| {
                guest.step(&input);
                let open = guest.engine.open_request();
                if let Some(open) = open.filter(|_| round % 3 == 0) {
                    guest.step(&Input::Outcome { id: open.id, outcome: Outcome::Refused });
                }
                for _ in 0..10 {
                    guest.turn(80.0);
                }
            });
            // The first rounds make the buffers as large as they need to be.
            counted += if round < 20 { 0 } else { cost.count_total };
        }
    }
    assert_eq!(counted, 0);
}
