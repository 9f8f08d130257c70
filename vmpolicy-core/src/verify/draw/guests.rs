//! Guests with the policy, and others who crowd their hosts.

use super::Drawing;
use super::dice::Dice;
use super::signal::about;
use crate::file::scenario::{AtForm, FeedForm, GuestForm, LoadForm, PolicyForm, ScenarioFile};
use crate::id::HostId;
use crate::policy::Located;
use crate::sim::service::{DatabaseSpec, Indicator, Service, ServiceSpec, WebSpec};
use crate::time::Span;

const MIB: f64 = 1_048_576.0;
/// Guests of the background in a world.
const CROWD: usize = 24;

impl Drawing<'_> {
    pub(super) fn guests(&self, file: &mut ScenarioFile, dice: &mut Dice) {
        let lasts = file.lasts.value;
        let groups = 1 + dice.below(2);
        for name in ["vm", "wm"].into_iter().take(groups) {
            let count = 1 + dice.below(2);
            let form = self.guest(name, count, lasts, dice);
            file.guests.push(form);
        }
        self.crowd(file, dice);
    }

    fn guest(&self, name: &str, count: usize, lasts: Span, dice: &mut Dice) -> GuestForm {
        let name = if count == 1 { format!("{name}1") } else { format!("{name}[1-{count}]") };
        let vcpus = dice.one(&[1, 1, 2]);
        let (service, middle) = match dice.below(4) {
            0 => (ServiceSpec::Database(DatabaseSpec::default()), 25.0 * f64::from(vcpus)),
            1 => (ServiceSpec::Web(WebSpec::default()), 125.0 * f64::from(vcpus)),
            _ => (ServiceSpec::default(), 0.7),
        };
        let gauges = Service::new(&service).ok();
        let reads = |name: &str| {
            let there =
                |gauge: &Indicator| gauges.as_ref().is_some_and(|service| service.read(*gauge).is_some());
            Indicator::named(name).filter(there)
        };
        let feeds = self.policy.indicators().iter().map(|(id, indicator)| {
            let own = self.feed(id, lasts, dice);
            let gauge = reads(&indicator.name).filter(|_| dice.once_in(3));
            let feed = gauge.map_or(own, |gauge| FeedForm::Gauge(gauge.name().to_owned()));
            (Located::made(indicator.name.clone()), Located::made(feed))
        });
        let feeds = feeds.collect();
        let hosts = (0..count).map(|_| Located::made(self.policy.hosts()[self.somewhere(dice)].name.clone()));
        let at = AtForm::Hosts(hosts.collect());
        GuestForm {
            at: Some(Located::made(at)),
            vcpus: Some(Located::made(vcpus)),
            memory: Some(Located::made(dice.one(&[256.0, 512.0, 1_024.0]) * MIB)),
            dirties: Some(Located::made(dice.one(&[1.0, 5.0, 50.0]) * MIB)),
            disk: Some(Located::made(dice.one(&[512.0, 4_096.0]) * MIB)),
            shutdown: Some(Located::made(dice.secs(Span::from_secs(1), Span::from_mins(1)))),
            boot: Some(Located::made(dice.secs(Span::from_secs(1), Span::from_mins(2)))),
            service: Some(Located::made(service)),
            load: Some(Located::made(about(middle, lasts, dice))),
            policy: Some(Located::made(PolicyForm::Inline(Box::new(self.inline.clone())))),
            feeds,
            locates: dice.once_in(6).then_some(false),
            probe_takes: Some(Located::made(Span::from_millis(dice.one(&[0, 100, 2_000])))),
            ..GuestForm::new(name)
        }
    }

    /// At home in three of four cases, and then at the base in one of four.
    fn somewhere(&self, dice: &mut Dice) -> HostId {
        let arrays: Vec<_> = self.policy.arrays().ids().collect();
        let array = if dice.once_in(4) { dice.one(&arrays) } else { self.policy.home() };
        let ring: Vec<HostId> = self.policy.ring(array).collect();
        let base = self.policy.arrays()[array].base;
        base.filter(|_| dice.once_in(4)).unwrap_or(dice.one(&ring))
    }

    /// Some hosts are crowded, always or now and then.
    fn crowd(&self, file: &mut ScenarioFile, dice: &mut Dice) {
        let lasts = file.lasts.value;
        let one_in = dice.one(&[1, 2, 3, 100]);
        let mut number = 0;
        for (_, host) in self.policy.hosts().iter() {
            if !dice.once_in(one_in) {
                continue;
            }
            for _ in 0..=dice.below(2) {
                number += 1;
                if number > CROWD {
                    return;
                }
                let load = match dice.below(3) {
                    0 => LoadForm::Constant(1.0),
                    1 => LoadForm::Constant(dice.between(0.2, 1.0)),
                    _ => about(0.5, lasts, dice),
                };
                file.guests.push(GuestForm {
                    at: Some(Located::made(AtForm::Hosts(vec![Located::made(host.name.clone())]))),
                    vcpus: Some(Located::made(dice.one(&[1, 2, 4, 8]))),
                    memory: Some(Located::made(dice.one(&[256.0, 1_024.0]) * MIB)),
                    load: Some(Located::made(load)),
                    ..GuestForm::new(format!("other{number}"))
                });
            }
        }
    }
}
