//! What a service is, as a scenario says it, and whether that is sound.

use thiserror::Error;

use crate::time::Span;

/// What a service is.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum ServiceSpec {
    /// None: the load is the share of the guest's virtual CPUs that it wants.
    #[default]
    Plain,
    /// A database; the load is in queries a second.
    Database(DatabaseSpec),
    /// A web server; the load is in requests a second.
    Web(WebSpec),
}

/// A database.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DatabaseSpec {
    /// The mean CPU work of a query, in Gcycles: 0.1 takes 50 ms alone on a core of 2 GHz.
    pub work_gcycles: f64,
    /// So many queries are worked on in parallel at most, and no more than the guest has virtual CPUs.
    pub concurrency: u32,
    /// MySQL's `max_connections`: with so many queries in it, it turns away the next.
    pub max_connections: u32,
    /// MySQL's `long_query_time`: a query that takes longer is a slow one.
    pub long_query_time: Span,
}

impl Default for DatabaseSpec {
    /// Queries of 0.1 Gcycles; as many at once as there are virtual CPUs, 151 connections, slow after a second. (MySQL's own
    /// defaults are 151 and ten seconds.)
    fn default() -> Self {
        Self {
            work_gcycles: 0.1,
            concurrency: u32::MAX,
            max_connections: 151,
            long_query_time: Span::from_secs(1),
        }
    }
}

/// A web server with a pool of workers, each of which holds one request at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WebSpec {
    /// The mean CPU work of a request, in Gcycles.
    pub work_gcycles: f64,
    /// How long a request holds its worker besides, in the mean: the disk, the network, keep-alive.
    pub held: Span,
    /// Apache's `MaxRequestWorkers`.
    pub max_workers: u32,
    /// Apache's `ListenBacklog`: so many requests wait for a worker; the next is turned away.
    pub listen_backlog: u32,
}

impl Default for WebSpec {
    /// Requests of 0.02 Gcycles that hold a worker 50 ms besides; Apache's defaults of 256 workers and a backlog of 511.
    fn default() -> Self {
        Self { work_gcycles: 0.02, held: Span::from_millis(50), max_workers: 256, listen_backlog: 511 }
    }
}

/// Why a description makes no service.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// No work, negative work, or absurdly much.
    #[error("`{what}` must be more than 0 and at most {:e} Gcycles", ServiceSpec::WORK_MOST)]
    Work {
        /// Which number.
        what: &'static str,
    },
    /// None of what there must be some of, or absurdly many.
    #[error("`{what}` must be from {least} to {most}")]
    Count {
        /// Which number.
        what: &'static str,
        /// The least.
        least: u32,
        /// The most.
        most: u32,
    },
    /// A time that is zero or absurdly long.
    #[error("`{what}` must be longer than nothing and at most {most}")]
    Time {
        /// Which time.
        what: &'static str,
        /// The longest.
        most: Span,
    },
}

impl ServiceSpec {
    /// No query, request or job is more work.
    pub const WORK_MOST: f64 = 1e9;

    /// No pool is larger.
    pub const PLACES_MOST: u32 = 1_000_000;

    /// No time in a description is longer: a day.
    pub const TIME_MOST: Span = Span::from_hours(24);

    /// Whether it is sound.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ServiceError> {
        match self {
            Self::Plain => Ok(()),
            Self::Database(spec) => {
                is_work("work", spec.work_gcycles)?;
                is_count("concurrency", spec.concurrency, 1, u32::MAX)?;
                is_count("max_connections", spec.max_connections, 1, Self::PLACES_MOST)?;
                is_time("long_query_time", spec.long_query_time, Span::from_millis(1))
            }
            Self::Web(spec) => {
                is_work("work", spec.work_gcycles)?;
                is_time("held", spec.held, Span::ZERO)?;
                is_count("max_workers", spec.max_workers, 1, Self::PLACES_MOST)?;
                is_count("listen_backlog", spec.listen_backlog, 0, Self::PLACES_MOST)
            }
        }
    }
}

pub(super) fn is_work(what: &'static str, gcycles: f64) -> Result<(), ServiceError> {
    let sound = gcycles > 1e-9 && gcycles <= ServiceSpec::WORK_MOST;
    if sound { Ok(()) } else { Err(ServiceError::Work { what }) }
}

fn is_count(what: &'static str, count: u32, least: u32, most: u32) -> Result<(), ServiceError> {
    if (least..=most).contains(&count) { Ok(()) } else { Err(ServiceError::Count { what, least, most }) }
}

fn is_time(what: &'static str, time: Span, least: Span) -> Result<(), ServiceError> {
    let most = ServiceSpec::TIME_MOST;
    if (least..=most).contains(&time) { Ok(()) } else { Err(ServiceError::Time { what, most }) }
}
