//! What of a service feeds the indicators of a policy, and which queue its queues pull from.

use super::super::super::shell::{ProbeSpec, PsiResource};
use super::super::error::{ScenarioErrorKind as Kind, ScenarioWarningKind as Warning};
use super::super::form::{FeedForm, GuestForm};
use super::load::Whose;
use super::policies::Known;
use super::{Builder, PROBE_TAKES};
use crate::policy::error::{Noun, nearest};
use crate::policy::{Located, Place};
use crate::sim::scenario::{Feed, Managed, QueueIx, Signal};
use crate::sim::service::{Indicator, Service, ServiceSpec};

/// What can be read at a service.
fn gauges(spec: &ServiceSpec) -> Vec<Indicator> {
    // One that is not sound was told.
    let Ok(service) = Service::new(spec) else { return Indicator::ALL.to_vec() };
    Indicator::ALL.into_iter().filter(|&indicator| service.read(indicator).is_some()).collect()
}

/// What a real probe reads, as far as there is the like of it here.
fn of_probe(probe: &ProbeSpec) -> Option<Indicator> {
    match probe {
        ProbeSpec::Mysql { status, .. } => Indicator::named(status),
        ProbeSpec::Steal => Some(Indicator::Steal),
        ProbeSpec::Load { .. } => Some(Indicator::Load),
        // Tasks that wait for a processor: here that is for want of what others got.
        ProbeSpec::Psi { resource: PsiResource::Cpu, .. } => Some(Indicator::Steal),
        _ => None,
    }
}

impl Builder<'_> {
    /// How a guest is managed by this policy.
    pub(super) fn managed(
        &mut self,
        form: &GuestForm,
        known: &Known,
        written: &[(String, Option<Feed>)],
        (place, path): (Option<Place>, &str),
    ) -> Managed {
        let there = self.gauges_of(form);
        let guest = &form.name.value;
        let mut feeds = Vec::with_capacity(known.policy.indicators().len());
        for (id, indicator) in known.policy.indicators().iter() {
            let index = feeds.len();
            let said = written.iter().find(|(name, _)| *name == indicator.name).map(|(_, feed)| feed);
            let probed = known.probes.get(index).and_then(Option::as_ref).and_then(of_probe);
            let guessed = [probed, Indicator::named(&indicator.name)]
                .into_iter()
                .flatten()
                .find(|gauge| there.contains(gauge));
            let feed = said.cloned().unwrap_or(guessed.map(Feed::Reads));
            let used = known.policy.rules().iter().any(|(_, rule)| rule.reads(id));
            if feed.is_none() && said.is_none() && used {
                let indicator = indicator.name.clone();
                self.warn(&Warning::NotFed { indicator, guest: guest.clone() }, place, path.to_owned());
            }
            feeds.push(feed);
        }
        let queues = self.pulls(known, guest, (place, path));
        Managed {
            policy: known.ix,
            feeds,
            queues,
            locates: form.locates.unwrap_or(true),
            probe_takes: form.probe_takes.as_ref().map_or(PROBE_TAKES, |span| span.value),
        }
    }

    /// What can be read at the guest's service; anything, where that could not be read.
    fn gauges_of(&self, form: &GuestForm) -> Vec<Indicator> {
        match &form.service {
            Some(service) if self.doubts.stands_in(service) => Indicator::ALL.to_vec(),
            Some(service) => gauges(&service.value),
            None => gauges(&ServiceSpec::default()),
        }
    }

    /// What `feeds` says; none for what it names that is not there, which is told.
    pub(super) fn written_feeds(&mut self, form: &GuestForm) -> Vec<(String, Option<Feed>)> {
        let there = self.gauges_of(form);
        let mut written = Vec::with_capacity(form.feeds.len());
        for (name, feed) in &form.feeds {
            let path = format!("guests.{}.feeds.{}", form.name.value, name.value);
            let feed = match &feed.value {
                FeedForm::Gauge(gauge) => {
                    let found = Indicator::named(gauge).filter(|gauge| there.contains(gauge));
                    if found.is_none() {
                        self.no_gauge(&Located { value: gauge.clone(), place: feed.place }, &there, path);
                    }
                    found.map(Feed::Reads)
                }
                FeedForm::Follows { load, strain, counts } => {
                    let path = format!("{path}.follows");
                    let load = self.load(load, Whose { guest: 0, guests: 1, path: &path });
                    load.map(|load| Feed::Follows(Signal { load, strain: *strain, counts: *counts }))
                }
            };
            written.push((name.value.clone(), feed));
        }
        written
    }

    /// Names in `feeds` that are no indicators of the guest's own policy.
    pub(super) fn unfed_names(&mut self, form: &GuestForm, known: &Known) {
        for (name, _) in &form.feeds {
            if known.policy.indicator_named(&name.value).is_none() {
                let path = format!("guests.{}.feeds.{}", form.name.value, name.value);
                let names = known.policy.indicators().iter().map(|(_, indicator)| indicator.name.as_str());
                self.undefined(Noun::Indicator, name, path, names);
            }
        }
    }

    fn no_gauge(&mut self, gauge: &Located<String>, there: &[Indicator], path: String) {
        let hint = match nearest(&gauge.value, there.iter().map(|gauge| gauge.name())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let names: Vec<String> = there.iter().map(|gauge| format!("`{gauge}`")).collect();
                format!("it has {}", names.join(", "))
            }
        };
        self.hinted(&Kind::NoGauge { gauge: gauge.value.clone() }, gauge.place, path, Some(hint));
    }

    fn pulls(
        &mut self,
        known: &Known,
        guest: &str,
        (place, path): (Option<Place>, &str),
    ) -> Vec<Option<QueueIx>> {
        let mut pulls = Vec::new();
        for (_, queue) in known.policy.queues().iter() {
            let Some(from) = self.queues.iter().position(|ours| ours.name == queue.name) else {
                if !self.doubts.queues {
                    let kind = Warning::QueueNotFed { queue: queue.name.clone(), guest: guest.to_owned() };
                    self.warn(&kind, place, path.to_owned());
                }
                pulls.push(None);
                continue;
            };
            let jobs = &self.queues[from].spec.classes;
            let unknown: Vec<String> = queue
                .classes
                .iter()
                .filter(|class| jobs.iter().all(|job| job.name != class.name))
                .map(|class| class.name.clone())
                .collect();
            for class in unknown {
                let kind = Warning::NoSuchClass { class, queue: queue.name.clone() };
                self.warn(&kind, place, path.to_owned());
            }
            pulls.push(Some(QueueIx::from_index(from)));
        }
        pulls
    }
}
