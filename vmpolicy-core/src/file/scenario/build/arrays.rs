//! Arrays and hosts.

use super::super::error::ScenarioErrorKind as Kind;
use super::super::form::{ArrayForm, HostForm, LeavingForm, LiveForm, PowerForm, ProviderForm, ScenarioFile};
use super::{Builder, MOST_HOSTS, beginning, is_vague};
use crate::policy::Located;
use crate::policy::error::{Noun, PolicyErrorKind};
use crate::sim::power::Power;
use crate::sim::scenario::{Array, ArrayIx, Host, HostIx, LiveMoves, Provider, Ranking, Relocations};
use crate::time::Span;

/// What a host is like of which nothing is said.
const CORES: u32 = 4;
const CLOCK_GHZ: f64 = 2.5;
const MEMORY: f64 = 16.0 * 1_073_741_824.0;
const POWER: Power = Power::Linear { idle: 100.0, full: 200.0 };
/// 1 Gbit/s and 100 Mbit/s, in bytes.
const LIVE_LINK: f64 = 125e6;
const LEAVING_LINK: f64 = 12.5e6;

/// The machines whose power is known: Beloglazov and Buyya 2012, table II.
const MODELS: [(&str, Power); 2] = [("hp-ml110-g4", Power::HP_ML110_G4), ("hp-ml110-g5", Power::HP_ML110_G5)];

impl Builder<'_> {
    pub(super) fn arrays(&mut self, file: &ScenarioFile) {
        if file.arrays.is_empty() && !self.doubts.arrays {
            self.blame_as_policy(&PolicyErrorKind::NoArrays, None, "arrays".to_owned());
        }
        for form in &file.arrays {
            let ix = ArrayIx::from_index(self.arrays.len());
            let name = &form.name;
            self.named(Noun::Array, name, || format!("arrays.{}", name.value));
            if self.array_named.insert(name.value.clone(), ix).is_some() && !self.doubts.from_file {
                let kind = PolicyErrorKind::DuplicateName { what: Noun::Array, name: name.value.clone() };
                self.blame_as_policy(&kind, name.place, format!("arrays.{}", name.value));
            }
            self.array(ix, form);
        }
    }

    fn array(&mut self, ix: ArrayIx, form: &ArrayForm) {
        let path = |key: &str| format!("arrays.{}.{key}", form.name.value);
        let live = match &form.live {
            Some(LiveForm::Takes(span)) => LiveMoves::Take(span.value),
            Some(LiveForm::Link(link)) => LiveMoves::Precopy { link: link.value },
            None => LiveMoves::Precopy { link: LIVE_LINK },
        };
        let leaving = match &form.leaving {
            Some(LeavingForm::Takes(spans)) => Relocations::Take(spans.value.clone()),
            Some(LeavingForm::Link(link)) => Relocations::Copy { link: link.value },
            None => Relocations::Copy { link: LEAVING_LINK },
        };
        let mut provider = Provider::default();
        behave(&mut provider, &form.provider);
        self.arrays.push(Array { name: form.name.value.clone(), live, leaving, provider });
        self.priced.push(form.price.is_some());
        let (host_price, base_price) = self.prices(form);
        let machine = self.machine(&form.each, None, &path("each"));
        let mut ring = Vec::new();
        for text in &form.hosts.value {
            let Some(names) = self.names(text, || path("hosts")) else {
                self.vague_hosts.push(beginning(&text.value));
                continue;
            };
            for name in names {
                let host = Host { name, array: ix, is_base: false, price: host_price, ..machine.clone() };
                ring.extend(self.host(host, text, path("hosts")));
            }
            if self.hosts.len() > MOST_HOSTS {
                self.blame(&Kind::TooMuch { what: "hosts", most: MOST_HOSTS }, text.place, path("hosts"));
                self.doubts.hosts = true;
                break;
            }
        }
        if form.hosts.value.is_empty() && !self.doubts.stands_in(&form.hosts) {
            let kind = PolicyErrorKind::EmptyRing { array: form.name.value.clone() };
            self.blame_as_policy(&kind, form.hosts.place.or(form.name.place), path("hosts"));
        }
        if let Some(base) = &form.base {
            let name = base.value.clone();
            let host = Host { name, array: ix, is_base: true, price: base_price, ..machine };
            match self.host_named.get(&base.value) {
                Some(&(other, first)) if self.hosts[other.index()].array == ix => {
                    let array = form.name.value.clone();
                    self.doubts.bases = true;
                    let kind = PolicyErrorKind::BaseInRing { host: base.value.clone(), array };
                    self.twice(&kind, base.place, path("base"), first);
                }
                _ => ring.extend(self.host(host, base, path("base"))),
            }
        }
        self.rings.push(ring);
        for (text, but) in &form.but {
            self.exception(ix, text, but, &format!("arrays.{}.but.{}", form.name.value, text.value));
        }
    }

    /// Some of an array's hosts are otherwise.
    fn exception(&mut self, ix: ArrayIx, text: &Located<String>, but: &HostForm, path: &str) {
        let Some(names) = self.names(text, || path.to_owned()) else { return };
        for name in names {
            let found = self.host_named.get(&name).map(|&(host, _)| host);
            let Some(host) = found.filter(|host| self.hosts[host.index()].array == ix) else {
                if !self.doubts.hosts && !is_vague(&self.vague_hosts, &name) {
                    let ring = self.rings[ix.index()].iter().take(2_000);
                    let known: Vec<String> = ring.map(|host| self.hosts[host.index()].name.clone()).collect();
                    let name = Located { value: name, place: text.place };
                    self.undefined(Noun::Host, &name, path.to_owned(), known.iter().map(String::as_str));
                }
                // Its settings are judged all the same.
                self.machine(but, None, path);
                return;
            };
            let old = self.hosts[host.index()].clone();
            self.hosts[host.index()] = self.machine(but, Some(old), path);
        }
    }

    /// Adds a host, or blames one that is there already.
    fn host(&mut self, host: Host, text: &Located<String>, path: String) -> Option<HostIx> {
        let name = Located { value: host.name.clone(), place: text.place };
        if self.doubts.stands_in(&name) {
            return None;
        }
        self.named(Noun::Host, &name, || path.clone());
        let ix = HostIx::from_index(self.hosts.len());
        if let Some(&(_, first)) = self.host_named.get(&name.value) {
            self.twice(&PolicyErrorKind::DuplicateHost { host: name.value }, text.place, path, first);
            return None;
        }
        self.host_named.insert(name.value, (ix, text.place));
        self.hosts.push(host);
        Some(ix)
    }

    fn prices(&mut self, form: &ArrayForm) -> (f64, f64) {
        let Some(price) = &form.price else { return (0.0, 0.0) };
        let price = &price.value;
        for (key, number) in [("host", Some(&price.host)), ("base", price.base.as_ref())] {
            if let Some(number) = number
                && !self.doubts.stands_in(number)
                && !(number.value.is_finite() && number.value >= 0.0)
            {
                let path = format!("arrays.{}.price.{key}", form.name.value);
                self.blame_as_policy(&PolicyErrorKind::BadPrice { value: number.value }, number.place, path);
            }
        }
        (price.host.value, price.base.as_ref().map_or(price.host.value, |base| base.value))
    }

    /// A host as `form` says, and otherwise as it is or as they all are.
    fn machine(&mut self, form: &HostForm, is: Option<Host>, path: &str) -> Host {
        let mut host = is.unwrap_or_else(|| Host {
            name: String::new(),
            array: ArrayIx(0),
            is_base: false,
            cores: CORES,
            clock_ghz: CLOCK_GHZ,
            memory: MEMORY,
            price: 0.0,
            power: POWER,
        });
        set(&mut host.cores, form.cores.as_ref());
        set(&mut host.clock_ghz, form.clock.as_ref());
        set(&mut host.memory, form.memory.as_ref());
        set(&mut host.price, form.price.as_ref());
        if let Some(power) = &form.power
            && let Some(power) = self.power(power, path)
        {
            host.power = power;
        }
        host
    }

    fn power(&mut self, form: &Located<PowerForm>, path: &str) -> Option<Power> {
        match &form.value {
            PowerForm::Linear { idle, full } => Some(Power::Linear { idle: *idle, full: *full }),
            PowerForm::Table(watts) => <[f64; 11]>::try_from(watts.as_slice()).ok().map(Power::Table),
            PowerForm::Model(model) => {
                let found = MODELS.into_iter().find(|(name, _)| name == model).map(|(_, power)| power);
                // Of a range, each host is looked at.
                let told = form.place.is_some() && self.problems.iter().any(|told| told.place == form.place);
                if found.is_none() && !told {
                    let kind = Kind::NoModel { model: model.clone() };
                    self.blame(&kind, form.place, format!("{path}.power"));
                }
                found
            }
        }
    }
}

fn set<T: Copy>(to: &mut T, from: Option<&Located<T>>) {
    if let Some(from) = from {
        *to = from.value;
    }
}

/// What is given is so from now on; the rest stays as it is.
pub(super) fn behave(provider: &mut Provider, form: &ProviderForm) {
    set(&mut provider.answers_in, form.answers_in.as_ref());
    provider.confirms = form.confirms.unwrap_or(provider.confirms);
    provider.deduplicates = form.deduplicates.unwrap_or(provider.deduplicates);
    provider.checks_memory = form.checks_memory.unwrap_or(provider.checks_memory);
    set(&mut provider.at_once, form.at_once.as_ref());
    set(&mut provider.loses_requests, form.loses_requests.as_ref());
    set(&mut provider.loses_answers, form.loses_answers.as_ref());
    set(&mut provider.doubles, form.doubles.as_ref());
    set(&mut provider.delays, form.delays.as_ref());
    set(&mut provider.refuses, form.refuses.as_ref());
    set(&mut provider.ignores, form.ignores.as_ref());
    set(&mut provider.fails, form.fails.as_ref());
    if let Some(ranking) = &form.ranking {
        let late = ranking.value.late.as_ref().map_or(Span::ZERO, |late| late.value);
        provider.ranking = Some(Ranking { every: ranking.value.every.value, late });
    }
}
