//! Moves under way: live ones, which share their array's link, and relocations, which share the way out of it.

use super::agenda::Coming;
use super::vm::Phase;
use super::{Violated, Watch, World};
use crate::sim::load::When;
use crate::sim::migration::{Move, PreCopy, Relocation};
use crate::sim::scenario::{GuestIx, HostIx, LiveMoves, Relocations, Scenario};
use crate::time::{Mono, Span};

/// A move under way.
#[derive(Debug)]
struct Going {
    guest: GuestIx,
    from: HostIx,
    to: HostIx,
    /// The number of the request that it is for; none where somebody else wanted it.
    number: Option<u64>,
    is_live: bool,
    /// Which link it shares; none for one that takes a given time.
    link: Option<usize>,
    pace: Pace,
    begun: Mono,
    /// When it will fail, if it will.
    fails_at: Option<Mono>,
    /// Whether the guest has been stopped for the rest.
    stopped: bool,
    version: u32,
}

/// How far it is.
#[derive(Debug)]
enum Pace {
    /// It ends then.
    Given(Mono),
    /// It was worked out until then, and has so many bytes a second since.
    Physical { state: Move, worked_out: Mono, bytes_per_s: f64 },
}

/// All moves under way.
#[derive(Debug)]
pub(super) struct Moves {
    slots: Vec<Option<Going>>,
    /// Slots that are free again.
    free: Vec<u32>,
    /// By link (two of each array: inside it, and out of it): the slots of the moves that share it, in the order of
    /// their beginning.
    on_link: Vec<Vec<u32>>,
    /// By guest: the slot of its move; `u32::MAX` for none.
    of: Vec<u32>,
    /// By guest: how often it has relocated.
    relocated: Vec<u32>,
    /// By array: how many moves have begun there and not ended.
    under_way: Vec<u32>,
    /// By host: bytes of memory of the guests that are coming.
    memory_coming: Vec<f64>,
    /// What moves had under way before, so that versions never repeat.
    versions: u32,
}

const NONE: u32 = u32::MAX;

impl Moves {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            on_link: vec![Vec::new(); 2 * scenario.arrays.len()],
            of: vec![NONE; scenario.guests.len()],
            relocated: vec![0; scenario.guests.len()],
            under_way: vec![0; scenario.arrays.len()],
            memory_coming: vec![0.0; scenario.hosts.len()],
            versions: 0,
        }
    }

    pub(super) fn is_moving(&self, guest: GuestIx) -> bool {
        self.of[guest.index()] != NONE
    }

    /// Where a guest is on its way to.
    pub(super) fn target(&self, guest: GuestIx) -> Option<HostIx> {
        let slot = self.of[guest.index()] as usize;
        self.slots.get(slot).and_then(Option::as_ref).map(|going| going.to)
    }

    fn take_slot(&mut self, going: Going) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(going);
            return slot;
        }
        self.slots.push(Some(going));
        u32::try_from(self.slots.len() - 1).expect("fewer moves than guests")
    }

    pub(super) fn under_way(&self, array: usize) -> u32 {
        self.under_way[array]
    }

    pub(super) fn memory_coming(&self, host: HostIx) -> f64 {
        self.memory_coming[host.index()]
    }
}

impl<W: Watch> World<'_, W> {
    pub(super) fn when(&self, at: Mono) -> When {
        When { since: Span::from_millis(at.0.unsigned_abs()), wall: self.scenario.start.shifted(at.0) }
    }

    /// A guest begins to move. One that takes no time is over at once.
    pub(super) fn begin_move(
        &mut self,
        at: Mono,
        guest: GuestIx,
        to: HostIx,
        number: Option<u64>,
        fails: bool,
    ) {
        let from = self.shares.host_of(guest);
        let hosts = &self.scenario.hosts;
        let (here, there) = (hosts[from.index()].array, hosts[to.index()].array);
        let array = &self.scenario.arrays[here.index()];
        let kind = &self.scenario.kinds[self.scenario.guests[guest.index()].kind.index()];
        let is_live = here == there;
        let nth = self.moves.relocated[guest.index()] as usize;
        let physical = |state| Pace::Physical { state, worked_out: at, bytes_per_s: 0.0 };
        let (pace, link) = match (&array.live, &array.leaving) {
            (LiveMoves::Take(span), _) if is_live => (Pace::Given(at.plus(*span)), None),
            (LiveMoves::Precopy { .. }, _) if is_live => {
                let spec = PreCopy {
                    memory_bytes: kind.memory,
                    dirty_bytes_per_s: kind.dirties,
                    working_set_bytes: kind.working_set,
                    ..PreCopy::default()
                };
                let state = Move::live(&spec).expect("a sound scenario's guests can be copied");
                (physical(state), Some(2 * here.index()))
            }
            (_, Relocations::Take(spans)) => {
                let takes = spans.get(nth).or(spans.last()).copied().unwrap_or_default();
                (Pace::Given(at.plus(takes)), None)
            }
            (_, Relocations::Copy { .. }) => {
                let spec = Relocation { shutdown: kind.shutdown, disk_bytes: kind.disk, boot: kind.boot };
                let state = Move::relocation(&spec).expect("a sound scenario's disks can be copied");
                (physical(state), Some(2 * here.index() + 1))
            }
        };
        if !is_live {
            self.moves.relocated[guest.index()] += 1;
            self.shut_down(guest, at);
        }
        let going = Going {
            guest,
            from,
            to,
            number,
            is_live,
            link,
            pace,
            begun: at,
            fails_at: fails.then_some(at),
            stopped: !is_live,
            version: 0,
        };
        let slot = self.moves.take_slot(going);
        self.moves.of[guest.index()] = slot;
        if let Some(link) = link {
            self.moves.on_link[link].push(slot);
        }
        self.moves.under_way[here.index()] += 1;
        self.moves.memory_coming[to.index()] += self.shares.memory_of(guest);
        self.watch.moving(guest, at, Some(to));
        match link {
            None => self.plan_stage(at, slot as usize),
            Some(link) => self.pace_link(at, link),
        }
    }

    /// The links of an array may have another speed.
    pub(super) fn pace_moves(&mut self, at: Mono, array: usize) {
        self.pace_link(at, 2 * array);
        self.pace_link(at, 2 * array + 1);
    }

    /// Moves that share a link are worked out until now, and share it anew.
    fn pace_link(&mut self, at: Mono, link: usize) {
        let array = &self.scenario.arrays[link / 2];
        let whole = match (link % 2, &array.live, &array.leaving) {
            (0, LiveMoves::Precopy { link }, _) | (1, _, Relocations::Copy { link }) => *link,
            _ => return,
        };
        let whole = whole * self.faults.link_factor(link / 2);
        let mut senders = 0_u32;
        let count = self.moves.on_link[link].len();
        for nth in 0..count {
            let slot = self.moves.on_link[link][nth] as usize;
            if let Some(Going { pace: Pace::Physical { state, worked_out, bytes_per_s, .. }, .. }) =
                &mut self.moves.slots[slot]
            {
                state.advance(at.since(*worked_out), *bytes_per_s);
                *worked_out = at;
                senders += u32::from(state.is_sending());
            }
        }
        let each = whole / f64::from(senders.max(1));
        for nth in 0..count {
            // Whoever ends or begins while this goes on paces the link by itself.
            let Some(&slot) = self.moves.on_link[link].get(nth) else { return };
            if let Some(Going { pace: Pace::Physical { bytes_per_s, .. }, .. }) =
                &mut self.moves.slots[slot as usize]
            {
                *bytes_per_s = each;
                self.plan_stage(at, slot as usize);
            }
        }
    }

    /// Plans when to look at a move again: at its end, or where it changes on its way.
    fn plan_stage(&mut self, at: Mono, slot: usize) {
        self.moves.versions = self.moves.versions.wrapping_add(1);
        let version = self.moves.versions;
        let Some(going) = &mut self.moves.slots[slot] else { return };
        going.version = version;
        let next = match &going.pace {
            Pace::Given(ends) => Some(*ends),
            Pace::Physical { state, .. } if state.ended().is_some() => Some(at),
            Pace::Physical { state, bytes_per_s, .. } => state.turn(*bytes_per_s).map(|turn| at.plus(turn)),
        };
        // A move that fails does so half way, as far as can be seen when it begins.
        if going.fails_at == Some(going.begun) {
            let takes = match &going.pace {
                Pace::Given(ends) => Some(ends.since(going.begun)),
                Pace::Physical { state, bytes_per_s, .. } => state.eta(*bytes_per_s),
            };
            let half = Span::from_millis(takes.unwrap_or_default().millis() / 2);
            going.fails_at = Some(going.begun.plus(half));
        }
        let next = match (next, going.fails_at) {
            (Some(next), Some(fails)) => Some(next.min(fails.max(at))),
            (next, fails) => next.or(fails),
        };
        let Some(next) = next else { return };
        let slot_number = u32::try_from(slot).expect("fewer moves than guests");
        if next > at {
            self.agenda.plan(next, Coming::Stage { slot: slot_number, version });
        } else {
            self.look_at_move(at, slot);
        }
    }

    /// A move may have come to its next stage.
    pub(super) fn move_goes_on(&mut self, at: Mono, slot: u32, version: u32) -> Result<(), Violated> {
        let current = self.moves.slots.get(slot as usize).and_then(Option::as_ref);
        if current.is_some_and(|going| going.version == version) {
            self.look_at_move(at, slot as usize);
        }
        Ok(())
    }

    fn look_at_move(&mut self, at: Mono, slot: usize) {
        let Some(going) = &mut self.moves.slots[slot] else { return };
        if going.fails_at.is_some_and(|fails| fails <= at) {
            return self.end_move(at, slot, false);
        }
        let Some(link) = going.link else { return self.end_move(at, slot, true) };
        let Pace::Physical { state, worked_out, bytes_per_s, .. } = &mut going.pace else { return };
        state.advance(at.since(*worked_out), *bytes_per_s);
        *worked_out = at;
        if state.ended().is_some() {
            return self.end_move(at, slot, true);
        }
        let stops = !state.is_running() && !going.stopped;
        going.stopped |= stops;
        let (guest, rest) = (going.guest, state.eta(*bytes_per_s).unwrap_or_default());
        // What sends has changed; the end is planned before the guest wakes at it.
        self.pace_link(at, link);
        if stops {
            self.pause(guest, at, rest);
        }
    }

    /// A move is over: the guest is there, or where it was.
    fn end_move(&mut self, at: Mono, slot: usize, well: bool) {
        let Some(going) = self.moves.slots[slot].take() else { return };
        let Going { guest, from, to, number, is_live, link, .. } = going;
        let number_of_slot = self.moves.of[guest.index()];
        self.moves.free.push(number_of_slot);
        if let Some(link) = link {
            self.moves.on_link[link].retain(|&other| other != number_of_slot);
        }
        let array = self.scenario.hosts[from.index()].array.index();
        self.moves.of[guest.index()] = NONE;
        self.moves.under_way[array] -= 1;
        self.moves.memory_coming[to.index()] -= self.shares.memory_of(guest);
        if well {
            self.shares.place(guest, at, to, &mut self.services);
            self.ledger.moved(at, guest, is_live, at.since(going.begun));
            self.watch.placed(guest, at, Some(to));
        } else {
            self.watch.moving(guest, at, None);
        }
        let here = if well { to } else { from };
        if !is_live && !self.faults.is_down(here) {
            // The boot is part of the relocation.
            let power_on = self.vms[guest.index()].as_ref().map_or(0, |vm| vm.power_on);
            self.agenda.plan(at, Coming::Boots { guest, power_on });
        }
        if let Some(number) = number {
            self.move_ended(at, guest, array, number, well);
        }
        if let Some(link) = link {
            self.pace_link(at, link);
        }
        self.next_in_turn(at, array);
    }

    /// Moves from a host that has failed are lost with their guests; moves to it come to nothing.
    pub(super) fn moves_of_a_lost_host(&mut self, at: Mono, host: HostIx) {
        for slot in 0..self.moves.slots.len() {
            if self.moves.slots[slot].as_ref().is_some_and(|going| going.from == host || going.to == host) {
                self.end_move(at, slot, false);
            }
        }
    }

    /// A guest is shut down in good order: its daemon writes its state.
    fn shut_down(&mut self, guest: GuestIx, at: Mono) {
        if let Some(vm) = &mut self.vms[guest.index()] {
            vm.write_state();
        }
        self.switch_off(guest, at);
    }

    pub(super) fn switch_off(&mut self, guest: GuestIx, at: Mono) {
        self.drop_job(guest, at);
        self.shares.set_running(guest, at, false, &mut self.services);
        self.watch.powered(guest, at, false);
        if let Some(vm) = &mut self.vms[guest.index()] {
            vm.phase = Phase::Off;
            vm.tally.blind(at);
            vm.run += 1;
            vm.power_on += 1;
            self.wakes[guest.index()] = i64::MAX;
        }
    }

    pub(super) fn switch_on(&mut self, guest: GuestIx, at: Mono) {
        let kind = &self.scenario.kinds[self.scenario.guests[guest.index()].kind.index()];
        let power_on = self.vms[guest.index()].as_ref().map_or(0, |vm| vm.power_on);
        self.agenda.plan(at.plus(kind.boot), Coming::Boots { guest, power_on });
    }

    /// A guest is up: its service starts, and its daemon.
    pub(super) fn boot(&mut self, guest: GuestIx, at: Mono, power_on: u32) -> Result<(), Violated> {
        if self.faults.is_down(self.shares.host_of(guest)) {
            return Ok(());
        }
        self.restart_service(guest, at);
        self.shares.set_running(guest, at, true, &mut self.services);
        self.watch.powered(guest, at, true);
        let Some(vm) = &mut self.vms[guest.index()] else { return Ok(()) };
        if vm.phase != Phase::Off || vm.power_on != power_on {
            return Ok(());
        }
        // Its monotonic clock begins anew.
        vm.behind_ms = at.0;
        self.restore(guest);
        self.start_daemon(guest, at)
    }

    /// The daemon as it finds its state on disk.
    pub(super) fn restore(&mut self, guest: GuestIx) {
        let Some(vm) = &mut self.vms[guest.index()] else { return };
        let policy = &self.scenario.policies[vm.managed.policy.index()];
        vm.reload_from_disk(policy);
    }
}
