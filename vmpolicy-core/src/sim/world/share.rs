//! Who is where, what each guest demands of its host's processors, and what it gets.
//!
//! Processor time is shared in proportion to demand: where the guests of a host demand more than it has, each gets
//! the same part of what it demands. What a guest did not get is its steal.

use crate::sim::scenario::{GuestIx, HostIx, Scenario};
use crate::sim::service::{Indicator, Service, Vcpus};
use crate::time::{Mono, Span};

/// What guests demand and get, in GHz, in columns by guest and by host.
#[derive(Debug)]
pub(super) struct Shares {
    // By guest
    host: Vec<u32>,
    /// Neither off nor paused.
    running: Vec<bool>,
    load: Vec<f64>,
    demand_ghz: Vec<f64>,
    /// Its virtual processors, where it is.
    vcpus: Vec<Vcpus>,
    memory: Vec<f64>,
    /// Whether a job runs beside the service, on one virtual processor.
    job: Vec<bool>,
    /// Until when its service has been advanced.
    served: Vec<Mono>,
    /// How far a guest looks ahead when it says what it demands.
    step: Span,
    // By host
    capacity_ghz: Vec<f64>,
    clock_ghz: Vec<f64>,
    total_ghz: Vec<f64>,
    /// The part of what is demanded that guests get.
    part: Vec<f64>,
    /// What nobody demands, in GHz.
    spare_ghz: Vec<f64>,
    guests: Vec<u32>,
    memory_taken: Vec<f64>,
    memory_there: Vec<f64>,
}

impl Shares {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let kinds = || scenario.guests.iter().map(|guest| &scenario.kinds[guest.kind.index()]);
        let hosts = || scenario.hosts.iter();
        let count = scenario.guests.len();
        let mut shares = Self {
            host: scenario.guests.iter().map(|guest| guest.at.0).collect(),
            running: vec![true; count],
            load: vec![0.0; count],
            demand_ghz: vec![0.0; count],
            vcpus: kinds().map(|kind| Vcpus { count: kind.vcpus, clock_ghz: 0.0 }).collect(),
            memory: kinds().map(|kind| kind.memory).collect(),
            job: vec![false; count],
            served: vec![Mono(0); count],
            step: scenario.step,
            capacity_ghz: hosts().map(|host| host.capacity_ghz()).collect(),
            clock_ghz: hosts().map(|host| host.clock_ghz).collect(),
            total_ghz: vec![0.0; scenario.hosts.len()],
            part: vec![1.0; scenario.hosts.len()],
            spare_ghz: hosts().map(|host| host.capacity_ghz()).collect(),
            guests: vec![0; scenario.hosts.len()],
            memory_taken: vec![0.0; scenario.hosts.len()],
            memory_there: hosts().map(|host| host.memory).collect(),
        };
        for index in 0..count {
            let host = shares.host[index] as usize;
            shares.guests[host] += 1;
            shares.memory_taken[host] += shares.memory[index];
            shares.vcpus[index].clock_ghz = shares.clock_ghz[host];
        }
        shares
    }

    #[inline]
    pub(super) fn host_of(&self, guest: GuestIx) -> HostIx {
        HostIx(self.host[guest.index()])
    }

    pub(super) fn guests_on(&self, host: HostIx) -> u32 {
        self.guests[host.index()]
    }

    /// What part of a host's processors is busy, from 0 to 1.
    pub(super) fn busy(&self, host: HostIx) -> f64 {
        let (total, capacity) = (self.total_ghz[host.index()], self.capacity_ghz[host.index()]);
        if capacity > 0.0 { (total / capacity).min(1.0) } else { 0.0 }
    }

    /// Whether not all that is demanded of a host can be met.
    pub(super) fn is_overloaded(&self, host: HostIx) -> bool {
        self.part[host.index()] < 1.0
    }

    /// What nobody demands of a host, in GHz.
    pub(super) fn spare_ghz(&self, host: HostIx) -> f64 {
        self.spare_ghz[host.index()]
    }

    /// Bytes of a host's memory that nobody has.
    pub(super) fn memory_free(&self, host: HostIx) -> f64 {
        self.memory_there[host.index()] - self.memory_taken[host.index()]
    }

    pub(super) fn memory_of(&self, guest: GuestIx) -> f64 {
        self.memory[guest.index()]
    }

    /// All that a guest's virtual processors can use where it is, in GHz.
    pub(super) fn most_ghz(&self, guest: usize) -> f64 {
        self.vcpus[guest].ghz()
    }

    /// What a guest demands now and does not get, in GHz.
    pub(super) fn missed_ghz(&self, guest: usize) -> f64 {
        self.demand_ghz[guest] * (1.0 - self.part[self.host[guest] as usize])
    }

    /// The part of what a guest demands now that it does not get.
    pub(super) fn missed_part(&self, guest: usize) -> f64 {
        1.0 - self.part[self.host[guest] as usize]
    }

    /// What a guest demands now, in GHz.
    pub(super) fn demanded_ghz(&self, guest: usize) -> f64 {
        self.demand_ghz[guest]
    }

    /// A new step: nothing is demanded yet.
    pub(super) fn begin(&mut self) {
        self.total_ghz.fill(0.0);
    }

    /// A guest's load is this from now on.
    #[inline]
    pub(super) fn demand(&mut self, guest: usize, at: Mono, load: f64, service: &mut Service) {
        self.serve(guest, at, service);
        self.load[guest] = load;
        let demand = self.demand_of(guest, service);
        self.demand_ghz[guest] = demand;
        self.total_ghz[self.host[guest] as usize] += demand;
    }

    /// All demands are known: processor time is shared out.
    pub(super) fn share_out(&mut self) {
        for host in 0..self.part.len() {
            self.share_out_on(host);
        }
    }

    fn share_out_on(&mut self, host: usize) {
        let (demand, capacity) = (self.total_ghz[host], self.capacity_ghz[host]);
        self.part[host] = if demand > capacity { capacity / demand } else { 1.0 };
        self.spare_ghz[host] = (capacity - demand).max(0.0);
    }

    /// What a guest could use at most: its part of what is demanded, and what nobody demands, as far as its
    /// virtual processors go.
    #[inline]
    fn available_ghz(&self, guest: usize) -> f64 {
        if !self.running[guest] {
            return 0.0;
        }
        let host = self.host[guest] as usize;
        let ghz = self.demand_ghz[guest] * self.part[host] + self.spare_ghz[host];
        ghz.min(self.vcpus[guest].ghz())
    }

    /// A guest's service goes on until now with what it gets.
    #[inline]
    pub(super) fn serve(&mut self, guest: usize, at: Mono, service: &mut Service) {
        let elapsed = at.since(self.served[guest]);
        if !elapsed.is_zero() {
            self.served[guest] = at;
            let available = self.available_ghz(guest);
            service.advance(elapsed, self.load[guest], self.vcpus[guest], available);
        }
    }

    /// What a probe of a guest's service reads now.
    #[inline]
    pub(super) fn read(
        &mut self,
        guest: usize,
        at: Mono,
        indicator: Indicator,
        service: &mut Service,
    ) -> Option<f64> {
        let (elapsed, vcpus) = (at.since(self.served[guest]), self.vcpus[guest]);
        // Most polls come in the middle of a step: no need to cut the step in two.
        if !elapsed.is_zero() {
            let (load, available_ghz) = (self.load[guest], self.available_ghz(guest));
            if let Some(value) = service.momentary(indicator, load, vcpus, available_ghz) {
                return Some(value);
            }
            // The same where the host has time to spare, and what the step will come to is known.
            if elapsed < self.step && available_ghz >= vcpus.ghz() {
                let part = elapsed.millis() as f64 / self.step.millis() as f64;
                if let Some(value) = service.glance(indicator, part, self.step, load, vcpus) {
                    return Some(value);
                }
            }
        }
        self.serve(guest, at, service);
        service.read(indicator)
    }

    /// A guest is on another host from now on.
    pub(super) fn place(&mut self, guest: GuestIx, at: Mono, to: HostIx, services: &mut [Service]) {
        let (index, from) = (guest.index(), self.host_of(guest));
        self.guests[from.index()] -= 1;
        self.guests[to.index()] += 1;
        self.memory_taken[from.index()] -= self.memory[index];
        self.memory_taken[to.index()] += self.memory[index];
        self.withdraw(index, at, services);
        self.host[index] = to.0;
        self.vcpus[index].clock_ghz = self.clock_ghz[to.index()];
        self.enter(index, services);
    }

    /// A guest's load, or what else its demand depends on, is another from now on.
    pub(super) fn change_load(&mut self, guest: GuestIx, at: Mono, load: f64, services: &mut [Service]) {
        self.withdraw(guest.index(), at, services);
        self.load[guest.index()] = load;
        self.enter(guest.index(), services);
    }

    pub(super) fn set_running(&mut self, guest: GuestIx, at: Mono, running: bool, services: &mut [Service]) {
        if self.running[guest.index()] != running {
            self.withdraw(guest.index(), at, services);
            self.running[guest.index()] = running;
            self.enter(guest.index(), services);
        }
    }

    fn withdraw(&mut self, guest: usize, at: Mono, services: &mut [Service]) {
        self.serve(guest, at, &mut services[guest]);
        let host = self.host[guest] as usize;
        self.total_ghz[host] = (self.total_ghz[host] - self.demand_ghz[guest]).max(0.0);
        self.demand_ghz[guest] = 0.0;
        self.share_out_on(host);
    }

    fn enter(&mut self, guest: usize, services: &mut [Service]) {
        let (host, demand) = (self.host[guest] as usize, self.demand_of(guest, &mut services[guest]));
        self.demand_ghz[guest] = demand;
        self.total_ghz[host] += demand;
        self.share_out_on(host);
    }

    #[inline]
    fn demand_of(&self, guest: usize, service: &mut Service) -> f64 {
        if !self.running[guest] {
            return 0.0;
        }
        let vcpus = self.vcpus[guest];
        let demand = service.demand(self.step, self.load[guest], vcpus);
        if self.job[guest] { (demand + vcpus.clock_ghz).min(vcpus.ghz()) } else { demand }
    }

    /// A job begins or ends beside the service.
    pub(super) fn set_job(&mut self, guest: GuestIx, at: Mono, runs: bool, services: &mut [Service]) {
        self.withdraw(guest.index(), at, services);
        self.job[guest.index()] = runs;
        self.enter(guest.index(), services);
    }

    /// The speed of a guest's job, in GHz: its part of one core.
    pub(super) fn job_ghz(&self, guest: GuestIx) -> f64 {
        let index = guest.index();
        let part = self.part[self.host[index] as usize];
        if self.running[index] { self.vcpus[index].clock_ghz * part } else { 0.0 }
    }
}

/// A span of the world's time, in hours.
pub(super) fn hours(span: Span) -> f64 {
    span.as_secs_f64() / 3_600.0
}
