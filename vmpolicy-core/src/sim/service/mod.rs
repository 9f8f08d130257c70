//! What a load does to a service, and what a probe would read there.
//!
//! A [`Service`] takes a load ([queries a second](super::load), for instance) and the CPU that its guest gets, and has the
//! [indicators](Indicator) of a real one. Formulas, sources and limits are in `docs/models.md`. In each step a world asks
//! every guest of a host for its [`demand`](Service::demand), shares the host, and lets each [`advance`](Service::advance).
//!
//! # The unit of CPU
//!
//! GHz: virtual CPUs times the clock of the host, or 10⁹ cycles a second. Work is in Gcycles: what takes one second on a
//! core of 1 GHz. A core of 2 GHz is worth two of 1 GHz in both.
//!
//! # What a guest can have
//!
//! `available_ghz` is what the guest could have used at most: what it got and what nobody else wanted,
//! as far as its virtual CPUs go. With C the host's capacity and D the sum of the demands it is, for a guest that got d,
//! min(d + max(0, C − D), virtual CPUs × clock). So a busy host slows its guests down before it is full; for one core
//! that is exact (several classes at one processor-sharing server), for more it is on the slow side. No guest uses more
//! than it demanded, so a host is never overdrawn.
//!
//! ```
//! use vmpolicy_core::sim::service::{DatabaseSpec, Indicator, Service, ServiceSpec, Vcpus};
//! use vmpolicy_core::time::Span;
//!
//! let spec = ServiceSpec::Database(DatabaseSpec { work_gcycles: 0.1, ..DatabaseSpec::default() });
//! let mut database = Service::new(&spec)?;
//! let (step, vcpus) = (Span::from_secs(60), Vcpus { count: 2, clock_ghz: 2.0 });
//!
//! let demand = database.demand(step, 10.0, vcpus);
//! assert!((demand - 1.0).abs() < 0.01, "10 queries a second of 0.1 Gcycles");
//! database.advance(step, 10.0, vcpus, vcpus.ghz());
//! assert_eq!(database.read(Indicator::SlowQueries), Some(0.0));
//! database.advance(step, 10.0, vcpus, 0.5);
//! assert!(database.read(Indicator::SlowQueries) > Some(100.0), "half of what it needs");
//! # Ok::<(), vmpolicy_core::sim::service::ServiceError>(())
//! ```

pub mod erlang;
pub mod jobs;

mod database;
mod indicator;
mod meter;
mod plain;
mod spec;
mod station;
mod web;

#[cfg(test)]
mod tests;

use self::database::Database;
pub use self::indicator::Indicator;
use self::plain::Plain;
pub use self::spec::{DatabaseSpec, ServiceError, ServiceSpec, WebSpec};
use self::web::Web;
use crate::time::Span;

/// The virtual CPUs of a guest on its present host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vcpus {
    /// How many it has.
    pub count: u32,
    /// The clock of the host's cores.
    pub clock_ghz: f64,
}

impl Vcpus {
    /// All that it can use, on a host of its own.
    #[must_use]
    #[inline]
    pub fn ghz(self) -> f64 {
        f64::from(self.count) * self.clock_ghz
    }
}

/// A service that runs: what it is and what has piled up in it.
#[derive(Clone, Debug)]
pub struct Service {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Plain(Plain),
    Database(Database),
    Web(Web),
}

impl Service {
    /// The service that `spec` describes, idle.
    ///
    /// # Errors
    /// Where the description is not sound; see [`ServiceError`].
    pub fn new(spec: &ServiceSpec) -> Result<Self, ServiceError> {
        spec.check()?;
        Ok(Self {
            form: match spec {
                ServiceSpec::Plain => Form::Plain(Plain::IDLE),
                ServiceSpec::Database(spec) => Form::Database(Database::new(spec)),
                ServiceSpec::Web(spec) => Form::Web(Web::new(spec)),
            },
        })
    }

    /// How much CPU it would use in the next `elapsed` with all of its virtual CPUs, in GHz. What has piled up counts. It changes nothing:
    /// the service keeps the answer for [`advance`](Self::advance). 0 where no time passes.
    #[must_use]
    #[inline]
    pub fn demand(&mut self, elapsed: Span, load: f64, vcpus: Vcpus) -> f64 {
        if elapsed.is_zero() {
            return 0.0;
        }
        match &mut self.form {
            Form::Plain(_) => Plain::demand(load, vcpus),
            Form::Database(database) => database.demand(elapsed, load, vcpus),
            Form::Web(web) => web.demand(elapsed, load, vcpus),
        }
    }

    /// Lets time pass, with this load and this much CPU; gives what it used of it, in GHz. What `available_ghz` is stands at
    /// the [top](self#what-a-guest-can-have); 0 is a guest that is paused. Where no time passes,
    /// nothing happens.
    #[inline]
    pub fn advance(&mut self, elapsed: Span, load: f64, vcpus: Vcpus, available_ghz: f64) -> f64 {
        if elapsed.is_zero() {
            return 0.0;
        }
        match &mut self.form {
            Form::Plain(plain) => plain.advance(load, vcpus, available_ghz),
            Form::Database(database) => database.advance(elapsed, load, vcpus, available_ghz),
            Form::Web(web) => web.advance(elapsed, load, vcpus, available_ghz),
        }
    }

    /// What a probe of this indicator reads now; None where the service has no such indicator.
    ///
    /// Counters are whole numbers and never fall but in a [restart](Self::restart). The others are means over the end of
    /// the last step, with a fraction where a real one would waver between two whole numbers.
    #[must_use]
    #[inline]
    pub fn read(&self, indicator: Indicator) -> Option<f64> {
        match &self.form {
            Form::Plain(plain) => plain.read(indicator),
            Form::Database(database) => database.read(indicator),
            Form::Web(web) => web.read(indicator),
        }
    }

    /// What a probe reads when this part of a step (0 to 1) has passed and the guest gets all that it can use; the step
    /// itself is still to be [advanced](Self::advance) as a whole, or as far as it goes. It costs next to nothing, as
    /// [`demand`](Self::demand) has worked the step out already. None where that is not known; advance, and read.
    #[inline]
    pub fn glance(
        &mut self,
        indicator: Indicator,
        part: f64,
        step: Span,
        load: f64,
        vcpus: Vcpus,
    ) -> Option<f64> {
        match &mut self.form {
            Form::Plain(_) => None,
            Form::Database(database) => database.glance(indicator, part, step, load, vcpus),
            Form::Web(web) => web.glance(indicator, part, step, load, vcpus),
        }
    }

    /// What a probe reads now, where that depends on nothing but what is asked of the guest and what it could use now: the
    /// service need not be [advanced](Self::advance) for it. None for any other.
    #[must_use]
    #[inline]
    pub fn momentary(
        &self,
        indicator: Indicator,
        load: f64,
        vcpus: Vcpus,
        available_ghz: f64,
    ) -> Option<f64> {
        match &self.form {
            Form::Plain(_) => Plain::momentary(indicator, load, vcpus, available_ghz),
            Form::Database(_) | Form::Web(_) => None,
        }
    }

    /// Nobody will read this indicator; where it takes long to work out, it is left out from now on, and
    /// [reads](Self::read) as none.
    pub const fn forget(&mut self, indicator: Indicator) {
        if let (Form::Database(database), Indicator::SlowQueries) = (&mut self.form, indicator) {
            database.forget_slow();
        }
    }

    /// The service starts again, as after its guest was shut down: what was in it is lost and its counters begin at 0.
    pub fn restart(&mut self) {
        match &mut self.form {
            Form::Plain(plain) => *plain = Plain::IDLE,
            Form::Database(database) => database.restart(),
            Form::Web(web) => web.restart(),
        }
    }
}
