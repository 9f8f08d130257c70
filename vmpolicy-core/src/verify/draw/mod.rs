//! The n-th world of a seed, as a scenario file: so that it can be written down as it is.
//!
//! Worlds are meant to hurt: loads hover about the policy's thresholds, hosts are crowded, windows open and close, clocks
//! change, providers lie, and faults come where a dry run has shown that something is going on. A policy that is never tempted
//! proves nothing.

mod dice;
mod faults;
mod guests;
mod places;
mod signal;

use super::OwnZones;
use crate::file::scenario::{InlinePolicy, NoFiles, ScenarioFile, StartForm};
use crate::leaf::tarry::Tarry;
use crate::policy::{Located, Policy};
use crate::sim::chance::Seed;
use crate::sim::world::{Deciding, Options, Watch, run};
use crate::time::{Span, Wall};
use dice::Dice;

/// 2026-01-01T00:00:00Z: worlds begin in the two years from then on.
const FROM: Wall = Wall::from_secs(1_767_225_600);
const DAYS: u64 = 730;
/// No world is longer, so that each is quick.
const LONGEST: Span = Span::from_hours(30);
/// Nor does a guest poll more often than this, where nothing that is expected takes longer.
const POLLS: u64 = 2_000;

/// Which faults there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Those of guests: daemons, probes, clocks, loads, operators.
    pub guest: bool,
    /// Those of providers; without them, every provider is sound.
    pub provider: bool,
    /// Those of hosts.
    pub host: bool,
}

impl Scope {
    /// Nothing goes wrong.
    pub const NONE: Self = Self { guest: false, provider: false, host: false };
}

impl Default for Scope {
    fn default() -> Self {
        Self { guest: true, provider: true, host: true }
    }
}

/// What worlds are drawn for.
pub(super) struct Drawing<'a> {
    pub(super) inline: &'a InlinePolicy,
    pub(super) policy: &'a Policy,
    pub(super) scope: Scope,
    /// The longest span that an expectation names.
    pub(super) reach: Span,
}

impl Drawing<'_> {
    /// Faults are drawn by themselves: with others in scope, everything else is the same.
    pub(super) fn world(&self, seed: u64, index: u64) -> ScenarioFile {
        let mut dice = Dice(Seed(seed).stream("verify world", index));
        let mut file = ScenarioFile::new(self.lasts(&mut dice));
        let start = self.start(&mut dice, file.lasts.value);
        file.start = Some(Located::made(StartForm::Instant(start)));
        let zone = self.policy.windows().rows().first().map(|named| named.window.zone().name());
        file.zone = zone.filter(|zone| *zone != "UTC").map(|zone| Located::made(zone.to_owned()));
        let step = dice.one(&[10, 20, 30, 60]).max(file.lasts.value.millis() / 1_000 / 5_000);
        file.step = Some(Located::made(Span::from_secs(step)));
        file.seed = Some(Located::made(dice.0.below(1 << 32)));
        self.arrays(&mut file, &mut dice);
        self.queues(&mut file, &mut dice);
        self.guests(&mut file, &mut dice);
        self.faults(&mut file, start, &mut Dice(Seed(seed).stream("verify faults", index)));
        file
    }

    /// How often the policy polls at most, in the mean between two.
    fn every(&self) -> Span {
        let every = self.policy.indicators().rows().iter().map(|row| row.every);
        let queues = self.policy.queues().rows().iter().map(|row| row.every);
        every.chain(queues).min().unwrap_or(Span::from_mins(1))
    }

    /// How long the slowest rule takes to act.
    fn slowest(&self) -> Span {
        let slowest = self.policy.rules().iter().map(|(_, rule)| {
            let read = self.policy.indicators().iter().filter(|(id, _)| rule.reads(*id));
            let every = read.map(|(_, row)| row.every).max().unwrap_or(self.every());
            match rule.tarry {
                Tarry::Consecutive(samples) => every.times(samples.into()),
                Tarry::Lasting(span) => span,
                Tarry::Of { last, .. } => every.times(last.into()),
            }
        });
        slowest.max().unwrap_or(Span::ZERO)
    }

    /// Long enough for the slowest rule and for what is expected, and short enough to be quick.
    fn lasts(&self, dice: &mut Dice) -> Span {
        let rounds = Span::from_millis(
            self.slowest().millis().saturating_add(self.policy.moves().settle.millis()).saturating_mul(4),
        );
        let reach = Span::from_millis(self.reach.millis().saturating_add(self.reach.millis() / 4));
        let least = rounds.max(reach).max(Span::from_mins(10)).min(LONGEST);
        let quick = self.every().times(POLLS).min(LONGEST).max(least);
        let longer = dice.one(&[1, 2, 4, 16, 16]);
        let most = Span::from_millis(
            least.millis() + (quick.millis() - least.millis()).min(least.millis().saturating_mul(longer)),
        );
        let drawn = dice.secs(least, most);
        // To the minute.
        Span::from_mins(drawn.millis().div_ceil(60_000))
    }

    /// A third begin before a clock change of a window's zone, a third before a window's edge.
    fn start(&self, dice: &mut Dice, lasts: Span) -> Wall {
        let any = FROM.plus(Span::from_mins(dice.0.below(DAYS * 24 * 60)));
        let before = dice.secs(Span::ZERO, Span::from_millis(lasts.millis() / 2));
        let windows = self.policy.windows().rows();
        let (draw, which) = (dice.below(3), dice.below(windows.len().max(1)));
        let Some(window) = windows.get(which).map(|named| &named.window) else { return any };
        let there = match draw {
            0 => window.zone().next_change_after(any),
            1 => window.at(any).next_edge,
            _ => None,
        };
        there.map_or(any, |there| there.shifted(-i64::try_from(before.millis()).unwrap_or(0)))
    }
}

/// A dry run of what is drawn so far.
struct OwnRun<'a>(&'a Policy);

impl OwnRun<'_> {
    /// What is not sound, or breaks an invariant, is found out when it is run in earnest.
    fn run(&self, file: &ScenarioFile, watch: &mut impl Watch) {
        if let Ok(built) = file.build(&OwnZones(self.0), &mut NoFiles) {
            let options = Options { checks: false, deciding: Deciding::AsWritten };
            drop(run(&built.scenario, options, watch));
        }
    }
}
