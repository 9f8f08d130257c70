//! The loop with the real engine and ports made for the test.

use super::*;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use vmpolicy_core::engine::Saved;
use vmpolicy_core::id::{Id, IndicatorId, RequestId};
use vmpolicy_core::input::{Absence, Outcome, Reading, Setup, Sighting};
use vmpolicy_core::leaf::sample::Read;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::output::Request;
use vmpolicy_core::policy::{
    ActionForm, ArrayForm, Compare, ConditionForm, IndicatorForm, Located, MovesForm, RuleForm, UtcOnly,
};
use vmpolicy_core::ports::{Actuator, Asked, Locator, Probe};
use vmpolicy_core::time::{Mono, Now, Span, Wall};
use vmpolicy_core::{Effect, Engine, Input, Policy, PolicyFile};

/// Hosts `mln1` to `mln3`, an indicator `x` every `every_ms`, and a move when it is above 5 twice.
fn policy(every_ms: u64, hosts: &[&str]) -> Arc<Policy> {
    let file = PolicyFile {
        arrays: vec![ArrayForm {
            name: "oslo".to_owned().into(),
            hosts: hosts.iter().map(|host| Located::made((*host).to_owned())).collect::<Vec<_>>().into(),
            base: None,
            price: None,
            speed: None,
            relocation: None,
        }],
        indicators: vec![IndicatorForm {
            name: "x".to_owned().into(),
            every: Span::from_millis(every_ms).into(),
            read: Read::Gauge,
            missing: 0,
            timeout: None,
            unit: None,
        }],
        rules: vec![RuleForm {
            name: "overloaded".to_owned().into(),
            when: ConditionForm::Indicator {
                indicator: "x".to_owned().into(),
                compare: Compare::Above,
                threshold: 5.0.into(),
                unit: None,
            }
            .into(),
            tarry: Some(Tarry::Consecutive(2).into()),
            action: ActionForm::Move.into(),
        }],
        moves: MovesForm {
            settle: Some(Span::from_millis(every_ms).into()),
            confirm_within: Some(Span::from_millis(100 * every_ms).into()),
            ..MovesForm::default()
        },
        ..PolicyFile::default()
    };
    Arc::new(file.build(&UtcOnly).unwrap())
}

/// What the ports saw, in the order in which they saw it.
type Log = Rc<RefCell<Vec<String>>>;

#[derive(Clone, Default)]
struct Ports {
    log: Log,
    no_state: Rc<RefCell<bool>>,
    no_records: Rc<RefCell<bool>>,
}

impl Ports {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.log.borrow_mut())
    }
}

impl StateStore for Ports {
    type Error = io::Error;

    fn save(&mut self, _: &Engine) -> io::Result<()> {
        if *self.no_state.borrow() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.log.borrow_mut().push("state".to_owned());
        Ok(())
    }
}

impl RecordSink for Ports {
    fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        if *self.no_records.borrow() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        for line in String::from_utf8(std::mem::take(lines)).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let dry = if line["dry_run"] == true { " (dry)" } else { "" };
            self.log.borrow_mut().push(format!("record {}{dry}", line["event"].as_str().unwrap()));
        }
        Ok(())
    }
}

impl Effects for Ports {
    fn carry_out(&mut self, _: Now, policy: &Policy, effect: Effect) {
        let name = |host| &policy.hosts()[host].name;
        self.log.borrow_mut().push(match effect {
            Effect::Probe(_) => "probe".to_owned(),
            Effect::Locate => "locate".to_owned(),
            Effect::Request(Request { id, from, to, .. }) => {
                format!("request {id} {}->{}", name(from), name(to))
            }
            other => format!("{other:?}"),
        });
    }
}

fn at(millis: i64) -> Now {
    Now { mono: Mono(millis), wall: Wall(1_700_000_000_000 + millis) }
}

fn reading(value: f64, taken: i64) -> Input {
    let indicator = IndicatorId::from_index(0);
    Input::Reading(Reading { indicator, taken: Mono(taken), value: Ok(value) })
}

fn setup(policy: &Policy, locates: bool) -> Setup {
    Setup { at: policy.host_named("mln1"), locates, resends: false }
}

fn driver(ports: &Ports, dry_run: bool) -> Driver<Ports, Ports, Ports> {
    let policy = policy(1_000, &["mln1", "mln2", "mln3"]);
    let setup = setup(&policy, false);
    let engine = Engine::new(policy, setup);
    let identity = Identity { guest: "nii3".to_owned(), dry_run };
    let mut driver = Driver::new(engine, ports.clone(), Lines::new(identity, ports.clone()), ports.clone());
    driver.handle(at(0), &Input::Start(setup));
    driver
}

/// Two samples above the threshold, the second of which acts.
fn overload(driver: &mut Driver<Ports, Ports, Ports>, from: i64) -> i64 {
    let mut now = from;
    for _ in 0..2 {
        driver.handle(at(now), &Input::Tick);
        driver.handle(at(now + 1), &reading(9.0, now));
        now = driver.last_output().deadline.unwrap().at.0;
    }
    now
}

#[test]
fn state_then_records_then_effects() {
    let ports = Ports::default();
    let mut driver = driver(&ports, false);
    assert_eq!(ports.take(), ["state", "probe"]);
    driver.handle(at(1), &reading(9.0, 0));
    driver.handle(at(1_000), &Input::Tick);
    assert_eq!(ports.take(), ["probe"], "counters alone are not written each time");
    driver.handle(at(1_001), &reading(9.0, 1_000));
    assert_eq!(ports.take(), ["state", "record request", "request 1 mln1->mln2"]);
}

#[test]
fn counters_are_written_every_ten_seconds() {
    let ports = Ports::default();
    let mut driver = driver(&ports, false);
    ports.take();
    let mut saves = 0;
    for second in 0..60 {
        driver.handle(at(second * 1_000), &Input::Tick);
        driver.handle(at(second * 1_000 + 1), &reading(1.0, second * 1_000));
        saves += ports.take().iter().filter(|line| *line == "state").count();
    }
    assert!((5..=6).contains(&saves), "{saves}");
}

#[test]
fn nothing_acts_before_the_state_is_on_disk() {
    let ports = Ports::default();
    let mut driver = driver(&ports, false);
    ports.take();
    *ports.no_state.borrow_mut() = true;
    driver.handle(at(1), &reading(9.0, 0));
    driver.handle(at(1_000), &Input::Tick);
    driver.handle(at(1_001), &reading(9.0, 1_000));
    assert_eq!(ports.take(), ["probe"], "neither record nor request may leave");
    assert!(driver.engine().open_request().is_some(), "the request stays open");
    assert_eq!(driver.wake_at(), Some(Mono(2_001)), "it is tried again in a second");

    driver.retry(at(1_500));
    driver.retry(at(2_001));
    assert!(ports.take().is_empty());
    *ports.no_state.borrow_mut() = false;
    driver.retry(at(3_001));
    assert_eq!(ports.take(), ["state", "record request", "request 1 mln1->mln2"]);
}

#[test]
fn nothing_acts_before_its_record_is_written() {
    let ports = Ports::default();
    let mut driver = driver(&ports, false);
    ports.take();
    *ports.no_records.borrow_mut() = true;
    overload(&mut driver, 0);
    assert_eq!(ports.take().iter().filter(|line| line.starts_with("request")).count(), 0);
    *ports.no_records.borrow_mut() = false;
    driver.retry(at(20_000));
    assert_eq!(ports.take(), ["record request", "request 1 mln1->mln2"]);
}

#[test]
fn a_request_that_ended_while_it_waited_never_leaves() {
    let ports = Ports::default();
    let mut driver = driver(&ports, false);
    *ports.no_state.borrow_mut() = true;
    overload(&mut driver, 0);
    ports.take();
    // Without a locator, the limit of 100 s ends it.
    driver.handle(at(200_000), &Input::Tick);
    assert_eq!(driver.engine().open_request(), None);
    *ports.no_state.borrow_mut() = false;
    driver.retry(at(300_000));
    let log = ports.take();
    assert!(log.contains(&"record expired".to_owned()), "{log:?}");
    assert!(!log.iter().any(|line| line.starts_with("request")), "{log:?}");
}

/// Sent just before its limit it would be under way when the next is asked for.
#[test]
fn a_request_that_waited_for_a_quarter_of_its_limit_never_leaves() {
    let ports = Ports::default();
    let mut driver = driver(&ports, false);
    *ports.no_state.borrow_mut() = true;
    overload(&mut driver, 0);
    ports.take();
    *ports.no_state.borrow_mut() = false;
    driver.retry(at(1_001 + 25_001));
    assert_eq!(ports.take(), ["state", "record request"]);
    assert!(driver.engine().open_request().is_some(), "it stays open until its limit");
}

#[test]
fn a_request_that_waits_goes_where_it_was_to_go_under_a_new_policy_too() {
    let ports = Ports::default();
    let mut driver = driver(&ports, false);
    *ports.no_state.borrow_mut() = true;
    overload(&mut driver, 0);
    driver.handle(at(5_000), &Input::Policy(policy(1_000, &["mln9", "mln3", "mln2", "mln1"])));
    ports.take();
    *ports.no_state.borrow_mut() = false;
    driver.retry(at(10_000));
    assert_eq!(ports.take(), ["state", "record request", "record reload", "request 1 mln1->mln2"]);
}

#[test]
fn records_that_nobody_takes_are_bounded() {
    let ports = Ports::default();
    let mut driver = driver(&ports, false);
    *ports.no_records.borrow_mut() = true;
    let mut now = 0;
    // Each jump of the wall clock is a record.
    for jump in 0..20_000 {
        now += 1;
        let wall = Wall(1_700_000_000_000 + jump % 2 * 10_000);
        driver.handle(Now { mono: Mono(now), wall }, &Input::Tick);
    }
    ports.take();
    *ports.no_records.borrow_mut() = false;
    driver.retry(at(now + 10_000));
    let records = ports.take().len();
    assert!(records > 1_000 && records < 20_000, "{records}");
}

#[test]
fn a_dry_run_says_so_in_each_record() {
    let ports = Ports::default();
    let mut driver = driver(&ports, true);
    overload(&mut driver, 0);
    assert!(ports.take().contains(&"record request (dry)".to_owned()));
}

#[test]
fn the_end_writes_what_there_is() {
    let ports = Ports::default();
    let mut driver = driver(&ports, false);
    driver.handle(at(1), &reading(9.0, 0));
    ports.take();
    driver.finish().unwrap();
    assert_eq!(ports.take(), ["state"]);
    *ports.no_state.borrow_mut() = true;
    assert!(driver.finish().is_err());
}

// --- the threads ----------------------------------------------------------------------------------

struct Fixed(f64);

impl Probe for Fixed {
    fn read(&mut self) -> Result<f64, Absence> {
        Ok(self.0)
    }
}

/// A probe that never answers.
struct Hanging;

impl Probe for Hanging {
    fn read(&mut self) -> Result<f64, Absence> {
        std::thread::sleep(Duration::from_secs(3_600));
        Ok(0.0)
    }
}

struct Panicking;

impl Probe for Panicking {
    fn read(&mut self) -> Result<f64, Absence> {
        panic!("a fault, on purpose")
    }
}

/// An array that carries moves out, and counts them.
#[derive(Clone, Default)]
struct World {
    asked: Arc<Mutex<Vec<String>>>,
    takes: Duration,
}

impl Actuator for World {
    fn resends(&self) -> bool {
        false
    }

    fn request(&mut self, asked: &Asked<'_>) -> Outcome {
        self.asked.lock().unwrap().push(format!("{} {}->{}", asked.id, asked.from, asked.to));
        std::thread::sleep(self.takes);
        Outcome::Confirmed
    }
}

struct Nowhere;

impl Locator for Nowhere {
    fn locate(&mut self) -> Option<String> {
        None
    }
}

fn wiring(key: &str, probe: impl Probe + 'static, world: &World) -> Wiring {
    Wiring {
        probes: vec![WiredProbe {
            key: key.to_owned(),
            at_hand: false,
            make: Box::new(move || Box::new(probe)),
        }],
        actuator: WiredActuator::new(world.clone()),
        locator: None,
        arrivals: None,
        queues: Vec::new(),
    }
}

fn threaded(at_hand: bool, probe: impl Probe + 'static, world: &World, for_ms: u64) -> (Engine, Duration) {
    let policy = policy(20, &["mln1", "mln2", "mln3"]);
    let setup = setup(&policy, false);
    let (events, inbox) = channel();
    let mut hands = Hands::new("nii3", events.clone(), SystemClock::monotonic);
    let mut wiring = wiring("x", probe, world);
    wiring.probes[0].at_hand = at_hand;
    hands.wire(wiring);
    let ports = Ports::default();
    let identity = Identity { guest: "nii3".to_owned(), dry_run: false };
    let engine = Engine::new(policy, setup);
    let mut driver = Driver::new(engine, ports.clone(), Lines::new(identity, ports), hands);
    let mut clock = SystemClock;
    driver.handle(clock.now(), &Input::Start(setup));
    let stop = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(for_ms));
        events.send(Event::Stop).unwrap();
        Instant::now()
    });
    run(&mut driver, &mut clock, &inbox, &mut Alone).unwrap();
    let took = stop.join().unwrap().elapsed();
    (driver.engine().clone(), took)
}

#[test]
fn the_loop_moves_a_guest_along_the_ring() {
    for at_hand in [false, true] {
        let world = World::default();
        let (engine, took) = threaded(at_hand, Fixed(9.0), &world, 1_000);
        let asked = world.asked.lock().unwrap().clone();
        assert!(asked.len() >= 2, "{asked:?}");
        assert_eq!(asked[..2], ["nii3-1 mln1->mln2", "nii3-2 mln2->mln3"]);
        assert!(engine.location().is_some());
        assert!(took < Duration::from_millis(500), "{took:?}");
    }
}

#[test]
fn a_probe_that_hangs_is_late_and_holds_nobody_up() {
    let world = World::default();
    let (_, took) = threaded(false, Hanging, &world, 300);
    assert!(world.asked.lock().unwrap().is_empty());
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[test]
fn a_probe_that_panics_is_unknown() {
    for at_hand in [false, true] {
        let world = World::default();
        let (engine, _) = threaded(at_hand, Panicking, &world, 300);
        assert!(world.asked.lock().unwrap().is_empty());
        assert_eq!(engine.indicator(IndicatorId::from_index(0)).why, Some(Absence::Missing));
    }
}

#[test]
fn what_an_actuator_says_to_a_life_before_is_not_heard() {
    let world = World::default();
    let policy = policy(20, &["mln1", "mln2"]);
    let (events, inbox) = channel();
    let mut before = Hands::new("nii3", events.clone(), SystemClock::monotonic);
    before.wire(wiring("x", Fixed(0.0), &world));
    before.carry_out(at(0), &policy, Effect::Request(crate::actuator::test_request()));
    before.carry_out(at(0), &policy, Effect::Probe(IndicatorId::from_index(0)));
    let mut after = Hands::new("nii3", events, SystemClock::monotonic);
    after.wire(wiring("x", Fixed(0.0), &world));
    for _ in 0..2 {
        let event = inbox.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(after.input_of(event, &policy), None);
    }
}

#[test]
fn a_busy_actuator_gets_no_second_request() {
    let world = World { takes: Duration::from_millis(400), ..World::default() };
    let policy = policy(20, &["mln1", "mln2"]);
    let (events, inbox) = channel();
    let mut hands = Hands::new("nii3", events, SystemClock::monotonic);
    hands.wire(wiring("x", Fixed(0.0), &world));
    let request = crate::actuator::test_request();
    let second = Request { id: RequestId(8), ..request };
    hands.carry_out(at(0), &policy, Effect::Request(request));
    hands.carry_out(at(0), &policy, Effect::Request(second));
    let mut answers = Vec::new();
    for _ in 0..2 {
        let event = inbox.recv_timeout(Duration::from_secs(5)).unwrap();
        match hands.input_of(event, &policy) {
            Some(Input::Outcome { id, outcome }) => answers.push((id.0, outcome)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(answers, [(8, Outcome::Refused), (7, Outcome::Confirmed)]);
    assert_eq!(world.asked.lock().unwrap().len(), 1);
    hands.carry_out(at(0), &policy, Effect::Request(second));
    assert!(matches!(
        inbox.recv_timeout(Duration::from_secs(5)),
        Ok(Event::Answered { worker: Some(_), .. })
    ));
}

#[test]
fn a_reload_keeps_the_threads_that_stay_and_hears_no_others() {
    let world = World::default();
    let policy = policy(20, &["mln1", "mln2"]);
    let (events, inbox) = channel();
    let mut hands = Hands::new("nii3", events, SystemClock::monotonic);
    let probe = Effect::Probe(IndicatorId::from_index(0));
    let answer = |hands: &mut Hands| {
        hands.carry_out(at(0), &policy, probe);
        inbox.recv_timeout(Duration::from_secs(5)).unwrap()
    };
    let value = |input: Option<Input>| match input {
        Some(Input::Reading(reading)) => reading.value,
        other => panic!("{other:?}"),
    };
    hands.wire(wiring("one", Fixed(1.0), &world));
    let event = answer(&mut hands);
    assert_eq!(value(hands.input_of(event, &policy)), Ok(1.0));

    hands.wire(wiring("one", Fixed(2.0), &world));
    let event = answer(&mut hands);
    assert_eq!(value(hands.input_of(event, &policy)), Ok(1.0), "the same key keeps its probe");

    let event = answer(&mut hands);
    hands.wire(wiring("two", Fixed(2.0), &world));
    assert_eq!(hands.input_of(event, &policy), None, "the answer of a probe that is gone");
    let event = answer(&mut hands);
    assert_eq!(value(hands.input_of(event, &policy)), Ok(2.0));
}

#[test]
fn what_the_locator_says_is_looked_up_in_the_policy() {
    let policy = policy(20, &["mln1", "mln2"]);
    let (events, inbox) = channel();
    let mut hands = Hands::new("nii3", events, SystemClock::monotonic);
    let mut wires = wiring("x", Fixed(1.0), &World::default());
    wires.locator = Some(Box::new(Nowhere));
    hands.wire(wires);
    hands.carry_out(at(0), &policy, Effect::Locate);
    let event = inbox.recv_timeout(Duration::from_secs(5)).unwrap();
    let Event::Located { worker, host: None } = event else { panic!("{event:?}") };
    let mut told = |host: Option<&str>| {
        let host = host.map(str::to_owned);
        hands.input_of(Event::Located { worker, host }, &policy)
    };
    assert_eq!(told(None), Some(Input::Location(Sighting::Unknown)));
    assert_eq!(told(Some("mars")), Some(Input::Location(Sighting::Elsewhere)));
    let mln2 = policy.host_named("mln2").unwrap();
    assert_eq!(told(Some("mln2")), Some(Input::Location(Sighting::At(mln2))));
}

#[test]
fn a_new_policy_brings_its_ports_when_the_engine_takes_it() {
    let world = World::default();
    let old = policy(20, &["mln1", "mln2"]);
    let setup = setup(&old, false);
    let (events, _inbox) = channel();
    let mut hands = Hands::new("nii3", events, SystemClock::monotonic);
    hands.wire(wiring("x", Fixed(1.0), &world));
    let ports = Ports::default();
    let identity = Identity { guest: "nii3".to_owned(), dry_run: false };
    let mut driver = Driver::new(Engine::new(old, setup), ports.clone(), Lines::new(identity, ports), hands);
    driver.handle(at(0), &Input::Start(setup));
    let new = policy(30, &["mln1", "mln2", "mln3"]);
    driver.effects_mut().prepare(Arc::clone(&new), wiring("y", Fixed(2.0), &world));
    driver.handle(at(1), &Input::Tick);
    assert!(driver.effects_mut().is_prepared());
    driver.handle(at(2), &Input::Policy(Arc::clone(&new)));
    assert!(!driver.effects_mut().is_prepared());
    assert!(Arc::ptr_eq(driver.engine().policy(), &new));
}

// --- a state that is not what it was -------------------------------------------------------------

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(1_000))]

    /// A state file with a good checksum and a content that was tampered with: refused, or a state like
    /// any other. It must not panic, then or later.
    #[test]
    fn a_state_that_was_tampered_with_does_not_panic(
        edits in proptest::collection::vec((0..10_000_usize, 0..12_usize), 1..4),
    ) {
        let policy = policy(1_000, &["mln1", "mln2", "mln3"]);
        let ports = Ports::default();
        let mut driver = driver(&ports, false);
        overload(&mut driver, 0);
        let mut text = serde_json::to_string(&driver.engine().save()).unwrap();
        for (at, what) in edits {
            let digits: Vec<usize> = text.match_indices(|c: char| c.is_ascii_digit()).map(|(at, _)| at).collect();
            let at = digits[at % digits.len()];
            let with = ["0", "1", "9", "-1", "65535", "18446744073709551615", "9223372036854775807",
                "-9223372036854775808", "1e308", "null", "[]", "\"x\""][what];
            text.replace_range(at..=at, with);
        }
        if let Ok(saved) = serde_json::from_str::<Saved>(&text)
            && let Ok(mut engine) = Engine::load(policy, saved)
        {
            let mut out = vmpolicy_core::Output::default();
            let setup = Setup { at: None, locates: true, resends: true };
            engine.step(at(0), &Input::Start(setup), &mut out);
            for step in 0..20 {
                engine.step(at(step * 700), &Input::Tick, &mut out);
                engine.step(at(step * 700 + 1), &reading(9.0, step * 700), &mut out);
            }
        }
    }
}

/// Found by the property above: a set of indicators that the policy does not have, under a policy that has
/// changed since.
#[test]
fn a_state_with_readings_of_indicators_that_are_not_there_is_refused() {
    let mut driver = driver(&Ports::default(), false);
    overload(&mut driver, 0);
    let text = serde_json::to_string(&driver.engine().save()).unwrap();
    let tampered = text.replace("\"fresh\":0", "\"fresh\":9223372036854775807");
    assert_ne!(text, tampered);
    let saved: Saved = serde_json::from_str(&tampered).unwrap();
    let loaded = Engine::load(policy(2_000, &["mln1", "mln2"]), saved);
    assert_eq!(loaded.unwrap_err(), vmpolicy_core::engine::LoadError::Inconsistent);
}
