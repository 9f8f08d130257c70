//! Parts of a scenario that have nothing to do with each other: arrays between which no guest can move, and which share no
//! queue. Each is a world of its own, small enough to stay in a processor's cache, and to be run beside the others.

use super::{Options, Outcome, Part, Violated, Watch, World};
use crate::sim::scenario::{
    ArrayIx, Fault, Guest, GuestIx, GuestSet, HostIx, Kind, KindIx, Managed, PolicyIx, QueueIx, Scenario,
    What,
};
use crate::time::Mono;

/// Which guests, hosts, queues and policies of the whole scenario the ones of a part are: all that is random goes by these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) guests: Vec<GuestIx>,
    pub(super) hosts: Vec<HostIx>,
    pub(super) queues: Vec<QueueIx>,
    pub(super) policies: Vec<PolicyIx>,
}

impl Numbers {
    /// A scenario that is no part of another.
    pub(super) fn own(scenario: &Scenario) -> Self {
        Self {
            guests: (0..scenario.guests.len()).map(GuestIx::from_index).collect(),
            hosts: (0..scenario.hosts.len()).map(HostIx::from_index).collect(),
            queues: (0..scenario.queues.len()).map(QueueIx::from_index).collect(),
            policies: (0..scenario.policies.len()).map(PolicyIx::from_index).collect(),
        }
    }
}

/// A part of a scenario.
#[derive(Clone, Debug)]
pub struct Island {
    /// The part, as a scenario of its own.
    scenario: Scenario,
    numbers: Numbers,
}

impl Island {
    /// The parts of a scenario, by their first arrays. A watcher of one is told that part's own indices.
    ///
    /// ```
    /// # use vmpolicy_core::sim::scenario::Scenario;
    /// # use vmpolicy_core::sim::world::{Island, Options, Outcome, Violated};
    /// # use vmpolicy_core::time::Mono;
    /// # fn example(scenario: &Scenario) -> Result<Outcome, Violated> {
    /// let islands = Island::all(scenario);
    /// let mut parts = Vec::new();
    /// for island in &islands {
    ///     let mut nobody = ();
    ///     let mut running = island.begin(Options::default(), &mut nobody);
    ///     running.advance(Mono(i64::MAX))?;
    ///     parts.push(running.finish());
    /// }
    /// Ok(Island::outcome(scenario, &islands, parts))
    /// # }
    /// ```
    #[must_use]
    pub fn all(scenario: &Scenario) -> Vec<Self> {
        let of = components(scenario);
        let mut firsts: Vec<usize> = of.clone();
        firsts.sort_unstable();
        firsts.dedup();
        let mut hosts = vec![Vec::new(); scenario.arrays.len()];
        for (index, host) in scenario.hosts.iter().enumerate() {
            hosts[of[host.array.index()]].push(HostIx::from_index(index));
        }
        let mut guests = vec![Vec::new(); scenario.arrays.len()];
        for (index, guest) in scenario.guests.iter().enumerate() {
            let array = scenario.hosts[guest.at.index()].array;
            guests[of[array.index()]].push(GuestIx::from_index(index));
        }
        let part = |&first: &usize| {
            let arrays = (0..of.len()).filter(|&array| of[array] == first).map(ArrayIx::from_index).collect();
            Cut::new(scenario, arrays, std::mem::take(&mut hosts[first]), std::mem::take(&mut guests[first]))
                .island()
        };
        firsts.iter().map(part).collect()
    }

    /// The scenario's guests that are here, by the part's own indices.
    #[must_use]
    pub fn guests(&self) -> &[GuestIx] {
        &self.numbers.guests
    }

    /// The scenario's hosts that are here, by the part's own indices.
    #[must_use]
    pub fn hosts(&self) -> &[HostIx] {
        &self.numbers.hosts
    }

    /// Begins to run it.
    pub fn begin<'a, W: Watch>(&'a self, options: Options, watch: &'a mut W) -> Running<'a, W> {
        Running(World::new(&self.scenario, &self.numbers, options, watch))
    }

    /// What all parts came to together; one of each, in their order.
    ///
    /// # Panics
    ///
    /// Where there is not one for each.
    #[must_use]
    pub fn outcome(scenario: &Scenario, islands: &[Self], parts: Vec<Part>) -> Outcome {
        assert_eq!(islands.len(), parts.len(), "one outcome for each part");
        Outcome::of(scenario, parts.into_iter().zip(islands.iter().map(|island| &island.numbers)).collect())
    }
}

/// A part that runs.
pub struct Running<'a, W>(World<'a, W>);

impl<W> core::fmt::Debug for Running<'_, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Running").field("begins", &self.0.begins).finish_non_exhaustive()
    }
}

impl<W: Watch> Running<'_, W> {
    /// Goes on through all steps that begin before this time.
    ///
    /// # Errors
    ///
    /// What must never happen, if it has.
    pub fn advance(&mut self, upto: Mono) -> Result<(), Violated> {
        self.0.advance(upto)
    }

    /// Whether it has come to its end.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.0.ended
    }

    /// Its watcher.
    pub const fn watch(&mut self) -> &mut W {
        self.0.watch
    }

    /// What it came to.
    #[must_use]
    pub fn finish(self) -> Part {
        self.0.finish()
    }
}

/// By array: the first array of those that it has to do with.
fn components(scenario: &Scenario) -> Vec<usize> {
    let mut of: Vec<usize> = (0..scenario.arrays.len()).collect();
    let by_name = |name: &str| scenario.arrays.iter().position(|array| array.name == name);
    let reach: Vec<Vec<usize>> = scenario
        .policies
        .iter()
        .map(|policy| policy.arrays().rows().iter().filter_map(|array| by_name(&array.name)).collect())
        .collect();
    let home = |guest: &Guest| scenario.hosts[guest.at.index()].array.index();
    let mut by_queue: Vec<Option<usize>> = vec![None; scenario.queues.len()];
    let mut joined = Vec::new();
    for guest in &scenario.guests {
        let Some(managed) = &scenario.kinds[guest.kind.index()].managed else { continue };
        reaches(managed, home(guest), &reach, &mut by_queue, &mut joined);
    }
    for fault in &scenario.faults {
        match &fault.what {
            What::Reload { guests, managed } => {
                for (index, guest) in scenario.guests.iter().enumerate() {
                    if guests.has(GuestIx::from_index(index)) {
                        reaches(managed, home(guest), &reach, &mut by_queue, &mut joined);
                    }
                }
            }
            What::MovedTo { guests, to } => {
                for (index, guest) in scenario.guests.iter().enumerate() {
                    if guests.has(GuestIx::from_index(index)) {
                        joined.push((home(guest), scenario.hosts[to.index()].array.index()));
                    }
                }
            }
            _ => {}
        }
    }
    joined.sort_unstable();
    joined.dedup();
    for (one, other) in joined {
        let (one, other) = (of[one], of[other]);
        if one != other {
            let (first, second) = (one.min(other), one.max(other));
            of.iter_mut().filter(|array| **array == second).for_each(|array| *array = first);
        }
    }
    of
}

/// A guest that starts in this array can come into these.
fn reaches(
    managed: &Managed,
    home: usize,
    reach: &[Vec<usize>],
    by_queue: &mut [Option<usize>],
    joined: &mut Vec<(usize, usize)>,
) {
    joined.extend(reach[managed.policy.index()].iter().map(|&array| (home, array)));
    for queue in managed.queues.iter().flatten() {
        joined.push((home, *by_queue[queue.index()].get_or_insert(home)));
    }
}

/// A part while it is cut out.
struct Cut<'a> {
    whole: &'a Scenario,
    arrays: Vec<ArrayIx>,
    hosts: Vec<HostIx>,
    guests: Vec<GuestIx>,
    policies: Vec<PolicyIx>,
    kinds: Vec<KindIx>,
    queues: Vec<QueueIx>,
}

/// The index of what is at this place of the whole in a sorted list of such places.
fn within<T: Ord + Copy>(list: &[T], one: T) -> Option<usize> {
    list.binary_search(&one).ok()
}

impl<'a> Cut<'a> {
    fn new(whole: &'a Scenario, arrays: Vec<ArrayIx>, hosts: Vec<HostIx>, guests: Vec<GuestIx>) -> Self {
        let mut kinds: Vec<KindIx> = guests.iter().map(|guest| whole.guests[guest.index()].kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let managed = |kind: &KindIx| whole.kinds[kind.index()].managed.as_ref();
        let mut policies: Vec<PolicyIx> =
            kinds.iter().filter_map(managed).map(|managed| managed.policy).collect();
        let mut queues: Vec<QueueIx> = kinds
            .iter()
            .filter_map(managed)
            .flat_map(|managed| managed.queues.iter().flatten().copied())
            .collect();
        for fault in &whole.faults {
            if let What::Reload { managed, .. } = &fault.what {
                policies.push(managed.policy);
                queues.extend(managed.queues.iter().flatten());
            }
        }
        policies.sort_unstable();
        policies.dedup();
        queues.sort_unstable();
        queues.dedup();
        Self { whole, arrays, hosts, guests, policies, kinds, queues }
    }

    fn island(self) -> Island {
        let whole = self.whole;
        let array = |index: ArrayIx| ArrayIx::from_index(within(&self.arrays, index).unwrap_or_default());
        let host = |index: HostIx| HostIx::from_index(within(&self.hosts, index).unwrap_or_default());
        let kind = |index: KindIx| KindIx::from_index(within(&self.kinds, index).unwrap_or_default());
        let scenario = Scenario {
            start: whole.start,
            zone: whole.zone.clone(),
            lasts: whole.lasts,
            step: whole.step,
            seed: whole.seed,
            arrays: self.arrays.iter().map(|array| whole.arrays[array.index()].clone()).collect(),
            hosts: self
                .hosts
                .iter()
                .map(|host| whole.hosts[host.index()].clone())
                .map(|host| crate::sim::scenario::Host { array: array(host.array), ..host })
                .collect(),
            policies: self.policies.iter().map(|policy| whole.policies[policy.index()].clone()).collect(),
            kinds: self
                .kinds
                .iter()
                .map(|kind| whole.kinds[kind.index()].clone())
                .map(|kind| Kind { managed: kind.managed.map(|managed| self.managed(&managed)), ..kind })
                .collect(),
            guests: self
                .guests
                .iter()
                .map(|guest| whole.guests[guest.index()].clone())
                .map(|guest| Guest { kind: kind(guest.kind), at: host(guest.at), ..guest })
                .collect(),
            queues: self.queues.iter().map(|queue| whole.queues[queue.index()].clone()).collect(),
            management: whole.management,
            faults: whole.faults.iter().filter_map(|fault| self.fault(fault)).collect(),
        };
        let numbers =
            Numbers { guests: self.guests, hosts: self.hosts, queues: self.queues, policies: self.policies };
        Island { scenario, numbers }
    }

    fn managed(&self, managed: &Managed) -> Managed {
        let queue = |index: QueueIx| within(&self.queues, index).map(QueueIx::from_index);
        Managed {
            policy: PolicyIx::from_index(within(&self.policies, managed.policy).unwrap_or_default()),
            queues: managed.queues.iter().map(|index| index.and_then(queue)).collect(),
            ..managed.clone()
        }
    }

    /// What of a fault happens here; none where nothing does.
    fn fault(&self, fault: &Fault) -> Option<Fault> {
        let set = |guests: &GuestSet| match guests {
            GuestSet::All => Some(GuestSet::All),
            GuestSet::These(guests) => {
                let here =
                    guests.iter().filter_map(|&guest| within(&self.guests, guest).map(GuestIx::from_index));
                let here: Vec<_> = here.collect();
                (!here.is_empty()).then_some(GuestSet::These(here))
            }
        };
        let host = |index: HostIx| within(&self.hosts, index).map(HostIx::from_index);
        let array = |index: &Option<ArrayIx>| match index {
            None => Some(None),
            Some(index) => within(&self.arrays, *index).map(|at| Some(ArrayIx::from_index(at))),
        };
        let what = match &fault.what {
            What::Reload { guests, managed } => {
                What::Reload { guests: set(guests)?, managed: self.managed(managed) }
            }
            What::DaemonCrash(guests) => What::DaemonCrash(set(guests)?),
            What::Pause(guests) => What::Pause(set(guests)?),
            What::ClockStep { guests, by_ms } => What::ClockStep { guests: set(guests)?, by_ms: *by_ms },
            What::ProbeHangs(guests) => What::ProbeHangs(set(guests)?),
            What::ProbeFails { guests, why } => What::ProbeFails { guests: set(guests)?, why: *why },
            What::ProbeLies { guests, value } => What::ProbeLies { guests: set(guests)?, value: *value },
            What::ServiceRestart(guests) => What::ServiceRestart(set(guests)?),
            What::LocatorFails(guests) => What::LocatorFails(set(guests)?),
            What::LoadTimes { guests, factor } => What::LoadTimes { guests: set(guests)?, factor: *factor },
            What::MovedTo { guests, to } => What::MovedTo { guests: set(guests)?, to: host(*to)? },
            What::Operator { guests, word } => What::Operator { guests: set(guests)?, word: *word },
            What::HostCrash(index) => What::HostCrash(host(*index)?),
            What::Drain { host: index, comes_true } => {
                What::Drain { host: host(*index)?, comes_true: *comes_true }
            }
            What::ProviderDown(index) => What::ProviderDown(array(index)?),
            What::ProviderBehaves { array: index, provider } => {
                What::ProviderBehaves { array: array(index)?, provider: *provider }
            }
            What::LinkTimes { array: index, factor } => {
                What::LinkTimes { array: array(index)?, factor: *factor }
            }
        };
        Some(Fault { what, ..*fault })
    }
}
