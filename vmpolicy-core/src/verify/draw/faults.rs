//! What goes wrong, and when: at any time, or where a dry run has shown that something is going on.

use super::places::provider;
use super::{Dice, Drawing, OwnRun};
use crate::file::scenario::{FaultForm, PolicyForm, ScenarioFile, WhatForm};
use crate::input::Absence;
use crate::output::Output;
use crate::policy::{Located, Policy};
use crate::sim::scenario::{GuestIx, HostIx};
use crate::sim::world::Watch;
use crate::time::{Mono, Span, Wall};

/// Faults in a world, at most.
const MOST: usize = 8;
/// Moments of a dry run that are kept.
const MOMENTS: usize = 64;

/// Which part of the world a fault is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Guest,
    Provider,
    Host,
}

/// Moments at which something goes on: requests, arrivals, rests.
#[derive(Default)]
struct Moments {
    all: Vec<Mono>,
}

impl Moments {
    fn note(&mut self, at: Mono) {
        if self.all.len() < MOMENTS && self.all.last() != Some(&at) {
            self.all.push(at);
        }
    }
}

impl Watch for Moments {
    fn recorded(&mut self, _: GuestIx, at: Mono, _: &Policy, _: &Output) {
        self.note(at);
    }

    fn placed(&mut self, _: GuestIx, at: Mono, _: Option<HostIx>) {
        self.note(at);
    }

    fn goes_on(&mut self, _: Mono, _: Mono) -> bool {
        self.all.len() < MOMENTS
    }
}

impl Drawing<'_> {
    pub(super) fn faults(&self, file: &mut ScenarioFile, start: Wall, dice: &mut Dice) {
        let parts: Vec<Part> = [
            (self.scope.guest, Part::Guest),
            (self.scope.guest, Part::Guest),
            (self.scope.host, Part::Host),
            (self.scope.provider, Part::Provider),
        ]
        .into_iter()
        .filter_map(|(in_scope, part)| in_scope.then_some(part))
        .collect();
        let count = dice.below(MOST + 1);
        if parts.is_empty() || count == 0 {
            return;
        }
        let lasts = file.lasts.value;
        let mut moments = if dice.once_in(2) { self.moments(file) } else { Vec::new() };
        let end = start.plus(lasts);
        for named in self.policy.windows().rows() {
            let edges =
                named.window.edges(start, end).take(4).map(|(edge, _)| Mono(0).plus(edge.since(start)));
            moments.extend(edges);
        }
        let mut before = Mono(0);
        for _ in 0..count {
            let at = self.moment(&moments, before, lasts, dice);
            before = Mono(0).plus(at);
            let what = match dice.one(&parts) {
                Part::Guest => self.of_guest(dice),
                Part::Host => self.of_host(dice),
                Part::Provider => of_provider(dice),
            };
            let arrays: Vec<&str> =
                self.policy.arrays().rows().iter().map(|array| array.name.as_str()).collect();
            let some_array = arrays.len() > 1 && dice.once_in(2);
            let array = some_array.then(|| Located::made(dice.one(&arrays).to_owned()));
            let guests = (!dice.once_in(4)).then(|| self.some_guest(file, dice));
            file.faults.push(fault(at, what, guests, array, dice));
        }
        file.faults.sort_by_key(|fault| fault.at.value);
    }

    /// When something goes on in this world, as long as nothing goes wrong.
    fn moments(&self, file: &ScenarioFile) -> Vec<Mono> {
        let mut moments = Moments::default();
        OwnRun(self.policy).run(file, &mut moments);
        moments.all
    }

    /// At one of the moments or within a few minutes of it, soon after another fault, or at any time.
    fn moment(&self, moments: &[Mono], before: Mono, lasts: Span, dice: &mut Dice) -> Span {
        let settle = self.policy.moves().settle.min(Span::from_mins(10));
        let any = Span::from_secs(dice.0.below(lasts.millis() / 1_000));
        let near = match dice.below(6) {
            0 => Mono(0).plus(any),
            1 => before.plus(dice.secs(Span::ZERO, Span::from_mins(5))),
            _ if moments.is_empty() => Mono(0).plus(any),
            2 => dice.one(moments),
            3 => dice.one(moments).plus(dice.0.span(Span::ZERO, settle)),
            4 => dice.one(moments).plus(dice.secs(Span::ZERO, Span::from_mins(3))),
            _ => dice.one(moments).shifted(-i64::try_from(dice.below(60_000)).unwrap_or(0)),
        };
        let at = near.max(Mono(0)).since(Mono(0));
        if at < lasts { at } else { any }
    }

    fn some_guest(&self, file: &ScenarioFile, dice: &mut Dice) -> Located<String> {
        let ours: Vec<&str> = file
            .guests
            .iter()
            .filter(|guest| guest.policy.is_some())
            .map(|guest| guest.name.value.as_str())
            .collect();
        let group = dice.one(&ours);
        // One of a range, or all of it.
        let name = match group.split_once("[1-") {
            Some((stem, _)) if dice.once_in(2) => format!("{stem}1"),
            _ => group.to_owned(),
        };
        Located::made(name)
    }

    fn host_name(&self, dice: &mut Dice) -> Located<String> {
        let at = dice.below(self.policy.hosts().len());
        Located::made(self.policy.hosts().rows()[at].name.clone())
    }

    fn of_guest(&self, dice: &mut Dice) -> WhatForm {
        match dice.below(15) {
            0 => WhatForm::Reload(Located::made(PolicyForm::Inline(Box::new(self.inline.clone())))),
            1 | 2 => WhatForm::DaemonCrash,
            3 => WhatForm::Pause,
            4 => WhatForm::Clock { by_ms: dice.one(&[-3_600_000, -1_500, 1_500, 60_000, 3_600_000]) },
            5 => WhatForm::ProbesHang,
            6 => WhatForm::ProbesFail(dice.one(&Absence::ALL)),
            7 => WhatForm::ProbesSay(dice.one(&[0.0, 1.0, 1e9, -1.0])),
            8 => WhatForm::ServiceRestart,
            9 => WhatForm::LocatorFails,
            10 => WhatForm::LoadTimes(dice.one(&[0.0, 0.5, 3.0, 20.0])),
            11 => WhatForm::MovedTo(self.host_name(dice)),
            12 => WhatForm::Hold(dice.once_in(2).then(|| dice.some_time())),
            13 => WhatForm::Resume,
            _ => WhatForm::Abandon,
        }
    }

    fn of_host(&self, dice: &mut Dice) -> WhatForm {
        let host = self.host_name(dice);
        match dice.below(4) {
            0 => WhatForm::HostCrash(host),
            1 => WhatForm::MovedTo(host),
            _ => WhatForm::Drain { host, comes_true: dice.once_in(2) },
        }
    }
}

fn of_provider(dice: &mut Dice) -> WhatForm {
    match dice.below(4) {
        0 => WhatForm::ProviderDown,
        1 => WhatForm::LinkTimes(dice.one(&[0.01, 0.1, 0.5, 10.0])),
        _ => WhatForm::ProviderBehaves(Box::new(provider(dice, true))),
    }
}

/// With the keys that go with what it is.
fn fault(
    at: Span,
    what: WhatForm,
    guest: Option<Located<String>>,
    array: Option<Located<String>>,
    dice: &mut Dice,
) -> FaultForm {
    let some_time = Located::made(dice.some_time());
    let (lasts, guests, array) = match &what {
        WhatForm::DaemonCrash
        | WhatForm::Pause
        | WhatForm::ProbesHang
        | WhatForm::ProbesFail(_)
        | WhatForm::ProbesSay(_)
        | WhatForm::LocatorFails
        | WhatForm::LoadTimes(_) => (Some(some_time), guest, None),
        WhatForm::Reload(_)
        | WhatForm::Clock { .. }
        | WhatForm::ServiceRestart
        | WhatForm::MovedTo(_)
        | WhatForm::Hold(_)
        | WhatForm::Resume
        | WhatForm::Abandon => (None, guest, None),
        WhatForm::HostCrash(_) | WhatForm::Drain { .. } => (Some(some_time), None, None),
        WhatForm::ProviderDown | WhatForm::ProviderBehaves(_) | WhatForm::LinkTimes(_) => {
            (Some(some_time), None, array)
        }
    };
    let guests = guests.map(|guest| Located::made(vec![guest]));
    FaultForm { at: Located::made(at), lasts, guests, array, what: Located::made(what) }
}
