//! What every service must do.

mod formulas;
mod jobs;
mod properties;
mod reference;
mod simulated;
mod tails;

use super::*;

/// A database whose queries take a second of a server alone: times are in units of that.
pub(super) fn database(max_connections: u32, long_query_time: Span) -> Service {
    let spec =
        DatabaseSpec { work_gcycles: 1.0, max_connections, long_query_time, ..DatabaseSpec::default() };
    Service::new(&ServiceSpec::Database(spec)).expect("a sound database")
}

/// So many servers, each of which works off a Gcycle a second.
pub(super) const fn servers(count: u32) -> Vcpus {
    Vcpus { count, clock_ghz: 1.0 }
}

/// Lets it run at this load until it does not change any more.
pub(super) fn settle(service: &mut Service, load: f64, vcpus: Vcpus) {
    for _ in 0..300 {
        service.advance(Span::from_secs(10_000), load, vcpus, vcpus.ghz());
    }
}

pub(super) fn read(service: &Service, indicator: Indicator) -> f64 {
    service.read(indicator).expect("it has this indicator")
}

/// The share of queries that are slow, over a step in which nothing changes.
pub(super) fn slow_share(service: &mut Service, load: f64, vcpus: Vcpus) -> f64 {
    let before = [Indicator::SlowQueries, Indicator::Queries].map(|counter| read(service, counter));
    service.advance(Span::from_secs(10_000_000), load, vcpus, vcpus.ghz());
    let after = [Indicator::SlowQueries, Indicator::Queries].map(|counter| read(service, counter));
    (after[0] - before[0]) / (after[1] - before[1])
}
