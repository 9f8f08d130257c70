//! Every sequence of inputs up to a depth, for the thesis's four policies: breadth-first over distinct
//! states. At each step the engine must say what the model says, and the onlooker must have no objection.
//!
//! Two states are the same where nothing but the date and request numbers tells them apart. What model and
//! onlooker remember beyond that is what the first way to a state has taught them.
#![cfg(feature = "testkit")]

mod identity;
mod policies;

use identity::identity;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vmpolicy_core::checker::Checker;
use vmpolicy_core::id::{HostId, Id as _, IndicatorId, QueueId, RequestId};
use vmpolicy_core::input::{Absence, Notice, Outcome, Reading, Setup, Sighting};
use vmpolicy_core::testkit::drive::lines;
use vmpolicy_core::testkit::model::Model;
use vmpolicy_core::time::{Mono, Now, Span, Wall};
use vmpolicy_core::{Effect, Engine, Input, Output, Policy};

/// How long the sequences are where moves are believed.
const DEPTH: usize = 12;
/// And where they are looked up, which has more states.
const DEPTH_LOOKED_UP: usize = 10;

/// What can happen in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Time passes until the deadline.
    Tick,
    High,
    Low,
    Absent,
    TimedOut,
    Confirmed,
    Refused,
    Unanswered,
    /// The guest is seen at the target of the open request or, without one, where it is.
    SeenThere,
    /// The guest is seen at the source of the open request or, without one, somewhere else.
    Moved,
    /// The wall clock is ten seconds further than it should be.
    Jump,
    /// Saved, loaded and started.
    Restart,
    /// The current host will drain.
    Drain,
    BigBatch,
    SmallBatch,
    JobDone,
}

impl Kind {
    const FAULTS: [Self; 7] =
        [Self::Absent, Self::Refused, Self::Unanswered, Self::Moved, Self::Jump, Self::Restart, Self::Drain];

    /// What happens in a world where moves are believed, or looked up, to a guest that reads one of these.
    fn all(reads: &[Self], locates: bool) -> Vec<Self> {
        let always = [Self::Tick, Self::Refused, Self::Moved, Self::Jump, Self::Restart, Self::Drain];
        let ends =
            if locates { [Self::Unanswered, Self::SeenThere] } else { [Self::Unanswered, Self::Confirmed] };
        [&always[..], &ends, reads].concat()
    }
}

const ABOVE: [Kind; 2] = [Kind::High, Kind::Absent];
const BOTH: [Kind; 3] = [Kind::High, Kind::Low, Kind::Absent];
const TIMED: [Kind; 4] = [Kind::High, Kind::Low, Kind::Absent, Kind::TimedOut];
const BATCHES: [Kind; 3] = [Kind::BigBatch, Kind::SmallBatch, Kind::JobDone];

/// What the guest is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Awake,
    Settling,
    /// A request is out.
    Asked,
    /// Something was said of it, or the guest was started, and it is open still.
    Unclear,
    Resting,
}

#[derive(Clone)]
struct Node {
    engine: Engine,
    model: Model,
    checker: Checker,
    now: Now,
    deadline: Option<Mono>,
    last_id: RequestId,
    answered: bool,
}

/// A bug to be planted: what goes in and what comes out may be changed on the way.
type Bug = fn(&Input, &Engine, &mut Output);

struct Walk {
    setup: Setup,
    kinds: Vec<Kind>,
    seen: BTreeSet<Vec<u8>>,
    transitions: u64,
    exercised: BTreeMap<(Phase, Kind), u64>,
    bug: Option<Bug>,
}

impl Node {
    fn phase(&self) -> Phase {
        let view = self.engine.view();
        match self.engine.open_request() {
            Some(_) if self.answered => Phase::Unclear,
            Some(_) => Phase::Asked,
            None if view.settling.is_some() => Phase::Settling,
            None if view.resting.is_some() => Phase::Resting,
            None => Phase::Awake,
        }
    }

    fn input(&self, kind: Kind, setup: Setup) -> (Now, Input) {
        let now = self.now;
        let indicator = IndicatorId::from_index(0);
        let reading = |value| (now, Input::Reading(Reading { indicator, taken: now.mono, value }));
        let outcome = |outcome| (now, Input::Outcome { id: self.last_id, outcome });
        let queue = QueueId::from_index(0);
        let batch = |count| (now, Input::Batch { queue, classes: vec![count], others: 0 });
        let open = self.engine.open_request();
        let here = self.engine.location();
        let hosts = self.engine.policy().hosts().len();
        let elsewhere = here.map_or(0, |here| (here.index() + 1) % hosts);
        match kind {
            Kind::Tick => {
                let gone = self.deadline.map_or(Span::from_secs(10), |at| at.since(now.mono));
                (now.plus(gone), Input::Tick)
            }
            Kind::High => reading(Ok(60.0)),
            Kind::Low => reading(Ok(0.0)),
            Kind::Absent => reading(Err(Absence::Unreachable)),
            Kind::TimedOut => reading(Err(Absence::TimedOut)),
            Kind::Confirmed => outcome(Outcome::Confirmed),
            Kind::Refused => outcome(Outcome::Refused),
            Kind::Unanswered => outcome(Outcome::Unanswered),
            Kind::SeenThere => {
                let at = open.map(|open| open.to).or(here);
                (now, Input::Location(at.map_or(Sighting::Unknown, Sighting::At)))
            }
            Kind::Moved => {
                let at = open.map_or(HostId::from_index(elsewhere), |open| open.from);
                (now, Input::Location(Sighting::At(at)))
            }
            Kind::Jump => (Now { wall: now.wall.plus(Span::from_secs(10)), ..now }, Input::Tick),
            Kind::Restart => (now, Input::Start(setup)),
            Kind::Drain => {
                let host = here.unwrap_or(HostId::from_index(0));
                (now, Input::Notice { host, notice: Notice::Drain, lasts: Span::from_secs(10) })
            }
            Kind::BigBatch => batch(2),
            Kind::SmallBatch => batch(1),
            Kind::JobDone => (now, Input::JobDone { queue }),
        }
    }
}

impl Walk {
    fn new(setup: Setup, kinds: Vec<Kind>) -> Self {
        Self { setup, kinds, seen: BTreeSet::new(), transitions: 0, exercised: BTreeMap::new(), bug: None }
    }

    fn root(&self, policy: &Arc<Policy>, wall: Wall) -> Node {
        Node {
            engine: Engine::new(Arc::clone(policy), self.setup),
            model: Model::new(Arc::clone(policy), self.setup),
            checker: Checker::new(Arc::clone(policy), self.setup),
            now: Now { mono: Mono(1_000), wall },
            deadline: None,
            last_id: RequestId(0),
            answered: false,
        }
    }

    /// One step more; an error tells what is wrong with it.
    fn step(
        &self,
        node: &Node,
        kind: Kind,
        out: &mut Output,
        model_out: &mut Output,
    ) -> Result<Node, String> {
        let (now, input) = node.input(kind, self.setup);
        let mut next = node.clone();
        next.now = now;
        if kind == Kind::Restart {
            let policy = Arc::clone(next.engine.policy());
            next.engine = Engine::load(policy, next.engine.save()).map_err(|error| error.to_string())?;
        }
        next.engine.step(now, &input, out);
        if let Some(bug) = self.bug {
            bug(&input, &next.engine, out);
        }
        next.model.step(now, &input, model_out);
        if out != model_out && lines(out) != lines(model_out) {
            return Err(format!("the model differs\n{:#?}\n{:#?}", lines(out), lines(model_out)));
        }
        next.checker.observe(now, &input, out).map_err(|violation| violation.to_string())?;
        next.deadline = out.deadline.map(|deadline| deadline.at);
        if matches!(input, Input::Outcome { .. } | Input::Start(_)) {
            next.answered = true;
        }
        for effect in &out.effects {
            if let Effect::Request(request) = effect {
                next.last_id = request.id;
                next.answered = false;
            }
        }
        Ok(next)
    }

    fn is_new(&mut self, node: &Node) -> bool {
        let settling = node.engine.view().settling.is_some();
        self.seen.insert(identity(&node.engine.save(), node.now, node.engine.policy(), settling))
    }

    /// Goes to all states that so many inputs can lead to.
    fn go(&mut self, root: Node, depth: usize) -> Result<(), String> {
        let (mut out, mut model_out) = (Output::default(), Output::default());
        let mut frontier = vec![(root, Vec::new())];
        for _ in 0..depth {
            let mut next = Vec::new();
            for (node, path) in &frontier {
                for &kind in &self.kinds.clone() {
                    *self.exercised.entry((node.phase(), kind)).or_default() += 1;
                    self.transitions += 1;
                    let reached = self.step(node, kind, &mut out, &mut model_out);
                    let reached = reached.map_err(|error| format!("{path:?} then {kind:?}: {error}"))?;
                    if self.is_new(&reached) {
                        let mut path = path.clone();
                        path.push(kind);
                        next.push((reached, path));
                    }
                }
            }
            frontier = next;
        }
        for (node, path) in &frontier {
            self.comes_to_an_end(node).map_err(|error| format!("{path:?}: {error}"))?;
        }
        Ok(())
    }

    /// Once faults stop, the open request ends: nobody answers, and the guest stays where it is.
    fn comes_to_an_end(&self, node: &Node) -> Result<(), String> {
        let (mut engine, mut now, mut deadline) = (node.engine.clone(), node.now, node.deadline);
        let Some(open) = engine.open_request() else { return Ok(()) };
        let mut out = Output::default();
        for _ in 0..200 {
            let gone = deadline.ok_or("a request is open and no deadline")?.since(now.mono);
            now = now.plus(gone);
            engine.step(now, &Input::Tick, &mut out);
            if out.effects.contains(&Effect::Locate) {
                engine.step(now, &Input::Location(Sighting::At(open.from)), &mut out);
            }
            if engine.open_request().is_none_or(|other| other.id != open.id) {
                return Ok(());
            }
            deadline = out.deadline.map(|deadline| deadline.at);
        }
        Err(format!("{open:?} does not end"))
    }
}

#[expect(clippy::print_stdout, reason = "how much was walked through is the point")]
/// Walks, prints what was walked through, and says whether all of it was right.
fn walk(name: &str, policy: &Arc<Policy>, locates: bool, reads: &[Kind], wall: Wall) -> Walk {
    let setup = Setup { at: Some(HostId::from_index(0)), locates, resends: locates };
    let mut walk = Walk::new(setup, Kind::all(reads, locates));
    let root = walk.root(policy, wall);
    let depth = if locates { DEPTH_LOOKED_UP } else { DEPTH };
    if let Err(error) = walk.go(root, depth) {
        panic!("{name}: {error}");
    }
    let looked_up = if locates { "looked up" } else { "believed" };
    println!(
        "{name}, moves {looked_up}: {} kinds of input, depth {depth}: {} states, {} transitions",
        walk.kinds.len(),
        walk.seen.len(),
        walk.transitions
    );
    for phase in [Phase::Awake, Phase::Settling, Phase::Asked, Phase::Unclear, Phase::Resting] {
        let counts: Vec<_> = Kind::FAULTS
            .iter()
            .filter_map(|&kind| Some((kind, walk.exercised.get(&(phase, kind))?)))
            .collect();
        println!("  {phase:?}: {counts:?}");
    }
    walk
}

fn every_fault_in(walk: &Walk, phases: &[Phase]) {
    for &phase in phases {
        for kind in Kind::FAULTS.iter().filter(|kind| walk.kinds.contains(kind)) {
            assert!(walk.exercised.contains_key(&(phase, *kind)), "no {kind:?} while {phase:?}");
        }
    }
}

/// A Wednesday.
fn at(hour: i64, minute: i64, second: i64) -> Wall {
    Wall::from_secs(1_241_568_000 + hour * 3_600 + minute * 60 + second)
}

const ALL: [Phase; 4] = [Phase::Awake, Phase::Settling, Phase::Asked, Phase::Unclear];

#[test]
fn threshold_aware() {
    for locates in [false, true] {
        let walk = walk("threshold aware", &policies::threshold_aware(), locates, &ABOVE, at(12, 0, 0));
        every_fault_in(&walk, &ALL);
    }
}

#[test]
fn base_aware() {
    for locates in [false, true] {
        let walk = walk("base aware", &policies::base_aware(), locates, &BOTH, at(12, 0, 0));
        every_fault_in(&walk, &ALL);
    }
}

#[test]
fn base_aware_where_a_time_out_is_a_breach() {
    for locates in [false, true] {
        let policy = policies::base_aware_by_time_outs();
        let walk = walk("base aware by time-outs", &policy, locates, &TIMED, at(12, 0, 0));
        every_fault_in(&walk, &ALL);
    }
}

#[test]
fn schedule_aware() {
    for locates in [false, true] {
        let walk = walk("schedule aware", &policies::schedule_aware(), locates, &BOTH, at(15, 59, 25));
        every_fault_in(&walk, &ALL);
        every_fault_in(&walk, &[Phase::Resting]);
    }
}

#[test]
fn site_aware() {
    for locates in [false, true] {
        let walk = walk("site aware", &policies::site_aware(), locates, &BATCHES, at(12, 0, 0));
        every_fault_in(&walk, &ALL);
    }
}

/// Bugs planted between the engine and the world: the walk has to find each of them.
mod canaries {
    use super::*;

    fn finds(bug: Bug) -> bool {
        let setup = Setup { at: Some(HostId::from_index(0)), locates: false, resends: false };
        let mut walk = Walk::new(setup, Kind::all(&BOTH, false));
        walk.bug = Some(bug);
        let root = walk.root(&policies::base_aware(), at(12, 0, 0));
        walk.go(root, 6).is_err()
    }

    #[test]
    fn a_request_sent_twice_after_a_restart() {
        assert!(finds(|input, engine, out| {
            if let (Input::Start(_), Some(request)) = (input, engine.open_request()) {
                out.effects.push(Effect::Request(request));
            }
        }));
    }

    #[test]
    fn a_guest_that_does_not_settle() {
        assert!(finds(|_, engine, out| {
            if engine.view().settling.is_some() {
                out.effects.push(Effect::Probe(IndicatorId::from_index(0)));
            }
        }));
    }

    #[test]
    fn a_record_that_is_lost() {
        assert!(finds(|_, _, out| out.records.retain(|record| record.event.name() != "expired")));
    }

    #[test]
    fn a_state_that_is_not_saved() {
        assert!(finds(|_, _, out| out.save = false));
    }

    #[test]
    fn and_without_a_bug_nothing_is_found() {
        assert!(!finds(|_, _, _| {}));
    }
}
