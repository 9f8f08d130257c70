//! Lives: an engine and the model are led through the same world, step by step, and compared.

use super::generate::{Act, Source, World};
use super::model::Model;
use crate::input::{Input, Setup};
use crate::output::{Effect, Event, Output};
use crate::time::Now;
use crate::{Engine, Policy};
use core::fmt::{self, Write as _};
use std::sync::Arc;

/// Something that takes steps: the engine, the model, or one of them with a bug planted.
pub trait Stepper {
    /// One step.
    fn step(&mut self, now: Now, input: &Input, out: &mut Output);

    /// Saves itself and goes on from what it has saved; nothing, for those that can't.
    ///
    /// # Errors
    ///
    /// Where what was saved can't be read again.
    fn save_and_load(&mut self) -> Result<(), String> {
        Ok(())
    }
}

impl Stepper for Engine {
    fn step(&mut self, now: Now, input: &Input, out: &mut Output) {
        Self::step(self, now, input, out);
    }
}

/// An engine that is saved and loaded, with the policy that its host program has.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The engine.
    pub engine: Engine,
    handed: Arc<Policy>,
}

impl Guest {
    /// A new guest.
    #[must_use]
    pub fn new(policy: Arc<Policy>, setup: Setup) -> Self {
        Self { engine: Engine::new(Arc::clone(&policy), setup), handed: policy }
    }
}

impl Stepper for Guest {
    fn step(&mut self, now: Now, input: &Input, out: &mut Output) {
        if let Input::Policy(policy) = input {
            self.handed = Arc::clone(policy);
        }
        self.engine.step(now, input, out);
    }

    fn save_and_load(&mut self) -> Result<(), String> {
        let text = serde_json::to_string(&self.engine.save()).map_err(|error| error.to_string())?;
        let saved = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
        let loaded =
            Engine::load(Arc::clone(&self.handed), saved).map_err(|error| format!("{error}: {text}"))?;
        // A load takes a policy at once that would have waited for the next tick: no difference to be found.
        if loaded.policy() == self.engine.policy() {
            self.engine = loaded;
        }
        Ok(())
    }
}

impl Stepper for Model {
    fn step(&mut self, now: Now, input: &Input, out: &mut Output) {
        Self::step(self, now, input, out);
    }
}

/// Two that should agree and don't: the whole story up to there.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The steps before, as text, the last one last.
    pub transcript: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.transcript)
    }
}

/// What a step said, as lines to compare and to read; the reasons of each record are spelled out.
#[must_use]
pub fn lines(out: &Output) -> Vec<String> {
    let mut lines = Vec::new();
    for record in &out.records {
        let mut line = format!("record {} {:?}", record.at, record.event);
        if let Some(because) = because(&record.event) {
            let (seen, verdicts) = (out.seen.get(because.seen()), out.verdicts.get(because.verdicts()));
            line = strip_because(&line);
            let counter = because.counter;
            let _ = write!(line, " because counter {counter} seen {seen:?} verdicts {verdicts:?}");
        }
        lines.push(line);
    }
    lines.extend(out.effects.iter().map(|effect| format!("effect {effect:?}")));
    lines.push(format!("deadline {:?} save {}", out.deadline, out.save));
    lines
}

/// The positions in the buffer are nobody's business.
fn strip_because(line: &str) -> String {
    match line.find("because: ") {
        Some(at) => line[..at].to_owned(),
        None => line.to_owned(),
    }
}

fn because(event: &Event) -> Option<crate::output::Because> {
    match event {
        Event::Request { because, .. }
        | Event::Held { because, .. }
        | Event::NoBetterHost { because, .. } => Some(*because),
        _ => None,
    }
}

/// How many of each kind of thing happened, for a test that wants to know that something did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Steps.
    pub steps: u64,
    /// Records.
    pub records: u64,
    /// Requests that left.
    pub requests: u64,
    /// Requests that were confirmed.
    pub confirmed: u64,
}

impl Tally {
    /// Counts a step.
    pub fn count(&mut self, out: &Output) {
        self.steps += 1;
        self.records += out.records.len() as u64;
        self.requests +=
            out.effects.iter().filter(|effect| matches!(effect, Effect::Request(_))).count() as u64;
        let confirmed = |event| matches!(event, Event::Confirmed { .. });
        self.confirmed += out.records.iter().filter(|record| confirmed(record.event)).count() as u64;
    }
}

/// Leads two through the life that the bytes tell, and compares what they say at each step.
///
/// # Errors
///
/// The first difference, with the story up to it.
pub fn compare(
    world: World,
    life: &[u8],
    one: &mut dyn Stepper,
    other: &mut dyn Stepper,
) -> Result<Tally, Difference> {
    let mut tally = Tally::default();
    let mut story = Vec::new();
    let (mut out, mut other_out) = (Output::default(), Output::default());
    let policy = Arc::clone(world.policy());
    let setup = world.setup();
    for_each_act(world, life, |act, heed| {
        let (now, input) = match act {
            Act::SaveAndLoad => {
                story.push("save and load".to_owned());
                return one.save_and_load().and_then(|()| other.save_and_load()).map_err(|error| {
                    let story = story.join("\n");
                    Difference { transcript: format!("{}\n{setup:?}\n{story}\n  {error}", summary(&policy)) }
                });
            }
            Act::Step(now, input) => (now, input),
        };
        one.step(now, &input, &mut out);
        other.step(now, &input, &mut other_out);
        tally.count(&out);
        heed(&out);
        let (left, right) = (lines(&out), lines(&other_out));
        let described = describe(&input);
        story.push(format!("t={} wall={} {described}\n    {}", now.mono.0, now.wall, left.join("\n    ")));
        if left == right {
            return Ok(());
        }
        let mut transcript = format!("{}\n{setup:?}\n{}\n", summary(&policy), story.join("\n"));
        let _ = writeln!(transcript, "  the other says\n    {}", right.join("\n    "));
        Err(Difference { transcript })
    })?;
    Ok(tally)
}

/// Goes through the life that the bytes tell; the closure is shown each act, and shows the world what came
/// of it.
///
/// # Errors
///
/// What the closure returns.
pub fn for_each_act<E>(
    mut world: World,
    life: &[u8],
    mut each: impl FnMut(Act, &mut dyn FnMut(&Output)) -> Result<(), E>,
) -> Result<(), E> {
    let mut source = Source::new(life);
    while let Some(act) = world.act(&mut source) {
        each(act, &mut |out| world.heed(out))?;
    }
    Ok(())
}

fn describe(input: &Input) -> String {
    match input {
        Input::Policy(policy) => format!("Policy({})", summary(policy)),
        input => format!("{input:?}"),
    }
}

/// A policy in a few lines.
#[must_use]
pub fn summary(policy: &Policy) -> String {
    let mut text = String::from("policy\n");
    for (id, array) in policy.arrays().iter() {
        let ring: Vec<_> = policy.ring(id).map(|host| policy.hosts()[host].name.clone()).collect();
        let _ = writeln!(
            text,
            "  array {} ring {ring:?} base {:?} speed {}",
            array.name, array.base, array.speed
        );
    }
    for (_, indicator) in policy.indicators().iter() {
        let _ = writeln!(text, "  {indicator:?}");
    }
    for (_, window) in policy.windows().iter() {
        let _ = writeln!(text, "  window {} {:?}", window.name, window.window.pattern());
    }
    for (_, queue) in policy.queues().iter() {
        let _ = writeln!(text, "  queue {queue:?}");
    }
    for (_, rule) in policy.rules().iter() {
        let _ =
            writeln!(text, "  rule {}: {:?} tarry {} do {:?}", rule.name, rule.when, rule.tarry, rule.action);
    }
    let _ = write!(text, "  {:?}", policy.moves());
    text
}
