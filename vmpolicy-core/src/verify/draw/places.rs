//! Arrays, hosts, providers and queues.

use super::Drawing;
use super::dice::Dice;
use crate::file::scenario::{
    ArrayForm, ArrivalsForm, HostForm, LeavingForm, LiveForm, ProviderForm, QueueForm, RankingForm,
    ScenarioFile,
};
use crate::policy::Located;
use crate::time::Span;

const GIB: f64 = 1_073_741_824.0;
const MBIT_S: f64 = 125_000.0;

impl Drawing<'_> {
    /// The policy's arrays, with hosts of random size.
    pub(super) fn arrays(&self, file: &mut ScenarioFile, dice: &mut Dice) {
        for (id, array) in self.policy.arrays().iter() {
            let name = |host| Located::made(self.policy.hosts()[host].name.clone());
            let each = host(dice);
            let odd = self.policy.ring(id).chain(array.base).filter(|_| dice.once_in(5)).collect::<Vec<_>>();
            let but = odd.into_iter().map(|id| (name(id), host(dice))).collect();
            let live = match dice.below(4) {
                0 => LiveForm::Takes(Located::made(Span::ZERO)),
                1 => LiveForm::Takes(Located::made(dice.secs(Span::from_secs(1), Span::from_mins(5)))),
                _ => LiveForm::Link(Located::made(dice.one(&[100.0, 1_000.0, 10_000.0]) * MBIT_S)),
            };
            let leaving = if dice.once_in(2) {
                let takes =
                    (0..=dice.below(2)).map(|_| dice.secs(Span::from_mins(1), Span::from_mins(40))).collect();
                LeavingForm::Takes(Located::made(takes))
            } else {
                LeavingForm::Link(Located::made(dice.one(&[100.0, 1_000.0]) * MBIT_S))
            };
            let sound = dice.once_in(2);
            let misbehaving = provider(dice, true);
            let well = provider(dice, false);
            file.arrays.push(ArrayForm {
                name: Located::made(array.name.clone()),
                hosts: Located::made(self.policy.ring(id).map(name).collect()),
                base: array.base.map(name),
                price: None,
                each,
                but,
                live: Some(live),
                leaving: Some(leaving),
                provider: if sound || !self.scope.provider { well } else { misbehaving },
            });
        }
    }

    /// The policy's queues, with jobs at random.
    pub(super) fn queues(&self, file: &mut ScenarioFile, dice: &mut Dice) {
        for (_, queue) in self.policy.queues().iter() {
            let classes: Vec<_> = queue
                .classes
                .iter()
                .map(|class| {
                    let work = class.takes.map_or(60.0, Span::as_secs_f64) * dice.between(0.5, 4.0);
                    (Located::made(class.name.clone()), Located::made(work.max(1.0)))
                })
                .collect();
            if classes.is_empty() {
                continue;
            }
            let shares = classes.iter().map(|(name, _)| (name.clone(), dice.one(&[0.2, 1.0, 3.0]))).collect();
            let gap = dice.secs(Span::from_mins(2), Span::from_mins(60));
            let jobs = (1, 1 + u32::try_from(dice.below(10)).unwrap_or(0));
            let arrivals = Located::made(ArrivalsForm::Random { gap, jobs, shares });
            file.queues.push(QueueForm { name: Located::made(queue.name.clone()), classes, arrivals });
        }
    }
}

fn host(dice: &mut Dice) -> HostForm {
    HostForm {
        cores: Some(Located::made(dice.one(&[1, 2, 4, 8]))),
        clock: Some(Located::made(dice.one(&[2.0, 2.5, 3.0]))),
        memory: Some(Located::made(dice.one(&[2.0, 4.0, 8.0, 32.0]) * GIB)),
        power: None,
        price: None,
    }
}

/// How a provider behaves: soundly, or not in about three of its ways.
pub(super) fn provider(dice: &mut Dice, misbehaves: bool) -> ProviderForm {
    let least = dice.secs(Span::ZERO, Span::from_secs(3));
    let most = dice.secs(least, Span::from_secs(20));
    let mut form = ProviderForm { answers_in: Some(Located::made((least, most))), ..ProviderForm::default() };
    if dice.once_in(3) {
        let every = Located::made(dice.secs(Span::from_secs(30), Span::from_mins(5)));
        let late = Some(Located::made(dice.secs(Span::ZERO, Span::from_mins(2))));
        form.ranking = Some(Located::made(RankingForm { every, late }));
    }
    if dice.once_in(4) {
        form.at_once = Some(Located::made(dice.one(&[1, 2])));
    }
    if !misbehaves {
        return form;
    }
    form.confirms = dice.once_in(3).then_some(false);
    form.deduplicates = dice.once_in(3).then_some(false);
    form.checks_memory = dice.once_in(3).then_some(false);
    for chance in [
        &mut form.loses_requests,
        &mut form.loses_answers,
        &mut form.doubles,
        &mut form.delays,
        &mut form.refuses,
        &mut form.ignores,
        &mut form.fails,
    ] {
        if dice.below(5) < 2 {
            *chance = Some(Located::made(dice.one(&[0.05, 0.2, 0.5, 1.0])));
        }
    }
    form
}
