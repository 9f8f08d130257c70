//! Planted bugs: the log of a sound run, falsified in one place, shown to a fresh checker. Each has to be
//! seen, and by the invariant that it breaks.

use vmpolicy_core::checker::{Checker, INVARIANTS};
use vmpolicy_core::id::{HostId, Id, IndicatorId, QueueId, RequestId};
use vmpolicy_core::input::{Absence, Hook, HookEnd, Hooked, Notice, Outcome, Setup, Sighting, Word};
use vmpolicy_core::leaf::logic::Truth;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::output::{Discontinuity, Event, Failure, Origin, Record, Verdict};
use vmpolicy_core::policy::{ActionForm, Monitor};
use vmpolicy_core::testkit::sketch::{Sketch, above, all, below, count_of, outside};
use vmpolicy_core::testkit::stage::{Answer, Stage};
use vmpolicy_core::time::{Now, Span, Wall};
use vmpolicy_core::{Effect, Input, Output};

const MINUTE: Span = Span::from_secs(60);

/// What happened, and what the checker is told of the policy.
struct Log {
    policy: Sketch,
    setup: Setup,
    steps: Vec<(Now, Input, Output)>,
}

impl Log {
    fn of(policy: &Sketch, setup: Setup, mut stage: Stage, span: Span) -> Self {
        stage.run(span).expect("the run itself is sound");
        let steps =
            stage.inputs.into_iter().zip(stage.outputs).map(|((now, input), output)| (now, input, output));
        Self { policy: policy.clone(), setup, steps: steps.collect() }
    }

    /// The first step with such a record.
    fn with(&self, name: &str) -> usize {
        let has = |output: &Output| output.records.iter().any(|record| record.event.name() == name);
        self.steps.iter().position(|(_, _, output)| has(output)).expect("the log has it")
    }

    fn output(&mut self, at: usize) -> &mut Output {
        &mut self.steps[at].2
    }

    /// The request of a step, in its record and its effect.
    fn change_request(&mut self, at: usize, change: impl Fn(&mut RequestId, &mut HostId, &mut HostId)) {
        for record in &mut self.output(at).records {
            if let Event::Request { id, from, to, .. } = &mut record.event {
                change(id, from, to);
            }
        }
        for effect in &mut self.output(at).effects {
            if let Effect::Request(request) = effect {
                change(&mut request.id, &mut request.from, &mut request.to);
            }
        }
    }

    /// A step after that one in which nothing comes of an input.
    fn insert_after(&mut self, at: usize, input: Input) -> &mut Output {
        let now = self.steps[at].0;
        let output = Output { deadline: self.steps[at].2.deadline, save: true, ..Output::default() };
        self.steps.insert(at + 1, (now, input, output));
        self.output(at + 1)
    }

    fn record(&mut self, at: usize, event: Event) {
        let record = Record { at: self.steps[at].0.wall, event };
        self.output(at).records.push(record);
        self.output(at).save = true;
    }
}

fn host(number: usize) -> HostId {
    HostId::from_index(number)
}

fn here() -> Setup {
    Setup { at: Some(host(0)), ..Setup::default() }
}

fn slow() -> Sketch {
    Sketch::default()
        .array("oslo", &["mln1", "mln2", "mln3"])
        .base("mln6")
        .gauge("slow", MINUTE)
        .rule("overloaded", above("slow", 50.0), Tarry::Consecutive(3), ActionForm::Move)
        .rule("idle", below("slow", 1.0), Tarry::Consecutive(3), ActionForm::MoveToBase)
}

/// Overloaded all the time; the provider answers so.
fn overloaded(answer: Answer) -> Log {
    overloaded_with(&slow(), here(), answer)
}

fn overloaded_with(policy: &Sketch, setup: Setup, answer: Answer) -> Log {
    let stage =
        Stage::with_setup(&policy.clone().build(), setup, |_, _, _| Ok(80.0)).provider(move |_| answer);
    Log::of(policy, setup, stage, Span::from_hours(1))
}

fn moves() -> Log {
    overloaded(Answer::Moves(Span::from_secs(5)))
}

fn idle() -> Log {
    let policy = slow();
    let stage = Stage::new(&policy.clone().build(), |_, _, _| Ok(0.0));
    Log::of(&policy, here(), stage, Span::from_hours(1))
}

fn off_duty() -> Log {
    let policy = slow_by_day("09:00-16:00");
    let stage = Stage::new(&policy.clone().build(), |_, _, _| Ok(80.0));
    Log::of(&policy, here(), stage.starts(Wall::from_secs(1_241_592_900)), Span::from_hours(1))
}

fn slow_by_day(hours: &str) -> Sketch {
    Sketch::default()
        .array("oslo", &["mln1", "mln2", "mln3"])
        .base("mln6")
        .window("working_hours", "Mon-Fri", hours, "Europe/Oslo")
        .gauge("slow", MINUTE)
        .rule("off-duty", outside("working_hours"), Tarry::default(), ActionForm::Rest(Monitor::Off))
        .rule("overloaded", above("slow", 50.0), Tarry::Consecutive(3), ActionForm::Move)
}

/// A batch that wants to go away comes while an operator holds; the relocation waits for a job's end.
fn jobs() -> Log {
    let policy = Sketch::default()
        .array("oslo", &["mln1", "mln2"])
        .array("away", &["ec1"])
        .queue("jobs", Span::from_mins(2), &[("big", MINUTE)])
        .rule("out", count_of("jobs", "big", 3.0), Tarry::default(), ActionForm::MoveFromHome(None));
    let mut stage = Stage::new(&policy.clone().build(), |_, _, _| Ok(0.0)).jobs(MINUTE, |_| vec![4]);
    stage.later(Span::ZERO, Input::Operator(Word::Hold(Some(Span::from_secs(30)))));
    Log::of(&policy, here(), stage, Span::from_hours(1))
}

/// The name of an invariant, and a log that breaks it.
type Canary = (&'static str, fn() -> Log);

/// `canary! { name: log, at(record) => change }`
macro_rules! canaries {
    ($($name:literal: $log:expr, $record:literal => |$it:ident, $at:ident| $change:block)*) => {
        &[$(($name, || {
            let mut $it: Log = $log;
            let $at = $it.with($record);
            $change
            $it
        })),*]
    };
}

const CANARIES: &[Canary] = canaries! {
    "one-open-request": overloaded(Answer::Ignores), "request" => |it, at| {
        let again = it.steps[at].clone();
        it.steps.insert(at + 1, again);
        it.change_request(at + 1, |id, _, _| id.0 += 1);
    }
    "ids-rise-by-one": moves(), "request" => |it, at| { it.change_request(at, |id, _, _| id.0 += 5); }
    "request-leaves-once": moves(), "request" => |it, at| { it.output(at).effects.clear(); }
    "effect-has-its-record": moves(), "request" => |it, at| {
        for effect in &mut it.output(at).effects {
            if let Effect::Request(request) = effect {
                request.to = host(2);
            }
        }
    }
    "resent-only-if-allowed": overloaded(Answer::Ignores), "request" => |it, at| {
        let Effect::Request(mut request) = it.steps[at].2.effects[0] else { panic!("a request") };
        request.resent = true;
        it.insert_after(at, Input::Tick).effects.push(Effect::Request(request));
    }
    "saved-before-it-leaves": moves(), "request" => |it, at| { it.output(at).save = false; }
    "only-the-open-one-ends": moves(), "confirmed" => |it, at| {
        for record in &mut it.output(at).records {
            if let Event::Confirmed { id, .. } = &mut record.event {
                id.0 += 1;
            }
        }
    }
    "moved-only-when-seen": moves(), "confirmed" => |it, at| {
        let _ = at;
        it.setup.locates = true;
    }
    "refused-by-the-provider": overloaded(Answer::Refuses), "refused" => |it, at| {
        if let Input::Outcome { outcome, .. } = &mut it.steps[at].1 {
            *outcome = Outcome::Unanswered;
        }
    }
    "failed-with-a-cause": overloaded(Answer::Fails(MINUTE)), "failed" => |it, at| {
        if let Event::Failed { why, barred, .. } = &mut it.output(at).records[0].event {
            (*why, *barred) = (Failure::WentElsewhere, Span::ZERO);
        }
    }
    "expired-after-its-limit": overloaded(Answer::Ignores), "expired" => |it, at| {
        // Two minutes too early.
        let early = it.with("request") + 1;
        let (now, input, output) = it.steps[at].clone();
        let now = Now { mono: now.mono.shifted(-120_000), wall: now.wall.shifted(-120_000) };
        it.steps.insert(early, (now, input, output));
        it.output(early).records[0].at = now.wall;
    }
    "every-request-ends": overloaded(Answer::Ignores), "expired" => |it, at| { it.output(at).records.clear();
            it.output(at).effects.clear(); }
    "from-where-it-is": moves(), "request" => |it, at| { it.change_request(at, |_, from, _| *from = host(2)); }
    "target-is-eligible": moves(), "request" => |it, at| {
        let down = Input::Notice { host: host(1), notice: Notice::Down, lasts: Span::from_hours(1) };
        it.insert_after(at - 2, down);
    }
    "target-fits-the-action": moves(), "request" => |it, at| { it.change_request(at, |_, _, to| *to = host(3)); }
    "next-in-the-ring": moves(), "request" => |it, at| { it.change_request(at, |_, _, to| *to = host(2)); }
    "bars-double": overloaded(Answer::Refuses), "refused" => |it, at| {
        if let Event::Refused { barred, .. } = &mut it.output(at).records[0].event {
            *barred = barred.times(3);
        }
    }
    "reasons-are-given": moves(), "request" => |it, at| { it.output(at).verdicts.clear(); }
    "verdicts-are-true": moves(), "request" => |it, at| {
        for (_, verdict) in &mut it.output(at).verdicts {
            if *verdict == Verdict::Eligible {
                *verdict = Verdict::Barred(MINUTE);
            }
        }
    }
    "at-most-so-many": moves(), "request" => |it, at| {
        let _ = at;
        it.policy = it.policy.clone().at_most(1, Span::from_hours(1));
    }
    "dwell": moves(), "request" => |it, at| {
        let _ = at;
        it.policy = it.policy.clone().dwell(Span::from_hours(1));
    }
    "hold-is-kept": moves(), "request" => |it, at| { it.insert_after(at - 2, Input::Operator(Word::Hold(None))); }
    "no-request-while-settling": moves(), "request" => |it, at| {
        let _ = at;
        it.policy = it.policy.clone().settle(Span::from_mins(10));
        for (_, _, output) in &mut it.steps {
            output.effects.retain(|effect| !matches!(effect, Effect::Probe(_)));
        }
    }
    "no-request-while-resting": off_duty(), "rest" => |it, at| {
        // Another rule's move, while the guest rests.
        let again = it.steps[at].clone();
        it.steps[at].2.records.truncate(1);
        it.steps[at].2.effects.clear();
        it.steps.insert(at + 1, again);
        it.output(at + 1).records.remove(0);
        for record in &mut it.output(at + 1).records {
            if let Event::Request { origin: Origin::Rule(rule), action, to, .. } = &mut record.event {
                *rule = Id::from_index(1);
                *action = vmpolicy_core::policy::Action::Move;
                *to = host(1);
            }
        }
        it.output(at + 1).verdicts[0].0 = host(1);
    }
    "no-relocation-during-a-job": jobs(), "request" => |it, at| {
            let queue = QueueId::from_index(0);
            it.steps[at].1 = Input::Batch { queue, classes: vec![4], others: 0 };
        }
    "held-for-a-reason": overloaded_with(&slow().dwell(Span::from_hours(1)), here(), Answer::Moves(MINUTE)),
        "held" => |it, at| {
        let _ = at;
        it.policy = slow();
    }
    "drain-leaves-at-once": moves(), "request" => |it, at| {
        it.insert_after(at - 2, Input::Notice { host: host(0), notice: Notice::Drain, lasts: MINUTE });
    }
    "drain-before-rules": moves(), "request" => |it, at| {
        it.steps[at].1 = Input::Notice { host: host(0), notice: Notice::Drain, lasts: MINUTE };
    }
    "foreign-moves-void": moves(), "request" => |it, at| {
        it.insert_after(at - 2, Input::Location(Sighting::At(host(2))));
    }
    "clock-jumps-void": moves(), "request" => |it, at| {
        it.steps[at - 2].0.wall = it.steps[at - 2].0.wall.shifted(3_000);
    }
    "void-has-a-cause": moves(), "request" => |it, at| {
        it.record(at - 1, Event::Void { why: Discontinuity::Moved { from: None, to: Some(host(0)) } });
    }
    "enough-samples": moves(), "request" => |it, at| {
        let first = it.steps[..at].iter().position(|(_, input, _)| matches!(input, Input::Reading(_)));
        if let Some(Input::Reading(reading)) = first.map(|first| &mut it.steps[first].1) {
            reading.value = Err(Absence::Missing);
        }
    }
    "sample-is-what-was-read": moves(), "request" => |it, at| {
        if let Input::Reading(reading) = &mut it.steps[at].1 {
            reading.value = Ok(81.0);
        }
    }
    "condition-was-true": moves(), "request" => |it, at| { it.output(at).seen[0].truth = Truth::Unknown; }
    "counted-on-a-sample": two(), "request" => |it, at| { it.steps[at].1 = Input::Tick; }
    "ready-acts-or-says": moves(), "request" => |it, at| {
        it.output(at).records.clear();
        it.output(at).effects.clear();
    }
    "rest-and-wake-alternate": off_duty(), "rest" => |it, at| {
        let again = it.steps[at].2.records[0];
        it.output(at).records.insert(0, again);
    }
    "rest-by-the-clock": off_duty(), "wake" => |it, at| {
        let _ = at;
        it.policy = slow_by_day("10:00-16:00");
    }
    "already-there-once": idle(), "already-there" => |it, at| {
        let again = it.steps[at].2.records[0].event;
        it.record(at + 1, again);
    }
    "no-better-host-if-asked": moves(), "no-better-host" => |it, at| {
        let _ = at;
        it.policy = slow().keep_going();
    }
    "unknown-has-a-cause": moves(), "request" => |it, at| {
        it.record(at - 1, Event::Unknown { indicator: IndicatorId::from_index(0), why: Absence::Stale });
    }
    "hooks-are-written-down": moves(), "request" => |it, at| {
        let (hook, ended) = (Hook::BeforeLeaving, HookEnd::Exit(0));
        let hooked = Hooked { hook, id: None, host: Some(host(0)), ended, took: Span::ZERO };
        it.insert_after(at, Input::Hook(hooked));
    }
    "reload-at-once-or-after": moves(), "request" => |it, at| {
        let policy = it.policy.clone().build();
        it.insert_after(at - 2, Input::Policy(policy));
    }
    "records-are-dated-now": moves(), "request" => |it, at| { it.output(at).records[0].at = Wall(0); }
    "steps-are-bounded": moves(), "request" => |it, at| {
        it.output(at).verdicts.extend(vec![(host(0), Verdict::Current); 1_000]);
    }
    "probes-only-when-allowed": moves(), "request" => |it, at| {
        it.output(at).effects.push(Effect::Probe(IndicatorId::from_index(0)));
    }
    "probes-keep-their-pace": moves(), "request" => |it, at| {
        it.output(at - 3).effects.push(Effect::Probe(IndicatorId::from_index(0)));
        it.output(at - 3).effects.push(Effect::Probe(IndicatorId::from_index(0)));
    }
    "first-sample-after-settling": moves(), "confirmed" => |it, at| {
        it.output(at + 1).effects.push(Effect::Probe(IndicatorId::from_index(0)));
    }
    "locates-only-with-a-locator": moves(), "request" => |it, at| { it.output(at).effects.push(Effect::Locate); }
    "jobs-only-when-allowed": jobs(), "request" => |it, at| {
        it.output(at).effects.push(Effect::Run { queue: QueueId::from_index(0), job: 1 });
    }
    "deadline-while-open": moves(), "request" => |it, at| { it.output(at).deadline = None; }
    "deadline-while-settling": moves(), "confirmed" => |it, at| { it.output(at).deadline = None; }
    "deadline-while-polling": moves(), "request" => |it, at| { it.output(at - 1).deadline = None; }
    "deadline-in-the-future": moves(), "request" => |it, at| {
        let mono = it.steps[at].0.mono;
        it.output(at).deadline.as_mut().expect("there is one").at = mono;
    }
};

fn two() -> Log {
    let policy = Sketch::default()
        .array("oslo", &["mln1", "mln2", "mln3"])
        .gauge("slow", MINUTE)
        .gauge("load", MINUTE)
        .rule(
            "both",
            all(vec![above("slow", 50.0), above("load", 50.0)]),
            Tarry::Consecutive(3),
            ActionForm::Move,
        );
    overloaded_with(&policy, here(), Answer::Moves(MINUTE))
}

#[test]
fn every_planted_bug_is_seen_by_its_invariant() {
    let mut missed = Vec::new();
    for (name, falsified) in CANARIES {
        let log = falsified();
        let mut checker = Checker::new(log.policy.build(), log.setup);
        let seen =
            log.steps.iter().find_map(|(now, input, output)| checker.observe(*now, input, output).err());
        match seen {
            Some(violation) if violation.invariant == *name => {}
            other => missed.push(format!("{name}: {other:?}")),
        }
    }
    assert!(missed.is_empty(), "not seen, or by another invariant:\n{}", missed.join("\n"));
}

/// A time-out is a reason where it came and was declared to be one, and for the rule only.
#[test]
fn a_time_out_that_is_made_up_or_turned_round_is_seen() {
    type Falsified = fn(&mut Log, usize);
    let broken: [(Result<f64, Absence>, Falsified, &str); 3] = [
        (Ok(80.0), |it, at| it.output(at).seen[0].value = None, "sample-is-what-was-read"),
        (Err(Absence::TimedOut), |it, at| it.output(at).seen[0].truth = Truth::Clear, "condition-was-true"),
        (Err(Absence::TimedOut), |it, _| it.policy = slow(), "enough-samples"),
    ];
    for (says, falsify, invariant) in broken {
        let policy = Sketch::default()
            .array("oslo", &["mln1", "mln2", "mln3", "mln4"])
            .gauge("load", MINUTE)
            .timeout_breach()
            .rule("overloaded", above("load", 50.0), Tarry::Consecutive(3), ActionForm::Move);
        let stage = Stage::with_setup(&policy.clone().build(), here(), move |_, _, _| says);
        let mut log = Log::of(&policy, here(), stage, MINUTE.times(5));
        let at = log.with("request");
        log.output(at).seen[0].timed_out = true;
        falsify(&mut log, at);
        let mut checker = Checker::new(log.policy.build(), log.setup);
        let seen =
            log.steps.iter().find_map(|(now, input, output)| checker.observe(*now, input, output).err());
        assert_eq!(seen.map(|violation| violation.invariant), Some(invariant));
    }
}

#[test]
fn every_invariant_has_a_planted_bug() {
    let planted: Vec<_> = CANARIES.iter().map(|(name, _)| *name).collect();
    let known: Vec<_> = INVARIANTS.iter().map(|invariant| invariant.name).collect();
    assert_eq!(planted, known);
}
