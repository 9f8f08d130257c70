//! Who looks at a part of the world while it runs, and tells of it by the scenario's own numbers.

use super::events::Lines;
use super::page::Eyes;
use crate::cli::backtest::progress::Bar;
use vmpolicy_core::engine::Engine;
use vmpolicy_core::id::IndicatorId;
use vmpolicy_core::input::Absence;
use vmpolicy_core::record::View;
use vmpolicy_core::sim::scenario::{GuestIx, HostIx, Scenario};
use vmpolicy_core::sim::world::{Island, Snapshot, Watch};
use vmpolicy_core::time::{Mono, Wall};
use vmpolicy_core::{Output, Policy};

/// An island's run, looked at.
#[derive(Debug)]
pub(super) struct Watching<'a> {
    pub scenario: &'a Scenario,
    pub island: &'a Island,
    pub bar: &'a Bar,
    /// What it records, where somebody wants to read it.
    pub lines: Option<Lines>,
    /// What a page shows of it, where there will be one.
    pub eyes: Option<Eyes>,
}

impl Watch for Watching<'_> {
    fn recorded(&mut self, guest: GuestIx, at: Mono, policy: &Policy, output: &Output) {
        if self.lines.is_none() && self.eyes.is_none() {
            return;
        }
        let number = self.island.guests()[guest.index()];
        let name = &self.scenario.guests[number.index()].name;
        for view in View::all(policy, name, output) {
            if let Some(lines) = &mut self.lines {
                lines.push(number.0, at, &view);
            }
            if let Some(eyes) = &mut self.eyes {
                eyes.recorded(self.scenario, guest, at, &view);
            }
        }
    }

    fn polled(&mut self, guest: GuestIx, _: Wall, indicator: IndicatorId, _: Result<f64, Absence>) {
        if let Some(eyes) = &mut self.eyes {
            eyes.polled(guest, indicator);
        }
    }

    #[inline]
    fn turned(&mut self, guest: GuestIx, at: Mono, in_breach: bool, engine: &Engine) {
        if let Some(eyes) = &mut self.eyes {
            eyes.turned(self.scenario, guest, at, in_breach, engine);
        }
    }

    fn powered(&mut self, guest: GuestIx, at: Mono, on: bool) {
        if let Some(eyes) = &mut self.eyes {
            eyes.powered(self.scenario, guest, at, on);
        }
    }

    fn placed(&mut self, guest: GuestIx, at: Mono, host: Option<HostIx>) {
        if let Some(eyes) = &mut self.eyes {
            eyes.placed(self.scenario, guest, at, host);
        }
    }

    fn moving(&mut self, guest: GuestIx, at: Mono, to: Option<HostIx>) {
        if let Some(eyes) = &mut self.eyes {
            eyes.moving(self.scenario, guest, at, to);
        }
    }

    fn stepped(&mut self, at: Mono, snapshot: &Snapshot<'_>) {
        if let Some(eyes) = &mut self.eyes {
            eyes.stepped(self.scenario, self.island, at, snapshot);
        }
    }

    fn goes_on(&mut self, _: Mono, _: Mono) -> bool {
        self.bar.more(self.island.guests().len() as u64);
        true
    }
}
