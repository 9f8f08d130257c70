//! What can go wrong with a range query.

use crate::cli::Exit;
use vmpolicy_core::time::{Span, Wall};

/// Why a range query gave no recording.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The server can't be reached, or the connection broke.
    #[error("can't reach the server: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("the server did not answer within {0}: ask for less, or say --timeout")]
    TimedOut(Span),
    /// The answer breaks off.
    #[error("the answer ends early")]
    Torn,
    /// The answer is larger than any should be.
    #[error("the answer is larger than {0} bytes: ask for fewer series")]
    TooLarge(u64),
    /// The server answered that it can't or won't.
    #[error("the server says: {kind}: {error}")]
    Refused {
        /// Prometheus' name of the kind, such as `bad_data`.
        kind: String,
        /// In the server's words.
        error: String,
    },
    /// An answer by HTTP that is not one of Prometheus.
    #[error("the server answered {status}{}{}", hint(*.status), if body.is_empty() { String::new() } else { format!(": `{body}`") })]
    Status {
        /// The status of HTTP.
        status: u16,
        /// The beginning of what it said.
        body: String,
    },
    /// An answer of another kind.
    #[error("the server does not answer as Prometheus does ({0}); is the address right?")]
    NotPrometheus(String),
    /// A value at a time that was not asked for.
    #[error("the answer has a value at {0}, which was not asked for, or came before")]
    NotAsked(Wall),
    /// Native histograms.
    #[error("`{0}` is a histogram: ask for a number of it, such as `histogram_quantile(0.9, ..)`")]
    Histograms(String),
    /// No series.
    #[error("the query has no result from {start} to {end}")]
    Nothing {
        /// The first time asked for.
        start: Wall,
        /// The last.
        end: Wall,
    },
    /// A series lacks the label that would name it.
    #[error("`{series}` has no label `{label}`")]
    NoLabel {
        /// The label.
        label: String,
        /// The series.
        series: String,
    },
    /// Two series have the same value of the label that names them.
    #[error(
        "there are two series whose label `{label}` is `{name}`: sum them up by it, or name them by another"
    )]
    SameName {
        /// The value.
        name: String,
        /// The label.
        label: String,
    },
    /// A step of no length.
    #[error("the step is 0")]
    NoStep,
    /// The end is before the start.
    #[error("the end, {end}, is before the start, {start}")]
    Backwards {
        /// The first time asked for.
        start: Wall,
        /// The last.
        end: Wall,
    },
    /// Far too many steps.
    #[error("from start to end there are {steps} steps, and {most} is the most")]
    TooLong {
        /// How many.
        steps: u64,
        /// How many there may be.
        most: u64,
    },
    /// Certificates that can't be read.
    #[error("{0}")]
    Certificates(String),
}

impl QueryError {
    /// How a command ends that could not use the answer.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Nothing { .. } | Self::Histograms(_) => Exit::No,
            Self::NoLabel { .. } | Self::SameName { .. } => Exit::Usage,
            Self::NoStep | Self::Backwards { .. } | Self::TooLong { .. } => Exit::Usage,
            _ => Exit::Outside,
        }
    }
}

const fn hint(status: u16) -> &'static str {
    match status {
        301..=308 => " (it sends elsewhere: give that address)",
        401 => " (it wants --bearer-token-file or --basic-auth-file)",
        403 => " (these credentials may not)",
        404 => " (no Prometheus there; is a path missing, such as /prometheus?)",
        _ => "",
    }
}
