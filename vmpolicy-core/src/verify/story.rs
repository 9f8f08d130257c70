//! What led to it: the last decisions of the guest that broke an expectation, each with its reasons, and the faults between.

use super::count::{FAULTS, kind_of};
use super::judge::Judge;
use crate::engine::Engine;
use crate::output::Output;
use crate::policy::Policy;
use crate::record::View;
use crate::sim::scenario::{Fault, GuestIx, HostIx, Scenario};
use crate::sim::world::{Snapshot, Watch};
use crate::time::Mono;
use std::collections::VecDeque;

/// More lines than this nobody reads.
const LINES: usize = 14;

/// A judge who takes notes.
#[derive(Debug)]
pub(super) struct Story<'a> {
    pub(super) judge: Judge<'a>,
    scenario: &'a Scenario,
    lines: VecDeque<(Option<GuestIx>, String)>,
}

impl<'a> Story<'a> {
    pub(super) fn new(judge: Judge<'a>, scenario: &'a Scenario) -> Self {
        Self { judge, scenario, lines: VecDeque::new() }
    }

    /// The last lines that have to do with this guest, the latest last.
    pub(super) fn lines(&self, guest: &str) -> Vec<String> {
        let of = |ix: &GuestIx| self.scenario.guests[ix.index()].name == guest;
        let lines = self.lines.iter().rev().filter(|(ix, _)| ix.as_ref().is_none_or(of));
        let mut lines: Vec<String> = lines.take(LINES).map(|(_, line)| line.clone()).collect();
        lines.reverse();
        lines
    }

    fn note(&mut self, guest: Option<GuestIx>, line: String) {
        // As many as may be needed, where several guests write.
        if self.lines.len() >= LINES * (self.scenario.guests.len() + 1) {
            self.lines.pop_front();
        }
        self.lines.push_back((guest, line));
    }
}

impl Watch for Story<'_> {
    fn recorded(&mut self, guest: GuestIx, at: Mono, policy: &Policy, output: &Output) {
        let name = self.scenario.guests[guest.index()].name.as_str();
        for view in View::all(policy, name, output) {
            self.note(Some(guest), view.line().dated().to_string());
        }
        self.judge.recorded(guest, at, policy, output);
    }

    fn turned(&mut self, guest: GuestIx, at: Mono, in_breach: bool, engine: &Engine) {
        self.judge.turned(guest, at, in_breach, engine);
    }

    fn powered(&mut self, guest: GuestIx, at: Mono, on: bool) {
        self.judge.powered(guest, at, on);
    }

    fn placed(&mut self, guest: GuestIx, at: Mono, host: Option<HostIx>) {
        self.judge.placed(guest, at, host);
    }

    fn fault(&mut self, at: Mono, fault: &Fault, begins: bool) {
        let wall = self.scenario.start.shifted(at.0);
        let verb = if begins { "begins" } else { "is over" };
        let line = format!("{wall}  fault {} {verb}", FAULTS[kind_of(&fault.what)]);
        self.note(None, line);
        self.judge.fault(at, fault, begins);
    }

    fn stepped(&mut self, at: Mono, snapshot: &Snapshot<'_>) {
        self.judge.stepped(at, snapshot);
    }

    fn goes_on(&mut self, at: Mono, end: Mono) -> bool {
        self.judge.goes_on(at, end)
    }
}
