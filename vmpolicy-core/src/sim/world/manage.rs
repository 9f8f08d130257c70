//! The conventional case: the infrastructure decides, by what it sees of its hosts.

use super::agenda::Coming;
use super::{Violated, Watch, World};
use crate::sim::balance::{self, Answer, Guests, History, Hosts, Kind, Manager, Rules, View};
use crate::sim::scenario::{GuestIx, HostIx, Management, Scenario};
use crate::time::{Mono, Span};

/// Who decides where guests run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deciding {
    /// Whoever the scenario says: guests by their policies, and the infrastructure where it is said to.
    #[default]
    AsWritten,
    /// Nobody. Guests watch and judge as their policies say, and ask for nothing.
    Nobody,
    /// The infrastructure, by this manager (see [`balance::NAMES`]). Guests watch and ask for nothing.
    Infrastructure(Management),
}

impl Deciding {
    /// Whether guests ask for nothing.
    pub(super) const fn holds_guests(self) -> bool {
        !matches!(self, Self::AsWritten)
    }
}

/// The managers, one an array: live migration ends at its border.
pub(super) struct Office {
    every: Span,
    desks: Vec<Desk>,
}

struct Desk {
    manager: Box<dyn Manager + Send>,
    /// Rows to the world's hosts and guests.
    hosts: Vec<u32>,
    guests: Vec<u32>,
    kinds: Vec<Kind>,
    kind: Vec<u16>,
    history: History,
    columns: Columns,
    answer: Answer,
}

/// What a manager sees, kept for its room.
#[derive(Default)]
struct Columns {
    used: Vec<f64>,
    open: Vec<bool>,
    size: Vec<f64>,
    demand: Vec<f64>,
    allocated: Vec<f64>,
    memory: Vec<f64>,
    home: Vec<u32>,
    moving: Vec<bool>,
    residents: Vec<Vec<u32>>,
}

impl core::fmt::Debug for Office {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Office").field("every", &self.every).finish_non_exhaustive()
    }
}

impl Office {
    /// None where nobody manages.
    pub(super) fn new(scenario: &Scenario, deciding: Deciding) -> Option<Self> {
        let management = match deciding {
            Deciding::AsWritten => scenario.management?,
            Deciding::Nobody => return None,
            Deciding::Infrastructure(management) => management,
        };
        let desks = (0..scenario.arrays.len()).filter_map(|array| Desk::new(scenario, array, management));
        let desks: Vec<_> = desks.collect();
        (!desks.is_empty()).then_some(Self { every: management.every.max(Span::from_millis(1)), desks })
    }
}

impl Desk {
    fn new(scenario: &Scenario, array: usize, management: Management) -> Option<Self> {
        let manager = balance::by_name(management.kind.name(), Rules::default())?;
        let (mut hosts, mut guests, mut kinds, mut kind) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (host, row) in scenario.hosts.iter().zip(0_u32..) {
            if host.array.index() == array {
                let model = Kind {
                    capacity: host.capacity_ghz(),
                    core: host.clock_ghz,
                    memory: host.memory,
                    power: host.power,
                };
                let found = kinds.iter().position(|other| *other == model).unwrap_or_else(|| {
                    kinds.push(model);
                    kinds.len() - 1
                });
                hosts.push(row);
                kind.push(u16::try_from(found).expect("fewer models than 65,536"));
            }
        }
        for (guest, row) in scenario.guests.iter().zip(0_u32..) {
            if scenario.hosts[guest.at.index()].array.index() == array {
                guests.push(row);
            }
        }
        let history = History::new(guests.len());
        let columns = Columns::default();
        let answer = Answer::default();
        Some(Self { manager, hosts, guests, kinds, kind, history, columns, answer })
    }
}

impl<W: Watch> World<'_, W> {
    /// The infrastructure looks for the first time, one span from now.
    pub(super) fn begin_deciding(&mut self) {
        if let Some(office) = &self.office {
            self.agenda.plan(Mono(0).plus(office.every), Coming::Manages);
        }
    }

    /// The infrastructure looks at its hosts, and moves guests as it sees fit.
    pub(super) fn manage(&mut self, at: Mono) -> Result<(), Violated> {
        let Some(mut office) = self.office.take() else { return Ok(()) };
        for desk in &mut office.desks {
            self.look(desk);
            let Columns { used, open, size, demand, allocated, memory, home, moving, residents } =
                &desk.columns;
            desk.history.record(demand, size);
            let view = View {
                hosts: Hosts { kinds: &desk.kinds, kind: &desk.kind, used, open },
                guests: Guests { size, demand, allocated, memory, home, moving },
                residents,
                history: &desk.history,
            };
            desk.manager.balance(&view, &mut desk.answer);
            for moved in &desk.answer.moves {
                let guest = GuestIx(desk.guests[moved.guest as usize]);
                let to = HostIx(desk.hosts[moved.to as usize]);
                if !self.moves.is_moving(guest)
                    && self.shares.host_of(guest) != to
                    && !self.faults.is_closed(to)
                {
                    self.begin_move(at, guest, to, None, false);
                }
            }
        }
        self.agenda.plan(at.plus(office.every), Coming::Manages);
        self.office = Some(office);
        Ok(())
    }

    fn look(&self, desk: &mut Desk) {
        let Desk { hosts, guests, columns, .. } = desk;
        // An idle host that has guests is not one that is switched off.
        let idle = f64::MIN_POSITIVE;
        let host = |row: &u32| HostIx(*row);
        columns.used.clear();
        columns.used.extend(hosts.iter().map(host).map(|host| match self.shares.guests_on(host) {
            0 => 0.0,
            _ => self.shares.busy(host).max(idle),
        }));
        columns.open.clear();
        columns.open.extend(hosts.iter().map(host).map(|host| !self.faults.is_closed(host)));
        columns.residents.resize_with(hosts.len(), Vec::new);
        columns.residents.iter_mut().for_each(Vec::clear);
        for column in [&mut columns.size, &mut columns.demand, &mut columns.allocated, &mut columns.memory] {
            column.clear();
        }
        columns.home.clear();
        columns.moving.clear();
        for (row, guest) in (0_u32..).zip(guests.iter().map(|&guest| GuestIx(guest))) {
            let index = guest.index();
            columns.size.push(self.shares.most_ghz(index));
            columns.demand.push(self.shares.demanded_ghz(index));
            columns.allocated.push(self.shares.demanded_ghz(index) - self.shares.missed_ghz(index));
            columns.memory.push(self.shares.memory_of(guest));
            // One that has left the array is nobody's any more.
            let home = hosts.binary_search(&self.shares.host_of(guest).0);
            columns.home.push(home.map_or(0, |home| u32::try_from(home).expect("fewer hosts than 2^32")));
            columns.moving.push(home.is_err() || self.moves.is_moving(guest));
            if let Ok(home) = home {
                columns.residents[home].push(row);
            }
            if let Some(to) = self.moves.target(guest)
                && let Ok(to) = hosts.binary_search(&to.0)
            {
                columns.residents[to].push(row);
            }
        }
    }
}
