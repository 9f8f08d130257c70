//! What happens, with its names looked up.

use super::super::error::{ScenarioErrorKind as Kind, ScenarioWarningKind as Warning};
use super::super::form::{FaultForm, PolicyForm, ProviderForm, ScenarioFile, WhatForm};
use super::arrays::behave;
use super::guests::Groups;
use super::{Builder, is_vague};
use crate::input::Word;
use crate::policy::Located;
use crate::policy::error::Noun;
use crate::sim::scenario::{ArrayIx, Fault, GuestIx, GuestSet, What};
use std::collections::{BTreeMap, BTreeSet};

impl Builder<'_> {
    /// Earliest first; at one time, in the order of the file.
    pub(super) fn faults(&mut self, file: &ScenarioFile, groups: &Groups) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (index, form) in file.faults.iter().enumerate() {
            let path = format!("faults[{index}]");
            let late = form.at.value >= file.lasts.value && !file.lasts.value.is_zero();
            if late && !self.doubts.stands_in(&file.lasts) {
                let kind = Warning::AfterTheEnd { at: form.at.value, lasts: file.lasts.value };
                self.warn(&kind, form.at.place, format!("{path}.at"));
            }
            let lasts = form.lasts.as_ref().map(|lasts| lasts.value);
            let whats = self.whats(form, file, groups, &path);
            faults.extend(whats.into_iter().map(|what| Fault { at: form.at.value, lasts, what }));
        }
        faults.sort_by_key(|fault| fault.at);
        faults
    }

    fn whats(&mut self, form: &FaultForm, file: &ScenarioFile, groups: &Groups, path: &str) -> Vec<What> {
        let guests = self.guest_set(form.guests.as_ref(), path);
        let array = form.array.as_ref().map(|array| self.find_array(array, format!("{path}.array")));
        // Whose name could not be found has no array, and not all of them.
        let Some(array) = array.map_or(Some(None), |found| found.map(Some)) else { return Vec::new() };
        if matches!(
            form.what.value,
            WhatForm::Reload(_)
                | WhatForm::DaemonCrash
                | WhatForm::ProbesHang
                | WhatForm::ProbesFail(_)
                | WhatForm::ProbesSay(_)
                | WhatForm::LocatorFails
                | WhatForm::Hold(_)
                | WhatForm::Resume
                | WhatForm::Abandon
        ) {
            self.have_policies(form, &guests, groups, path);
        }
        let operator = |guests, word| What::Operator { guests, word };
        let what = match &form.what.value {
            WhatForm::Reload(policy) => return self.reload(policy, &guests, file, groups, path),
            WhatForm::ProviderBehaves(provider) => return self.provider_behaves(provider, array),
            WhatForm::DaemonCrash => What::DaemonCrash(guests),
            WhatForm::Pause => What::Pause(guests),
            &WhatForm::Clock { by_ms } => What::ClockStep { guests, by_ms },
            WhatForm::ProbesHang => What::ProbeHangs(guests),
            &WhatForm::ProbesFail(why) => What::ProbeFails { guests, why },
            &WhatForm::ProbesSay(value) => What::ProbeLies { guests, value },
            WhatForm::ServiceRestart => What::ServiceRestart(guests),
            WhatForm::LocatorFails => What::LocatorFails(guests),
            &WhatForm::LoadTimes(factor) => What::LoadTimes { guests, factor },
            WhatForm::MovedTo(host) => {
                let Some(to) = self.find_host(host, format!("{path}.moved_to")) else { return Vec::new() };
                What::MovedTo { guests, to }
            }
            &WhatForm::Hold(span) => operator(guests, Word::Hold(span)),
            WhatForm::Resume => operator(guests, Word::Resume),
            WhatForm::Abandon => operator(guests, Word::Abandon),
            WhatForm::HostCrash(host) => {
                let Some(host) = self.find_host(host, format!("{path}.crash")) else { return Vec::new() };
                What::HostCrash(host)
            }
            WhatForm::Drain { host, comes_true } => {
                let Some(host) = self.find_host(host, format!("{path}.drain")) else { return Vec::new() };
                What::Drain { host, comes_true: *comes_true }
            }
            WhatForm::ProviderDown => What::ProviderDown(array),
            &WhatForm::LinkTimes(factor) => What::LinkTimes { array, factor },
        };
        vec![what]
    }

    fn guest_set(&mut self, form: Option<&Located<Vec<Located<String>>>>, path: &str) -> GuestSet {
        let Some(form) = form else { return GuestSet::All };
        let path = format!("{path}.guests");
        let mut guests = BTreeSet::new();
        for text in &form.value {
            for name in self.names(text, || path.clone()).unwrap_or_default() {
                match self.guest_named.get(&name) {
                    Some(&(guest, _)) => drop(guests.insert(guest)),
                    None => {
                        if !self.doubts.guests && !is_vague(&self.vague_guests, &name) {
                            let name = Located { value: name, place: text.place };
                            let known: Vec<String> = self.guest_named.keys().take(2_000).cloned().collect();
                            self.undefined(
                                Noun::Guest,
                                &name,
                                path.clone(),
                                known.iter().map(String::as_str),
                            );
                        }
                        break;
                    }
                }
            }
        }
        GuestSet::These(guests.into_iter().collect())
    }

    /// Those that are named have a policy; of all, those are meant that have one.
    fn have_policies(&mut self, form: &FaultForm, guests: &GuestSet, groups: &Groups, path: &str) {
        let GuestSet::These(guests) = guests else { return };
        let without = guests.iter().find(|guest| !groups.managed[groups.group_of[guest.index()]]);
        if let Some(guest) = without {
            let kind = Kind::NoPolicy { guest: self.guests[guest.index()].name.clone() };
            let place = form.guests.as_ref().and_then(|guests| guests.place);
            self.blame(&kind, place, format!("{path}.guests"));
        }
    }

    /// One reload for each group, as what feeds an indicator depends on the service.
    fn reload(
        &mut self,
        policy: &Located<PolicyForm>,
        guests: &GuestSet,
        file: &ScenarioFile,
        groups: &Groups,
        path: &str,
    ) -> Vec<What> {
        let path = format!("{path}.reload");
        let Some(known) = self.policy(policy, &path) else { return Vec::new() };
        let mut by_group: BTreeMap<usize, Vec<GuestIx>> = BTreeMap::new();
        for (index, &group) in groups.group_of.iter().enumerate() {
            let guest = GuestIx::from_index(index);
            let meant = match guests {
                GuestSet::All => true,
                GuestSet::These(guests) => guests.binary_search(&guest).is_ok(),
            };
            if meant && groups.managed[group] {
                by_group.entry(group).or_default().push(guest);
            }
        }
        let mut whats = Vec::with_capacity(by_group.len());
        for (group, guests) in by_group {
            let form = &file.guests[group];
            let managed = self.managed(form, &known, &groups.feeds[group], (policy.place, &path));
            whats.push(What::Reload { guests: GuestSet::These(guests), managed });
        }
        whats
    }

    /// What is left out stays as the array's own provider has it.
    fn provider_behaves(&self, form: &ProviderForm, array: Option<ArrayIx>) -> Vec<What> {
        let arrays = match array {
            Some(array) => vec![array],
            None => (0..self.arrays.len()).map(ArrayIx::from_index).collect(),
        };
        let behaves = |array: ArrayIx| {
            let mut provider = self.arrays[array.index()].provider;
            behave(&mut provider, form);
            What::ProviderBehaves { array: Some(array), provider }
        };
        arrays.into_iter().map(behaves).collect()
    }
}
