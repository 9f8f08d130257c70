//! Guests: the groups of the file, one kind each, placed on hosts.

use super::super::error::{ScenarioErrorKind as Kind, ScenarioWarningKind as Warning};
use super::super::form::{AtForm, GuestForm, ScenarioFile};
use super::load::{Whose, is_own};
use super::policies::Known;
use super::{Builder, MOST_GUESTS, beginning};
use crate::policy::Located;
use crate::policy::error::{Noun, PolicyErrorKind};
use crate::sim::load::LoadSpec;
use crate::sim::scenario::{self, ArrayIx, Feed, Guest, GuestIx, HostIx, KindIx};
use crate::time::Span;
use std::sync::Arc;

/// What a guest is like of which nothing is said. The thesis's had 512 MB (listing 3.7) and 1 GB on disk (4.6).
const MEMORY: f64 = 512.0 * 1_048_576.0;
const DISK: f64 = 1_073_741_824.0;
const DIRTIES: f64 = 5.0 * 1_048_576.0;
/// The share of its memory that a guest dirties again and again.
const WORKING_SET: f64 = 0.1;
const SHUTDOWN: Span = Span::from_secs(10);
const BOOT: Span = Span::from_secs(30);
/// Hosts with too little memory that are told one by one.
const MOST_OVERFULL: usize = 5;

/// What is known of the groups once all guests are there.
#[derive(Default)]
pub(super) struct Groups {
    pub(super) kinds: Vec<scenario::Kind>,
    /// By guest: its group, counted from 0 in the order of the file.
    pub(super) group_of: Vec<usize>,
    /// By group: whether it has a policy, be it a broken one.
    pub(super) managed: Vec<bool>,
    /// By group: what its `feeds` says.
    pub(super) feeds: Vec<Vec<(String, Option<Feed>)>>,
}

/// Where guests go.
struct Placing {
    /// By array: the next host in turn.
    next: Vec<usize>,
    /// By host: memory of the guests on it.
    used: Vec<f64>,
}

impl Builder<'_> {
    pub(super) fn guests(&mut self, file: &ScenarioFile) -> Groups {
        let mut groups = Groups::default();
        let mut placing = Placing { next: vec![0; self.arrays.len()], used: vec![0.0; self.hosts.len()] };
        for (index, form) in file.guests.iter().enumerate() {
            groups.managed.push(form.policy.is_some());
            self.group(index, form, &mut groups, &mut placing);
        }
        self.overfull(&placing);
        groups
    }

    fn group(&mut self, index: usize, form: &GuestForm, groups: &mut Groups, placing: &mut Placing) {
        let path = format!("guests.{}", form.name.value);
        self.named(Noun::Guest, &form.name, || path.clone());
        let names = self.names(&form.name, || path.clone());
        // What else it says is judged all the same.
        if names.is_none() {
            self.vague_guests.push(beginning(&form.name.value));
        }
        let names = names.unwrap_or_default();
        if self.guests.len() + names.len() > MOST_GUESTS {
            self.blame(&Kind::TooMuch { what: "guests", most: MOST_GUESTS }, form.name.place, path);
            groups.feeds.push(Vec::new());
            return;
        }
        let known = form.policy.as_ref().and_then(|policy| {
            let path = format!("{path}.policy");
            let known = self.policy(policy, &path)?;
            Some((policy.place, path, known))
        });
        let feeds = self.written_feeds(form);
        let managed = known.as_ref().map(|(place, path, known)| {
            self.unfed_names(form, known);
            self.managed(form, known, &feeds, (*place, path))
        });
        groups.feeds.push(feeds);
        if form.policy.is_none()
            && let Some((name, _)) = form.feeds.first()
        {
            self.blame(
                &Kind::NoPolicy { guest: form.name.value.clone() },
                name.place,
                format!("{path}.feeds"),
            );
        }
        let kind = self.kind(form, managed, &path);
        let hosts = self.seats(form, known.as_ref().map(|(.., known)| &**known), &path);
        let load_path = format!("{path}.load");
        let mut shared = None;
        for (number, name) in names.iter().enumerate() {
            let own = form.load.as_ref().is_some_and(|load| is_own(&load.value));
            let kind = match shared {
                Some(kind) if !own => kind,
                _ => {
                    let whose = Whose { guest: number, guests: names.len(), path: &load_path };
                    let load = form.load.as_ref().and_then(|load| self.load(load, whose));
                    let load = load.unwrap_or(LoadSpec::Constant(0.0));
                    groups.kinds.push(scenario::Kind { load, ..kind.clone() });
                    KindIx::from_index(groups.kinds.len() - 1)
                }
            };
            shared = Some(kind);
            let memory = groups.kinds[kind.index()].memory;
            let at = self.seat(&hosts, number, memory, placing);
            self.add_guest(name, form, kind, at);
            groups.group_of.push(index);
        }
        if names.is_empty() {
            let whose = Whose { guest: 0, guests: 1, path: &load_path };
            let _ = form.load.as_ref().and_then(|load| self.load(load, whose));
        }
        if let Some((place, path, known)) = known {
            self.starts_elsewhere(form, &known, names.len(), (place, &path));
        }
    }

    fn add_guest(&mut self, name: &str, form: &GuestForm, kind: KindIx, at: HostIx) {
        let ix = GuestIx::from_index(self.guests.len());
        if let Some((_, first)) = self.guest_named.insert(name.to_owned(), (ix, form.name.place)) {
            let kind = PolicyErrorKind::DuplicateName { what: Noun::Guest, name: name.to_owned() };
            self.twice(&kind, form.name.place, format!("guests.{}", form.name.value), first);
        }
        self.guests.push(Guest { name: name.to_owned(), kind, at });
    }

    fn kind(&mut self, form: &GuestForm, managed: Option<scenario::Managed>, path: &str) -> scenario::Kind {
        let memory = form.memory.as_ref().map_or(MEMORY, |memory| memory.value);
        let service = form.service.as_ref().map(|service| service.value.clone()).unwrap_or_default();
        if let Some(written) = &form.service
            && !self.doubts.stands_in(written)
            && let Err(why) = service.check()
            && !self.problems.iter().any(|told| told.path.starts_with(&format!("{path}.service")))
        {
            let kind = Kind::BadService { why: why.to_string() };
            self.blame(&kind, written.place, format!("{path}.service"));
        }
        scenario::Kind {
            vcpus: form.vcpus.as_ref().map_or(1, |vcpus| vcpus.value),
            memory,
            dirties: form.dirties.as_ref().map_or(DIRTIES, |dirties| dirties.value),
            working_set: form.working_set.as_ref().map_or(memory * WORKING_SET, |set| set.value.min(memory)),
            disk: form.disk.as_ref().map_or(DISK, |disk| disk.value),
            shutdown: form.shutdown.as_ref().map_or(SHUTDOWN, |span| span.value),
            boot: form.boot.as_ref().map_or(BOOT, |span| span.value),
            load: LoadSpec::Constant(0.0),
            service,
            managed,
        }
    }

    /// The hosts that a group starts on.
    fn seats(&mut self, form: &GuestForm, policy: Option<&Known>, path: &str) -> Seats {
        let path = format!("{path}.at");
        let place = form.at.as_ref().and_then(|at| at.place);
        let spread = AtForm::Spread { array: None, by_memory: false };
        match form.at.as_ref().map_or(&spread, |at| &at.value) {
            AtForm::Hosts(texts) => {
                let mut hosts = Vec::new();
                for text in texts {
                    for name in self.names(text, || path.clone()).unwrap_or_default() {
                        let name = Located { value: name, place: text.place };
                        let found = self.find_host(&name, path.clone());
                        hosts.extend(found);
                        if found.is_none() {
                            break;
                        }
                    }
                }
                Seats::Hosts(hosts)
            }
            AtForm::Spread { array: Some(array), by_memory } => match self.find_array(array, path) {
                Some(array) => Seats::Spread { array, by_memory: *by_memory },
                None => Seats::Hosts(Vec::new()),
            },
            AtForm::Spread { array: None, by_memory } => {
                let home = policy.map(|known| known.policy.arrays()[known.policy.home()].name.clone());
                let home = home.and_then(|home| self.array_named.get(&home).copied());
                let array = match self.arrays.len() {
                    1 => Some(ArrayIx(0)),
                    _ => home,
                };
                if array.is_none() && form.policy.is_none() && !self.doubts.arrays && self.arrays.len() > 1 {
                    let kind = Kind::WhichArray { arrays: self.arrays.len() };
                    self.blame(&kind, place.or(form.name.place), path);
                }
                array.map_or(Seats::Hosts(Vec::new()), |array| Seats::Spread { array, by_memory: *by_memory })
            }
        }
    }

    /// The host of the guest of this number.
    fn seat(&self, seats: &Seats, number: usize, memory: f64, placing: &mut Placing) -> HostIx {
        let found = match seats {
            Seats::Hosts(hosts) if hosts.is_empty() => None,
            Seats::Hosts(hosts) => Some(hosts[number % hosts.len()]),
            Seats::Spread { array, by_memory } => {
                let ring = &self.rings[array.index()];
                let ring = || ring.iter().copied().filter(|host| !self.hosts[host.index()].is_base);
                let free = |host: &HostIx| self.hosts[host.index()].memory - placing.used[host.index()];
                if *by_memory {
                    ring().reduce(|best, host| if free(&host) > free(&best) { host } else { best })
                } else {
                    let len = ring().count();
                    let next = &mut placing.next[array.index()];
                    let found = ring().nth(*next % len.max(1));
                    *next += 1;
                    found
                }
            }
        };
        // None that can be found was told.
        let host = found.unwrap_or(HostIx(0));
        if let Some(used) = placing.used.get_mut(host.index()) {
            *used += memory;
        }
        host
    }

    fn overfull(&mut self, placing: &Placing) {
        let mut told = 0;
        for index in 0..placing.used.len() {
            if placing.used[index] > self.hosts[index].memory && told < MOST_OVERFULL {
                told += 1;
                let kind = Warning::Overfull { host: self.hosts[index].name.clone() };
                self.warn(&kind, None, "guests".to_owned());
            }
        }
    }

    /// A guest that starts where its policy knows nothing of.
    fn starts_elsewhere(
        &mut self,
        form: &GuestForm,
        known: &Arc<Known>,
        count: usize,
        (place, path): (Option<crate::policy::Place>, &str),
    ) {
        let first = self.guests.len() - count;
        let elsewhere = self.guests[first..].iter().find_map(|guest| {
            let host = &self.hosts.get(guest.at.index())?.name;
            known.policy.host_named(host).is_none().then(|| (guest.name.clone(), host.clone()))
        });
        if let Some((guest, host)) = elsewhere {
            let place = form.at.as_ref().and_then(|at| at.place).or(place);
            let path =
                if form.at.is_some() { format!("guests.{}.at", form.name.value) } else { path.to_owned() };
            self.warn(&Warning::StartsElsewhere { guest, host }, place, path);
        }
    }
}

/// Where the guests of a group may start.
enum Seats {
    Hosts(Vec<HostIx>),
    Spread { array: ArrayIx, by_memory: bool },
}
