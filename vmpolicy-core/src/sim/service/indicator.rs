//! The names of what can be read.

use core::fmt;

/// Something that a probe reads at a service or at its guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Indicator {
    /// The share of its virtual CPUs that the guest used, from 0 to 1.
    Cpu,
    /// The share of its virtual CPUs' time that it wanted and others got, in per cent, as `st` in `top`.
    Steal,
    /// How many tasks run or wait for a CPU. The load average of Linux tends to it.
    Load,
    /// MySQL's `Slow_queries`: a counter of queries that took longer than `long_query_time`.
    SlowQueries,
    /// MySQL's `Queries`: a counter of queries that were answered.
    Queries,
    /// MySQL's `Threads_running`: the queries that are being worked on.
    ThreadsRunning,
    /// The mean response time in milliseconds.
    ResponseMs,
    /// A counter of queries or requests that were turned away because all places were taken.
    Refused,
    /// Apache's `BusyWorkers`.
    BusyWorkers,
    /// Apache's `IdleWorkers`.
    IdleWorkers,
    /// Apache's `Total Accesses`: a counter of requests that were answered.
    Requests,
    /// Apache's `ReqPerSec`, but over the last step and not since the server's start.
    RequestsPerS,
}

impl Indicator {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Cpu,
        Self::Steal,
        Self::Load,
        Self::SlowQueries,
        Self::Queries,
        Self::ThreadsRunning,
        Self::ResponseMs,
        Self::Refused,
        Self::BusyWorkers,
        Self::IdleWorkers,
        Self::Requests,
        Self::RequestsPerS,
    ];

    /// Its name in scenarios. MySQL's status variables have theirs, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Steal => "steal",
            Self::Load => "load",
            Self::SlowQueries => "slow_queries",
            Self::Queries => "queries",
            Self::ThreadsRunning => "threads_running",
            Self::ResponseMs => "response_ms",
            Self::Refused => "refused",
            Self::BusyWorkers => "busy_workers",
            Self::IdleWorkers => "idle_workers",
            Self::Requests => "requests",
            Self::RequestsPerS => "requests_per_s",
        }
    }

    /// The indicator of this name, in upper or lower case.
    ///
    /// ```
    /// use vmpolicy_core::sim::service::Indicator;
    /// assert_eq!(Indicator::named("Slow_queries"), Some(Indicator::SlowQueries));
    /// assert_eq!(Indicator::named("uptime"), None);
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|indicator| indicator.name().eq_ignore_ascii_case(name))
    }

    /// Whether it counts events since the service's start, so that a policy reads it as `delta` or `rate`.
    #[must_use]
    pub const fn is_counter(self) -> bool {
        matches!(self, Self::SlowQueries | Self::Queries | Self::Refused | Self::Requests)
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
