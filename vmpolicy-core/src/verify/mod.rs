//! Property-tested simulation: random worlds in which a policy has to keep what is expected of it.
//!
//! A [`Study`] draws worlds, each from a seed and its number only, runs them under the independent
//! [checker](crate::checker), and holds them against [expectations](Expectation). What breaks one is made small:
//! [`Study::shrink`] leaves a scenario in which little happens but that.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `expect` | expectations, as data |
//! | `draw/` | the n-th world of a seed, as a scenario file |
//! | `judge` | the watcher that holds a world against expectations |
//! | `watched` | what the judge knows of each guest |
//! | `count` | what was tried |
//! | `shrink` | from a world that breaks something to a small one that still does |
//! | `story` | the last decisions before it broke |
//!
//! ```
//! use vmpolicy_core::file::load;
//! use vmpolicy_core::policy::UtcOnly;
//! use vmpolicy_core::verify::{Scope, Study};
//!
//! let text = "
//! version: 1
//! arrays: { oslo: { hosts: [mln1, mln2, mln3] } }
//! indicators: { slow: { every: 60s } }
//! rules: [{ name: overloaded, when: slow > 50, tarry: 3, do: move }]
//! ";
//! let loaded = load(text.as_bytes(), &UtcOnly).unwrap();
//! let study = Study::new(&loaded, Vec::new(), 1, Scope::default());
//! let tried = study.try_world(7);
//! assert!(tried.broken.is_none(), "{:?}", tried.broken);
//! assert!(tried.counts.steps > 0);
//! ```

mod count;
mod draw;
mod expect;
mod judge;
mod shrink;
mod story;
mod watched;

pub use count::{Counts, Doing, FAULTS, kind_of};
pub use draw::Scope;
pub use expect::{Claim, Expectation, Shown};
pub use judge::{Broken, Judge, Which};
pub use shrink::Shrunk;

use crate::file::scenario::{InlinePolicy, NoFiles, PolicyForm, ScenarioFile, WhatForm};
use crate::file::{Loaded, Problem};
use crate::leaf::window::Zone;
use crate::policy::{Located, Policy, Zones};
use crate::sim::scenario::Scenario;
use crate::sim::world::{Options, Violated, run};
use crate::time::{Mono, Span};
use story::Story;

/// A policy, what is expected of it, and which worlds it is tried in.
#[derive(Clone, Debug)]
pub struct Study {
    inline: InlinePolicy,
    policy: Policy,
    expectations: Vec<Expectation>,
    seed: u64,
    scope: Scope,
}

/// What came of a world.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// What was broken first, if anything was. The world ended there.
    pub broken: Option<Broken>,
    /// What was tried until then.
    pub counts: Counts,
}

/// The zones that a policy's windows have already.
struct OwnZones<'a>(&'a Policy);

impl Zones for OwnZones<'_> {
    fn zone(&self, name: &str) -> Option<Zone> {
        let windows = self.0.windows().rows().iter();
        let zone = windows.map(|named| named.window.zone()).find(|zone| zone.name() == name);
        zone.cloned().or_else(|| (name == "UTC").then(Zone::utc))
    }
}

impl Study {
    /// A study of a policy from a file; worlds follow from the seed.
    #[must_use]
    pub fn new(loaded: &Loaded, expectations: Vec<Expectation>, seed: u64, scope: Scope) -> Self {
        let inline = InlinePolicy { file: loaded.file.clone(), probes: loaded.shell.probes.clone() };
        Self { inline, policy: loaded.policy.clone(), expectations, seed, scope }
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What is expected of it.
    #[must_use]
    pub fn expectations(&self) -> &[Expectation] {
        &self.expectations
    }

    /// A world, as a scenario file. It depends on nothing but the seed, the number, the policy, the scope, and how long spans the
    /// expectations name.
    #[must_use]
    pub fn world(&self, index: u64) -> ScenarioFile {
        let reach = self.expectations.iter().map(|expectation| expectation.claim.reach()).max();
        let drawing = draw::Drawing {
            inline: &self.inline,
            policy: &self.policy,
            scope: self.scope,
            reach: reach.unwrap_or(Span::ZERO),
        };
        drawing.world(self.seed, index)
    }

    /// Draws a world and runs it.
    #[must_use]
    pub fn try_world(&self, index: u64) -> Tried {
        match self.build(&self.world(index)) {
            Ok(scenario) => self.judge(&scenario),
            Err(problems) => panic!("world {index} of seed {} is not sound: {problems:?}", self.seed),
        }
    }

    /// A scenario file as a scenario. The policy has to be this one, for expectations to be held against it.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn build(&self, file: &ScenarioFile) -> Result<Scenario, Vec<Problem>> {
        let built = file.build(&OwnZones(&self.policy), &mut NoFiles);
        built.map(|built| built.scenario).map_err(|faulty| faulty.problems)
    }

    /// Puts this policy in the place of those that the guests of a scenario have, and are given.
    pub fn take_over(&self, file: &mut ScenarioFile) {
        let own = || Located::made(PolicyForm::Inline(Box::new(self.inline.clone())));
        for guest in &mut file.guests {
            if guest.policy.is_some() {
                guest.policy = Some(own());
            }
        }
        for fault in &mut file.faults {
            if let WhatForm::Reload(policy) = &mut fault.what.value {
                *policy = own();
            }
        }
    }

    /// Runs a scenario under the checker and holds it against the expectations.
    #[must_use]
    pub fn judge(&self, scenario: &Scenario) -> Tried {
        let mut judge = Judge::new(scenario, &self.policy, &self.expectations);
        let ran = run(scenario, Options::default(), &mut judge);
        let last = judge.last();
        sum_up(judge, ran.err(), last)
    }

    /// The same, with the last decisions of the guest that broke something.
    #[must_use]
    pub fn tell(&self, scenario: &Scenario) -> (Tried, Vec<String>) {
        let judge = Judge::new(scenario, &self.policy, &self.expectations);
        let mut story = Story::new(judge, scenario);
        let ran = run(scenario, Options::default(), &mut story);
        let last = story.judge.last();
        let guest = match &ran {
            Err(violated) => Some(violated.guest.clone()),
            Ok(_) => story.judge.broken().map(|broken| broken.guest.clone()),
        };
        let lines = guest.map_or_else(Vec::new, |guest| story.lines(&guest));
        (sum_up(story.judge, ran.err(), last), lines)
    }

    /// A file that breaks the same thing as this one, and is as small as a bounded number of runs makes it; none where
    /// this one breaks nothing.
    #[must_use]
    pub fn shrink(&self, file: &ScenarioFile) -> Option<Shrunk> {
        shrink::shrink(self, file)
    }
}

/// An invariant that is broken ends a world too.
fn sum_up(judge: Judge<'_>, violated: Option<Violated>, last: Mono) -> Tried {
    let (mut broken, mut counts) = judge.finish();
    if let (None, Some(Violated { guest, violation })) = (&broken, violated) {
        counts.violated_in = 1;
        let says = format!("{} ({})", violation.what, violation.source_of_it);
        let what = Which::Invariant(violation.invariant);
        broken = Some(Broken { what, guest, at: last.since(Mono(0)), says });
    }
    Tried { broken, counts }
}
