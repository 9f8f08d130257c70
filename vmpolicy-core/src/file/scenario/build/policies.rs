//! Policies: read from their files or from the scenario, and held against it.

use super::super::super::problem::Problem;
use super::super::super::shell::{ProbeSpec, Shell};
use super::super::super::{Loaded, load};
use super::super::Told;
use super::super::error::{ScenarioErrorKind as Kind, ScenarioWarningKind as Warning};
use super::super::form::{InlinePolicy, PolicyForm};
use super::{Builder, is_vague};
use crate::policy::build::Doubts;
use crate::policy::error::nearest;
use crate::policy::lint::lint;
use crate::policy::{Array, ArrayForm, Located, Place, Policy, PolicyFile, PriceForm};
use crate::sim::scenario::{ArrayIx, HostIx, PolicyIx};
use std::sync::Arc;

/// Missing hosts of one policy that are told one by one.
const MOST_MISSING: usize = 10;

/// A policy of the scenario.
pub(super) struct Known {
    pub(super) ix: PolicyIx,
    pub(super) policy: Arc<Policy>,
    /// By its indicators: where the real ones come from.
    pub(super) probes: Vec<Option<ProbeSpec>>,
}

impl Builder<'_> {
    /// The policy that stands there; none where it has errors, which were told.
    pub(super) fn policy(&mut self, form: &Located<PolicyForm>, path: &str) -> Option<Arc<Known>> {
        if self.doubts.stands_in(form) {
            return None;
        }
        match &form.value {
            PolicyForm::File(file) => self.policy_file(file, form.place, path),
            PolicyForm::Inline(inline) => self.inline(inline, form.place, path),
        }
    }

    fn policy_file(&mut self, file: &str, place: Option<Place>, path: &str) -> Option<Arc<Known>> {
        if let Some(known) = self.by_path.get(file) {
            return known.clone();
        }
        let known = match self.files.read(file) {
            Err(why) => {
                self.blame(&Kind::Unreadable { path: file.to_owned(), why }, place, path.to_owned());
                None
            }
            Ok(text) => match load(&text, self.zones) {
                Err(problems) => {
                    self.told.push(Told { path: file.to_owned(), text, problems });
                    None
                }
                Ok(Loaded { policy, shell, warnings, .. }) => {
                    if !warnings.is_empty() {
                        let problems = warnings.into_iter().map(Problem::from).collect();
                        self.told.push(Told { path: file.to_owned(), text, problems });
                    }
                    let Shell { probes, .. } = shell;
                    self.hold_against(&policy, place, path);
                    Some(self.known(policy, &probes))
                }
            },
        };
        self.by_path.insert(file.to_owned(), known.clone());
        known
    }

    fn known(&mut self, policy: Policy, probes: &[Option<Located<ProbeSpec>>]) -> Arc<Known> {
        let ix = PolicyIx::from_index(self.policies.len());
        let policy = Arc::new(policy);
        self.policies.push(Arc::clone(&policy));
        let probes = probes.iter().map(|probe| probe.as_ref().map(|probe| probe.value.clone())).collect();
        Arc::new(Known { ix, policy, probes })
    }

    fn inline(&mut self, inline: &InlinePolicy, place: Option<Place>, path: &str) -> Option<Arc<Known>> {
        let mut doubts = match place.and_then(|place| self.inner.get(&place)) {
            Some(doubts) => doubts.clone(),
            None => Doubts::default(),
        };
        let mut file = inline.file.clone();
        let own = !file.arrays.is_empty() || doubts.arrays;
        if !own {
            self.lend_arrays(&mut file, &mut doubts, place);
        }
        let told = |problem: Problem| Problem { path: format!("{path}.{}", problem.path), ..problem };
        match file.judge(self.zones, doubts) {
            Err(errors) => {
                self.problems.extend(errors.into_iter().map(Problem::from).map(told));
                None
            }
            // Of what could not be read there may be stand-ins in it: nothing more is asked of it.
            Ok(policy) if policy.arrays().is_empty() => None,
            Ok(policy) => {
                if self.problems.is_empty() {
                    self.warnings.extend(lint(&file, &policy).into_iter().map(Problem::from).map(told));
                }
                if own {
                    self.hold_against(&policy, place, path);
                }
                Some(self.known(policy, &inline.probes))
            }
        }
    }

    /// A policy in the scenario that has no arrays has the scenario's.
    fn lend_arrays(&self, file: &mut PolicyFile, doubts: &mut Doubts, place: Option<Place>) {
        doubts.arrays |= self.doubts.arrays;
        doubts.hosts |= self.doubts.hosts || !self.vague_hosts.is_empty();
        doubts.bases |= self.doubts.hosts || self.doubts.bases;
        // What has a place is none that stands in for something: they stand where the policy does.
        let place = place.unwrap_or(Place { start: 0, end: 0 });
        for (ix, array) in self.arrays.iter().enumerate() {
            let at = |name: &String| Located::at(name.clone(), place);
            let ring = &self.rings[ix];
            let hosts = ring.iter().map(|host| &self.hosts[host.index()]);
            let names: Vec<_> =
                hosts.clone().filter(|host| !host.is_base).map(|host| at(&host.name)).collect();
            if names.is_empty() {
                // An array of which no host could be read.
                doubts.arrays = true;
                doubts.hosts = true;
                continue;
            }
            let base = hosts.clone().find(|host| host.is_base);
            let of_ring = hosts.clone().find(|host| !host.is_base).map_or(0.0, |host| host.price);
            // One that is none was told.
            let is_price = |price: f64| price.is_finite() && price >= 0.0;
            let sound = is_price(of_ring) && base.is_none_or(|base| is_price(base.price));
            let price = (self.priced[ix] && sound).then(|| {
                let base = base.map(|base| Located::at(base.price, place));
                Located::at(PriceForm { host: Located::at(of_ring, place), base }, place)
            });
            file.arrays.push(ArrayForm {
                name: at(&array.name),
                hosts: Located::at(names, place),
                base: base.map(|base| at(&base.name)),
                price,
                speed: None,
                relocation: None,
            });
        }
    }

    /// Whether the policy's arrays and hosts are the scenario's.
    fn hold_against(&mut self, policy: &Policy, place: Option<Place>, path: &str) {
        let mut missing = 0;
        for (id, array) in policy.arrays().iter() {
            let Some(&ix) = self.array_named.get(&array.name) else {
                if !self.doubts.arrays {
                    let near = nearest(&array.name, self.array_named.keys().map(String::as_str));
                    let hint = near.map(|near| format!("the scenario has `{near}`"));
                    let kind = Kind::NotInScenario { what: "array", name: array.name.clone() };
                    self.hinted(&kind, place, path.to_owned(), hint);
                }
                continue;
            };
            for host in policy.ring(id).chain(array.base) {
                let name = &policy.hosts()[host].name;
                let is_base = policy.hosts()[host].is_base;
                match self.host_named.get(name).map(|&(host, _)| host) {
                    Some(found) if self.hosts[found.index()].array == ix => {
                        self.hold_price_against(array, (found, is_base), place, path);
                    }
                    Some(found) => {
                        let other = self.hosts[found.index()].array;
                        let kind = Kind::OtherArray {
                            host: name.clone(),
                            policy: array.name.clone(),
                            scenario: self.arrays[other.index()].name.clone(),
                        };
                        self.blame(&kind, place, path.to_owned());
                    }
                    None if self.doubts.hosts || is_base && self.doubts.bases => {}
                    None if is_vague(&self.vague_hosts, name) => {}
                    None => {
                        missing += 1;
                        if missing <= MOST_MISSING {
                            self.missing_host(ix, name, place, path);
                        }
                    }
                }
            }
            self.hold_base_against(ix, array, policy, place, path);
        }
    }

    fn missing_host(&mut self, ix: ArrayIx, name: &str, place: Option<Place>, path: &str) {
        let ring: Vec<String> = self.rings[ix.index()]
            .iter()
            .take(2_000)
            .map(|host| self.hosts[host.index()].name.clone())
            .collect();
        let near = nearest(name, ring.iter().map(String::as_str));
        let hint = match near {
            Some(near) => format!("array `{}` of the scenario has `{near}`", self.arrays[ix.index()].name),
            None => format!("array `{}` of the scenario has no such host", self.arrays[ix.index()].name),
        };
        let kind = Kind::NotInScenario { what: "host", name: name.to_owned() };
        self.hinted(&kind, place, path.to_owned(), Some(hint));
    }

    fn hold_base_against(
        &mut self,
        ix: ArrayIx,
        array: &Array,
        policy: &Policy,
        place: Option<Place>,
        path: &str,
    ) {
        if self.doubts.hosts || self.doubts.bases {
            return;
        }
        let ring = self.rings[ix.index()].iter();
        let base = ring.map(|host| &self.hosts[host.index()]).find(|host| host.is_base);
        let ours = base.map(|host| host.name.as_str());
        let theirs = array.base.map(|host| policy.hosts()[host].name.as_str());
        // A policy that never goes to the base need not know of it.
        let Some(theirs) = theirs else { return };
        if ours != Some(theirs) {
            let kind = Warning::OtherBase {
                array: array.name.clone(),
                policy: format!("`{theirs}`"),
                scenario: ours.map_or_else(|| "none".to_owned(), |ours| format!("`{ours}`")),
            };
            self.warn(&kind, place, path.to_owned());
        }
    }

    /// Where the scenario names no prices, the first policy that does is believed.
    fn hold_price_against(
        &mut self,
        array: &Array,
        (host, is_base): (HostIx, bool),
        place: Option<Place>,
        path: &str,
    ) {
        let Some(price) = array.price else { return };
        let theirs = if is_base { price.base } else { price.host };
        let host = &mut self.hosts[host.index()];
        if !self.priced[host.array.index()] {
            if host.price == 0.0 {
                host.price = theirs;
            }
            return;
        }
        let ours = host.price;
        let kind = Warning::OtherPrice { host: host.name.clone(), policy: theirs, scenario: ours };
        let message = kind.to_string();
        if ours != theirs && !self.warnings.iter().any(|told| told.message == message) {
            self.warn(&kind, place, path.to_owned());
        }
    }
}
