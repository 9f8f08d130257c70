//! Who takes part.

use cedar_policy::{
    Authorizer, Context, Decision as Verdict, Entities, EntityUid, PolicySet, Request, RestrictedExpression,
};
use rhai::{AST, Engine, OptimizationLevel, Scope};
use std::hint::black_box;
use vmpolicy_benches::guest::Guest;
use vmpolicy_benches::policies::{HIGH, LOW, TARRY_HIGH, TARRY_LOW, base_aware};
use vmpolicy_benches::scalar::{Decision, Scalar};
use vmpolicy_core::leaf::sample::Read;

/// The one that the ratios are to.
pub const OURS: &str = "vmpolicy";

/// Decides on one reading after the other.
pub trait Contender {
    /// Its name in the table.
    fn name(&self) -> &'static str;
    /// Decides on all of these.
    fn run(&mut self, readings: &[f64]);
}

/// Threshold and counter in locals.
#[derive(Default)]
pub struct ByHand(Scalar);

impl Contender for ByHand {
    fn name(&self) -> &'static str {
        "loop by hand"
    }

    fn run(&mut self, readings: &[f64]) {
        for &reading in readings {
            black_box(self.0.decide(black_box(reading)));
        }
    }
}

/// The engine, polled in one of two ways.
pub struct Vmpolicy<P> {
    name: &'static str,
    guest: Guest,
    poll: P,
}

impl<P: FnMut(&mut Guest)> Vmpolicy<P> {
    /// A guest with these readings.
    pub fn new(name: &'static str, readings: &[f64], poll: P) -> Self {
        Self { name, guest: Guest::new(base_aware(Read::Gauge), readings.to_vec()), poll }
    }
}

impl<P: FnMut(&mut Guest)> Contender for Vmpolicy<P> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self, readings: &[f64]) {
        for _ in readings {
            (self.poll)(&mut self.guest);
            let _ = black_box(self.guest.out());
        }
    }
}

/// What those need that keep no counters.
#[derive(Default)]
struct Counters {
    high: i64,
    low: i64,
}

impl Counters {
    fn count(&mut self, reading: f64) {
        self.high = if reading > HIGH { self.high + 1 } else { 0 };
        self.low = if reading < LOW { self.low + 1 } else { 0 };
    }
}

/// A script, compiled and optimised once, with the reading and the counters as its variables.
pub struct Rhai {
    engine: Engine,
    script: AST,
    scope: Scope<'static>,
    counters: Counters,
}

impl Rhai {
    /// A compiled script.
    pub fn new() -> Self {
        let mut engine = Engine::new();
        engine.set_optimization_level(OptimizationLevel::Full);
        let script = format!(
            "if value > {HIGH:?} && high >= {TARRY_HIGH} {{ 1 }} \
             else if value < {LOW:?} && low >= {TARRY_LOW} {{ 2 }} else {{ 0 }}"
        );
        let script = engine.compile(script).expect("the script is right");
        let mut scope = Scope::new();
        scope.push("value", 0.0_f64).push("high", 0_i64).push("low", 0_i64);
        Self { engine, script, scope, counters: Counters::default() }
    }

    fn decide(&mut self, reading: f64) -> Decision {
        self.counters.count(reading);
        self.scope.set_value("value", reading);
        self.scope.set_value("high", self.counters.high);
        self.scope.set_value("low", self.counters.low);
        let decided = self.engine.eval_ast_with_scope::<i64>(&mut self.scope, &self.script);
        let decided = match decided.expect("the script runs") {
            1 => Decision::Move,
            2 => Decision::MoveToBase,
            _ => return Decision::Stay,
        };
        self.counters = Counters::default();
        decided
    }
}

impl Contender for Rhai {
    fn name(&self) -> &'static str {
        "Rhai"
    }

    fn run(&mut self, readings: &[f64]) {
        for &reading in readings {
            black_box(self.decide(black_box(reading)));
        }
    }
}

/// One request: may the guest move? Which of the two moves it is, the caller sees from the reading. Cedar has whole
/// numbers only, so readings are given to it in hundredths.
pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    guest: EntityUid,
    action: EntityUid,
    host: EntityUid,
    counters: Counters,
}

impl Cedar {
    /// Parsed policies.
    pub fn new() -> Self {
        let policies = format!(
            "permit(principal, action == Action::\"move\", resource) \
             when {{ context.value > {} && context.high >= {TARRY_HIGH} }};\n\
             permit(principal, action == Action::\"move\", resource) \
             when {{ context.value < {} && context.low >= {TARRY_LOW} }};",
            hundredths(HIGH),
            hundredths(LOW),
        );
        let uid = |text: &str| text.parse().expect("the name is right");
        Self {
            authorizer: Authorizer::new(),
            policies: policies.parse().expect("the policies are right"),
            entities: Entities::empty(),
            guest: uid("Guest::\"nii3\""),
            action: uid("Action::\"move\""),
            host: uid("Host::\"mln1\""),
            counters: Counters::default(),
        }
    }

    fn decide(&mut self, reading: f64) -> Decision {
        self.counters.count(reading);
        let long = |key: &str, value: i64| (key.to_owned(), RestrictedExpression::new_long(value));
        let context = Context::from_pairs([
            long("value", hundredths(reading)),
            long("high", self.counters.high),
            long("low", self.counters.low),
        ]);
        let (guest, action, host) = (self.guest.clone(), self.action.clone(), self.host.clone());
        let request = Request::new(guest, action, host, context.expect("no key comes twice"), None);
        let request = request.expect("there is no schema to break");
        let answer = self.authorizer.is_authorized(&request, &self.policies, &self.entities);
        if answer.decision() == Verdict::Deny {
            return Decision::Stay;
        }
        self.counters = Counters::default();
        if reading > HIGH { Decision::Move } else { Decision::MoveToBase }
    }
}

impl Contender for Cedar {
    fn name(&self) -> &'static str {
        "Cedar"
    }

    fn run(&mut self, readings: &[f64]) {
        for &reading in readings {
            black_box(self.decide(black_box(reading)));
        }
    }
}

fn hundredths(reading: f64) -> i64 {
    (reading * 100.0).round() as i64
}

/// Panics unless all who are given the counters decide alike, and now and then decide something.
pub fn agree() {
    let (mut by_hand, mut rhai, mut cedar) = (Scalar::default(), Rhai::new(), Cedar::new());
    let mut moves = 0;
    for index in 0..2_000_u32 {
        let reading = [10.0, 60.0, 0.25][(index / 7 / (1 + index % 5 / 4)) as usize % 3];
        let reading = if index > 1_000 { 0.5 } else { reading };
        let decision = by_hand.decide(reading);
        assert_eq!(decision, rhai.decide(reading), "Rhai, reading {index}");
        assert_eq!(decision, cedar.decide(reading), "Cedar, reading {index}");
        moves += usize::from(decision != Decision::Stay);
    }
    assert!(moves > 50, "hardly anything was decided");
}
